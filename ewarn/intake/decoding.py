"""Bytes to clean UTF-8, piece by piece: byte-order marks, UTF-16, Windows-1252, line ends.

In: the bytes as received, or the file they lie in. Out: `CleanText`, whose pieces can be read as often as needed and
never stand in memory together. Must never lose a character without saying so: what cannot be decoded is refused.
"""

from __future__ import annotations

import codecs
import io
import re
import tempfile
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

import numpy as np
import pyarrow as pa
from charset_normalizer import from_bytes

from ewarn.errors import UnusableInput

PIECE = 16 * 1024 * 1024
_CACHED = 1024 * 1024  # what is looked at and not kept goes by in pieces that the processor's cache holds
_FEED = 10
_SMALL = 4_096
_SPOOLED = 64 * 1024 * 1024
_BINARY = {
    b"PK\x03\x04": "a spreadsheet or zip file",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "a gzip file",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
}
_NUL = UnusableInput(
    "the file holds NUL bytes, so it is not CSV text", next_step="Save it as CSV (UTF-8) and drop it again."
)


@dataclass(frozen=True)
class CleanText:
    """UTF-8 text without a byte-order mark whose line ends are all `line_end`. notes: what was changed."""

    source: bytes | Path | IO[bytes]
    start: int
    line_end: bytes
    notes: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes from the beginning to the end."""
        with _opened(self.source) as stream:
            return stream.seek(0, io.SEEK_END) - self.start

    def pieces(self, size: int = PIECE) -> Iterator[bytes]:
        """The text from its beginning, in pieces cut anywhere."""
        with self.opened() as stream:
            stream.seek(self.start)
            while piece := stream.read(size):
                yield piece

    @contextmanager
    def opened(self) -> Iterator[BinaryIO | IO[bytes]]:
        """The bytes it lies in, to be read anywhere; the text begins at `start`."""
        with _opened(self.source) as stream:
            yield stream

    def starts_of(self, lines: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Each of these physical lines (sorted, from 1) that there is, and the byte of the text it begins at."""
        base = feeds_before = done = 0
        for piece in self.pieces():
            feeds = piece.count(b"\n")
            upto = bisect_right(lines, feeds_before + feeds + 1)
            if done < upto:
                places = np.flatnonzero(np.frombuffer(piece, dtype=np.uint8) == _FEED)
                for line in lines[done:upto]:
                    before = line - 2 - feeds_before
                    yield line, base + (int(places[before]) + 1 if before >= 0 else 0)
            base, feeds_before, done = base + len(piece), feeds_before + feeds, upto

    def head(self, size: int) -> bytes:
        """Its first bytes."""
        return next(self.pieces(size), b"")


def clean(source: bytes | Path) -> CleanText:
    """The text of a file. Raises: UnusableInput for binary files, web pages and undecodable bytes."""
    with _opened(source) as stream:
        head = stream.read(4096)
    _refuse_other_kinds(head)
    encoding, start, notes, returned = _encoding(source, head)
    if encoding == "utf-8":
        pairs, feeds, returns = _line_ends(source, start) if returned else (0, 0, 0)
        if returns == pairs and pairs in (0, feeds):
            return CleanText(source, start, b"\r\n" if pairs else b"\n", notes)
        if feeds:
            notes = (*notes, "line ends of more than one kind: all read as LF")
    text, mixed = _rewritten(source, start, encoding)
    if mixed and encoding != "utf-8":
        notes = (*notes, "line ends of more than one kind: all read as LF")
    return CleanText(text, 0, b"\n", notes)


def _refuse_other_kinds(head: bytes) -> None:
    for start, what in _BINARY.items():
        if head.startswith(start):
            raise UnusableInput(
                f"the file is {what}, not CSV text", next_step="Save it as CSV (UTF-8) and drop it again."
            )
    if head[:500].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype html", b"<html")):
        raise UnusableInput("the file is a web page, not CSV text", next_step="Download the file itself and drop it.")


