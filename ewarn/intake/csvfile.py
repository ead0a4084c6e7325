"""A CSV file's rows: every cell as text, every row with its line, every unusable row kept with its reason.

In: bytes or a file, and the headers a definition knows. Out: `Csv`, whose parts of some hundred thousand rows are read
one after the other. Polars reads the records whose shape leaves no doubt; their bytes tell which have too few or too
many cells. All other records are read one at a time and, where they can be, written anew for Polars in their places.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ewarn.errors import UnusableInput
from ewarn.intake import careful, oddlines, plainlines, splitting
from ewarn.intake.ahead import ahead
from ewarn.intake.decoding import CleanText, clean
from ewarn.intake.header import header_of
from ewarn.intake.plainlines import LINE as LINE
from ewarn.intake.plainlines import MOST_RAW, Dialect, Marks, PlainLines, shown

# Our own column beside the file's: no header can hold a NUL.
ROW = "\0row"
PART_BYTES = 32 * 1024 * 1024
MOST_REJECTS = 20_000
_SHARE_OF_REJECTS = 0.2
_MOST_CELL = 1_000_000
_MOST_RECORD = 4_000_000
_FIRST_LOOK = 4_096
_FEW = 10_000
_REJECTS = {"line": pl.Int64, "reason": pl.String, "raw": pl.String}


Knows = Callable[[Marks], NDArray[np.bool_]]


@dataclass(frozen=True)
class Marked:
    """A number for the text of each one-line record: the same for the same text. lines: sorted, beside the marks."""

    lines: NDArray[np.int64]
    marks: Marks

    @staticmethod
    def none() -> Marked:
        return Marked(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.uint64))

    def of(self, lines: NDArray[np.int64]) -> Marks:
        """The marks of the records on these lines, 0 where there is none."""
        if not len(self.lines):
            return np.zeros(len(lines), dtype=np.uint64)
        place = np.minimum(np.searchsorted(self.lines, lines), len(self.lines) - 1)
        return np.where(self.lines[place] == lines, self.marks[place], np.uint64(0))


@dataclass(frozen=True)
class Rows:
    """header: the file's own headers. frame: one text column per header, no nulls, plus `LINE` (physical line number).
    rejects: line, reason, raw. marked: the marks of its one-line records; known: how many others were known by theirs.
    """

    header: tuple[str, ...]
    frame: pl.DataFrame
    rejects: pl.DataFrame
    notes: tuple[str, ...]
    marked: Marked | None = None
    known: int = 0

    def without(self, frame: pl.DataFrame, moved: pl.DataFrame) -> Rows:
        """The same with some lines moved from the rows to the rejects."""
        return replace(self, frame=frame, rejects=pl.concat([self.rejects, moved]).sort("line")) if len(moved) else self

    @staticmethod
    def joined(parts: Sequence[Rows]) -> Rows:
        """Parts of one file that follow one another as one. In: at least one."""
        if len(parts) == 1:
            return parts[0]
        frame, rejects = (pl.concat([getattr(one, name) for one in parts]) for name in ("frame", "rejects"))
        marked = [one.marked for one in parts if one.marked is not None]
        lines, marks = ([getattr(one, name) for one in marked] for name in ("lines", "marks"))
        whole = Marked(np.concatenate(lines), np.concatenate(marks)) if marked else None
        return replace(parts[0], frame=frame, rejects=rejects, marked=whole, known=sum(one.known for one in parts))


def together(parts: Iterable[Rows]) -> Iterator[Rows]:
    """The same, parts of few rows as one: what is done with a part costs as much for few as for many."""
    waiting: list[Rows] = []
    for rows in parts:
        waiting.append(rows)
        if sum(one.frame.height + one.rejects.height for one in waiting) >= _FEW:
            yield Rows.joined(waiting)
            waiting = []
    if waiting:
        yield Rows.joined(waiting)


@dataclass(frozen=True)
class Csv:
    """A CSV file whose header is known. `start`: where its first row begins, on line `first_line`."""

    text: CleanText
    delimiter: str
    header: tuple[str, ...]
    start: int
    first_line: int
    notes: tuple[str, ...] = field(default=())

    @property
    def dialect(self) -> Dialect:
        return Dialect(self.header, self.delimiter, self.text.line_end)

    def parts(
        self, columns: tuple[str, ...] | None = None, size: int = PART_BYTES, knows: Knows | None = None
    ) -> Iterator[Rows]:
        """The rows in the file's order, in parts. With `columns` only these; then no row is refused for its width.

        `knows` is asked which one-line records, by their marks, are known already: these are counted and not read. The
        first part is read whatever is known, to tell what the columns hold.
        Raises: UnusableInput where so many rows are unusable that the file is not the table its header says.
        """
        refused = seen = 0
        watch = oddlines.Watch(self.header, LINE)
        for piece in ahead(self._pieces(size)) if self.text.size > size else self._pieces(size):
            rows, skipped = piece.rows(self, columns, knows, first=not seen)
            if columns is None:
                others = np.sort(np.concatenate([_lines_of(rows.rejects), skipped]))
                rows = rows.without(*watch.sift(rows.frame, others))
            seen += rows.frame.height + rows.known + rows.rejects.height
            refused += rows.rejects.height
            if refused > MOST_REJECTS and refused > seen * _SHARE_OF_REJECTS:
                raise UnusableInput(
                    f"{refused:,} of the first {seen:,} lines have not the cells that the header names",
                    next_step="Export the file again, or split it, so that its rows can be told.",
                )
            yield rows

    def texts(self, lines: Collection[int]) -> dict[int, str]:
        """The text of the records that begin on these lines."""
        return {line: raw.decode() for line, raw, _ in self._records(lines)}

    def at(self, lines: Collection[int]) -> Rows:
        """The rows that begin on these lines, as `parts` reads them."""
        read = ((line, cells or []) for line, _, cells in self._records(lines))
        found = [(*cells, line) for line, cells in read if len(cells) == len(self.header)]
        schema = {**dict.fromkeys(self.header, pl.String), LINE: pl.Int64}
        return Rows(self.header, pl.DataFrame(found, schema=schema, orient="row"), pl.DataFrame(schema=_REJECTS), ())

    def _records(self, lines: Collection[int]) -> Iterator[tuple[int, bytes, list[str] | None]]:
        """Line, text and cells of the records that begin on these lines; the rest of the file is not taken apart."""
        delimiter = self.delimiter.encode()
        starts = list(self.text.starts_of(sorted(set(lines))))
        with self.text.opened() as stream:
            for line, start in starts:
                text, whole = b"", False
                while not whole:
                    stream.seek(self.text.start + start + len(text))
                    more = stream.read(max(_FIRST_LOOK, len(text)))
                    text += more
                    cells, end = careful.record(text, 0, delimiter)
                    whole = not more or len(text) > _MOST_RECORD or (end != careful.UNCLOSED and end < len(text))
                end = careful.next_line(text, 0) if end == careful.UNCLOSED else end
                yield line, text[:end].rstrip(b"\r\n"), cells

    def _pieces(self, size: int) -> Iterator[_Piece]:
        line, position, end = self.first_line, self.start, self.text.size
        asked = size
        with self.text.opened() as stream:
            while position < end:
                stream.seek(self.text.start + position)
                text = stream.read(asked)
                last = position + len(text) >= end or not text
                if last and text and not text.endswith(b"\n"):
                    text += self.text.line_end
                found = tuple(splitting.split(text, self.delimiter.encode(), last, _MOST_RECORD))
                if found:
                    yield _Piece(text, line, found)
                    line += sum(one.lines for one in found)
                    position, asked = position + found[-1].end, size
                elif last:
                    return
                elif len(text) > 2 * _MOST_RECORD:
                    raise UnusableInput(
                        f"line {line} is longer than {_MOST_RECORD:,} bytes", next_step="Export the file again."
                    )
                else:
                    asked *= 2


@dataclass(frozen=True)
class _Piece:
    text: bytes
    line: int
    found: tuple[splitting.Plain | splitting.Odd, ...]

    def rows(
        self, file: Csv, columns: tuple[str, ...] | None, knows: Knows | None = None, *, first: bool = False
    ) -> tuple[Rows, NDArray[np.int64]]:
        """Its rows, and the lines of those that are known already."""
        plain, odd_rejects = self._plain(file.dialect, columns)
        marked, skipped = None, plain.lines[:0]
        if knows is not None:
            marks, old = plain.marks(), np.zeros(len(plain.lines), dtype=bool)
            if not first:
                old[~plain.woven] = knows(marks[~plain.woven])
            fresh = ~old & ~plain.woven
            marked, skipped = Marked(plain.lines[fresh], marks[fresh]), plain.lines[old]
            plain = plain.only(~old) if old.any() else plain
        frame, rejects = plainlines.read(plain, file.dialect, columns)
        frame, long = _without_long_cells(frame, plain)
        rejects = [*rejects, *odd_rejects, *long]
        refused = pl.DataFrame(sorted(rejects), schema=_REJECTS, orient="row")
        return Rows(file.header, frame, refused, (), marked, len(skipped)), skipped

    def _plain(self, file: Dialect, columns: tuple[str, ...] | None) -> tuple[PlainLines, list[tuple[int, str, str]]]:
        """Its records as text that needs no care: the others are written anew, with their quotation marks in order. And
        those that cannot be, as rejects."""
        stretches: list[bytes | memoryview] = []
        whole = memoryview(self.text)
        lines, ends, quoting = ([np.empty(0, dtype=np.int64)] for _ in range(3))
        rejects, woven, number = list[tuple[int, str, str]](), list[int](), 0
        following, length, wanted = self.line, 0, len(file.header)
        for one in self.found:
            line, following = following, following + one.lines
            if isinstance(one, splitting.Plain):
                stretches.append(whole[one.start : one.end])
                lines.append(np.arange(line, following))
                ends.append(one.feeds + (length + 1 - one.start))
                quoting.append(one.quoting)
            elif one.cells is not None and (columns is not None or len(one.cells) == wanted):
                stretches.append(plainlines.written(one.cells, file))
                lines.append(np.array([line]))
                ends.append(np.array([length + len(stretches[-1])]))
                quoting.append(np.array([2 * len(one.cells) + sum(cell.count('"') for cell in one.cells)]))
                woven.append(number)
            else:
                reason = careful.BROKEN_QUOTE if one.cells is None else careful.width_reason(len(one.cells), wanted)
                rejects.append((line, reason, shown(self.text[one.start : one.end].rstrip(b"\r\n"))))
                continue
            length += len(stretches[-1])
            number += len(lines[-1])
        text = b"".join(stretches)
        anew = np.zeros(number, dtype=bool)
        anew[woven] = True
        plain = PlainLines(text, np.concatenate(lines), np.concatenate(ends), np.concatenate(quoting), anew)
        return plain, rejects


def open_csv(source: bytes | Path, known: Iterable[str] = ()) -> Csv:
    """A CSV file and its header; `known` headers help to tell the delimiter. Raises: UnusableInput without a header."""
    text = clean(source)
    head = text.head(1024 * 1024)
    header = header_of(head, known)
    return Csv(text, header.delimiter, header.names, header.start, header.line, (*text.notes, *header.notes))


def read_rows(source: bytes | Path, known: Iterable[str] = ()) -> Rows:
    """Every row of a CSV file at once. Raises: UnusableInput where there is no header or no row."""
    file = open_csv(source, known)
    parts = list(file.parts())
    if not any(part.frame.height or part.rejects.height for part in parts):
        raise no_row()
    frame, rejects = (pl.concat([getattr(part, name) for part in parts]) for name in ("frame", "rejects"))
    return Rows(file.header, frame, rejects, file.notes)


def no_row() -> UnusableInput:
    """The fault of a file that holds its header alone."""
    return UnusableInput("the file has a header and no row", next_step="Nothing to do, unless rows were expected.")


def _without_long_cells(frame: pl.DataFrame, plain: PlainLines) -> tuple[pl.DataFrame, list[tuple[int, str, str]]]:
    """Rows with a cell longer than anybody writes become rejects."""
    if not len(plain.ends) or plain.lengths.max() <= _MOST_CELL:
        return frame, []
    longest = frame.select(pl.exclude(LINE).str.len_bytes().max()).row(0)
    if max((length or 0) for length in longest) <= _MOST_CELL:
        return frame, []
    long = pl.any_horizontal(pl.exclude(LINE).str.len_bytes() > _MOST_CELL)
    reason = f"a cell of more than {_MOST_CELL:,} bytes; correct the row"
    raw = frame.filter(long).select(pl.concat_str(pl.exclude(LINE).str.slice(0, MOST_RAW), separator=" ")).to_series()
    lines = frame.filter(long)[LINE]
    return frame.filter(~long), [(line, reason, text[:MOST_RAW]) for line, text in zip(lines, raw, strict=True)]


def _lines_of(rejects: pl.DataFrame) -> NDArray[np.int64]:
    """Every line that the rejected records lie on."""
    found = rejects.select("line", more=pl.col("raw").str.count_matches("\n", literal=True))
    lines = [one for line, more in found.iter_rows() for one in range(line, line + more + 1)]
    return np.array(lines, dtype=np.int64)
