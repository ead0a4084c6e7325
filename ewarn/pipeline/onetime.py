"""One-time codes by time (RFC 6238): a secret shared once with a person's device, each code taken once.

In: the home's key, a person's sealed secret, a code, the instant. Out: the time step that the code is of, or nothing.
The secret leaves this module in the open only for the page on which its owner enrols.
"""

from __future__ import annotations

import base64
import hmac
import io
import json
import secrets
from datetime import datetime
from typing import Any

import pyotp
import segno
from cryptography.fernet import Fernet, InvalidToken

from ewarn.pipeline.house import House
from ewarn.store import vault
from ewarn.terms import Frozen, digest

STEP_SECONDS = 30
RECOVERY_CODES = 8
ALPHABET = "ABCDEFGHJKMNPQRSTVWXYZ23456789"


class Enrolment(Frozen):
    """What the page of enrolment shows: a QR code to scan, and the same secret to type."""

    secret: str
    uri: str
    qr_svg: str

    @property
    def spaced(self) -> str:
        return " ".join(self.secret[at : at + 4] for at in range(0, len(self.secret), 4))


def key_for(house: House, purpose: str) -> bytes:
    """A key of its own for each purpose, from the home's digest key."""
    return hmac.digest(vault.digest_key(house.settings), f"desk: {purpose}".encode(), "sha256")


def seal(house: House, purpose: str, value: Any) -> str:
    """A value that only this home can read, and nobody can change."""
    return Fernet(base64.urlsafe_b64encode(key_for(house, purpose))).encrypt(json.dumps(value).encode()).decode()


def unseal(house: House, purpose: str, sealed: str, seconds: int | None = None) -> Any:
    """The value again; None where it is not ours, was changed, or is older than so many seconds."""
    try:
        box = Fernet(base64.urlsafe_b64encode(key_for(house, purpose)))
        return json.loads(box.decrypt(sealed.encode(), ttl=seconds))
    except (InvalidToken, ValueError):
        return None


def enrolment(house: House, person: str, secret: str = "") -> Enrolment:
    """A new shared secret, or one again while its page is shown a second time."""
    secret = secret or pyotp.random_base32()
    uri = pyotp.TOTP(secret).provisioning_uri(name=person, issuer_name=f"ewarn {house.settings.issuer}")
    drawn = io.BytesIO()
    segno.make(uri, error="m").save(
        drawn, kind="svg", scale=5, border=4, xmldecl=False, svgns=True, dark="#000", light="#fff", svgclass="qr",
        lineclass="", omitsize=False, title="QR code of the one-time code secret",
    )  # fmt: skip
    return Enrolment(secret=secret, uri=uri, qr_svg=drawn.getvalue().decode())


def step_of(secret: str, code: str, now: datetime, last_step: int = 0) -> int | None:
    """The time step a code is of: now, the one before or after; never one that was taken, nor one before it."""
    said, at = "".join(code.split()), int(now.timestamp()) // STEP_SECONDS
    box = pyotp.TOTP(secret)
    for step in (at, at - 1, at + 1):
        if step > last_step and hmac.compare_digest(box.at(step * STEP_SECONDS).encode(), said.encode()):
            return step
    return None


def recovery_codes() -> list[str]:
    """Codes for the day a device is lost: 12 characters each, as XXXX-XXXX-XXXX."""
    made = ["".join(secrets.choice(ALPHABET) for _ in range(12)) for _ in range(RECOVERY_CODES)]
    return [f"{code[:4]}-{code[4:8]}-{code[8:]}" for code in made]


def recovery_mark(house: House, person: str, code: str) -> str:
    """What is kept of a recovery code: a keyed hash. They are long and random, so a slow hash would add nothing."""
    said = "".join(c for c in code.upper() if c in ALPHABET)
    return digest(hmac.digest(key_for(house, "recovery"), f"{person} {said}".encode(), "sha256"))
