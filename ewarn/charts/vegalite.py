"""The weekly series once more as a Vega-Lite chart, for whoever has script: to be narrowed, and read week by week.

In: the weeks that `series.banded` draws. Out: a specification as a plain dict, its numbers inside. It names no address
and no colour: colours are the page's own variables, so that light and dark follow the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ewarn.charts.series import Week

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"  # a name, never asked for
FEWEST = 8
NEAREST = "datum.number > {most} - shown"


def chart(weeks: Sequence[Week], *, title: str, description: str) -> dict[str, Any]:
    """Bars, the band up to the bound, and the bound; two sliders: how many weeks, and which one is read out."""
    most = len(weeks)
    return {
        "$schema": SCHEMA,
        "title": {"text": title, "anchor": "start", "color": "var(--ink)"},
        "description": description,
        "width": "container",
        "height": 220,
        "background": "transparent",
        "config": {"font": "inherit", "view": {"stroke": None}, "axis": AXIS},
        "params": [_slider("shown", "Weeks shown", min(FEWEST, most), most, most),
                   _slider("read", "Read out the week, the newest is the last", 1, most, most)],
        "data": {"values": [_row(number, week) for number, week in enumerate(weeks, 1)]},
        "transform": [{"filter": NEAREST.format(most=most)}],
        "encoding": {"x": {"field": "week", "type": "ordinal", "sort": None, "axis": WEEKS}},
        "layer": LAYERS,
    }  # fmt: skip


AXIS = {"labelColor": "var(--ink)", "titleColor": "var(--ink)", "gridColor": "var(--line)",
        "domainColor": "var(--soft)", "tickColor": "var(--soft)", "labelFontSize": 12, "titleFontSize": 12}  # fmt: skip
WEEKS = {"title": None, "labelAngle": 0, "labelOverlap": "greedy", "labelSeparation": 30}
VALUE = {"field": "observed", "type": "quantitative", "title": "Observed"}
LAYERS: list[dict[str, Any]] = [
    {"mark": {"type": "bar", "color": "var(--line)", "aria": False},
     "encoding": {"y": {"field": "upper", "type": "quantitative"}}},
    {"mark": {"type": "bar", "size": 8, "aria": False},
     "encoding": {"y": VALUE,
                  "color": {"condition": {"test": "datum.above", "value": "var(--warm)"}, "value": "var(--deep)"}}},
    {"mark": {"type": "tick", "color": "var(--ink)", "thickness": 2, "aria": False},
     "encoding": {"y": {"field": "upper", "type": "quantitative"}}},
    {"transform": [{"filter": "datum.number == read"}],
     "layer": [
         {"mark": {"type": "rule", "color": "var(--ink)", "strokeDash": [4, 3], "aria": False}},
         {"mark": {"type": "text", "align": "right", "dx": 0, "color": "var(--ink)", "fontSize": 13, "aria": False},
          "encoding": {"y": {"value": -8}, "x": {"value": "width"}, "text": {"field": "said"}}},
     ]},
]  # fmt: skip


def _slider(name: str, words: str, least: int, most: int, value: int) -> dict[str, Any]:
    return {"name": name, "value": value, "bind": {"input": "range", "min": least, "max": most, "step": 1,
                                                   "name": f"{words} "}}  # fmt: skip


def _row(number: int, week: Week) -> dict[str, Any]:
    bound = f"upper bound {week.upper:g}" if week.upper is not None else "no bound: the past is too short"
    return {
        "number": number,
        "week": f"{week.start:%-d %b %Y}",
        "observed": week.observed,
        "upper": week.upper,
        "above": week.above,
        "said": f"Week of {week.start:%-d %b %Y}: {week.observed} observed, {bound}",
    }
