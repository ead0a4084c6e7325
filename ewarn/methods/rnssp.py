"""Daily counts against the last four weeks: EWMA, regression with day of week, and the switch between them.

In: daily counts (series x consecutive days, NaN where missing) and the weekday of the first day. Out: `Daily`: what was
expected, test statistic, p-value, level (red p < .01, yellow p < .05, blue, grey where there is no answer) and, after
the switch, which of the two spoke. Never an answer before 7 (EWMA) or 11 (regression) days of baseline.

EWMA: two smoothed series, slow and quick, each against the mean of the baseline; the smaller p counts. Regression: a
trend and six weekday effects; red or yellow days whose count is below its own week's mean (at weekends also below the
mean of the last seven such days) are taken back. Switch: regression where its adjusted R squared is at least .60.

Source: Burkom et al. 2021, JMIR Public Health Surveill 7(6):e26303 (the ESSENCE detectors); baselines, small-count
terms and the rule for what is taken back as CDC's Rnssp 0.3.1 has them, whose results were compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Literal

import numpy as np
import polars as pl
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ewarn.methods.series import judged
from ewarn.methods.special import stdtr, stdtrit
from ewarn.methods.verdicts import Flags, Reason, Vector, Verdicts

RED, YELLOW = 0.01, 0.05
EWMA_LEAST, REGRESSION_LEAST = 7, 11
WEEK, WEEKEND = 7, 5
GOOD_FIT = 0.60
Kind = Literal["ewma", "regression", "switch"]
LEVELS = ("grey", "blue", "yellow", "red")


@dataclass(frozen=True)
class Rnssp:
    """Days of baseline and of the guard before the judged day, and the weights of the slow and the quick EWMA."""

    baseline: int = 28
    guard: int = 2
    slow: float = 0.4
    quick: float = 0.9

    def __post_init__(self) -> None:
        if self.baseline < REGRESSION_LEAST or self.baseline % WEEK or self.guard < 0:
            raise ValueError("the baseline must be whole weeks, at least two; the guard not negative")


@dataclass(frozen=True, eq=False)
class Daily:
    """Series x days. `level`: a place in LEVELS; `fit`: adjusted R squared; above `upper` p is below the red limit."""

    expected: Vector
    upper: Vector
    score: Vector
    p_value: Vector
    sigma: Vector
    fit: Vector
    level: NDArray[np.int8]
    by_regression: Flags

    @staticmethod
    def empty(shape: tuple[int, int]) -> Daily:
        a, b, c, d, e, f = (np.full(shape, np.nan) for _ in range(6))
        return Daily(a, b, c, d, e, f, np.zeros(shape, dtype=np.int8), np.zeros(shape, dtype=bool))

    def graded(self) -> Daily:
        """With levels from the p-values."""
        with np.errstate(invalid="ignore"):
            level = np.where(self.p_value < RED, 3, np.where(self.p_value < YELLOW, 2, 1))
        self.level[:] = np.where(np.isfinite(self.p_value), level, 0)
        return self


def ewma(counts: Vector, method: Rnssp | None = None) -> Daily:
    """Both smoothed series against the baseline mean; a smoothed value beyond the red limit is brought back to it."""
    method = method or Rnssp()
    y = _scaled(np.asarray(counts, dtype=np.float64))
    found = Daily.empty((len(y), y.shape[1]))
    smooth = {weight: np.array(y[:, 0] if y.size else y.sum(axis=1)) for weight in (method.slow, method.quick)}
    for day in range(1, y.shape[1]):
        for weight, value in smooth.items():
            moved = weight * y[:, day] + (1 - weight) * value
            smooth[weight] = np.where(np.isfinite(moved), moved, value)
        length = min(day - method.guard, method.baseline)
        if length >= EWMA_LEAST:
            _ewma_day(y, day, length, method, smooth, found)
    return found.graded()


def _ewma_day(y: Vector, day: int, length: int, method: Rnssp, smooth: dict[float, Vector], found: Daily) -> None:
    base = y[:, day - method.guard - length : day - method.guard]
    mean, deviation = base.mean(axis=1), base.std(axis=1, ddof=1)
    freedom = length - 1
    found.expected[:, day] = np.where(np.isfinite(y[:, day]), mean, np.nan)
    for weight in smooth:
        sigma = _ewma_sigma(weight, length, method.guard, deviation)
        score = (smooth[weight] - mean) / sigma
        limit = _limit(RED, freedom)
        reached, held = smooth[weight], mean + np.sign(score) * limit * sigma
        smooth[weight] = np.where(np.abs(score) > limit, held, smooth[weight])
        p_value = np.where(np.isfinite(y[:, day]), stdtr(freedom, -score), np.nan)
        # Equal p-values leave the word to the quick series.
        better = ~(found.p_value[:, day] < p_value)
        found.score[better, day], found.p_value[better, day] = score[better], p_value[better]
        found.sigma[better, day] = sigma[better]
        upper = y[:, day] + (mean + stdtrit(freedom, 1 - RED) * sigma - reached) / weight
        found.upper[:, day] = np.fmin(found.upper[:, day], upper)


def _ewma_sigma(weight: float, length: int, guard: int, deviation: Vector) -> Vector:
    """Standard error of a smoothed value about the mean of an earlier baseline, with ESSENCE's small-count terms."""
    rest = 1 - weight
    variance = weight / (2 - weight) + 1 / length - 2 * rest ** (guard + 1) * (1 - rest**length) / length
    unit = weight / _limit(YELLOW, length - 1)
    added = (0.1289 - (0.2414 - 0.1826 * rest**4) * np.log(10 * YELLOW)) * unit
    return np.asarray(np.maximum((0.01 + 0.05 * rest**2) * unit, deviation * np.sqrt(variance) + added))


