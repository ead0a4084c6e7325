"""A weekly series as bars: one bar a week, the value above it, weeks without a value drawn as unknown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from html import escape

BAR = 22
GAP = 6
PLOT = 90
HEAD = 18
FOOT = 22


def weekly_bars(weeks: Sequence[tuple[date, int | None]], *, title: str, description: str) -> str:
    """One SVG; empty text for no weeks.

    In: first day of each week and its value, in order; None means not known, which is never drawn as 0.
    """
    if not weeks:
        return ""
    largest = max((value or 0 for _, value in weeks), default=0) or 1
    width, height = len(weeks) * (BAR + GAP) + GAP, HEAD + PLOT + FOOT
    bars = "".join(_bar(number, day, value, largest) for number, (day, value) in enumerate(weeks))
    return (
        f'<svg class="weekly" role="img" aria-label="{escape(title)}" viewBox="0 0 {width} {height}" '
        f'xmlns="http://www.w3.org/2000/svg"><title>{escape(title)}</title><desc>{escape(description)}</desc>'
        f'<line class="axis" x1="0" x2="{width}" y1="{HEAD + PLOT}" y2="{HEAD + PLOT}"/>{bars}</svg>'
    )


def _bar(number: int, day: date, value: int | None, largest: int) -> str:
    x = GAP + number * (BAR + GAP)
    tall = PLOT * (value or 0) / largest
    words = "not known" if value is None else str(value)
    mark = "?" if value is None else str(value)
    every_fourth = f'<text class="week" x="{x}" y="{HEAD + PLOT + 15}">{day:%-d %b}</text>' if number % 4 == 0 else ""
    return (
        f'<g class="{"unknown" if value is None else "bar"}"><title>week of {day:%-d %B %Y}: {words}</title>'
        f'<rect x="{x}" y="{HEAD + PLOT - tall:.1f}" width="{BAR}" height="{tall:.1f}"/>'
        f'<text class="value" x="{x + BAR / 2:.0f}" y="{HEAD + PLOT - tall - 4:.1f}">{mark}</text>{every_fourth}</g>'
    )