def _encoding(source: bytes | Path, head: bytes) -> tuple[str, int, tuple[str, ...], bool]:
    """(encoding, bytes of mark to leave out, notes, whether there may be a CR)."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", 0, ("read as UTF-16",), True
    if guess := _utf16_without_mark(head[:2000]):
        return guess, 0, (f"read as {guess.upper()} (no byte-order mark)",), True
    start = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    decodes, returned = _decodes(source, "utf-8")
    if decodes:
        return "utf-8", start, (), returned
    if _decodes(source, "cp1252")[0]:
        return "cp1252", 0, ("not UTF-8: read as Windows-1252",), True
    with _opened(source) as stream:
        best = from_bytes(stream.read(PIECE)).best()
    if best is None:
        raise UnusableInput("the text's encoding cannot be told", next_step="Save the file as CSV (UTF-8).")
    return best.encoding, 0, (f"not UTF-8: read as {best.encoding}, a guess",), True


def _decodes(source: bytes | Path, encoding: str) -> tuple[bool, bool]:
    """Whether the bytes are of this encoding, and whether there is a CR among them."""
    carry, returned = b"", False
    try:
        with _opened(source) as stream:
            while piece := stream.read(_CACHED):
                if b"\0" in piece:
                    raise _NUL
                returned = returned or b"\r" in piece
                if carry or not piece.isascii():
                    text = carry + piece
                    end = len(text) - _unfinished(text) if encoding == "utf-8" else len(text)
                    carry = text[end:]
                    _decode(text[:end], encoding)
        _decode(carry, encoding)
    except (UnicodeDecodeError, pa.ArrowInvalid):
        return False, returned
    return True, returned


def _decode(text: bytes, encoding: str) -> None:
    """Raises: UnicodeDecodeError or ArrowInvalid where the bytes are not of this encoding."""
    if encoding != "utf-8" or len(text) < _SMALL:
        text.decode(encoding)
    else:  # ten times as fast as Python's own, and beside other threads
        pa.array([text], pa.large_binary()).cast(pa.large_string())


def _unfinished(text: bytes) -> int:
    """How many bytes at the end may be the beginning of a character that goes on in the next piece."""
    for back in range(1, min(4, len(text) + 1)):
        byte = text[-back]
        if byte >= 0xC0:
            needed = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return back if needed > back else 0
        if byte < 0x80:
            return 0
    return 0


def _utf16_without_mark(head: bytes) -> str:
    """UTF-16 shows as a NUL in every second byte of plain text."""
    if (len(head) >= 4 and len(head) % 2 == 0) or len(head) > 4:
        odd, even = head[1::2].count(0), head[0::2].count(0)
        if odd > len(head) * 0.3 and even < odd / 10:
            return "utf-16-le"
        if even > len(head) * 0.3 and odd < even / 10:
            return "utf-16-be"
    return ""


def _line_ends(source: bytes | Path, start: int) -> tuple[int, int, int]:
    """How many CR LF, LF and CR."""
    pairs = feeds = returns = 0
    last = b""
    with _opened(source) as stream:
        stream.seek(start)
        while piece := stream.read(_CACHED):
            feeds += piece.count(b"\n")
            returns += piece.count(b"\r")
            pairs += piece.count(b"\r\n") + (last == b"\r" and piece[:1] == b"\n")
            last = piece[-1:]
    return pairs, feeds, returns


def _rewritten(source: bytes | Path, start: int, encoding: str) -> tuple[bytes | IO[bytes], bool]:
    """The text as UTF-8 with LF alone, and whether its line ends were of more than one kind."""
    decoder = codecs.getincrementaldecoder(encoding)()
    kinds: set[bytes] = set()
    out = tempfile.SpooledTemporaryFile(max_size=_SPOOLED)  # noqa: SIM115  (it lives as long as the text)
    try:
        with _opened(source) as stream:
            stream.seek(start)
            carry = ""
            while True:
                piece = stream.read(PIECE)
                text = carry + decoder.decode(piece, final=not piece)
                carry = "\r" if piece and text.endswith("\r") else ""
                encoded = text[: len(text) - len(carry)].encode()
                if b"\0" in encoded:
                    raise _NUL
                kinds.update(re.findall(rb"\r\n|\r|\n", encoded) if len(kinds) < 2 else ())
                out.write(re.sub(rb"\r\n?", b"\n", encoded))
                if not piece:
                    break
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise UnusableInput(
            f"the bytes are not {encoding.upper()} though they look it: {error.reason}",
            next_step="Save the file as CSV (UTF-8).",
        ) from error
    out.seek(0)
    if out.read(3) == codecs.BOM_UTF8:
        out.seek(3)
        return out.read(), len(kinds) > 1
    return out, len(kinds) > 1


@contextmanager
def _opened(source: bytes | Path | IO[bytes]) -> Iterator[BinaryIO | IO[bytes]]:
    """A stream over the bytes; a temporary file is left open, as it would vanish."""
    if isinstance(source, bytes):
        yield io.BytesIO(source)
    elif isinstance(source, Path):
        with source.open("rb") as stream:
            yield stream
    else:
        source.seek(0)
        yield source
