"""Where a CSV's records begin, by the parity of quotation marks: what the reader's rows are counted against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_BLOCK = 16 * 1024 * 1024


@dataclass(frozen=True)
class Boundaries:
    """starts: byte offset of every record that is not an empty line, the header first. lines: its physical line, the
    first being 1. spans: line ends inside it. closed: every quotation mark has its pair."""

    starts: NDArray[np.int64]
    lines: NDArray[np.int64]
    spans: NDArray[np.int64]
    closed: bool


def of(text: bytes) -> Boundaries:
    """Record boundaries of well-formed CSV text (LF or CR LF)."""
    ends, even, closed = _line_ends(text)
    starts = np.concatenate(([0], ends + 1)).astype(np.int64)
    stops = np.concatenate((ends, [len(text)])).astype(np.int64)
    outside = np.concatenate(([True], even))
    numbers = np.arange(1, len(starts) + 1, dtype=np.int64)
    if starts[-1] >= len(text):
        starts, stops, outside, numbers = starts[:-1], stops[:-1], outside[:-1], numbers[:-1]
    buffer = np.frombuffer(text, dtype=np.uint8)
    length = stops - starts
    blank = (length == 0) | ((length == 1) & (buffer[np.minimum(starts, len(text) - 1)] == 13))
    spans = np.zeros(len(starts), dtype=np.int64)
    first = np.flatnonzero(outside)
    spans[first] = np.diff(np.append(first, len(starts))) - 1
    keep = outside & ~blank
    return Boundaries(starts[keep], numbers[keep], spans[keep], closed)


def misfits(text: bytes, bounds: Boundaries, delimiter: str, cells: int) -> int:
    """How many records cannot have that many cells, told by their delimiters alone; cheap on any file.

    Inside quotation marks a delimiter is text, so where there are any, only records with too few are counted.
    """
    buffer = np.frombuffer(text, dtype=np.uint8)
    found = np.zeros(len(bounds.starts), dtype=np.int32)
    for offset in range(0, len(buffer), _BLOCK):
        marks = np.flatnonzero(buffer[offset : offset + _BLOCK] == ord(delimiter)) + offset
        record = np.searchsorted(bounds.starts, marks, side="right") - 1
        if len(record):
            counted = np.bincount(record - record[0])
            found[record[0] : record[0] + len(counted)] += counted.astype(np.int32)
    wrong = found < cells - 1 if b'"' in text else found != cells - 1
    return int(wrong.sum())


def _line_ends(text: bytes) -> tuple[NDArray[np.int64], NDArray[np.bool_], bool]:
    """Offsets of line feeds, and for each whether the quotation marks before it are even."""
    buffer = np.frombuffer(text, dtype=np.uint8)
    ends: list[NDArray[np.int64]] = []
    even: list[NDArray[np.bool_]] = []
    marks = 0
    for offset in range(0, len(buffer), _BLOCK):
        block = buffer[offset : offset + _BLOCK]
        feeds = np.flatnonzero(block == 10)
        quotes = np.flatnonzero(block == 34)
        ends.append(feeds.astype(np.int64) + offset)
        even.append((np.searchsorted(quotes, feeds) + marks) % 2 == 0)
        marks += len(quotes)
    none = np.empty(0, dtype=np.int64)
    return np.concatenate([none, *ends]), np.concatenate([none.astype(bool), *even]), marks % 2 == 0
