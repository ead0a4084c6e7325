"""A change is made in a copy of the database, which then takes its place: what is stored is never written over.

In: a database that nobody changes meanwhile, under the write lock. Out: the same path, another file, whole and durable;
or the file as it was. DuckDB's own checkpoint writes blocks of a quarter of a megabyte in place, among them some that
the state before still needs; a process killed half way through one left a file that could not be opened
(docs/evaluation.md, "The delivery promise"). It must never be asked for by somebody who does not hold the write lock.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ewarn.store import files


def log_of(database: Path) -> Path:
    """DuckDB's write-ahead log. Beside a database only where a program that wrote in place was killed."""
    return database.with_name(database.name + ".wal")


def settle(database: Path) -> None:
    """End what was cut short. Nothing to do at nearly every time."""
    if (whole := _whole(database)).exists():
        _log_then_file(whole, database)
    for left in database.parent.glob(f".{database.name}.changing*"):
        left.unlink(missing_ok=True)


@contextmanager
def copied(database: Path) -> Iterator[Path]:
    """A copy to be changed and closed; without a fault it then takes the database's place, if it was changed at all.

    A database that is not there yet is made. Raises: OSError where the disk is full; nothing is lost.
    """
    copy = database.with_name(f".{database.name}.changing")
    try:
        for source, target in ((database, copy), (log_of(database), log_of(copy))):
            if source.exists():
                shutil.copyfile(source, target)
                target.chmod(0o600)
        before = _state(copy)
        yield copy
        if _state(copy) != before:
            _take_place(copy, database)
    finally:
        for left in (copy, log_of(copy)):
            left.unlink(missing_ok=True)


def _take_place(copy: Path, database: Path) -> None:
    copy.chmod(0o600)
    with copy.open("rb+") as body:
        files.sync(body)
    if log_of(database).exists():
        os.replace(copy, _whole(database))
        files.sync_folder(database.parent)
        _log_then_file(_whole(database), database)
    else:
        os.replace(copy, database)
        files.sync_folder(database.parent)


def _log_then_file(whole: Path, database: Path) -> None:
    """The log first: the whole file holds it, and a log must never be read on top of a file that does."""
    log_of(database).unlink(missing_ok=True)
    files.sync_folder(database.parent)
    os.replace(whole, database)
    files.sync_folder(database.parent)


def _whole(database: Path) -> Path:
    return database.with_name(f".{database.name}.folded")


def _state(path: Path) -> tuple[int, int] | None:
    if not path.exists():
        return None
    found = path.stat()
    return found.st_mtime_ns, found.st_size
