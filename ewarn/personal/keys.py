"""The keys of personal links and codes: read by reference, newest first; a home without any makes its own.

In: references, a way to read one, the folder of keys. Out: keys. It must never print one, nor replace one.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from ewarn.errors import Refused

OWN = "answer.key"
SHORTEST = 32


def read(references: Sequence[str], secret: Callable[[str], str], folder: Path) -> tuple[str, ...]:
    """Every key, newest first. Raises: Refused where one cannot be read or is too short to be safe."""
    found = tuple(secret(reference) for reference in references) if references else (_own(folder),)
    if any(len(key) < SHORTEST for key in found):
        raise Refused(
            f"a key of personal links is shorter than {SHORTEST} characters",
            where="answer_keys",
            next_step="Make one: python3 -c 'import secrets; print(secrets.token_hex(32))'",
        )
    return found


def _own(folder: Path) -> str:
    path = folder / OWN
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = folder / f".{OWN}.{os.getpid()}"
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            out.write(secrets.token_hex(SHORTEST) + "\n")
            out.flush()
            os.fsync(out.fileno())
        with suppress(FileExistsError):
            os.link(fresh, path)  # the first to come makes it; whole, or not there
        fresh.unlink()
    return path.read_text().strip()
