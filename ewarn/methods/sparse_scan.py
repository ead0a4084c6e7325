"""Empirical-Bayes scan of sparse maps (EBT): has any area, or group of near areas, more cases of late than it should?

In: counts (maps x areas x weeks), the newest week last, and zones. Out: per map one calibrated p over all windows of
one area and of several, the strongest window, and a p for each area. One joint calibration: each window's exact tail
enters with a weight fixed beforehand (less the more areas it has, short windows more than long ones), the weighted
harmonic mean of all tails is the statistic, and its distribution when nothing happens is simulated (calibration). Never
clear on too short a history: not evaluable, with its reason.

Source: Wilson 2019, PNAS 116:1195-1200 (harmonic mean p); Neill 2009, Int. J. Forecasting 25:498-517.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ewarn.errors import UsageFault
from ewarn.methods import calibration
from ewarn.methods.gamma_poisson import LEAST_WEEKS, TREND_WEEKS, Model, Prior, Reals, Windows, fitted, windows
from ewarn.methods.zones import NONE, Zones

WEEK_WEIGHTS = (1.0, 1.0, 0.3, 0.1, 0.03, 0.03)
AREA_POWER = 0.85


@dataclass(frozen=True)
class SparseWindow:
    """A window of a map. tail: its own; p_value: counts all windows that were looked at."""

    areas: tuple[int, ...]
    weeks: int
    observed: int
    expected: float
    tail: float
    p_value: float


@dataclass(frozen=True)
class SparseScan:
    """One element per map. p_value counts all windows that were looked at; recurrence in analyses (weeks) is 1/p.

    windows: the strongest of each map (none where no window holds a case), then those that still stand at `alpha` once
    every window with an area of a stronger one is taken for chance. area_p_value: maps x areas; that of the standing
    window that holds the area, else what the windows left that hold it say; NaN where its newest week is missing.
    reason: why a map could not be judged; its p is then NaN.
    """

    p_value: Reals
    statistic: Reals
    area_p_value: Reals
    windows: tuple[tuple[SparseWindow, ...], ...]
    reason: tuple[str | None, ...]
    model: Model

    @property
    def recurrence(self) -> Reals:
        analyses: Reals = 1 / self.p_value
        return analyses


def scan(counts: NDArray[Any], zones: Zones, prior: Prior | None = None, *, alpha: float = 0.05) -> SparseScan:
    """Judge the newest week of every map. `zones` are circles of at most 5 areas, or neighbourhoods."""
    table = np.asarray(counts, dtype=np.float64)
    if table.ndim != 3 or table.shape[1] != zones.areas:
        raise UsageFault(f"counts are maps x areas x weeks; {table.shape} does not fit {zones.areas} areas")
    if (table < 0).any():
        raise UsageFault("counts are at least 0")
    reasons = _reasons(table, prior)
    if 0 in table.shape:
        return _nothing(table, reasons)
    model = fitted(table, prior)
    looked = windows(table, zones, model, len(WEEK_WEIGHTS))
    share = weights(zones, looked.p_value.shape[3])
    evidence = share[None] / looked.p_value
    void = np.array([reason is not None for reason in reasons], dtype=bool)
    statistic = np.where(void, np.nan, 1 / evidence.sum(axis=(1, 2, 3)))
    p_value = calibration.p_value(statistic, model.mean, model.phi, zones.areas)
    by_area = np.full(table.shape[:2], np.nan)
    found: list[tuple[SparseWindow, ...]] = [()] * len(table)
    left = evidence.copy()
    for number in np.flatnonzero(~void).tolist():
        found[number], standing = _standing(number, left, looked, share, zones, model, float(p_value[number]), alpha)
        by_area[number] = _area_p(left[number], share, zones, model, number)
        for area, p in standing.items():
            by_area[number, area] = p
    by_area[~np.isfinite(table[:, :, -1])] = np.nan
    return SparseScan(p_value, statistic, by_area, tuple(found), reasons, model)


def weights(zones: Zones, weeks: int) -> Reals:
    """chains x zones x weeks, adding up to 1: fixed before any count is seen."""
    size = np.cumsum(zones.members != NONE, axis=1).astype(np.float64)
    each = np.where(zones.closes, size**-AREA_POWER, 0.0)[:, :, None] * np.array(WEEK_WEIGHTS[:weeks])
    shares: Reals = each / each.sum()
    return shares


def _reasons(table: Reals, prior: Prior | None) -> tuple[str | None, ...]:
    """Per map, why it cannot be judged; None where it can."""
    maps, areas, weeks = table.shape
    if areas == 0 or weeks == 0:
        return tuple("no areas" if areas == 0 else "no weeks" for _ in range(maps))
    needed = 0 if prior is not None else LEAST_WEEKS + max(TREND_WEEKS)
    seen = np.isfinite(table)
    short = seen.any(axis=1).sum(axis=1) < needed
    missing = ~seen[:, :, -1].any(axis=1)
    words = np.where(short, f"fewer than {needed} weeks of history and no prior", "")
    words = np.where(missing, "the newest week is missing in every area", words)
    return tuple(str(word) or None for word in words)


def _standing(
    number: int, left: Reals, looked: Windows, share: Reals, zones: Zones, model: Model, p_value: float, alpha: float
) -> tuple[tuple[SparseWindow, ...], dict[int, float]]:
    """The windows of one map that stand, strongest first, and the p of their areas. Takes them out of `left`."""
    found: list[SparseWindow] = []
    standing: dict[int, float] = {}
    while not found or p_value <= alpha:
        ranked = np.where(looked.observed[number] > 0, left[number] - share, 0.0)
        chain, step, week = (int(axis) for axis in np.unravel_index(int(ranked.argmax()), ranked.shape))
        if ranked[chain, step, week] <= 0:
            break
        at = (number, chain, step, week)
        areas = zones.zone(chain, step)
        observed, expected = int(looked.observed[at]), float(looked.expected[at])
        found.append(SparseWindow(areas, week + 1, observed, expected, float(looked.p_value[at]), p_value))
        if p_value > alpha:
            break
        standing |= dict.fromkeys(areas, p_value)
        touched = np.cumsum(np.isin(zones.members, areas), axis=1) > 0
        left[number][touched] = share[touched]
        rest = np.array([1 / left[number].sum()])
        p_value = float(calibration.p_value(rest, model.mean[[number]], model.phi[[number]], zones.areas)[0])
    return tuple(found), standing


def _area_p(evidence: Reals, share: Reals, zones: Zones, model: Model, number: int) -> Reals:
    """What the windows that hold an area say alone: all others count as p = 1."""
    surplus = (evidence - share).sum(axis=2)
    onward = np.cumsum(surplus[:, ::-1], axis=1)[:, ::-1]
    inside = zones.members != NONE
    of_area = np.bincount(zones.members[inside], onward[inside], minlength=zones.areas)
    statistic = 1 / (1 + np.maximum(of_area, 0.0))
    by_area: Reals = calibration.p_value(statistic[None], model.mean[[number]], model.phi[[number]], zones.areas)[0]
    return by_area


def _nothing(table: Reals, reasons: tuple[str | None, ...]) -> SparseScan:
    maps, areas = table.shape[:2]
    void = np.full(maps, np.nan)
    empty = np.zeros((maps, areas))
    model = Model(empty, empty, void, void, 0)
    return SparseScan(void, void, np.full((maps, areas), np.nan), ((),) * maps, reasons, model)
