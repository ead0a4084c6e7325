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
    """Bytes [start, end): records of one line each; their quotation marks, if any, stand where they should.

    feeds: the line feeds in it. quoting: how many quotation marks of each record are no part of a cell's text."""

    start: int
    end: int
    feeds: Found
    quoting: Found

    @property
    def lines(self) -> int:
        return len(self.feeds)


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
        feeds = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == _FEED)
        if len(feeds):
            yield Plain(0, int(feeds[-1]) + 1, feeds, np.zeros(len(feeds), dtype=np.int64))
        return
    marks = _Marks(text, ord(delimiter))
    position = 0
    while position < len(text):
        number, limit = marks.in_order(position)
        yield from _cut(position, number, marks)
        position = int(marks.feeds[number[-1]]) + 1 if len(number) else position
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


def _cut(position: int, number: Found, marks: _Marks) -> Iterator[Plain | Odd]:
    """Stretches of one-line records, and each record of several lines by itself. number: of the feeds that end one."""
    if not len(number):
        return
    feeds, last = marks.feeds, int(number[-1])
    at = first = int(feeds.searchsorted(position))
    quoting = marks.quoting(position)
    alone = last - first + 1 == len(number)
    for index in () if alone else np.flatnonzero(np.diff(number, prepend=first - 1) > 1).tolist():
        before = int(number[index - 1]) + 1 if index else first
        start = int(feeds[before - 1]) + 1 if index else position
        end = int(feeds[number[index]]) + 1
        if start > position:
            yield Plain(position, start, feeds[at:before], quoting[at:before])
        cells, _ = careful.record(marks.text, start, marks.delimiter)
        yield Odd(start, end, int(number[index]) + 1 - before, cells)
        position, at = end, int(number[index]) + 1
    if at <= last:
        yield Plain(position, int(feeds[last]) + 1, feeds[at : last + 1], quoting[at : last + 1])


class _Marks:
    """Quotation marks and line feeds of a text, and where the marks go wrong, counted from an even or an odd one."""

    def __init__(self, text: bytes, delimiter: int) -> None:
        self.text, self.delimiter = text, bytes([delimiter])
        buffer = np.frombuffer(text, dtype=np.uint8)
        both = np.flatnonzero((buffer == _QUOTE) | (buffer == _FEED))
        ends = buffer[both] == _FEED
        self.quotes, self.feeds = both[~ends], both[ends]
        before = buffer[self.quotes - 1]
        after = buffer.take(self.quotes + 1, mode="clip")
        if len(self.quotes) and self.quotes[0] == 0:
            before[0] = _FEED
        if len(self.quotes) and self.quotes[-1] + 1 == len(buffer):
            after[-1] = _FEED
        opens = (before == delimiter) | (before == _FEED) | (before == _QUOTE)
        closes = (after == delimiter) | (after == _FEED) | (after == _RETURN) | (after == _QUOTE)
        wrong = (~opens, ~closes)
        self._wrong = [_in_turn(wrong[side], wrong[1 - side]) for side in (0, 1)]
        self._before = np.flatnonzero(ends) - np.arange(len(self.feeds))  # how many marks stand before each feed
        side_of = self._before % 2
        self._numbers = [np.flatnonzero(side_of == side) for side in (0, 1)]
        self._twice = np.flatnonzero(after == _QUOTE)
        self._quoting: list[Found | None] = [None, None]

    def in_order(self, position: int) -> tuple[Found, int]:
        """Which line feeds end a record from here on, as far as the marks are in order; and how far that is."""
        first = int(self.quotes.searchsorted(position))
        side = first % 2
        wrong = self._wrong[side]
        at = int(wrong.searchsorted(first))
        if at < len(wrong):
            limit = int(self.quotes[wrong[at] - (wrong[at] - first) % 2])
        elif (len(self.quotes) - first) % 2:
            limit = int(self.quotes[-1])
        else:
            limit = len(self.text)
        from_, upto = self.feeds.searchsorted(position), self.feeds.searchsorted(limit)
        numbers = self._numbers[side]
        return numbers[numbers.searchsorted(from_) : numbers.searchsorted(upto)], limit

    def quoting(self, position: int) -> Found:
        """Of each line of the text the marks that are no part of a cell, where a record begins at this position.

        A mark that closes, with one that opens right behind it, is a doubled one: a mark in the cell's text."""
        side = int(self.quotes.searchsorted(position)) % 2
        known = self._quoting[side]
        if known is None:
            doubled = self._twice[self._twice % 2 != side]
            known = np.diff(self._before, prepend=0)
            if len(doubled):
                line_of = self._before.searchsorted(doubled, side="right")
                known -= np.bincount(line_of, minlength=len(known))[: len(known)]
            self._quoting[side] = known
        return known


def _in_turn(even: NDArray[np.bool_], odd: NDArray[np.bool_]) -> Found:
    """Where the marks are wrong: those of even number told by the one, the others by the other."""
    answer = even.copy()
    answer[1::2] = odd[1::2]
    return np.flatnonzero(answer)
