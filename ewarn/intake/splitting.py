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
    at = first = int(np.searchsorted(marks.feeds, position))
    feeds, quoting = marks.feeds[first : number[-1] + 1], marks.quoting(position, first, int(number[-1]) + 1)
    for index in np.flatnonzero(np.diff(number, prepend=first - 1) > 1):
        before = int(number[index - 1]) + 1 if index else first
        start = int(marks.feeds[before - 1]) + 1 if index else position
        end = int(marks.feeds[number[index]]) + 1
        if start > position:
            yield Plain(position, start, feeds[at - first : before - first], quoting[at - first : before - first])
        cells, _ = careful.record(marks.text, start, marks.delimiter)
        yield Odd(start, end, int(number[index]) + 1 - before, cells)
        position, at = end, int(number[index]) + 1
    if position <= marks.feeds[number[-1]]:
        yield Plain(position, int(feeds[-1]) + 1, feeds[at - first :], quoting[at - first :])


class _Marks:
    """Quotation marks and line feeds of a text, and where the marks go wrong, counted from an even or an odd one."""

    def __init__(self, text: bytes, delimiter: int) -> None:
        self.text, self.delimiter = text, bytes([delimiter])
        buffer = np.frombuffer(text, dtype=np.uint8)
        self.quotes = np.flatnonzero(buffer == _QUOTE)
        self.feeds = np.flatnonzero(buffer == _FEED)
        opens, closes = _beside(delimiter, _FEED, _QUOTE), _beside(delimiter, _FEED, _RETURN, _QUOTE)
        before = buffer[self.quotes - 1]
        after = buffer.take(self.quotes + 1, mode="clip")
        if len(self.quotes) and self.quotes[0] == 0:
            before[0] = _FEED
        if len(self.quotes) and self.quotes[-1] + 1 == len(buffer):
            after[-1] = _FEED
        wrong = (~opens[before], ~closes[after])
        self._wrong = [_in_turn(wrong[side], wrong[1 - side]) for side in (0, 1)]
        self._before = np.searchsorted(self.quotes, self.feeds)
        side_of = self._before % 2
        self._numbers = [np.flatnonzero(side_of == side) for side in (0, 1)]
        twice = np.flatnonzero(np.diff(self.quotes) == 1)
        self._doubled = [twice[twice % 2 != side] for side in (0, 1)]

    def in_order(self, position: int) -> tuple[Found, int]:
        """Which line feeds end a record from here on, as far as the marks are in order; and how far that is."""
        first = int(np.searchsorted(self.quotes, position))
        side = first % 2
        wrong = self._wrong[side][np.searchsorted(self._wrong[side], first) :][:1]
        if len(wrong):
            limit = int(self.quotes[wrong[0] - (wrong[0] - first) % 2])
        elif (len(self.quotes) - first) % 2:
            limit = int(self.quotes[-1])
        else:
            limit = len(self.text)
        from_, upto = np.searchsorted(self.feeds, (position, limit))
        numbers = self._numbers[side]
        return numbers[np.searchsorted(numbers, from_) : np.searchsorted(numbers, upto)], limit

    def quoting(self, position: int, first: int, last: int) -> Found:
        """Of the lines from one that begins at a position up to the `last`th feed: the marks that are no text.

        A mark that closes, with one that opens right behind it, is a doubled one: a mark in the text."""
        begun = int(np.searchsorted(self.quotes, position))
        before, doubled = self._before[first:last], self._doubled[begun % 2]
        found = np.diff(before, prepend=begun)
        if len(doubled):
            found -= np.diff(np.searchsorted(doubled, before), prepend=np.searchsorted(doubled, begun))
        return found


def _beside(*allowed: int) -> NDArray[np.bool_]:
    """For every byte whether it may stand there."""
    answer = np.zeros(256, dtype=np.bool_)
    answer[list(allowed)] = True
    return answer


def _in_turn(even: NDArray[np.bool_], odd: NDArray[np.bool_]) -> Found:
    """Where the marks are wrong: those of even number told by the one, the others by the other."""
    answer = even.copy()
    answer[1::2] = odd[1::2]
    return np.flatnonzero(answer)
