"""Steps along a clock: how long each took beside its target, on a square-root scale: minutes and days are both seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import sqrt

LABEL, PLOT, WORDS = 190, 330, 200
ROW, HEAD = 30, 26
TICKS = (5, 15, 30, 60, 120, 240, 480, 1440, 2880, 10080)


@dataclass(frozen=True)
class Step:
    """One row; `minutes` None: not taken. `missed` is said in `words` as well, never by colour alone."""

    label: str
    minutes: float | None
    target: float
    words: str
    missed: bool = False


def steps(rows: Sequence[Step], *, title: str, description: str) -> str:
    """One SVG, a row a step; empty text for no rows. Bars have the class `taken` or `taken missed`."""
    if not rows:
        return ""
    most = max(max(row.minutes or 0, row.target) for row in rows) or 1.0
    height, width = HEAD + ROW * len(rows) + 6, LABEL + PLOT + WORDS
    ticks = "".join(_tick(minutes, most, height) for minutes in _shown(most))
    drawn = "".join(_row(number, row, most) for number, row in enumerate(rows))
    return (
        f'<svg class="steps" role="img" aria-label="{escape(title)}" viewBox="0 0 {width} {height}" '
        f'xmlns="http://www.w3.org/2000/svg"><title>{escape(title)}</title><desc>{escape(description)}</desc>'
        f"{ticks}{drawn}</svg>"
    )


def _at(minutes: float, most: float) -> float:
    return LABEL + PLOT * sqrt(max(0.0, minutes) / most)


def _shown(most: float) -> list[float]:
    """Ticks far enough apart to be read."""
    found: list[float] = []
    for minutes in TICKS:
        if minutes <= most and (not found or _at(minutes, most) - _at(found[-1], most) > 34):
            found.append(minutes)
    return found


def _tick(minutes: float, most: float, height: float) -> str:
    words = (
        f"{minutes:g} min" if minutes < 120 else f"{minutes / 60:g} h" if minutes < 2880 else f"{minutes / 1440:g} d"
    )
    x = _at(minutes, most)
    return (
        f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{HEAD - 6}" y2="{height}" stroke="#d5d9d3"/>'
        f'<text class="tick" x="{x:.1f}" y="{HEAD - 11}" text-anchor="middle" font-size="11">{words}</text>'
    )


def _row(number: int, row: Step, most: float) -> str:
    y = HEAD + ROW * number + ROW / 2
    bar = ""
    if row.minutes is not None:
        length = max(2.0, _at(row.minutes, most) - LABEL)
        kind, fill = ("taken missed", "#9c2f10") if row.missed else ("taken", "#0b5c57")
        bar = f'<rect class="{kind}" x="{LABEL}" y="{y - 7:.1f}" width="{length:.1f}" height="14" fill="{fill}"/>'
    x = _at(row.target, most)
    return (
        f'<g class="step"><title>{escape(row.label)}: {escape(row.words)}</title>'
        f'<text class="label" x="0" y="{y + 5:.1f}">{escape(row.label)}</text>{bar}'
        f'<line class="target" x1="{x:.1f}" x2="{x:.1f}" y1="{y - 11:.1f}" y2="{y + 11:.1f}" stroke="#1a1a1a" '
        f'stroke-width="3"/><text class="value" x="{LABEL + PLOT + 12}" y="{y + 5:.1f}">{escape(row.words)}</text></g>'
    )