def _limit(alpha: float, freedom: int) -> float:
    return round(float(stdtrit(freedom, 1 - alpha)), 5)


def _scaled(y: Vector) -> Vector:
    """Shares below 1 are put on a scale of counts: divided by the median of those above 0."""
    found = y.copy()
    for row in np.flatnonzero((np.nan_to_num(y).max(axis=1, initial=0) < 1) & (np.nan_to_num(y) > 0).any(axis=1)):
        found[row] /= np.median(y[row][y[row] > 0])
    return found


def regression(counts: Vector, first_weekday: int, method: Rnssp | None = None) -> Daily:
    """A straight line and weekday effects over the baseline, carried past the guard. Monday is weekday 0."""
    method = method or Rnssp()
    y = np.asarray(counts, dtype=np.float64)
    found = Daily.empty((len(y), y.shape[1]))
    days = np.arange(y.shape[1])
    lengths = np.minimum(days - method.guard, method.baseline)
    for length in range(REGRESSION_LEAST, method.baseline + 1):
        for phase in range(WEEK):
            start = days - method.guard - length
            alike = days[(lengths == length) & ((start + first_weekday) % WEEK == phase)]
            if alike.size:
                _regression_days(y, alike, length, phase, method.guard, found)
    found.graded()
    found.level[_taken_back(y, found.level, (days + first_weekday) % WEEK)] = 0
    found.by_regression[:] = np.isfinite(found.score)
    return found


