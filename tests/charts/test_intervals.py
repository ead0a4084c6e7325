"""Intervals are drawn to scale and said in words."""

from __future__ import annotations

import re

from ewarn.charts import Bar, intervals


def test_every_value_stands_in_characters_and_a_longer_interval_is_a_longer_line() -> None:
    bars = [Bar("short", 0.5, 0.45, 0.55, 0.4, "0.5 met"), Bar("long <", 0.5, 0.1, 0.9, None, "0.5")]
    svg = intervals(bars, title="t", description="d")
    assert "0.5 met" in svg and "long &lt;" in svg and 'role="img"' in svg
    ranges = [(float(a), float(b)) for a, b in re.findall(r'class="range" x1="([\d.]+)" x2="([\d.]+)"', svg)]
    lengths = [b - a for a, b in ranges]
    assert lengths[1] > 7 * lengths[0] > 0 and svg.count('class="wanted"') == 1


def test_nothing_is_drawn_for_nothing_and_zeros_do_not_divide() -> None:
    assert intervals([], title="t", description="d") == ""
    assert "NaN" not in intervals([Bar("a", 0.0, 0.0, 0.0, 0.0, "0")], title="t", description="d")
