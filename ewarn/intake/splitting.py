"""Where a CSV's records begin and end, told by its quotation marks alone.

In: a stretch of UTF-8 text that begins at a record. Out: the stretches whose records are one line each and whose
quotation marks are in order, and between them the single records that need the careful reader: those of several lines,
and those with a quotation mark in an odd place. An odd mark disturbs its own record and no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ewarn.intake import careful

_FEED, _RETURN, _QUOTE = 10, 13, 34
Found = NDArray[np.int64]


@dataclass(frozen=True)
class Plain:
    """Bytes [start, end): records of one line each; their quotation marks, if any, stand where they should."""

    start: int
    end: int
    lines: int


@dataclass(frozen=True)
class Odd:
    """Bytes [start, end): one record read with care; cells is None where its quotation marks are broken."""

    start: int
    end: int
    lines: int
    cells: list[str] | None


def split(text: bytes, delimiter: bytes, last: bool, most_record: int) -> Iterator[Plain | Odd]:
    """The stretches of a text, in order, up to its last whole record; what follows belongs to the next piece.

    With `last` there is no next piece, and the text ends with a line end. A record longer than `most_record` bytes is
    taken for a quotation mark that is never closed.
    """
    if b'"' not in text:
        if end := text.rfind(b"\n") + 1:
            yield Plain(0, end, text.count(b"\n", 0, end))
        return
    marks = _Marks(text, ord(delimiter))
    position = 0
    while position < len(text):
        bounds, limit = marks.in_order(position)
        yield from _cut(position, bounds, marks)
        position = int(bounds[-1]) + 1 if len(bounds) else position
        if limit == len(text):
            return
        cells, after = careful.record(text, position, delimiter)
        if after == careful.UNCLOSED:
            if not last and len(text) - position <= most_record:
                return
            after = careful.next_line(text, position)
        if not last and text[after - 1 : after] != b"\n":
            return
        yield Odd(position, after, text.count(b"\n", position, after), cells)
        position = after


def _cut(position: int, bounds: Found, marks: _Marks) -> Iterator[Plain | Odd]:
    """Stretches of one-line records, and each record of several lines by itself."""
    if not len(bounds):
        return
    first = int(np.searchsorted(marks.feeds, position))
    number = np.searchsorted(marks.feeds, bounds)
    several = np.flatnonzero(np.diff(number, prepend=first - 1) > 1)
    at = first
    for index in several:
        start = int(bounds[index - 1]) + 1 if index else position
        end = int(bounds[index]) + 1
        before = int(number[index - 1]) + 1 if index else first
        if start > position:
            yield Plain(position, start, before - at)
        cells, _ = careful.record(marks.text, start, marks.delimiter)
        yield Odd(start, end, int(number[index]) + 1 - before, cells)
        position, at = end, int(number[index]) + 1
    if position <= bounds[-1]:
        yield Plain(position, int(bounds[-1]) + 1, int(number[-1]) + 1 - at)


class _Marks:
    """Quotation marks and line feeds of a text, and where the marks go wrong, counted from an even or an odd one."""

    def __init__(self, text: bytes, delimiter: int) -> None:
        self.text, self.delimiter = text, bytes([delimiter])
        buffer = np.frombuffer(text, dtype=np.uint8)
        self.quotes = np.flatnonzero(buffer == _QUOTE)
        self.feeds = np.flatnonzero(buffer == _FEED)
        before = np.where(self.quotes > 0, buffer[np.maximum(self.quotes - 1, 0)], _FEED)
        after = np.where(self.quotes + 1 < len(buffer), buffer[np.minimum(self.quotes + 1, len(buffer) - 1)], _FEED)
        opens = (before == delimiter) | (before == _FEED) | (before == _QUOTE)
        closes = (after == delimiter) | (after == _FEED) | (after == _RETURN) | (after == _QUOTE)
        even = np.arange(len(self.quotes)) % 2 == 0
        self._wrong = [np.flatnonzero(np.where(even == (side == 0), ~opens, ~closes)) for side in (0, 1)]
        side_of = np.searchsorted(self.quotes, self.feeds) % 2
        self._bounds = [self.feeds[side_of == side] for side in (0, 1)]

    def in_order(self, position: int) -> tuple[Found, int]:
        """Line ends that end a record from here on, as far as the marks are in order; and how far that is."""
        first = int(np.searchsorted(self.quotes, position))
        side = first % 2
        wrong = self._wrong[side][np.searchsorted(self._wrong[side], first) :][:1]
        if len(wrong):
            limit = int(self.quotes[wrong[0] - (wrong[0] - first) % 2])
        elif (len(self.quotes) - first) % 2:
            limit = int(self.quotes[-1])
        else:
            limit = len(self.text)
        bounds = self._bounds[side]
        return bounds[np.searchsorted(bounds, position) : np.searchsorted(bounds, limit)], limit