def _regression_days(y: Vector, at: NDArray[np.int64], length: int, phase: int, guard: int, found: Daily) -> None:
    """All series on days whose baselines have one design."""
    time = np.arange(1, length + guard + 2)
    weekday = (phase + time - 1) % WEEK
    full = np.column_stack([np.ones(time.size), time, weekday[:, None] == np.arange(WEEK - 1)]).astype(np.float64)
    design = full[:length]
    solve = np.linalg.pinv(design)
    base = sliding_window_view(y, length, axis=1)[:, at - guard - length]
    beta = base @ solve.T
    fitted = beta @ design.T
    residual = ((base - fitted) ** 2).sum(axis=2)
    freedom = length - design.shape[1]
    explained = ((fitted - fitted.mean(axis=2, keepdims=True)) ** 2).sum(axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        adjusted = 1 - (1 - explained / (residual + explained)) * (length - 1) / freedom
    wider = np.sqrt((length + 7) * (length - 4) / (length * (length - 7)))
    sigma = np.maximum(np.sqrt(residual / freedom) * wider, 0.01 / _limit(YELLOW, freedom))
    known = np.isfinite(y[:, at]) & np.isfinite(beta[:, :, 0])
    found.expected[:, at] = np.where(known, np.maximum(0.0, beta @ full[-1]), np.nan)
    found.score[:, at] = (y[:, at] - found.expected[:, at]) / sigma
    found.p_value[:, at] = stdtr(freedom, -found.score[:, at])
    found.sigma[:, at] = sigma
    found.upper[:, at] = found.expected[:, at] + stdtrit(freedom, 1 - RED) * sigma
    found.fit[:, at] = np.where(np.isnan(adjusted) & known, 0.0, adjusted)


def _taken_back(y: Vector, level: NDArray[np.int8], weekday: NDArray[np.int64]) -> Flags:
    """Not blue, but below the mean of its week; at weekends below that of the last seven such days as well."""
    with np.errstate(invalid="ignore"):
        back: Flags = (level != 1) & (y < _running_mean(y))
        for day in (WEEKEND, WEEKEND + 1):
            places = np.flatnonzero(weekday == day)
            back[:, places] &= y[:, places] < _running_mean(y[:, places])
    return back


def _running_mean(y: Vector) -> Vector:
    """Mean of the last seven columns; missing before there are seven."""
    found = np.full(y.shape, np.nan)
    if y.shape[1] >= WEEK:
        found[:, WEEK - 1 :] = sliding_window_view(y, WEEK, axis=1).mean(axis=2)
    return found


def switch(counts: Vector, first_weekday: int, method: Rnssp | None = None) -> Daily:
    """The regression where it fits well, the EWMA elsewhere."""
    regressed, smoothed = regression(counts, first_weekday, method), ewma(counts, method)
    with np.errstate(invalid="ignore"):
        good = regressed.fit >= GOOD_FIT
    chosen = [np.where(good, getattr(regressed, field.name), getattr(smoothed, field.name)) for field in fields(Daily)]
    return Daily(*chosen)


@dataclass(frozen=True, eq=False)
class DailyVerdicts(Verdicts):
    """Verdicts with the level of each day; red is a signal."""

    level: NDArray[np.int8]

    @property
    def signal(self) -> Flags:
        """Red, and not taken back."""
        return np.asarray((self.reason == 0) & (self.level == LEVELS.index("red")))


def judge(
    counts: Vector, first_weekday: int, method: Rnssp | None = None, kind: Kind = "switch", at: Sequence[int] = ()
) -> DailyVerdicts:
    """Verdicts for the days `at` (all when not given). A day that was taken back is clear."""
    y = np.atleast_2d(np.asarray(counts, dtype=np.float64))
    if kind == "ewma":
        found = ewma(y, method)
    else:
        found = (regression if kind == "regression" else switch)(y, first_weekday, method)
    known = np.isfinite(found.p_value)
    least = (method or Rnssp()).guard + (REGRESSION_LEAST if kind == "regression" else EWMA_LEAST)
    late = np.arange(y.shape[1]) >= least
    reason = np.where(known, Reason.NONE, np.where(late, Reason.MISSING_BASELINE, Reason.TOO_SHORT))
    reason = np.where(np.isfinite(y), reason, Reason.MISSING_RECENT).astype(np.int8)
    at = at if len(at) else range(y.shape[1])
    bounds = found.expected[:, at], found.upper[:, at], found.p_value[:, at], found.score[:, at]
    return DailyVerdicts(y[:, at], *bounds, reason[:, at], found.level[:, at])


def judge_frame(
    counts: pl.DataFrame, method: Rnssp | None = None, *, kind: Kind = "switch", last: int | None = None
) -> pl.DataFrame:
    """Verdicts beside the rows of the `last` days (all when not given). See `series`."""

    def on(values: Vector, at: list[int], dates: list[date]) -> Verdicts:
        return judge(values, dates[0].weekday(), method, kind, at)

    return judged(counts, on, "1d", last)
