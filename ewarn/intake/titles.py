"""Which of a table's first rows is its header, where titles ("Results for March") may stand above it.

In: the first rows as cells, and the headers a definition knows. Out: the header's place among them. One answer for
every kind of file. It imports nothing of ewarn: the workbook reader loads it in a process of its own. Must never take a
row of data for a title.
"""

from __future__ import annotations

from collections.abc import Iterable

MOST_TITLES = 20
_LEAST_KNOWN = 3
_TITLE_CELLS = 2


def folded(header: str) -> str:
    """A header for comparison: without case, spaces and underscores."""
    return "".join(header.casefold().replace("_", " ").split())


def known_in(cells: list[str], known: set[str]) -> int:
    """How many of the known headers, folded, a row names."""
    return len(known & {folded(name) for name in cells})


def is_header(cells: list[str], known: set[str], below_titles: bool = False) -> bool:
    """The row names three known headers, or two or more and nothing else; below titles they are half of its cells.

    Where a definition knows two headers in all, the two are enough.
    """
    filled, named = sum(bool(cell.strip()) for cell in cells), known_in(cells, known)
    least = max(2, min(_LEAST_KNOWN, len(known)))
    return 2 <= named == filled or (named >= least and (not below_titles or 2 * named >= filled))


def header_at(rows: Iterable[list[str]], known: set[str]) -> int | None:
    """The place of the row that plainly is the definition's header; None where none is, so that the first row is it.

    A title has one filled cell or two; above a row of more, nothing is passed over.
    """
    titles = 0
    for place, cells in enumerate(rows):
        if is_header(cells, known, below_titles=titles > 0):
            return place
        filled = sum(bool(cell.strip()) for cell in cells)
        if filled > _TITLE_CELLS or titles == MOST_TITLES:
            return None
        titles += filled > 0
    return None
