"""The write-ahead log folded into the database, in a copy beside it: the file that holds what is stored is not written
over.

In: a database that nobody has open, under the write lock. Out: the same with everything in its one file. DuckDB's own
checkpoint writes blocks of a quarter of a megabyte in place, among them some that the state before still needs; a
process killed half way through one left a file that could not be opened (docs/evaluation.md, "The delivery promise").
Here the file and its log are copied, the copy is folded and made durable, takes a name that says so, and only then the
log goes and the copy takes the file's place. Killed before that name, the file and its log are as they were; killed
after it, `settle` ends what was begun. It must never be asked for by somebody who does not hold the write lock.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import duckdb

from ewarn.store import files

# No checkpoint but ours: neither when the log has grown nor when a connection is closed.
NEVER_BY_ITSELF: dict[str, str | bool | int | float | list[str]] = {"checkpoint_threshold": "1TB"}
NOT_WHEN_CLOSED = "PRAGMA disable_checkpoint_on_shutdown"


def log_of(database: Path) -> Path:
    """DuckDB's write-ahead log: there while something is committed that is not folded in yet."""
    return database.with_name(database.name + ".wal")


def settle(database: Path) -> None:
    """End a folding that was cut short. Nothing to do at nearly every time."""
    folded = _folded(database)
    if folded.exists():
        _take_place(folded, database)
    for left in database.parent.glob(f".{database.name}.folding*"):
        left.unlink(missing_ok=True)


def fold(database: Path, config: dict[str, str | bool | int | float | list[str]]) -> None:
    """Everything committed into the one file. Raises: OSError, duckdb.Error where the disk is full; nothing is lost."""
    log = log_of(database)
    if not log.exists():
        return
    beside = database.with_name(f".{database.name}.folding")
    try:
        for source, target in ((database, beside), (log, log_of(beside))):
            shutil.copyfile(source, target)
            target.chmod(0o600)
        con = duckdb.connect(str(beside), config=config)
        try:
            con.execute("CHECKPOINT")
        finally:
            con.close()
        with beside.open("rb+") as whole:
            files.sync(whole)
        os.replace(beside, _folded(database))
    finally:
        for left in (beside, log_of(beside)):
            left.unlink(missing_ok=True)
    files.sync_folder(database.parent)
    _take_place(_folded(database), database)


def _folded(database: Path) -> Path:
    return database.with_name(f".{database.name}.folded")


def _take_place(folded: Path, database: Path) -> None:
    """The log first: the folded file holds it, and a log must never be read on top of a file that does."""
    log_of(database).unlink(missing_ok=True)
    files.sync_folder(database.parent)
    os.replace(folded, database)
    files.sync_folder(database.parent)
