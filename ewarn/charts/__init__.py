"""Pictures as SVG text: values in, markup out. No clock, no store, no network, no style of its own.

Every picture has a title and a description for those who hear it, and says each value in characters, never by colour
alone. Its look comes from the page's style sheet by class names, so that a strict content policy holds.
"""

from ewarn.charts.hexes import Cell, cartogram
from ewarn.charts.intervals import Bar, intervals
from ewarn.charts.series import Week, banded
from ewarn.charts.steps import Step, steps
from ewarn.charts.vegalite import chart
from ewarn.charts.weekly import weekly_bars

__all__ = ["Bar", "Cell", "Step", "Week", "banded", "cartogram", "chart", "intervals", "steps", "weekly_bars"]
