"""Records of one line each, through Polars: the bulk of every CSV file.

In: their text, in which every quotation mark stands where it should, and the file's dialect. Out: a frame of texts and
the rows whose width is wrong. Every byte of a record is accounted for, so that one with too few or too many cells
shows; where Polars cannot be relied on they are read one at a time.
"""

from __future__ import annotations

import codecs
import io
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from ewarn.frames import number_of
from ewarn.intake import careful

# Our own column beside the file's: no header can hold a NUL.
LINE = "\0line"
MOST_RAW = 20_000

Marks = NDArray[np.uint64]
Lines = NDArray[np.int64]


class Dialect(NamedTuple):
    """How a file is written."""

    header: tuple[str, ...]
    delimiter: str
    line_end: bytes


@dataclass(frozen=True)
class PlainLines:
    """The text of some records, of each its physical line, the byte after its line end, and how many of its quotation
    marks are no part of a cell's text. woven: which were written anew, to be read with the others."""

    text: bytes
    lines: Lines
    ends: Lines
    quoting: Lines
    woven: NDArray[np.bool_]

    @property
    def lengths(self) -> Lines:
        """The bytes of each record, its line end included."""
        return np.diff(self.ends, prepend=0)

    def marks(self) -> Marks:
        """The mark of each line, its end included."""
        bounds = pa.py_buffer(np.concatenate([np.zeros(1, dtype=np.int64), self.ends]))
        lines = pa.LargeStringArray.from_buffers(len(self.ends), bounds, pa.py_buffer(self.text))
        return pl.DataFrame({"line": lines}).select(number_of(pl.col("line"))).to_series().to_numpy()

    def only(self, kept: NDArray[np.bool_]) -> PlainLines:
        """Some of its lines."""
        lengths, whole = self.lengths[kept], memoryview(self.text)
        bounds = zip(self.ends[kept].tolist(), lengths.tolist(), strict=True)
        text = b"".join([whole[end - length : end] for end, length in bounds])
        return PlainLines(text, self.lines[kept], np.cumsum(lengths), self.quoting[kept], self.woven[kept])


def written(cells: list[str], file: Dialect) -> bytes:
    """A record as its file would hold it, had it set its quotation marks in order."""
    quoted = ('"' + cell.replace('"', '""') + '"' for cell in cells)
    return file.delimiter.join(quoted).encode() + file.line_end


def read(
    plain: PlainLines, file: Dialect, columns: tuple[str, ...] | None
) -> tuple[pl.DataFrame, list[tuple[int, str, str]]]:
    """Rows with their lines, and rejects; with `columns` only these, and no row is refused for its width."""
    text, lines = plain.text, plain.lines
    names = [str(position) for position in range(len(file.header))]
    kept = tuple(columns or file.header)
    marked = text.startswith(codecs.BOM_UTF8)  # in a cell: Polars would take it for the beginning of a file
    if marked or (len(names) == 1 and b'"' in text):
        return _one_by_one(plain, file, kept)
    read = pl.scan_csv(
        io.BytesIO(text),
        has_header=False, schema=dict.fromkeys(names, pl.String), separator=file.delimiter,
        quote_char='"' if b'"' in text else None, truncate_ragged_lines=True, extra_columns="ignore",
        missing_columns="insert", empty_string_is_null=False, raise_if_empty=False,
    )  # fmt: skip
    if columns is not None:
        read = read.select(pl.col(names[file.header.index(name)]).alias(name) for name in columns)
    frame = read.collect(engine="in-memory")
    if frame.height != len(lines):
        return _one_by_one(plain, file, kept)
    if columns is not None:
        return _with_lines(frame, lines), []
    fits = _fits(frame, plain, file)
    rejects = []
    for row in np.flatnonzero(~fits):
        raw = text[int(plain.ends[row - 1]) if row else 0 : int(plain.ends[row])].rstrip(b"\r\n")
        if raw.strip():
            cells, _ = careful.record(raw, 0, file.delimiter.encode())
            if cells is not None and len(cells) == len(names):
                return _one_by_one(plain, file, kept)
            rejects.append((int(lines[row]), careful.width_reason(len(cells or ()), len(names)), shown(raw)))
    if len(names) == 1:
        fits &= (frame[names[0]].str.strip_chars() != "").to_numpy()
    frame = _with_lines(frame.rename(dict(zip(names, file.header, strict=True))), lines)
    return frame if fits.all() else frame.filter(fits), rejects


def _with_lines(frame: pl.DataFrame, lines: Lines) -> pl.DataFrame:
    """With the lines beside it, in as many pieces as the others: else Polars would join all of these at every turn."""
    lengths = frame.to_series(0).chunk_lengths() if frame.width else [len(lines)]
    ends = np.cumsum(lengths)
    pieces = [pl.Series(LINE, lines[end - length : end]) for length, end in zip(lengths, ends, strict=True)]
    return frame.hstack([pl.concat(pieces, rechunk=False) if pieces else pl.Series(LINE, lines)])


def _fits(frame: pl.DataFrame, plain: PlainLines, file: Dialect) -> NDArray[np.bool_]:
    """Which records have as many cells as the header: their cells, the delimiters between these and the quotation marks
    about them are then all of the record. A cell too few or too many leaves more or fewer bytes over."""
    told = frame.select(pl.sum_horizontal(pl.all().str.len_bytes().cast(pl.Int64))).to_series().to_numpy()
    around = (frame.width - 1) * len(file.delimiter.encode()) + len(file.line_end)
    fits: NDArray[np.bool_] = told + plain.quoting + around == plain.lengths
    return fits


def _one_by_one(
    plain: PlainLines, file: Dialect, kept: tuple[str, ...]
) -> tuple[pl.DataFrame, list[tuple[int, str, str]]]:
    """The same, record for record: for texts that Polars reads otherwise, and for files of one column."""
    text = plain.text
    rows: list[tuple[str | int, ...]] = []
    rejects: list[tuple[int, str, str]] = []
    chosen = [file.header.index(name) for name in kept]
    position = 0
    for line in plain.lines.tolist():
        start = position
        cells, position = careful.record(text, start, file.delimiter.encode())
        raw = text[start:position].rstrip(b"\r\n")
        blank = not raw.strip()
        if cells is not None and len(cells) == len(file.header) and not (blank and len(cells) == 1):
            rows.append((*(cells[i] for i in chosen), line))
        elif not blank:
            rejects.append((line, careful.width_reason(len(cells or ()), len(file.header)), shown(raw)))
    schema = {**dict.fromkeys(kept, pl.String), LINE: pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row"), rejects


def shown(raw: bytes) -> str:
    return raw[: 4 * MOST_RAW].decode(errors="ignore")[:MOST_RAW]
