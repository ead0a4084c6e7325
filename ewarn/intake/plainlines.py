"""Records of one line each, through Polars: the bulk of every CSV file.

In: their text, in which every quotation mark stands where it should, and the file's dialect. Out: a frame of texts and
the rows whose width is wrong. A mark of our own is set at the end of each record, so that a row with too few or too
many cells shows; where Polars cannot be relied on they are read one at a time.
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
# Ends every record on its way through Polars; a text that holds one of them is given the next.
_MARKS = (b"\x01", b"\x02", b"\x03", b"\x1f")

Marks = NDArray[np.uint64]
Lines = NDArray[np.int64]


class Dialect(NamedTuple):
    """How a file is written."""

    header: tuple[str, ...]
    delimiter: str
    line_end: bytes


@dataclass(frozen=True)
class PlainLines:
    """The text of some records, of each its physical line, and the byte after its line end."""

    text: bytes
    lines: Lines
    ends: Lines

    def marks(self) -> Marks:
        """The mark of each line, its end included."""
        bounds = pa.py_buffer(np.concatenate([np.zeros(1, dtype=np.int64), self.ends]))
        lines = pa.LargeStringArray.from_buffers(len(self.ends), bounds, pa.py_buffer(self.text))
        return pl.DataFrame({"line": lines}).select(number_of(pl.col("line"))).to_series().to_numpy()

    def only(self, kept: NDArray[np.bool_]) -> PlainLines:
        """Some of its lines."""
        if not kept.any():
            return PlainLines(b"", self.lines[:0], self.ends[:0])
        lengths = np.diff(self.ends, prepend=0)
        text = np.frombuffer(self.text, dtype=np.uint8)[np.repeat(kept, lengths)].tobytes()
        return PlainLines(text, self.lines[kept], np.cumsum(lengths[kept]))


def read(
    plain: PlainLines, file: Dialect, columns: tuple[str, ...] | None
) -> tuple[pl.DataFrame, list[tuple[int, str, str]]]:
    """Rows with their lines, and rejects; with `columns` only these, and no row is refused for its width."""
    text, lines = plain.text, plain.lines
    names = [str(position) for position in range(len(file.header) + 1)]
    kept = tuple(columns or file.header)
    mark = next((mark for mark in _MARKS if mark not in text), None)
    marked = text.startswith(codecs.BOM_UTF8)  # in a cell: Polars would take it for the beginning of a file
    if mark is None or marked or (len(file.header) == 1 and b'"' in text):
        return _one_by_one(text, lines, file, kept)
    read = pl.scan_csv(
        io.BytesIO(text.replace(file.line_end, file.delimiter.encode() + mark + b"\n")),
        has_header=False, schema=dict.fromkeys(names, pl.String), separator=file.delimiter,
        quote_char='"' if b'"' in text else None, truncate_ragged_lines=True, extra_columns="ignore",
        missing_columns="insert", empty_string_is_null=False, raise_if_empty=False,
    )  # fmt: skip
    if columns is not None:
        read = read.select(pl.col(names[file.header.index(name)]).alias(name) for name in columns)
    frame = read.collect()
    if frame.height != len(lines):
        return _one_by_one(text, lines, file, kept)
    frame = frame.with_columns(pl.Series(LINE, lines))
    if columns is not None:
        return frame, []
    fits = frame[names[-1]] == mark.decode()
    if fits.all():
        blank = frame[names[0]].str.strip_chars() == "" if len(file.header) == 1 else None
        frame = frame.filter(~blank) if blank is not None and blank.any() else frame
        return frame.select(pl.exclude(names[-1])).rename(dict(zip(names, file.header, strict=False))), []
    wrong = np.flatnonzero(~fits.to_numpy())
    rejects = []
    for row in wrong:
        raw = text[int(plain.ends[row - 1]) if row else 0 : int(plain.ends[row]) - 1].rstrip(b"\r")
        if raw.strip():
            cells, _ = careful.record(raw, 0, file.delimiter.encode())
            rejects.append((int(lines[row]), careful.width_reason(len(cells or ()), len(file.header)), shown(raw)))
    frame = frame.filter(fits).select(pl.exclude(names[-1]))
    if len(file.header) == 1:
        frame = frame.filter(pl.col(names[0]).str.strip_chars() != "")
    return frame.rename(dict(zip(names, file.header, strict=False))), rejects


def _one_by_one(
    text: bytes, lines: Lines, file: Dialect, kept: tuple[str, ...]
) -> tuple[pl.DataFrame, list[tuple[int, str, str]]]:
    """The same, record for record: for texts that hold every mark of ours, and for files of one column."""
    rows: list[tuple[str | int, ...]] = []
    rejects: list[tuple[int, str, str]] = []
    chosen = [file.header.index(name) for name in kept]
    position = 0
    for line in lines.tolist():
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
