"""A hex cartogram: one cell an area, all the same size, so that a small borough is seen as well as a large one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import sqrt

RADIUS = 30.0
WIDTH = sqrt(3) * RADIUS
MARGIN = 6.0
LEVELS = 4


@dataclass(frozen=True)
class Cell:
    """One area. `column` and `row` are odd-r positions: odd rows sit half a cell to the right, row 0 is the north.

    `value` None means that there was no answer, which is drawn apart from 0.
    """

    name: str
    column: int
    row: int
    value: int | None


def cartogram(cells: Sequence[Cell], *, title: str, description: str) -> str:
    """The cells as one SVG; empty text where no area has a position.

    Out: cells carry the classes `hex level-0` to `level-4` (0 is the value 0, 4 the largest), or `hex unknown`.
    """
    if not cells:
        return ""
    largest = max((cell.value or 0 for cell in cells), default=0)
    width = max(_centre(cell)[0] for cell in cells) + WIDTH / 2 + MARGIN
    height = max(_centre(cell)[1] for cell in cells) + RADIUS + MARGIN
    drawn = "".join(_drawn(cell, largest) for cell in sorted(cells, key=lambda c: (c.row, c.column)))
    return (
        f'<svg class="cartogram" role="img" aria-label="{escape(title)}" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'xmlns="http://www.w3.org/2000/svg"><title>{escape(title)}</title><desc>{escape(description)}</desc>'
        f"{drawn}</svg>"
    )


def _centre(cell: Cell) -> tuple[float, float]:
    x = MARGIN + WIDTH * (cell.column + 0.5 * (cell.row % 2)) + WIDTH / 2
    return x, MARGIN + RADIUS * 1.5 * cell.row + RADIUS


def _drawn(cell: Cell, largest: int) -> str:
    x, y = _centre(cell)
    corners = [(0, -1), (0.5, -0.5), (0.5, 0.5), (0, 1), (-0.5, 0.5), (-0.5, -0.5)]
    path = " ".join(f"{x + WIDTH * dx:.1f},{y + RADIUS * dy:.1f}" for dx, dy in corners)
    level = "unknown" if cell.value is None else f"level-{_level(cell.value, largest)}"
    value = "?" if cell.value is None else str(cell.value)
    words = "no answer" if cell.value is None else value
    return (
        f'<g class="hex {level}"><title>{escape(cell.name)}: {words}</title><polygon points="{path}"/>'
        f'<text class="name" x="{x:.1f}" y="{y - 5:.1f}">{escape(_short(cell.name))}</text>'
        f'<text class="value" x="{x:.1f}" y="{y + 13:.1f}">{value}</text></g>'
    )


def _level(value: int, largest: int) -> int:
    """0 for 0; otherwise 1 to 4, in equal steps up to the largest value."""
    return 0 if value <= 0 else max(1, -(-value * LEVELS // max(largest, 1)))


def _short(name: str) -> str:
    """Four letters tell London's boroughs apart; the title holds the whole name."""
    return name[:4]
