"""The drop folder: which files are complete, and where each goes once it has been read.

HOME/drops/<source id>/*.csv → done/ or quarantine/ beside it, under a name nothing else has; a quarantined file has its
reason next to it. Must never read a file that is still being written, follow a link, or overwrite a file.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ewarn.errors import UnusableInput

_ENDINGS = (".csv", ".tsv", ".txt")
_UNFINISHED = (".part", ".tmp", ".partial", ".crdownload", ".filepart", "~")


@dataclass(frozen=True)
class DropFile:
    """A complete file of a source. `size` and `modified_ns` as they were when it was collected."""

    source: str
    path: Path
    size: int
    modified_ns: int

    def read(self, max_bytes: int) -> bytes:
        """Its bytes. Raises: UnusableInput over the cap, or where it changed since it was collected."""
        if self.size > max_bytes:
            raise UnusableInput(
                f"the file has {self.size:,} bytes; the definition allows {max_bytes:,}",
                where=str(self.path), next_step="Split the file, or raise max_bytes.",
            )  # fmt: skip
        body = self.path.read_bytes()
        if _seen(self.path) != (self.size, self.modified_ns):
            raise UnusableInput(
                "the file changed while it was read", where=str(self.path), next_step="Run the intake again."
            )
        return body


def collect(
    folder: Path,
    sources: Collection[str],
    *,
    now: datetime | None = None,
    quiet_seconds: float = 5.0,
    check_seconds: float = 0.2,
    endings: Collection[str] = _ENDINGS,
) -> list[DropFile]:
    """Complete files of the known sources, oldest first.

    A file untouched for `quiet_seconds` before `now` is complete; any other must keep size and time over
    `check_seconds`. Hidden, unfinished (.part, .tmp) and linked files are left alone.
    """
    seen = {path: _seen(path) for source in sorted(sources) for path in _candidates(folder / source, endings)}
    quiet_before = (now.timestamp() - quiet_seconds) * 1e9 if now else 0.0
    if any(mark and mark[1] > quiet_before for mark in seen.values()):
        time.sleep(check_seconds)
    files = [
        DropFile(path.parent.name, path, *mark)
        for path, mark in seen.items()
        if mark and (mark[1] <= quiet_before or _seen(path) == mark)
    ]
    return sorted(files, key=lambda f: (f.modified_ns, str(f.path)))


def strays(folder: Path, sources: Collection[str], endings: Collection[str] = _ENDINGS) -> list[Path]:
    """Files nobody will read: straight under drops/, in a folder that is no source's, a link, or of another ending.

    Hidden and unfinished files, and what lies in done/ and quarantine/, are no strays.
    """
    if not folder.is_dir():
        return []
    read = {path for source in sources for path in _candidates(folder / source, endings) if not path.is_symlink()}
    lying = [path for path in (*folder.glob("*"), *folder.glob("*/*")) if path.is_file() and path not in read]
    return sorted(p for p in lying if not p.name.startswith(".") and not p.name.lower().endswith(_UNFINISHED))


def remove(file: DropFile) -> None:
    """Delete a file whose bytes are kept elsewhere; one that changed since it was collected stays."""
    if _seen(file.path) == (file.size, file.modified_ns):
        file.path.unlink()


def settle(file: DropFile, ok: bool, reason: str = "") -> Path:
    """Move a read file to done/ or, with its reason beside it, to quarantine/. Returns where it lies now.

    A file that changed since it was collected stays where it is and is collected again.
    """
    if _seen(file.path) != (file.size, file.modified_ns):
        return file.path
    target = _unused(file.path.parent / ("done" if ok else "quarantine"), file.path.name)
    os.replace(file.path, target)
    if not ok:
        target.with_name(f"{target.name}.reason.txt").write_text(f"{reason or 'no reason given'}\n")
    return target


def _candidates(folder: Path, endings: Collection[str]) -> list[Path]:
    if not folder.is_dir() or folder.is_symlink():
        return []
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in endings
        and not path.name.startswith(".")
        and not path.name.lower().endswith(_UNFINISHED)
    )


def _seen(path: Path) -> tuple[int, int] | None:
    """(size, modification time in ns) of a regular file; None for anything else."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return (found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else None


def _unused(folder: Path, name: str) -> Path:
    """A path in the folder that no other file has, reserved by creating it."""
    folder.mkdir(mode=0o700, exist_ok=True)
    stem, dot, ending = name.rpartition(".")
    for serial in range(1, 100_000):
        target = folder / (name if serial == 1 else f"{stem}.{serial}{dot}{ending}")
        try:
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            continue
        return target
    raise UnusableInput("no free name is left", where=str(folder), next_step="Empty the folder.")
