"""One record at a time, for the records whose quotation marks are out of the ordinary. It never swallows a line.

In: UTF-8 text, a position, the delimiter. Out: the record's cells and where the next begins, or no cells where its
quotation marks are broken: then reading goes on at the next line. A quotation mark inside an unquoted cell is text.
"""

from __future__ import annotations

BROKEN_QUOTE = (
    'a quotation mark is not closed, or text follows the closing one; double it ("") where it is part of the text'
)


UNCLOSED = -1


def width_reason(found: int, expected: int) -> str:
    """Why a row of the wrong width is refused."""
    word = "few" if found < expected else "many"
    advice = "correct the row, or quote the cell that holds the delimiter"
    return f"too {word} cells: {found} where the header names {expected}; {advice}"


def record(text: bytes, position: int, delimiter: bytes) -> tuple[list[str] | None, int]:
    """The cells of the record at a position and where the next begins; None where its quotation marks are broken.

    `UNCLOSED` stands for where the next begins when the text ends before the mark is closed.
    """
    cells: list[str] = []
    start = position
    while True:
        left = position
        while text[left : left + 1] in (b" ", b"\t") and text[left : left + 1] != delimiter:
            left += 1
        if text[left : left + 1] == b'"':
            cell, position = _quoted(text, left, delimiter)
            if cell is None:
                return None, UNCLOSED if position == UNCLOSED else next_line(text, start)
        else:
            cell, position = _plain(text, position, delimiter)
        cells.append(cell.decode(errors="replace"))
        if text[position : position + 1] == delimiter:
            position += 1
            continue
        return cells, next_line(text, position)


def next_line(text: bytes, position: int) -> int:
    end = text.find(b"\n", position)
    return len(text) if end < 0 else end + 1


def _quoted(text: bytes, opening: int, delimiter: bytes) -> tuple[bytes | None, int]:
    """The cell and where it ends; None where its closing mark is missing or followed by text."""
    closing = text.find(b'"', opening + 1)
    while closing >= 0 and text[closing + 1 : closing + 2] == b'"':
        closing = text.find(b'"', closing + 2)
    if closing < 0:
        return None, UNCLOSED
    right = closing + 1
    while text[right : right + 1] in (b" ", b"\t") and text[right : right + 1] != delimiter:
        right += 1
    if text[right : right + 1] in (delimiter, b"\n", b"") or text[right : right + 2] in (b"\r\n", b"\r"):
        return text[opening + 1 : closing].replace(b'""', b'"'), right
    return None, opening


def _plain(text: bytes, position: int, delimiter: bytes) -> tuple[bytes, int]:
    feed = text.find(b"\n", position)
    feed = len(text) if feed < 0 else feed
    end = text.find(delimiter, position, feed)
    if end < 0:
        end = feed - 1 if text[feed - 1 : feed] == b"\r" and feed > position else feed
    return text[position:end], end
