"""What is expected now: Farrington's regression with past outbreaks weighted down and its rules for the trend.

In: baseline counts (series x baseline periods, complete), their `Design`, optionally exposures, and how to fit. Out:
`Expectation` per series: log mean now, its variance per unit of dispersion, dispersion, trend, and whether there is an
answer. Never a bound: that is for `bounds`.

The trend stays when there are at least 3 years, its p-value is below `trend_p`, and the mean it predicts is not above
the largest baseline count; otherwise everything is fitted again without it. As in R surveillance, the dispersion that
standard errors use after reweighting is computed from the prior weights alone (`spread_phi`), the one that bounds use
(`phi`) from the weights of the last step.

Source: Noufaily et al. 2013, Statistics in Medicine 32:1206-1222; results compared with R surveillance 1.20.3.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from ewarn.methods.arrow import Design, Vector
from ewarn.methods.baselinesums import Passes
from ewarn.methods.loglinear import Fit, Problem, exact, fast
from ewarn.methods.special import stdtr

LEAST_YEARS = 3


@dataclass(frozen=True)
class Model:
    """How to fit: trend wanted, its largest p-value, years of baseline, reweighting, and which way.

    `own_weights`: after reweighting, standard errors use the dispersion of the prior weights alone (R's flexible fit).
    """

    trend: bool = True
    trend_p: float = 1.0
    years: int = 5
    reweight: bool = True
    weights_above: float = 2.58
    fast: bool = False
    own_weights: bool = True


@dataclass(frozen=True, eq=False)
class Expectation:
    """One element per series; NaN where there is no answer."""

    log_mean: Vector
    variance: Vector
    phi: Vector
    spread_phi: Vector
    growth: Vector
    spread: Vector
    trend: NDArray[np.bool_]
    settled: NDArray[np.bool_]

    @staticmethod
    def empty(rows: int) -> Expectation:
        a, b, c, d, e, f = (np.full(rows, np.nan) for _ in range(6))
        return Expectation(a, b, c, d, e, f, np.zeros(rows, dtype=bool), np.zeros(rows, dtype=bool))

    def of(self, rows: NDArray[np.int64]) -> Expectation:
        return Expectation(*(getattr(self, field.name)[rows] for field in fields(self)))

    def put(self, rows: NDArray[np.int64], other: Expectation) -> None:
        for field in fields(self):
            getattr(self, field.name)[rows] = getattr(other, field.name)


def natural(log_mean: Vector) -> Vector:
    """Means from log means; as in R never below the spacing of numbers at 1, so that powers of them keep a meaning."""
    return np.asarray(np.maximum(np.exp(log_mean), np.finfo(np.float64).eps))


def expected_now(
    counts: Vector, design: Design, model: Model, exposure: Vector | None = None, exposure_now: Vector | None = None
) -> Expectation:
    """The expectation of the current period of every series; exposures must be positive."""
    passes = Passes(counts, design, exposure, model.fast)
    totals = passes.totals()
    found = Expectation.empty(len(counts))
    again = np.arange(len(counts))
    offset = np.zeros(len(counts)) if exposure_now is None else np.log(exposure_now)
    if model.trend and passes.freedom > 1:
        tried = _estimated(passes, Problem(design, totals, None, exposure, trend=True), model, offset)
        kept = tried.settled & _trend_stays(tried, counts.max(axis=1), passes.freedom - 1, model)
        found.put(np.flatnonzero(kept), tried.of(np.flatnonzero(kept)))
        again = np.flatnonzero(~kept)
    if again.size and passes.freedom > 0:
        problem = Problem(design, totals, None, exposure, trend=False).of(again)
        found.put(again, _estimated(passes.of(again), problem, model, offset[again]))
    return found


def _estimated(passes: Passes, problem: Problem, model: Model, offset: Vector) -> Expectation:
    """Fit, weigh past outbreaks down, fit again; series that did not settle are left out."""
    first = fast(problem) if model.fast else exact(problem)
    found = Expectation.empty(len(offset))
    rows = np.flatnonzero(first.settled & np.isfinite(first.growth))
    if not rows.size:
        return found
    if rows.size < len(offset):
        first, passes, problem, offset = first.of(rows), passes.of(rows), problem.of(rows), offset[rows]
    freedom = passes.freedom - int(problem.trend)
    if not model.reweight:
        phi, _ = passes.dispersion(first, None, freedom)
        found.put(rows, _now(first, problem, phi, phi, offset))
        return found
    _, discount = passes.outbreaks(first, model.weights_above, freedom)
    again = Problem(
        problem.design, passes.discounted(problem.totals, discount), discount, problem.exposure, problem.trend
    )
    second = fast(again, first) if model.fast else exact(again)
    phi, own = passes.dispersion(second, discount, freedom)
    found.put(rows, _now(second, problem, phi, own if model.own_weights else phi, offset))
    return found


def _now(fit: Fit, problem: Problem, phi: Vector, spread_phi: Vector, offset: Vector) -> Expectation:
    """The fit carried to the current period."""
    design = problem.design
    level = design.baseline.current
    log_mean = fit.level[:, level] + fit.growth * design.now + offset
    variance = 1.0 / fit.weight[:, level] + (design.now - fit.centre[:, level]) ** 2 / fit.spread
    settled = np.isfinite(log_mean) & np.isfinite(phi)
    trend = np.full(len(offset), problem.trend)
    return Expectation(log_mean, variance, np.maximum(phi, 1.0), spread_phi, fit.growth, fit.spread, trend, settled)


def _trend_stays(tried: Expectation, largest: Vector, freedom: int, model: Model) -> NDArray[np.bool_]:
    """Enough years, a small p-value, and a prediction within what the baseline has seen."""
    if model.years < LEAST_YEARS:
        return np.zeros(len(largest), dtype=bool)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        within: NDArray[np.bool_] = natural(tried.log_mean) <= largest
        if model.trend_p >= 1.0:
            return np.asarray(within & (tried.growth != 0))
        t = np.abs(tried.growth) / np.sqrt(tried.spread_phi / tried.spread)
    return np.asarray(within & (2 * stdtr(freedom, -t) < model.trend_p))
