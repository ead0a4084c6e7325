"""Signed links and short codes, each bound to one delivery: one version of an alert to one recipient.

In: keys, newest first; a delivery's id; the day it ends on. Out: a token or code, the same at every attempt, and what a
token says where one of the keys signed it. It must never hold a name, nor need a log-in.

A code is 50 bits: with 50,000 codes in use and 300 tries a minute let through in all (ewarn/answers), guessing one
takes 140 years on average.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import date

from itsdangerous import BadSignature, Signer

from ewarn.terms import Frozen

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O or U
READ_AS = str.maketrans({"I": "1", "L": "1", "O": "0"})
TOKEN = re.compile(r"[0-9a-z-]{1,64}\.\d{8}\.[A-Za-z0-9_-]{43}")


class Opened(Frozen):
    """What a genuine token says."""

    delivery: str
    until: date


def token(keys: Sequence[str], delivery: str, until: date) -> str:
    """The token of one delivery, usable until the end of that day."""
    return _signer(keys).sign(f"{delivery}.{until:%Y%m%d}").decode()


def opened(keys: Sequence[str], said: str) -> Opened | None:
    """What a token says; None where none of the keys signed it. Whether it has ended is for the caller to say."""
    if not TOKEN.fullmatch(said):
        return None
    try:
        delivery, _, day = _signer(keys).unsign(said).decode().partition(".")
        return Opened(delivery=delivery, until=date.fromisoformat(day))
    except (BadSignature, ValueError):
        return None


def code(key: str, delivery: str) -> str:
    """The code of one delivery, to be typed in: ten letters and digits, such as 7K3MQ-2XD9T."""
    number = int.from_bytes(_keyed(key, "code", delivery)[:8], "big")
    letters = "".join(ALPHABET[(number >> (5 * place)) & 31] for place in range(10))
    return f"{letters[:5]}-{letters[5:]}"


def code_as_typed(said: str) -> str:
    """A code as people type it, in its one spelling; '' where it cannot be one."""
    bare = re.sub(r"[\s-]", "", said[:40]).upper().translate(READ_AS)
    return f"{bare[:5]}-{bare[5:]}" if len(bare) == 10 and set(bare) <= set(ALPHABET) else ""


def code_mark(key: str, said: str) -> str:
    """What a published list holds of a code: a keyed hash, so that the list alone gives none away."""
    return _keyed(key, "mark", said).hex()[:32]


def _keyed(key: str, what: str, text: str) -> bytes:
    return hmac.digest(key.encode(), f"ewarn answer {what} {text}".encode(), "sha256")


def _signer(keys: Sequence[str]) -> Signer:
    return Signer(list(reversed(keys)), salt="ewarn answer link", key_derivation="hmac", digest_method=hashlib.sha256)
