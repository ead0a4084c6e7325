"""An archive's bytes: its caps, its kind by the first bytes, its directory, and the words for what is wrong with it.

In: bytes, or the file they lie in. Must never believe a directory's size, nor inflate anything without a cap.
"""

from __future__ import annotations

import io
import re
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from ewarn.errors import UnusableInput

PIECE = 1024 * 1024
IN_MEMORY = 64 * 1024 * 1024
GZIP, ZIP = b"\x1f\x8b", (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
ADVICE = "Save it as CSV (UTF-8) or .xlsx, without a password, and drop it again."
DAMAGE = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    EOFError,
    zlib.error,
    struct.error,
    ValueError,
    IndexError,
)
NUMBERED = re.compile(r"table (\d+)")  # what a table is called where its name is withheld
_MOST_DIRECTORY = 4 * 1024 * 1024
FOREIGN = {
    b"\xd0\xcf\x11\xe0": "an old-format (.xls) or password-protected workbook",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a rar archive",
    b"\xfd7zXZ\x00": "an xz file",
    b"\x28\xb5\x2f\xfd": "a zstd file",
    b"%PDF": "a PDF",
}


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True)
class Caps:
    """packed: bytes of an archive. inflated: bytes of all its members. ratio: inflated to packed, above 64 MB."""

    packed: int = 500_000_000
    inflated: int = 2_000_000_000
    ratio: int = 200
    members: int = 500
    workbook: int = 400_000_000


@dataclass(frozen=True)
class Contents:
    """members: the name of each ('' for a file that is its own only table). remarks: what was left out."""

    members: tuple[str, ...]
    remarks: tuple[str, ...] = ()

    def numbered(self) -> Contents:
        """The same without a name that somebody gave: 'table 1', 'table 2', as `opened` knows them as well."""
        names = tuple(f"table {n}" if name else "" for n, name in enumerate(self.members, 1))
        return Contents(names, tuple(remark.partition(": ")[0] for remark in self.remarks))


@dataclass(frozen=True)
class Member:
    """One table. rows: for a sheet, the sheet's row of every line of the body; None for text."""

    name: str
    body: bytes | Path
    remarks: tuple[str, ...] = ()
    rows: tuple[int, ...] | None = None

    def position(self, line: int) -> str:
        """'line 5' of a file, 'a.csv line 5' of a zip's member, 'Sheet1!row 5' of a workbook."""
        if self.rows is None:
            return f"{self.name} line {line}".strip()
        return f"{self.name}!row {self.rows[line - 1]}"


def is_workbook(archive: zipfile.ZipFile) -> bool:
    """An .xlsx. Raises: UnusableInput for other office files."""
    names = set(archive.namelist())
    if "xl/workbook.xml" in names:
        return True
    for mark, what in (
        ("xl/workbook.bin", "a binary workbook (.xlsb)"), ("word/document.xml", "a Word document"),
        ("ppt/presentation.xml", "a presentation"), ("content.xml", "an OpenDocument file"),
    ):  # fmt: skip
        if mark in names:
            raise UnusableInput(f"the file is {what}, which is not read", next_step=ADVICE)
    return False


@contextmanager
def zip_of(source: bytes | Path) -> Iterator[zipfile.ZipFile]:
    """A zip archive whose directory is of bearable size."""
    size = size_of(source)
    with stream_of(source) as stream:
        stream.seek(max(0, size - 66_000))
        tail = stream.read()
        end = tail.rfind(b"PK\x05\x06")
        if end < 0 or len(tail) < end + 22:
            raise damaged("its directory is missing: the file was cut short")
        entries, directory = struct.unpack("<HI", tail[end + 10 : end + 16])
        if entries == 0xFFFF or directory > _MOST_DIRECTORY:
            raise too_large("names more files than are read")
        try:
            archive = zipfile.ZipFile(stream)
        except (*DAMAGE, OSError) as error:
            raise damaged(str(error)) from error
        with archive:
            yield archive


def head_of(source: bytes | Path) -> bytes:
    with stream_of(source) as stream:
        return stream.read(512)


def size_of(source: bytes | Path) -> int:
    return len(source) if isinstance(source, bytes) else source.stat().st_size


@contextmanager
def stream_of(source: bytes | Path) -> Iterator[IO[bytes]]:
    with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as stream:
        yield stream


def within(source: bytes | Path, caps: Caps) -> None:
    if (size := size_of(source)) > caps.packed:
        raise too_large(f"has {size:,} bytes; {caps.packed:,} are read")


def refuse_foreign(head: bytes) -> None:
    for start, what in FOREIGN.items():
        if head.startswith(start):
            raise UnusableInput(f"the file is {what}, which is not read", next_step=ADVICE)
    if head[257:262] == b"ustar":
        raise UnusableInput("the file is a tar archive, which is not read", next_step=ADVICE)


def refuse_nested(body: bytes | Path) -> None:
    head = head_of(body)
    refuse_foreign(head)
    if head.startswith((GZIP, *ZIP)):
        raise UnusableInput("an archive inside an archive is not read", next_step=ADVICE)


def damaged(why: str, name: str = "") -> UnusableInput:
    return UnusableInput(f"the archive is damaged: {why}", where=name, next_step="Pack it again and drop it again.")


def too_large(why: str, name: str = "") -> UnusableInput:
    return UnusableInput(f"the file {why}", where=name, next_step="Split it, or drop the CSV itself.")


def inflated(plain: _Readable, packed: int, caps: Caps, scratch: Path, name: str = "") -> bytes | Path:
    """Everything a stream gives, up to the caps; what is large stays in a temporary file of mode 0600."""
    total = 0
    handle, path = tempfile.mkstemp(dir=scratch)
    with open(handle, "wb") as out:
        try:
            while piece := plain.read(PIECE):
                total += len(piece)
                if total > caps.inflated or (total > IN_MEMORY and total > caps.ratio * packed):
                    raise too_large(f"inflates to more than {total - 1:,} bytes from {packed:,}", name)
                out.write(piece)
        except DAMAGE as error:
            raise damaged(str(error), name) from error
        except OSError as error:
            if error.errno is not None:
                raise
            raise damaged(str(error), name) from error
    return Path(path).read_bytes() if total <= IN_MEMORY else Path(path)


def shown(name: str) -> str:
    """A name as one line of text: what cannot be printed is escaped; 'table 1' is quoted, as that is a name of ours."""
    if NUMBERED.fullmatch(name):
        return f"'{name}'"
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in name)
