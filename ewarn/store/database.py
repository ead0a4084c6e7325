"""The database file: one writer at a time behind a file lock, readers on a published copy.

In: settings. Out: a connection inside one transaction (`write`), or one on the newest published copy (`read`). A write
is lock, copy, one transaction in the copy, which then takes the file's place, publish. Nobody outside this room opens
the file, and nobody reads the copy that is being written.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import ClassVar

import duckdb
from filelock import FileLock, Timeout

from ewarn.errors import StoreBusy, StoreFault
from ewarn.settings import Settings
from ewarn.store import files, published, readers, replacing, schema, segments
from ewarn.store.tables import Connection

CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
# A writer's transactions and checkpoints are small: more threads only wait for one another, at twice the CPU time. What
# is committed goes into the copy at once, not into a log first: only a whole copy is ever kept.
ALONE: dict[str, str | bool | int | float | list[str]] = {"threads": 1, "checkpoint_threshold": "0KB"}
_SETTING = threading.Lock()
READY = 8
LOOKED_SECONDS = 0.02


def connect(path: Path, *, read_only: bool = False, of: Path | None = None, alone: bool = False) -> Connection:
    """A connection in UTC that reaches no file but its segments and whose settings cannot be changed; `of` is the
    database that a copy to be changed was made of; `alone`: of one thread, for many readers of small things at a time.

    Raises: StoreFault when the file is not a database that this program can open; duckdb.IOException when a copy to be
    read has gone.
    """
    try:
        con = duckdb.connect(str(path), read_only=read_only, config=CONFIG if read_only else CONFIG | ALONE)
    except duckdb.Error as error:
        if files.is_full(error) or not path.exists():
            raise
        raise StoreFault(
            f"the database cannot be opened: {str(error).splitlines()[0]}",
            where=str(of or path),
            next_step="Restore a backup with 'ewarn restore', or use the program that wrote it.",
        ) from error
    with _SETTING:  # connections of one process to one file share their settings: the first one locks them for all
        if con.execute("SELECT current_setting('lock_configuration')").fetchone() != (True,):
            if alone:
                con.execute("SET threads = 1")
            con.execute("SET GLOBAL TimeZone = 'UTC'")
            con.execute("SET allowed_directories = [?]", [f"{segments.folder_of(path)}/"])
            con.execute("SET enable_external_access = false")
            con.execute("SET lock_configuration = true")
    segments.show(con, path)
    return con


class Database:
    """One deployment's store. Cheap to make; nothing is opened until it is asked for."""

    _unpublished: ClassVar[set[Path]] = set()  # databases this process has written and not yet published
    _changes: ClassVar[int] = 0  # rises with every writing and publishing of this process

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._ready: list[tuple[int, Connection]] = []  # connections to the newest copy, for the next readers
        self._keeps_open = False
        self._looked = (0, -1.0, 0)  # changes, when, and the number of the newest copy
        self._keeping = threading.Lock()

    def keep_open(self) -> None:
        """For a process that reads all day: leave connections to the newest copy open for the next readers.

        A copy that was replaced is let go of at the next read.
        """
        self._keeps_open = True

    @property
    def path(self) -> Path:
        return self.settings.database

    @property
    def exists(self) -> bool:
        return self.path.is_file()

    def is_ready(self) -> bool:
        """Whether the database is there, at this program's version, and published."""
        pointer = published.current(self.settings.home)
        if not self.exists or pointer is None:
            return False
        with suppress(duckdb.Error, StoreFault):
            con = self._open(pointer.number)
            try:
                return schema.version(con) == schema.newest()
            finally:
                con.close()
        return False

    @contextmanager
    def write(self, purpose: str = "") -> Iterator[Connection]:
        """One transaction: commits at the end, rolls back on any error, then publishes.

        Publishing is left out when a copy was published less than a second ago; this process's next `read`, or
        `publish`, then makes up for it. Raises: StoreBusy, StoreFault.
        """
        with self.locked(purpose):
            self._must_exist()
            with files.plain_faults(self.path), self._transaction() as tx:
                yield tx
            self._unpublished.add(self.path)
            Database._changes += 1
            if not published.is_recent(published.current(self.settings.home)):
                self._publish_now()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """The newest published copy, read-only; it holds at least everything this process has written."""
        number = self.number()
        con = self._taken(number) if self._keeps_open else self._open_published()
        try:
            yield con
        except BaseException:
            con.close()
            raise
        self._give_back(number if self._keeps_open else 0, con)

    def number(self) -> int:
        """The number of the copy that `read` would open now: it holds at least everything this process has written."""
        if not self._looked_just_now():
            self._look()
        return self._looked[2]

    def _look(self) -> None:
        changes, now = self._changes, time.monotonic()
        self._must_exist()
        self._freshen()
        pointer = published.current(self.settings.home)
        self._looked = (changes, now, pointer.number if pointer else 0)

    def _looked_just_now(self) -> bool:
        """Whether a process that reads all day has just looked, and has written nothing since."""
        changes, at, _ = self._looked
        return self._keeps_open and changes == self._changes and time.monotonic() - at < LOOKED_SECONDS

    def publish(self) -> int:
        """Publish now, unless the newest copy already holds everything. Returns its number."""
        with self.locked("publishing"):
            return self.publish_locked()

    def publish_locked(self) -> int:
        """The same for somebody who holds the write lock already."""
        self._must_exist()
        pointer = published.current(self.settings.home)
        if pointer is None or not self._is_published(pointer):
            return self._publish_now()
        self._unpublished.discard(self.path)
        return pointer.number

    def set_aside(self) -> Path:
        """Under the write lock: move the database out of the way, beside itself, and return where it went."""
        number = 1
        while (aside := self.path.with_name(f"ewarn.duckdb.aside-{number}")).exists():
            number += 1
        if (log := replacing.log_of(self.path)).exists():
            log.rename(replacing.log_of(aside))
        return self.path.rename(aside)

    def migrate(self, now: datetime) -> int:
        """Make the database, or bring it forward to this program's version. Returns how many migrations ran."""
        home = files.make_folder(self.settings.home)
        for folder in (self.settings.raw, self.settings.drops, published.folder(home)):
            files.make_folder(folder)
        with self.locked("migrating"):
            with files.plain_faults(self.path), replacing.copied(self.path) as copy:
                con = connect(copy, of=self.path)
                try:
                    applied = schema.bring_forward(con, now, str(self.path))
                    _folded(con, copy)
                finally:
                    con.close()
            pointer = published.current(home)
            if applied or not self._is_published(pointer):
                self._publish_now()
        return applied

    @contextmanager
    def locked(self, purpose: str = "") -> Iterator[None]:
        """The write lock without a connection. Raises: StoreBusy naming who holds it, where that is known."""
        home = files.make_folder(self.settings.home)
        lock = FileLock(home / "ewarn.lock", timeout=self.settings.lock_timeout_seconds, mode=0o600)
        holder = home / "ewarn.lock.holder"
        try:
            lock.acquire()
        except Timeout as error:
            raise self._busy(holder) from error
        try:
            replacing.settle(self.path)
            words = {"pid": os.getpid(), "host": socket.gethostname(), "since": int(time.time()), "purpose": purpose}
            with suppress(OSError):
                holder.write_text(json.dumps(words))
            yield
        finally:
            with suppress(OSError):
                holder.unlink(missing_ok=True)
            lock.release()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        files.need_room(self.settings.home, 2 * self.path.stat().st_size)
        with replacing.copied(self.path) as copy:
            con = connect(copy, of=self.path)
            try:
                schema.require(con, str(self.path))
                con.execute("BEGIN")
                try:
                    yield con
                    con.execute("COMMIT")
                except BaseException:
                    with suppress(duckdb.Error):
                        con.execute("ROLLBACK")
                    raise
                _folded(con, copy)
            finally:
                with suppress(duckdb.Error):
                    con.close()

    def _is_published(self, pointer: published.Pointer | None) -> bool:
        copied = pointer is not None and published.path(self.settings.home, pointer.number).is_file()
        return pointer is not None and copied and pointer.is_of(self.path) and not replacing.log_of(self.path).exists()

    def _publish_now(self) -> int:
        """Under the lock: fold in what a program that wrote in place left in its log, then publish."""
        if replacing.log_of(self.path).exists():
            with self._transaction():
                pass
        number = published.publish(self.settings.home, self.path)
        self._unpublished.discard(self.path)
        Database._changes += 1
        return number

    def _freshen(self) -> None:
        """Publish what this process wrote, what nobody has published yet, and what another process left behind."""
        pointer = published.current(self.settings.home)
        gone = pointer is None or not published.path(self.settings.home, pointer.number).is_file()
        if pointer is None or gone or self.path in self._unpublished:
            self.publish()
        elif not self._is_published(pointer) and not published.is_recent(pointer):
            self._catch_up()

    def _catch_up(self) -> None:
        """Publish if nobody is writing; a writer at work publishes by itself."""
        lock = FileLock(self.settings.home / "ewarn.lock", timeout=0, mode=0o600)
        with suppress(Timeout), lock:
            replacing.settle(self.path)
            self._publish_now()

    def _open(self, number: int) -> Connection:
        path = published.path(self.settings.home, number)
        readers.let_go_of_others(path)
        con = connect(path, read_only=True, alone=self._keeps_open)
        if not segments.any_of(path):
            readers.keep(path, lambda: connect(path, read_only=True))
        return con

    def _open_published(self) -> Connection:
        for _ in range(20):
            pointer = published.current(self.settings.home)
            if pointer is not None:
                with suppress(duckdb.IOException):
                    con = self._open(pointer.number)
                    schema.require(con, str(self.settings.home))
                    return con
            time.sleep(0.02)
        raise StoreFault(
            "no published copy of the database can be opened",
            where=str(published.folder(self.settings.home)),
            next_step="Run 'ewarn doctor'.",
        )

    def _taken(self, number: int) -> Connection:
        """A connection to the newest copy that nobody uses, or a new one; those to older copies are closed."""
        with self._keeping:
            old = [con for kept, con in self._ready if kept != number]
            self._ready = [(kept, con) for kept, con in self._ready if kept == number]
            found = self._ready.pop()[1] if self._ready else None
        for con in old:
            con.close()
        return found or self._open_published()

    def _give_back(self, number: int, con: Connection) -> None:
        """Leave a connection for the next reader; close it where enough wait already."""
        with self._keeping:
            if number and len(self._ready) < READY:
                self._ready.append((number, con))
                return
        con.close()

    def _must_exist(self) -> None:
        if not self.exists:
            raise StoreFault("there is no database here yet", where=str(self.path), next_step="Run 'ewarn init'.")

    @contextmanager
    def receiving(self, source: str) -> Iterator[None]:
        """One reading of a source at a time: what is known of it does not change while its file is compared.

        Raises: StoreBusy.
        """
        folder = files.make_folder(self.settings.home / "receiving")
        lock = FileLock(folder / f"{source}.lock", timeout=self.settings.lock_timeout_seconds, mode=0o600)
        try:
            with lock:
                yield
        except Timeout as error:
            raise StoreBusy(
                f"another file of '{source}' is being received",
                where=str(self.settings.home),
                next_step="Wait for it to end, then repeat the command.",
            ) from error

    def _busy(self, holder: Path) -> StoreBusy:
        who = "another process"
        with suppress(OSError, ValueError, KeyError):
            found = json.loads(holder.read_text())
            seconds = max(0, int(time.time()) - int(found["since"]))
            doing = f", {found['purpose']}," if found["purpose"] else ""
            who = f"process {found['pid']} on {found['host']}{doing} for {seconds} s now"
        return StoreBusy(
            f"the store is busy: {who} holds the write lock",
            where=str(self.settings.home),
            next_step="Wait for it to end, then repeat the command.",
        )


def _folded(con: Connection, copy: Path) -> None:
    """Everything committed into the one file, whatever kept DuckDB from doing so at once."""
    if replacing.log_of(copy).exists():
        con.execute("CHECKPOINT")
