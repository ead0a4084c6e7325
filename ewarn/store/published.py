"""Numbered copies of the database for readers, found through a pointer file.

published/<n>.duckdb and published/CURRENT, which holds the newest number and the state of the database it was copied
from. A number is never used twice: a process that has a copy open goes on seeing that copy, and only it. The two newest
are kept. Copies are made under the write lock. The database's file is never written over (ewarn/store/replacing.py):
where the disk knows second names, a copy is a second name of that file.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ewarn.store import files, tables
from ewarn.store.tables import Connection

KEEP = 2


@dataclass(frozen=True)
class Pointer:
    number: int
    mtime_ns: int
    size: int
    written_at: float

    def is_of(self, database: Path) -> bool:
        """Whether the copy was made of the database as it stands now."""
        state = database.stat()
        return (state.st_mtime_ns, state.st_size) == (self.mtime_ns, self.size)


def folder(home: Path) -> Path:
    return home / "published"


def path(home: Path, number: int) -> Path:
    return folder(home) / f"{number}.duckdb"


def current(home: Path) -> Pointer | None:
    """The pointer, or None when nothing usable is published."""
    pointer = folder(home) / "CURRENT"
    try:
        found = json.loads(pointer.read_text())
        written_at = pointer.stat().st_mtime
        return Pointer(int(found["number"]), int(found["mtime_ns"]), int(found["size"]), written_at)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def number(con: Connection) -> int:
    """The number of the copy that a connection reads; 0 where it reads none."""
    name = str(tables.one(con, "SELECT current_database()"))
    return int(name) if name.isdigit() else 0


def is_recent(pointer: Pointer | None, seconds: float = 1.0) -> bool:
    """Whether the last copy was published less than so many seconds ago."""
    return pointer is not None and 0 <= time.time() - pointer.written_at < seconds


def publish(home: Path, database: Path) -> int:
    """The database under the next number too, then move the pointer. Only under the write lock."""
    target = files.make_folder(folder(home))
    files.need_room(target, database.stat().st_size)
    pointer = current(home)
    number = 1 + max([*_numbers(home), pointer.number if pointer else 0], default=0)
    state = database.stat()
    files.same_or_copy(database, path(home, number))
    words = {"number": number, "mtime_ns": state.st_mtime_ns, "size": state.st_size}
    files.write_whole(target / "CURRENT", json.dumps(words).encode())
    _clear_old(home, number)
    return number


def _numbers(home: Path) -> list[int]:
    return [int(found.stem) for found in folder(home).glob("*.duckdb") if found.stem.isdigit()]


def _clear_old(home: Path, newest: int) -> None:
    stale = [path(home, number) for number in sorted(_numbers(home)) if number <= newest - KEEP]
    for found in [*stale, *folder(home).glob(".*.tmp")]:
        with suppress(OSError):
            found.unlink()
