"""Cells of a table that people open in a spreadsheet program: text in them must stay text.

In: columns and rows. Out: CSV in which no cell that came from outside is a formula. A cell that a program could take
for one begins with an apostrophe, which spreadsheet programs show as text; numbers stay numbers.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

# The full-width forms count as formulas too in some settings.
_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20|%")
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d+)*|[.,]\d+)(e[+-]?\d+)?%?", re.IGNORECASE)


def neutral(cell: object) -> str:
    """A cell as text that no spreadsheet program calculates; '' for nothing."""
    text = "" if cell is None else str(cell)
    if isinstance(cell, (int, float)) or _NUMBER.fullmatch(text):
        return text
    return worded(text)


def worded(text: str) -> str:
    """The same for what is never a number, whatever it looks like: a telephone's + stays."""
    bare = text.lstrip(" \u00a0\ufeff'\"")
    return f"'{text}" if text.startswith(_FORMULA) or (bare != text and bare.startswith(_FORMULA)) else text


def sheet(columns: Sequence[str], rows: Iterable[Sequence[object]], neutral: Callable[[Any], str] = neutral) -> str:
    """CSV text with a header, every cell neutralised; lines end as spreadsheet programs write them."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([neutral(name) for name in columns])
    writer.writerows([neutral(cell) for cell in row] for row in rows)
    return out.getvalue()
