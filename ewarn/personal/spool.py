"""Answers on their way in: a folder of small signed files, written by the answer service and taken in by the pipeline.

In: an answer, keys. Out: one file, whole and on the disk before the person is thanked; later the answers again, each
once. The same answer twice is one file. It must never be changed in place, nor trust a file that no key signed.
"""

from __future__ import annotations

import hmac
import json
import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from pydantic import Field, ValidationError

from ewarn.terms import Frozen, canonical, digest

ACTS = ("read", "acted")
LONGEST_NAME, LONGEST_TEXT = 100, 2000
LARGEST_FILE = 32_000
MOST_FILES = 200_000


class Answer(Frozen):
    """What one person said on one page. `id` is the same for the same words about the same delivery."""

    delivery: str = Field(pattern=r"^[0-9a-z-]{1,64}$")
    act: str = Field(pattern=r"^(read|acted)$")
    at: datetime
    name: str = Field("", max_length=LONGEST_NAME)
    organisation: str = Field("", max_length=LONGEST_NAME)
    text: str = Field("", max_length=LONGEST_TEXT, description="what was done, in the person's own words")
    forwarded: bool = False

    @property
    def id(self) -> str:
        said = [self.delivery, self.act, self.name, self.organisation, self.text, self.forwarded]
        return digest(said, 32)


class Taken(NamedTuple):
    """A file of the spool: what it says, or why it cannot be used."""

    path: Path
    answer: Answer | None
    fault: str = ""


def put(folder: Path, answer: Answer, keys: Sequence[str]) -> bool:
    """Write an answer, whole and synced. False where the same answer lies there already. Raises: OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{answer.id}.json"
    if path.exists():
        return False
    said = canonical(answer.model_dump(mode="json"))
    fresh = folder / f".{answer.id}.{os.getpid()}.tmp"
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(canonical({"answer": said.decode(), "signed": _signed(said, keys[0])}))
        out.flush()
        os.fsync(out.fileno())
    os.replace(fresh, path)
    _sync(folder)
    return True


def waiting(folder: Path, keys: Sequence[str]) -> Iterator[Taken]:
    """What lies in the spool, oldest file first."""
    found = [path for path in folder.glob("*.json") if path.is_file() and not path.is_symlink()]
    for path in sorted(found, key=lambda p: (p.stat().st_mtime_ns, p.name)):
        yield read(path, keys)


def read(path: Path, keys: Sequence[str]) -> Taken:
    """One file, believed only where a key signed it."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
        if len(raw) > LARGEST_FILE:
            return Taken(path, None, "larger than any answer")
        held = json.loads(raw)
        said = str(held["answer"]).encode()
        if not any(hmac.compare_digest(_signed(said, key), str(held["signed"])) for key in keys):
            return Taken(path, None, "signed by none of our keys")
        answer = Answer.model_validate_json(said)
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        return Taken(path, None, f"cannot be read ({type(error).__name__})")
    return Taken(path, answer) if path.stem == answer.id else Taken(path, None, "named unlike what it says")


def put_away(path: Path, where: str) -> None:
    """Move a file that was dealt with into a folder beside it; one that is gone already is fine."""
    target = path.parent / where
    target.mkdir(exist_ok=True, mode=0o700)
    try:
        os.replace(path, target / path.name)
    except FileNotFoundError:
        return
    _sync(target)


def count(folder: Path) -> int:
    """How many files wait."""
    return sum(1 for _ in folder.glob("*.json"))


def _signed(said: bytes, key: str) -> str:
    return hmac.digest(key.encode(), b"ewarn answer spool " + said, "sha256").hex()


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
