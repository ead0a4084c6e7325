"""Both scans of one sparse map, and whether they agree.

In: weekly counts of one map (areas x weeks, the newest week last) and zones. Out: each scan's strongest window with its
areas, weeks, observed, expected, p and recurrence interval, and one word: both, permutation only, gamma-poisson only,
neither, or not evaluable. The permutation scan holds when the whole country rises but not when cases come in batches;
the empirical-Bayes scan the reverse. Where both speak of a common area neither excuse is left. Never a third p: two
tests of the same counts are not independent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ewarn.methods import permutation, sparse_scan
from ewarn.methods.gamma_poisson import Prior
from ewarn.methods.zones import NONE, Zones

Verdict = Literal[
    "both", "both, in different areas", "permutation only", "gamma-poisson only", "neither", "not evaluable"
]
WEEKS = 6
MEANING: dict[str, str] = {
    "both": "neither national growth nor cases that come in batches explain this alone",
    "both, in different areas": "each scan points elsewhere; read both windows",
    "permutation only": "may be cases that come in batches: the counts vary more than the permutation scan allows for",
    "gamma-poisson only": "may be a rise of the whole country that is younger than the trend's four weeks",
    "neither": "no window stands out",
    "not evaluable": "a scan could not be made; the other's answer stands alone",
}


@dataclass(frozen=True)
class ScanWindow:
    """What one scan found. p counts all windows it looked at; recurrence is in analyses (weeks)."""

    method: Literal["permutation", "gamma-poisson"]
    areas: tuple[int, ...]
    weeks: int
    observed: int
    expected: float
    p_value: float
    recurrence: float


@dataclass(frozen=True)
class Agreement:
    """windows: one per scan that found any. reasons: of the scans that could not be made."""

    verdict: Verdict
    meaning: str
    windows: tuple[ScanWindow, ...]
    reasons: tuple[str, ...]


def both(
    counts: NDArray[Any],
    zones: Zones,
    *,
    alpha: float = 0.05,
    prior: Prior | None = None,
    settings: permutation.Settings | None = None,
    most_areas: int = 5,
) -> Agreement:
    """Judge the newest week by both scans. The empirical-Bayes scan looks at zones of at most `most_areas` areas."""
    shuffled = permutation.scan(counts, zones, settings or permutation.Settings(most_periods=WEEKS))
    pooled = sparse_scan.scan(np.asarray(counts)[None], narrowed(zones, most_areas), prior)
    found: list[ScanWindow] = []
    if shuffled.windows:
        top = shuffled.windows[0]
        found.append(
            ScanWindow("permutation", top.areas, top.periods, top.observed, top.expected, top.p_value, top.recurrence)
        )
    for best in pooled.windows[0][:1]:
        p_value = best.p_value
        found.append(
            ScanWindow("gamma-poisson", best.areas, best.weeks, best.observed, best.expected, p_value, 1 / p_value)
        )
    reasons = tuple(reason for reason in (shuffled.reason, pooled.reason[0]) if reason)
    verdict = _verdict([window for window in found if window.p_value <= alpha], reasons)
    return Agreement(verdict, MEANING[verdict], tuple(found), reasons)


def narrowed(zones: Zones, most_areas: int) -> Zones:
    """The same chains, up to zones of `most_areas` areas."""
    small = np.cumsum(zones.members != NONE, axis=1) <= most_areas
    width = max(int(small.sum(axis=1).max(initial=0)), 1)
    members = np.where(small, zones.members, NONE)[:, :width]
    return Zones(zones.areas, members, (zones.closes & small)[:, :width])


def _verdict(speaking: list[ScanWindow], reasons: tuple[str, ...]) -> Verdict:
    if len(speaking) == 2:
        return "both, in different areas" if set(speaking[0].areas).isdisjoint(speaking[1].areas) else "both"
    if reasons and not speaking:
        return "not evaluable"
    if not speaking:
        return "neither"
    return "permutation only" if speaking[0].method == "permutation" else "gamma-poisson only"
