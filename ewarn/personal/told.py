"""Partners' reports on their way in: a folder of sealed files, from the public service to the pipeline.

In: what was told, a photograph, keys. Out: one file, encrypted, whole and on the disk before the reference is given;
later the report again. The same form sent twice is one file. It must never write a word of a report in the clear, nor
believe a file that no key of ours sealed.

A reference follows from the form's ticket and from what was told: the same again has the same one, changed words have
another, and nobody without a key can guess either.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ewarn.report import Told
from ewarn.terms import Frozen, canonical

LETTERS = "23456789CDFGHJKMNPQRTVWXY"  # none that is read for another, no vowel that makes a word
FOLDER, ENDING = "reports", ".report"
REFERENCE = re.compile(rf"R-[{LETTERS}]{{4}}-[{LETTERS}]{{4}}")
LARGEST_PHOTO = 10_000_000
LARGEST_FILE = LARGEST_PHOTO + 100_000
MOST_FILES, MOST_BYTES = 5_000, 2_000_000_000
TICKET_LASTS = timedelta(hours=24)
_TICKET = re.compile(r"([0-9a-f]{32})\.([0-9]{10,11})\.([0-9a-f]{64})")
_NONCE = 12


class Sent(Frozen):
    """One report as it was sent."""

    ref: str
    at: datetime
    told: Told
    photo: bytes = b""


class Taken(NamedTuple):
    """A file of the spool: what it holds, or why it cannot be used."""

    path: Path
    sent: Sent | None
    fault: str = ""


def new_reference() -> str:
    """A reference that can be said over the telephone and not be guessed: 25^8, about 1.5 times ten to the eleventh."""
    return _spelt(secrets.randbelow(len(LETTERS) ** 8))


def ticket(keys: Sequence[str], now: datetime) -> str:
    """What a form carries: that it came from us, and when."""
    said = f"{secrets.token_hex(16)}.{int(now.timestamp())}"
    return f"{said}.{_keyed(keys[0], 'ticket', said.encode()).hex()}"


def ticket_counts(keys: Sequence[str], typed: str, now: datetime) -> bool:
    """Whether one of our keys made it, within the last day."""
    parts = _TICKET.fullmatch(typed)
    if parts is None:
        return False
    said = typed.rpartition(".")[0].encode()
    ours = any(hmac.compare_digest(_keyed(key, "ticket", said).hex(), parts[3]) for key in keys)
    return ours and timedelta(0) <= now - datetime.fromtimestamp(int(parts[2]), now.tzinfo) <= TICKET_LASTS


def reference(keys: Sequence[str], form_ticket: str, told: Told, photo: bytes) -> str:
    """The reference of what was told with this form."""
    said = canonical([form_ticket, told.model_dump(mode="json"), hashlib.sha256(photo).hexdigest()])
    return _spelt(int.from_bytes(_keyed(keys[0], "reference", said), "big") % len(LETTERS) ** 8)


def put(folder: Path, sent: Sent, keys: Sequence[str]) -> bool:
    """Seal a report, whole and synced. False where it lies there already or was taken in. Raises: OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{sent.ref}{ENDING}"
    if path.exists() or _mark(path).exists():
        return False
    words = canonical({"at": sent.at.isoformat(), "told": sent.told.model_dump(mode="json")})
    plain = len(words).to_bytes(4, "big") + words + sent.photo
    nonce = secrets.token_bytes(_NONCE)
    sealed = nonce + _lock(keys[0]).encrypt(nonce, plain, sent.ref.encode())
    fresh = folder / f".{sent.ref}.{os.getpid()}.{secrets.token_hex(4)}.tmp"
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(sealed)
        out.flush()
        os.fsync(out.fileno())
    os.replace(fresh, path)
    _sync(folder)
    return True


def waiting(folder: Path, keys: Sequence[str]) -> Iterator[Taken]:
    """What lies in the spool, oldest first, one at a time: photographs are large."""
    found = [path for path in folder.glob(f"*{ENDING}") if path.is_file() and not path.is_symlink()]
    for path in sorted(found, key=lambda p: (p.stat().st_mtime_ns, p.name)):
        yield read(path, keys)


def read(path: Path, keys: Sequence[str]) -> Taken:
    """One file, believed only where a key of ours sealed it under its own name."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
    except OSError as error:
        return Taken(path, None, f"cannot be read ({type(error).__name__})")
    if len(raw) > LARGEST_FILE:
        return Taken(path, None, "larger than any report")
    plain = _opened(raw, path.stem.encode(), keys)
    if plain is None or not REFERENCE.fullmatch(path.stem):
        return Taken(path, None, "sealed by none of our keys")
    length = int.from_bytes(plain[:4], "big")
    try:
        held = json.loads(plain[4 : 4 + length])
        told = Told.model_validate_json(canonical(held["told"]))
        sent = Sent(ref=path.stem, at=datetime.fromisoformat(held["at"]), told=told, photo=plain[4 + length :])
    except (ValueError, KeyError, TypeError) as error:
        return Taken(path, None, f"cannot be read ({type(error).__name__})")
    return Taken(path, sent)


def taken_in(path: Path) -> None:
    """The report is in the store: an empty file keeps its reference from being written again, the sealed one goes."""
    mark = _mark(path)
    mark.parent.mkdir(exist_ok=True, mode=0o700)
    mark.touch(0o600)
    _sync(mark.parent)
    path.unlink(missing_ok=True)


def put_aside(path: Path) -> None:
    """What cannot be believed lies in a folder of its own."""
    target = path.parent / "refused"
    target.mkdir(exist_ok=True, mode=0o700)
    if path.exists():
        os.replace(path, target / path.name)


def room(folder: Path) -> tuple[int, int]:
    """How many reports wait, and how many bytes they take."""
    sizes = [path.stat().st_size for path in folder.glob(f"*{ENDING}")]
    return len(sizes), sum(sizes)


def _mark(path: Path) -> Path:
    return path.parent / "done" / path.stem


def _opened(raw: bytes, ref: bytes, keys: Sequence[str]) -> bytes | None:
    for key in keys:
        try:
            return _lock(key).decrypt(raw[:_NONCE], raw[_NONCE:], ref)
        except (InvalidTag, ValueError):
            continue
    return None


def _lock(key: str) -> AESGCM:
    return AESGCM(_keyed(key, "seal", b""))


def _keyed(key: str, what: str, said: bytes) -> bytes:
    return hmac.digest(key.encode(), f"ewarn report {what} ".encode() + said, "sha256")


def _spelt(number: int) -> str:
    code = ""
    for _ in range(8):
        number, digit = divmod(number, len(LETTERS))
        code += LETTERS[digit]
    return f"R-{code[:4]}-{code[4:]}"


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
