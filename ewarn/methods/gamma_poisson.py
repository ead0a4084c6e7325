"""Empirical-Bayes Gamma-Poisson model of sparse maps: what each area may expect, learnt from all areas together.

In: counts (maps x areas x weeks), the newest week last; NaN where a cell is missing or suppressed. Out: for every zone
and every window of the newest weeks the observed and expected number, its variance ratio and its exact upper tail.
Answers from the first week where a prior comes from a parent (class, region), and for series that never had a case.
Never a signal by itself: one map holds hundreds of windows (see sparse_scan).

The rate of an area is Gamma(a, b), by moments over the areas of a map; its posterior Gamma(a + S/phi, b + n/phi) after
S cases in n weeks. Times a trend that all areas share, without the scanned zone: g = (R + k)/(E + k). Variance of a
window of mean M: phi M + M2/shape.

Source: Clayton and Kaldor 1987, Biometrics 43:671-681 (moments, posterior); Neill 2009, Int. J. Forecasting 25:498-517
(expectation-based scans); the trend, and dividing the history by phi, are our own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ewarn.errors import UsageFault
from ewarn.methods.tails import upper_tail
from ewarn.methods.zones import NONE, Zones

Reals = NDArray[np.float64]
TREND_WEEKS = (8, 4)
TREND_PRIOR = 2.0
LEAST_WEEKS = 12
MOST_SHAPE = 200.0


@dataclass(frozen=True)
class Prior:
    """What a parent class or region says of an area's rate: mean per week (one, per map, or maps x areas), and the
    weeks of watching one area that this is worth. Gamma(a, b) has mean a/b and is worth b weeks."""

    mean: float | Reals
    weeks: float


@dataclass(frozen=True)
class Model:
    """Fitted rates, maps x areas: posterior Gamma(shape, rate); per map phi, and the mean rate over areas.

    weeks: of history that entered.
    """

    shape: Reals
    rate: Reals
    phi: Reals
    mean: Reals
    weeks: int

    @property
    def per_week(self) -> Reals:
        """Expected cases a week, before the trend."""
        rates: Reals = self.shape / self.rate
        return rates


@dataclass(frozen=True)
class Windows:
    """All maps x chains x zones x weeks: what each window holds. p is 1 where a window is left out (see `asked`)."""

    observed: Reals
    expected: Reals
    variance_ratio: Reals
    p_value: Reals
    asked: NDArray[np.bool_]


def fitted(counts: Reals, prior: Prior | None = None) -> Model:
    """Rates of all areas from the weeks before the newest eight (the trend has those)."""
    history = np.asarray(counts, dtype=np.float64)[:, :, : max(counts.shape[2] - max(TREND_WEEKS), 0)]
    seen = np.isfinite(history)
    weeks = seen.sum(axis=2).astype(np.float64)
    cases = np.where(seen, history, 0.0).sum(axis=2)
    phi = _dispersion(history, cases, weeks)
    shape, rate, mean = _moments(cases, weeks, phi) if prior is None else _given(prior, cases.shape)
    wide = phi[:, None]
    return Model(shape + cases / wide, rate + weeks / wide, phi, mean, history.shape[2])


def windows(counts: Reals, zones: Zones, model: Model, most_weeks: int = 6) -> Windows:
    """Every zone over its newest 1 to `most_weeks` weeks. A window with a missing cell is left out."""
    span = min(max(*TREND_WEEKS, most_weeks), counts.shape[2])
    newest = np.asarray(counts, dtype=np.float64)[:, :, ::-1][:, :, :span]
    seen = np.isfinite(newest)
    cases = np.cumsum(np.where(seen, newest, 0.0), axis=2)
    exposure = np.cumsum(seen, axis=2).astype(np.float64)
    inside = zones.members != NONE
    weeks = min(most_weeks, span)

    def over_zones(values: Reals) -> Reals:
        """Sums over nested zones: maps x chains x zones (x weeks)."""
        mask = inside.reshape(inside.shape + (1,) * (values.ndim - 2))
        return np.cumsum(np.where(mask, values[:, zones.members], 0.0), axis=2)

    per_week = model.per_week
    rate, doubt = over_zones(per_week), over_zones(per_week**2 / model.shape)
    observed, watched = over_zones(cases), over_zones(exposure)
    trend, trend_doubt = _trend(cases, exposure, per_week, over_zones, model.phi)
    length = np.arange(1, weeks + 1, dtype=np.float64)
    expected = (trend * rate)[..., None] * length
    ratio = model.phi[:, None, None, None] + expected * (doubt / rate**2 + trend_doubt)[..., None]
    complete = watched[..., :weeks] == np.cumsum(inside, axis=1)[None, :, :, None] * length
    asked = complete & zones.closes[None, :, :, None] & np.isfinite(expected)
    tail = upper_tail(np.where(asked, observed[..., :weeks], 0.0), expected, ratio)
    return Windows(observed[..., :weeks], expected, ratio, np.where(asked, tail, 1.0), asked)


def _trend(
    cases: Reals, exposure: Reals, per_week: Reals, over_zones: Callable[[Reals], Reals], phi: Reals
) -> tuple[Reals, Reals]:
    """How much more than before all other areas have had of late, and the square of its relative error.

    The larger of the newest eight and four weeks: a country that rose a month ago is not taken for a crowd of clusters.
    """
    trend, doubt = np.zeros(()), np.zeros(())
    for weeks in TREND_WEEKS:
        newest = min(weeks, cases.shape[2]) - 1
        had, should = cases[:, :, newest], per_week * exposure[:, :, newest]
        elsewhere = had.sum(axis=1)[:, None, None] - over_zones(had)
        expected = should.sum(axis=1)[:, None, None] - over_zones(should)
        one = (elsewhere + TREND_PRIOR) / (expected + TREND_PRIOR)
        error = phi[:, None, None] / (elsewhere + TREND_PRIOR)
        doubt = np.where(one > trend, error, doubt)
        trend = np.maximum(one, trend)
    return trend, doubt


def _dispersion(history: Reals, cases: Reals, weeks: Reals) -> Reals:
    """Pooled over areas: the sum of squared distances from each area's mean against the sum of cases; at least 1.

    A ratio of sums, not a sum of ratios: an area with a single case says nothing of phi, and would pull it to 1.
    """
    mean = np.divide(cases, weeks, out=np.zeros_like(cases), where=weeks > 0)
    squares = np.nansum((history - mean[:, :, None]) ** 2, axis=2)
    corrected = np.where(weeks > 1, squares * weeks / np.maximum(weeks - 1, 1), 0.0)
    total = np.where(weeks > 1, cases, 0.0).sum(axis=1)
    phi = np.divide(corrected.sum(axis=1), total, out=np.ones_like(total), where=total > 0)
    bounded: Reals = np.maximum(phi, 1.0)
    return bounded


def _moments(cases: Reals, weeks: Reals, phi: Reals) -> tuple[Reals, Reals, Reals]:
    """Gamma(a, b) of each map by moments; where no area ever had a case, half a case in the whole history."""
    known = weeks > 0
    areas = np.maximum(known.sum(axis=1), 1)
    total = weeks.sum(axis=1)
    rates = np.divide(cases, weeks, out=np.zeros_like(cases), where=known)
    mean = np.maximum(rates.sum(axis=1) / areas, 0.5 / np.maximum(total, 1))
    spread = np.where(known, (rates - mean[:, None]) ** 2, 0.0).sum(axis=1) / np.maximum(areas - 1, 1)
    chance = phi * mean * np.divide(known, weeks, out=np.zeros_like(weeks), where=known).sum(axis=1) / areas
    between = np.maximum(spread - chance, mean**2 / MOST_SHAPE)
    return (mean**2 / between)[:, None], (mean / between)[:, None], mean


def _given(prior: Prior, shape: tuple[int, ...]) -> tuple[Reals, Reals, Reals]:
    """Gamma(a, b) out of a parent's mean and its worth in weeks."""
    mean = np.asarray(prior.mean, dtype=np.float64)
    if prior.weeks <= 0 or not (mean > 0).all():
        raise UsageFault("a prior has a mean above 0 and is worth more than 0 weeks")
    per_area = np.broadcast_to(mean[:, None] if mean.ndim == 1 else mean, shape)
    return per_area * prior.weeks, np.full(shape, float(prior.weeks)), per_area.mean(axis=1)
