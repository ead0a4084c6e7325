"""Values with their intervals, one a row, beside what was wanted of them: a dot, a line, and a mark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

ROW, LABEL, PLOT, VALUE, HEAD = 26, 330, 300, 150, 6


@dataclass(frozen=True)
class Bar:
    """One figure. `wanted` None where nothing was; `words` say value and verdict for those who do not see the row."""

    label: str
    value: float
    lower: float | None
    upper: float | None
    wanted: float | None
    words: str


def intervals(bars: Sequence[Bar], *, title: str, description: str) -> str:
    """One SVG over a scale that starts at 0 and holds every bound; empty text for no bars.

    Out: rows carry the class `interval`; the value stands in characters at the end of each row.
    """
    if not bars:
        return ""
    largest = max(max(x for x in (bar.value, bar.upper, bar.wanted) if x is not None) for bar in bars) or 1.0
    height, width = HEAD + ROW * len(bars) + HEAD, LABEL + PLOT + VALUE
    drawn = "".join(_row(number, bar, largest) for number, bar in enumerate(bars))
    return (
        f'<svg class="intervals" role="img" aria-label="{escape(title)}" viewBox="0 0 {width} {height}" '
        f'xmlns="http://www.w3.org/2000/svg"><title>{escape(title)}</title><desc>{escape(description)}</desc>'
        f"{drawn}</svg>"
    )


def _row(number: int, bar: Bar, largest: float) -> str:
    y = HEAD + ROW * number + ROW / 2

    def at(value: float) -> float:
        return LABEL + PLOT * max(0.0, min(1.0, value / largest))

    line = ""
    if bar.lower is not None and bar.upper is not None:
        line = f'<line class="range" x1="{at(bar.lower):.1f}" x2="{at(bar.upper):.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
    mark = ""
    if bar.wanted is not None:
        x = at(bar.wanted)
        mark = f'<line class="wanted" x1="{x:.1f}" x2="{x:.1f}" y1="{y - 9:.1f}" y2="{y + 9:.1f}"/>'
    return (
        f'<g class="interval"><title>{escape(bar.label)}: {escape(bar.words)}</title>'
        f'<text class="label" x="0" y="{y + 4:.1f}">{escape(bar.label)}</text>'
        f'<line class="axis" x1="{LABEL}" x2="{LABEL + PLOT}" y1="{y:.1f}" y2="{y:.1f}"/>{line}{mark}'
        f'<circle cx="{at(bar.value):.1f}" cy="{y:.1f}" r="4"/>'
        f'<text class="value" x="{LABEL + PLOT + 10}" y="{y + 4:.1f}">{escape(bar.words)}</text></g>'
    )
