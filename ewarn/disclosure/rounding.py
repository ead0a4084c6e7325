"""What the public reads for one count: 0 stays 0, 1 to 7 are hidden, others are rounded to 5; an update hides steps.

In: a count, what was published for it before, whether the panel released it. Out: a cell: the interval that the
published words state. It is a function of the count and of what was published alone, and its intervals tile the
counts, so whoever knows the rule learns the interval and no more. A version and the one before it never give a change
of 1 to 7 closer than seven possible values.
Source: NHS sub-national disclosure rule, 1-7 suppressed and others rounded to the nearest 5; the rule for updates is
ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

HIDDEN = "*"
SMALLEST_SHOWN = 8
STEP = 5
FEWEST_VALUES = 7  # as many as a hidden cell can be


class Cell(NamedTuple):
    """The counts that the published words allow: both ends inclusive."""

    low: int
    high: int

    @property
    def hidden(self) -> bool:
        return 0 < self.low < SMALLEST_SHOWN and self.high > self.low

    @property
    def text(self) -> str:
        """As a table or a figure shows it."""
        if self.low == self.high:
            return str(self.low)
        if self.hidden:
            return HIDDEN if self.high < SMALLEST_SHOWN else f"<{self.high + 1}"
        first, last = self.low + 2, self.high - 2
        return str(first) if first >= last else f"{first}-{last}"

    @property
    def words(self) -> str:
        """As a sentence says it, before the noun."""
        if self.low == self.high:
            return str(self.low) if self.low else "no"
        if self.hidden:
            return f"fewer than {self.high + 1}"
        first, last = self.low + 2, self.high - 2
        return f"about {first}" if first >= last else f"about {first} to {last}"


SMALL = Cell(1, SMALLEST_SHOWN - 1)


def rounded(count: int) -> int:
    """To the nearest 5; halves cannot occur with whole counts."""
    return STEP * ((count + 2) // STEP)


def fresh(count: int) -> Cell:
    """What is shown of a count that was never published."""
    if count < SMALLEST_SHOWN:
        return Cell(0, 0) if count == 0 else SMALL
    return Cell(rounded(count) - 2, rounded(count) + 2)


def shown(count: int, before: Cell | None = None, *, released: bool = False) -> Cell:
    """What is shown of a count now. In: `before` what the version that people have shows; `released` by the panel."""
    if released:
        return Cell(count, count)
    if before is None or before == Cell(0, 0) or count == 0:
        return fresh(count)
    kept = _kept(before)
    return kept if kept.low <= count <= kept.high else fresh(count)


def _kept(before: Cell) -> Cell:
    """The interval within which an update shows one and the same thing, so that no step inside it can be seen.

    Its ends are ends of rounded intervals, so that it and those tile the counts.
    """
    if before.low == before.high:  # it was released: what follows must not be read off it
        near = rounded(before.low)
        return Cell(1, 17) if before.low < SMALLEST_SHOWN else Cell(max(SMALLEST_SHOWN, near - 7), near + 12)
    if before.high - before.low + 1 >= FEWEST_VALUES:
        return before
    return Cell(before.low, before.high + STEP)


def spread(cells: Sequence[Cell]) -> Cell:
    """The sum of published cells: what anybody could add up, and nothing more."""
    return Cell(sum(c.low for c in cells), sum(c.high for c in cells))
