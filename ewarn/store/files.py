"""Files written so that a crash leaves the old one or the new one, never half of one; and what a full disk is called.

Modes are 0600 and 0700: the state of a deployment is nobody else's to read.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import duckdb

from ewarn.errors import DiskFull

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
FULL_WORDS = ("no space left", "disk quota", "file too large", "could not write", "failed to write", "out of disk")
SPARE_BYTES = 4_000_000
COPIED_AT_ONCE = 1 << 22


def make_folder(folder: Path) -> Path:
    """The folder, made with mode 0700 where absent."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def sync(written: BinaryIO) -> None:
    """Make what was written to a file durable."""
    written.flush()
    os.fsync(written.fileno())


def sync_folder(folder: Path) -> None:
    """Make a rename in the folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_whole(path: Path, body: bytes) -> None:
    """Write beside, fsync, rename. Raises: StoreFault when the disk is full."""
    with plain_faults(path), beside(path) as out:
        out.write(body)


@contextmanager
def beside(path: Path, name: Callable[[], Path] | None = None) -> Iterator[BinaryIO]:
    """A file to write to that takes the path's name, synced, once all of it is there; nothing stays of a failure.

    `name`: says which path it is to be instead, where that is not known before all is written.
    """
    other = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(os.open(other, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        path = name() if name else path
        os.replace(other, path)
        sync_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            other.unlink(missing_ok=True)
        raise


def write_new(path: Path, body: bytes) -> None:
    """Write a file that must not be there yet, whole or not at all. Raises: FileExistsError, StoreFault."""
    other = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    with plain_faults(path):
        try:
            with open(os.open(other, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                out.write(body)
                out.flush()
                os.fsync(out.fileno())
            os.link(other, path)
            sync_folder(path.parent)
        finally:
            other.unlink(missing_ok=True)


def append_line(path: Path, line: bytes) -> None:
    """Append one line and fsync. A line torn by an earlier crash is closed off first."""
    with plain_faults(path):
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            size = os.fstat(handle).st_size
            torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
            whole = (b"\n" if torn else b"") + line + b"\n"
            if os.write(handle, whole) != len(whole):
                os.ftruncate(handle, size)
                raise OSError(errno.ENOSPC, "No space left on device")
            os.fsync(handle)
        finally:
            os.close(handle)


def copy_whole(source: Path, target: Path) -> None:
    """Copy beside the target, fsync, rename. Raises: StoreFault when the disk is full."""
    with plain_faults(target), source.open("rb") as body, beside(target) as out:
        shutil.copyfileobj(body, out, COPIED_AT_ONCE)


def same_or_copy(source: Path, target: Path) -> None:
    """A second name for a file that nobody writes over; a copy of it where the disk knows no second names."""
    try:
        os.link(source, target)
    except OSError:
        copy_whole(source, target)
    else:
        sync_folder(target.parent)


def need_room(folder: Path, size: int) -> None:
    """Raises: StoreFault when the disk has not that many bytes left, before anything is begun."""
    if shutil.disk_usage(folder).free < size + SPARE_BYTES:
        raise full_disk(folder)


def full_disk(where: Path | str) -> DiskFull:
    return DiskFull(
        "the disk is full: this change was not finished, and nothing that was stored before is lost",
        where=str(where),
        next_step="Free some space, then repeat the command.",
    )


def is_full(error: BaseException) -> bool:
    """Whether an error of the operating system or of DuckDB says that the disk is full."""
    if isinstance(error, OSError):
        return error.errno in FULL
    if isinstance(error, duckdb.Error):
        text = str(error).lower()
        return any(words in text for words in FULL_WORDS)
    return False


@contextmanager
def plain_faults(where: Path | str) -> Iterator[None]:
    """Turn a full disk into a StoreFault with words; let every other error pass."""
    try:
        yield
    except (OSError, duckdb.Error) as error:
        if is_full(error):
            raise full_disk(where) from error
        raise
