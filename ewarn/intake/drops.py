"""The drop folder: which files are complete, and where each goes once it has been read.

HOME/drops/<source id>/* → done/ or quarantine/ beside it, under a name nothing else has; a quarantined file has its
reason next to it. Must never read a file that is still being written, follow a link, overwrite a file, or end a run
over one that vanished, cannot be read, or cannot be moved: that one stays where it is.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import stat
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ewarn.errors import UnusableInput
from ewarn.intake.archive import IN_MEMORY, shown

ENDINGS = (".csv", ".tsv", ".txt", ".gz", ".zip", ".xlsx")
_UNFINISHED = (".part", ".tmp", ".partial", ".crdownload", ".filepart", "~")
_HIDDEN = (".", "~$")
_SETTLED = ("done", "quarantine")
_LONGEST_NAME = 255


@dataclass(frozen=True)
class DropFile:
    """A complete file of a source. `size` and `modified_ns` as they were when it was collected."""

    source: str
    path: Path
    size: int
    modified_ns: int

    @property
    def name(self) -> str:
        """Its name as one line of text."""
        return shown(self.path.name)

    @property
    def vanished(self) -> bool:
        """Somebody took it away, or another run has settled it."""
        return _seen(self.path) is None

    def read(self, max_bytes: int) -> bytes | Path:
        """Its bytes; of a large file the path, for it to be read in pieces. Raises: as `bytes`."""
        return self.path if IN_MEMORY < self.size <= max_bytes else self.bytes(max_bytes)

    def bytes(self, max_bytes: int) -> bytes:
        """Its bytes. Raises: UnusableInput over the cap, unreadable, or where it changed since it was collected."""
        if self.size > max_bytes:
            raise UnusableInput(
                f"the file has {self.size:,} bytes; the definition allows {max_bytes:,}",
                where=shown(str(self.path)), next_step="Split the file, or raise max_bytes.",
            )  # fmt: skip
        try:
            with open(os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as stream:
                body = stream.read(self.size + 1)
        except OSError as error:
            raise UnusableInput(
                f"the file cannot be read: {error.strerror}", where=shown(str(self.path)),
                next_step="Let ewarn's user read it, and put it back into the drop folder.",
            ) from error  # fmt: skip
        if len(body) != self.size or _seen(self.path) != (self.size, self.modified_ns):
            raise UnusableInput(
                "the file changed while it was read", where=shown(str(self.path)), next_step="Run the intake again."
            )
        return body


def collect(
    folder: Path,
    sources: Collection[str],
    *,
    now: datetime | None = None,
    quiet_seconds: float = 5.0,
    check_seconds: float = 0.2,
    endings: Collection[str] = ENDINGS,
) -> list[DropFile]:
    """Complete files of the known sources, oldest first.

    A file untouched for `quiet_seconds` before `now` is complete; any other must keep size and time over
    `check_seconds`, also where its time lies in the future. One that a program still has open for writing is not.
    Hidden, unfinished (.part, .tmp) and linked files are left alone.
    """
    seen = {path: _seen(path) for source in sorted(sources) for path in _candidates(folder / source, endings)}
    quiet_before = (now.timestamp() - quiet_seconds) * 1e9 if now else 0.0
    if any(mark and mark[1] > quiet_before for mark in seen.values()):
        time.sleep(check_seconds)
    files = [
        DropFile(path.parent.name, path, *mark)
        for path, mark in seen.items()
        if mark and (mark[1] <= quiet_before or _seen(path) == mark) and not _being_written(path)
    ]
    return sorted(files, key=lambda f: (f.modified_ns, str(f.path)))


def strays(folder: Path, sources: Collection[str], endings: Collection[str] = ENDINGS) -> list[Path]:
    """What nobody will read: files straight under drops/, in a folder that is no source's, or of another ending;
    links, folders inside a source's, and whatever else is no file.

    Hidden and unfinished files, and what lies in done/ and quarantine/, are no strays.
    """
    if not folder.is_dir():
        return []
    read = {path for source in sources for path in _candidates(folder / source, endings) if not path.is_symlink()}
    upper = [path for path in folder.iterdir() if path.is_symlink() or not path.is_dir()]
    below = [path for one in folder.iterdir() if one.is_dir() and not one.is_symlink() for path in one.iterdir()]
    lying = [
        path
        for path in (*upper, *below)
        if not (path in read and _seen(path)) and not (path in below and path.name in _SETTLED)
    ]
    return sorted(p for p in lying if not p.name.startswith(_HIDDEN) and not p.name.lower().endswith(_UNFINISHED))


def remove(file: DropFile) -> None:
    """Delete a file whose bytes are kept elsewhere; one that changed since it was collected stays."""
    if _seen(file.path) == (file.size, file.modified_ns):
        file.path.unlink()


def settle(file: DropFile, ok: bool, reason: str = "") -> Path:
    """Move a read file to done/ or, with its reason beside it, to quarantine/. Returns where it lies now.

    A file that changed since it was collected stays where it is and is collected again; so does one that cannot be
    moved, as on a full disk: its bytes are kept, and read again they change nothing.
    """
    if _seen(file.path) != (file.size, file.modified_ns):
        return file.path
    target = file.path
    try:
        target = _unused(file.path.parent / _SETTLED[not ok], file.path.name)
        os.replace(file.path, target)
    except OSError:
        if target != file.path:
            with suppress(OSError):
                target.unlink()
        return file.path
    if not ok:
        with suppress(OSError):  # the reason stands in the receipts and the rejects too
            beside = _unused(target.parent, f"{_cut(target.name, '.reason.txt')}.reason.txt")
            beside.write_text(f"{reason or 'no reason given'}\n", encoding="utf-8", errors="backslashreplace")
    return target


def _candidates(folder: Path, endings: Collection[str]) -> list[Path]:
    if not folder.is_dir() or folder.is_symlink():
        return []
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in endings
        and not path.name.startswith(_HIDDEN)
        and not path.name.lower().endswith(_UNFINISHED)
    )


def _seen(path: Path) -> tuple[int, int] | None:
    """(size, modification time in ns) of a regular file; None for anything else."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return (found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else None


def _being_written(path: Path) -> bool:
    """Some program has the file open for writing, as far as the system says: then no reading lease is to be had."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False  # said when it is read
    try:
        fcntl.fcntl(handle, fcntl.F_SETSIG, signal.SIGURG)  # a lease asked back must not end this process
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    finally:
        os.close(handle)
    return False


def _cut(name: str, ending: str) -> str:
    """A name short enough for an ending to be added."""
    while len(os.fsencode(f"{name}{ending}")) > _LONGEST_NAME:
        name = name[:-1]
    return name


def _unused(folder: Path, name: str) -> Path:
    """A path in the folder that no other file has, reserved by creating it."""
    folder.mkdir(mode=0o700, exist_ok=True)
    stem, dot, ending = name.rpartition(".")
    for serial in range(1, 100_000):
        mark = f".{serial}{dot}{ending}"
        target = folder / (name if serial == 1 else f"{_cut(stem, mark)}{mark}")
        try:
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            continue
        return target
    raise UnusableInput("no free name is left", where=str(folder), next_step="Empty the folder.")
