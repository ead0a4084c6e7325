"""A weekly series as bars over the band that its past makes likely, with the upper bound as a line.

Values stand in characters above the bars that pass the bound, and in the table that every page puts beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

Height = Callable[[float], float]
BAR, GAP, PLOT, HEAD, FOOT, LEFT = 12, 4, 150, 22, 28, 34


@dataclass(frozen=True)
class Week:
    """One week. `expected` and `upper` None where the past is too short; `marked` where the signal's records lie."""

    start: date
    observed: int
    expected: float | None
    upper: float | None
    marked: bool = False

    @property
    def above(self) -> bool:
        return self.upper is not None and self.observed > self.upper


def banded(weeks: Sequence[Week], *, title: str, description: str) -> str:
    """One SVG; empty text for no weeks. Bars carry the classes `bar`, `above` and `marked`."""
    if not weeks:
        return ""
    largest = max(max(week.observed, week.upper or 0, week.expected or 0) for week in weeks) or 1.0
    width, height = LEFT + len(weeks) * (BAR + GAP) + GAP, HEAD + PLOT + FOOT

    def y(value: float) -> float:
        return HEAD + PLOT - PLOT * min(value, largest) / largest

    ticks = "".join(_tick(value, y(value), width) for value in sorted({0, round(largest / 2), round(largest)}))
    bars = "".join(_bar(number, week, y) for number, week in enumerate(weeks))
    return (
        f'<svg class="series" role="img" aria-label="{escape(title)}" viewBox="0 0 {width} {height}" '
        f'xmlns="http://www.w3.org/2000/svg"><title>{escape(title)}</title><desc>{escape(description)}</desc>'
        f"{ticks}{_band(weeks, y)}{bars}{_bound(weeks, y)}</svg>"
    )


def _x(number: int) -> int:
    return LEFT + GAP + number * (BAR + GAP)


def _tick(value: float, y: float, width: int) -> str:
    line = f'<line class="grid" x1="{LEFT}" x2="{width}" y1="{y:.1f}" y2="{y:.1f}"/>'
    return f'{line}<text class="tick" x="{LEFT - 4}" y="{y + 4:.1f}">{value:g}</text>'


def _band(weeks: Sequence[Week], y: Height) -> str:
    """From 0 to the upper bound: what the past makes likely."""
    parts = []
    for number, week in enumerate(weeks):
        if week.upper is not None:
            top = y(week.upper)
            parts.append(f'<rect class="band" x="{_x(number) - GAP / 2}" y="{top:.1f}" width="{BAR + GAP}" '
                         f'height="{HEAD + PLOT - top:.1f}"/>')  # fmt: skip
    return "".join(parts)


def _bound(weeks: Sequence[Week], y: Height) -> str:
    steps = [f"{_x(n) - GAP / 2},{y(w.upper):.1f} {_x(n) + BAR + GAP / 2},{y(w.upper):.1f}"
             for n, w in enumerate(weeks) if w.upper is not None]  # fmt: skip
    return f'<polyline class="bound" points="{" ".join(steps)}"/>' if steps else ""


def _bar(number: int, week: Week, y: Height) -> str:
    x, top = _x(number), y(week.observed)
    kinds = " ".join(["bar"] + ["above"] * week.above + ["marked"] * week.marked)
    bound = f", upper bound {week.upper:g}" if week.upper is not None else ", no bound: the past is too short"
    label = f'<text class="value" x="{x + BAR / 2:.0f}" y="{top - 4:.1f}">{week.observed}</text>'
    every = f'<text class="week" x="{x}" y="{HEAD + PLOT + 16}">{week.start:%-d %b}</text>' if number % 8 == 0 else ""
    return (
        f'<g class="{kinds}"><title>week of {week.start:%-d %B %Y}: {week.observed}{bound}</title>'
        f'<rect x="{x}" y="{top:.1f}" width="{BAR}" height="{HEAD + PLOT - top:.1f}"/>'
        f"{label if week.above or week.marked else ''}{every}</g>"
    )
