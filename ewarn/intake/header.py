"""Where a CSV file's header stands, and under which delimiter.

In: the first bytes of a file, and the headers a definition knows. Out: the header, and where the rows begin. Titles
above the header ("Results for March") are passed over only where a definition's own columns stand below them; without
a definition the first line is the header. Must never take a row for a title.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ewarn.errors import UnusableInput
from ewarn.intake import careful
from ewarn.intake.titles import folded, header_at, is_header, known_in

_DELIMITERS = ",;\t|"
_TOLD = re.compile(rb'(?i)"?sep=([,;\t|])"?\r?\n')
_MOST_COLUMNS = 1_000
_MOST_LINES = 200


class Header(NamedTuple):
    """`start`: where the rows begin; `line`: the line on which they do."""

    delimiter: str
    names: tuple[str, ...]
    start: int
    line: int
    notes: tuple[str, ...] = ()


class _Line(NamedTuple):
    """One line taken for the header: how many of its cells are known columns, and where it ends."""

    known: int
    delimiter: str
    cells: list[str]
    end: int
    titles: int = 0


def header_of(head: bytes, known: Iterable[str] = ()) -> Header:
    """The header in a file's first bytes; `known` headers help to tell it. Raises: UnusableInput without a header."""
    lead = len(head) - len(head.lstrip(b"\r\n \t")) if head[:1] in (b"\r", b"\n") else 0
    if not head.strip():
        raise UnusableInput("the file is empty", next_step="Drop a file with a header line and at least one row.")
    delimiters, ours = _DELIMITERS, {folded(name) for name in known}
    if told := _TOLD.match(head, lead):  # a line for spreadsheet programs, no header
        lead, delimiters = told.end(), told[1].decode()
    found = _first(head, lead, delimiters, ours)
    if not is_header(found.cells, ours):
        found = max((found, *_below_titles(head, lead, delimiters, ours)), key=lambda one: one.known)
    if len(found.cells) > _MOST_COLUMNS:
        raise UnusableInput(
            f"{len(found.cells)} columns: more than {_MOST_COLUMNS}", next_step="Send only the columns needed."
        )
    notes = (f"{found.titles} lines above the header are no rows: left out",) if found.titles else ()
    return Header(found.delimiter, _named(found.cells), found.end, 1 + head.count(b"\n", 0, found.end), notes)


def _first(head: bytes, lead: int, delimiters: str, known: set[str]) -> _Line:
    """The first line, under the delimiter with which it names most known columns, then most columns."""
    read = ((delimiter, *careful.record(head, lead, delimiter.encode())) for delimiter in delimiters)
    found = [_Line(_known(cells, known), delimiter, cells, end) for delimiter, cells, end in read if cells is not None]
    if not found:
        raise UnusableInput("the header line cannot be read", next_step="Drop a CSV file with a header line.")
    return max(found, key=lambda one: (one.known, len(one.cells)))


def _below_titles(head: bytes, lead: int, delimiters: str, known: set[str]) -> Iterator[_Line]:
    """Lines that plainly are a definition's header, below titles."""
    for delimiter in delimiters:
        lines = list(_lines(head, lead, delimiter.encode()))
        place = header_at((cells for cells, _ in lines), known)
        if place is not None:
            cells, end = lines[place]
            titles = sum(any(cell.strip() for cell in above) for above, _ in lines[:place])
            yield _Line(_known(cells, known), delimiter, cells, end, titles)


def _lines(head: bytes, lead: int, delimiter: bytes) -> Iterator[tuple[list[str], int]]:
    """The first lines with where each ends, up to one that is broken or the last."""
    position = lead
    for _ in range(_MOST_LINES):
        cells, position = careful.record(head, position, delimiter)
        if cells is None or position >= len(head) or len(cells) > _MOST_COLUMNS:
            return
        yield cells, position


def _known(cells: list[str], known: set[str]) -> int:
    return known_in(cells, known) if len(cells) <= _MOST_COLUMNS else 0


def _named(header: list[str]) -> tuple[str, ...]:
    """Headers trimmed; blank ones get a name; a repeated one is refused, as nobody can tell which is meant."""
    names = tuple(name.strip() or f"column {position}" for position, name in enumerate(header, 1))
    shapes = [folded(name) for name in names]
    if repeated := {name for name, shape in zip(names, shapes, strict=True) if shapes.count(shape) > 1}:
        raise UnusableInput(
            f"the header names a column twice: {', '.join(sorted(repeated))}", next_step="Rename one of them."
        )
    return names
