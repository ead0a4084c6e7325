"""The careful CSV reader, for files whose quotation marks do not pair up. Slower, and it never swallows a line.

In: text, delimiter, header. Out: rows with their lines, and rejects (line, reason, raw). A line with a quotation mark
that is not closed, or text after a closing one, becomes a reject, and reading goes on at the next line.
"""

from __future__ import annotations

import re

import polars as pl

from ewarn.errors import UnusableInput

BROKEN_QUOTE = (
    'a quotation mark is not closed, or text follows the closing one; double it ("") where it is part of the text'
)
MOST_REJECTS = 20_000
_MOST_BROKEN = 1_000
_MOST_RAW = 20_000

Reject = tuple[int, str, str]


def width_reason(found: int, expected: int) -> str:
    """Why a row of the wrong width is refused."""
    word = "few" if found < expected else "many"
    advice = "correct the row, or quote the cell that holds the delimiter"
    return f"too {word} cells: {found} where the header names {expected}; {advice}"


def too_many() -> UnusableInput:
    """The fault of a file that is not the table its header says."""
    return UnusableInput(
        f"more than {MOST_REJECTS:,} lines have not the cells that the header names",
        next_step="Export the file again, or split it, so that its rows can be told.",
    )


def read(text: str, delimiter: str, header: tuple[str, ...], line_column: str) -> tuple[pl.DataFrame, list[Reject]]:
    """Every record after the header. Raises: UnusableInput where too much of it is broken."""
    quoted = re.compile(rf'[ \t]*"((?:[^"]|""){{0,1000000}})"[ \t]*(?={re.escape(delimiter)}|\r?\n|\r?\Z)')
    plain = re.compile(rf"[^{re.escape(delimiter)}\r\n]*")
    rows: list[tuple[str, ...]] = []
    lines: list[int] = []
    rejects: list[Reject] = []
    position, line, broken = 0, 1, 0
    while position < len(text):
        start = position
        cells, position = _record(text, start, delimiter, quoted, plain)
        if cells is None:
            broken += 1
            position = _next_line(text, start)
            rejects.append((line, BROKEN_QUOTE, text[start:position].rstrip("\r\n")[:_MOST_RAW]))
        elif line > 1 or start > 0:
            raw = text[start:position].rstrip("\r\n")
            if raw.strip() and len(cells) != len(header):
                rejects.append((line, width_reason(len(cells), len(header)), raw[:_MOST_RAW]))
            elif raw.strip():
                rows.append(tuple(cells))
                lines.append(line)
        if len(rejects) > MOST_REJECTS:
            raise too_many()
        if broken > _MOST_BROKEN:
            raise UnusableInput("more than 1,000 lines have broken quotation marks", next_step="Export the file again.")
        line += text.count("\n", start, position)
    frame = pl.DataFrame(rows, schema=dict.fromkeys(header, pl.String), orient="row")
    return frame.with_columns(pl.Series(line_column, lines, dtype=pl.Int64)), rejects


def _record(
    text: str, position: int, delimiter: str, quoted: re.Pattern[str], plain: re.Pattern[str]
) -> tuple[list[str] | None, int]:
    """The cells of the record at a position and where the next begins; None where its quotation marks are broken."""
    cells: list[str] = []
    while True:
        found = quoted.match(text, position)
        if found:
            cells.append(found[1].replace('""', '"'))
        else:
            found = plain.match(text, position)
            if found is None or found[0].lstrip(" \t").startswith('"'):
                return None, position
            cells.append(found[0])
        position = found.end()
        if text.startswith(delimiter, position):
            position += 1
            continue
        return cells, _next_line(text, position)


def _next_line(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end + 1
