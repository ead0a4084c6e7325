"""Farrington Flexible: the newest periods against the same season of the years before.

In: counts (series x periods, oldest first, NaN where a cell is suppressed or missing), optionally the date of every
period and an exposure. Out: `Verdicts`, series x judged periods: expected, upper bound, exact tail probability, score,
dispersion, trend, and a reason where there is no answer. Never a clear verdict from a history that is too short, from
suppressed cells, or from fewer than 5 reports in 4 weeks.

The plain way copies R surveillance 1.20.3 to rounding, its quirks included; the fast way (`fast=True`) stops early and
starts the second fit from the first (see `loglinear`): bounds differ from R's in a few cells per thousand by a count.
`zero_baseline="predictive"` answers where the whole baseline is zero, which the regression cannot: see `zeros`.

Source: Noufaily et al. 2013, Statistics in Medicine 32:1206-1222; Salmon et al. 2016, J Stat Softw 70(10).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

import numpy as np
import polars as pl
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ewarn.methods.arrow import Design, Vector
from ewarn.methods.expecting import Expectation, Model, expected_now
from ewarn.methods.reference import Baseline, Reference, by_date, by_number
from ewarn.methods.series import Period, judged
from ewarn.methods.thresholds import Bound, Power, Threshold, bound
from ewarn.methods.verdicts import Flags, Reason, Verdicts
from ewarn.methods.zeros import after_zeros

ROWS = 2048
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Farrington:
    """Numbers of the method; the defaults are Noufaily's with alpha .005. `least_reports` in `recent` periods."""

    reference: Reference = field(default_factory=Reference)
    alpha: float = 0.005
    threshold: Threshold = "nbPlugin"
    power: Power = "2/3"
    trend: bool = True
    trend_p: float = 1.0
    reweight: bool = True
    weights_above: float = 2.58
    least_reports: float = 5
    recent: int = 4
    fast: bool = False
    zero_baseline: Literal["none", "predictive"] = "none"

    def shortened(self, periods: int, least_years: int = 3) -> Farrington:
        """The same with as many years as `periods` of history hold, at least `least_years`."""
        years = (periods - self.reference.half_width) // self.reference.year
        return replace(
            self, reference=replace(self.reference, years=max(least_years, min(self.reference.years, years)))
        )

    @property
    def model(self) -> Model:
        return Model(self.trend, self.trend_p, self.reference.years, self.reweight, self.weights_above, self.fast)


@dataclass(frozen=True, eq=False)
class FarringtonVerdicts(Verdicts):
    """Verdicts with the mean the bound was taken at, the dispersion, and the trend per period where it was kept.

    Where a rule withholds the bound (few reports), mean, dispersion, p and score are there all the same.
    """

    mean: Vector
    phi: Vector
    growth: Vector
    trend: Flags

    @property
    def signal(self) -> Flags:
        """Evaluable, and above the upper bound."""
        with np.errstate(invalid="ignore"):
            return np.asarray((self.reason == 0) & (self.score > 1) & (self.observed > 0))


def judge(
    counts: NDArray[np.float64] | NDArray[np.int64],
    method: Farrington | None = None,
    *,
    at: Iterable[int] | None = None,
    dates: Sequence[date] | None = None,
    exposure: Vector | None = None,
) -> FarringtonVerdicts:
    """Verdicts for the periods `at` (places in the series; the last one when not given).

    With `dates` (one per period) years are calendar years. With `exposure` (shape of `counts`, or one row for all)
    means are per exposure.
    """
    method = method or Farrington()
    matrix = np.atleast_2d(np.asarray(counts, dtype=np.float64))
    if (matrix < 0).any():  # no count: some files write missing cells as -1
        matrix = np.where(matrix < 0, np.nan, matrix)
    places = [matrix.shape[1] - 1] if at is None else [int(place) for place in at]
    if any(not 0 <= place < matrix.shape[1] for place in places):
        raise ValueError("a period to judge lies outside the series")
    shares = None if exposure is None else np.broadcast_to(np.asarray(exposure, dtype=np.float64), matrix.shape)
    found = FarringtonVerdicts.empty(matrix.shape[0] * len(places))
    found.observed[:] = matrix[:, places].ravel()
    plans = _plans(method.reference, places, dates) if len(matrix) else []
    for baseline, which in plans:
        _judge_alike(matrix, shares, method, Design(baseline), [places[i] for i in which], which, found)
    return found.shaped(matrix.shape[0], len(places))


def _plans(
    reference: Reference, places: Sequence[int], dates: Sequence[date] | None
) -> list[tuple[Baseline, list[int]]]:
    """The baselines needed, each with the judged periods (by order) that share its shape."""
    plans: dict[tuple[bytes, bytes, bytes], tuple[Baseline, list[int]]] = {}
    for i, place in enumerate(places):
        if dates is None:
            baseline = by_number(reference) if place >= reference.needed else None
        else:
            baseline = by_date(reference, dates, place)
        if baseline is not None:
            plans.setdefault(baseline.key(), (baseline, []))[1].append(i)
    return list(plans.values())


def _judge_alike(
    matrix: Vector,
    exposure: Vector | None,
    method: Farrington,
    design: Design,
    places: Sequence[int],
    which: Sequence[int],
    found: FarringtonVerdicts,
) -> None:
    """Judge all series at periods whose baselines have one shape, in blocks of rows."""
    periods = found.reason.size // len(matrix)
    series, order = np.divmod(np.arange(len(matrix) * len(places)), len(places))
    at, columns = np.asarray(places)[order], np.asarray(which)[order]
    for first in range(0, series.size, ROWS):
        part = slice(first, first + ROWS)
        rows, now = series[part], at[part]
        shares = None if exposure is None else (_past(exposure, rows, now, design), exposure[rows, now])
        recent = _recent(matrix, rows, now, method.recent)
        block = _Block(_past(matrix, rows, now, design), matrix[rows, now], recent, shares)
        found.put(series[part] * periods + columns[part], _verdicts(block, design, method))


@dataclass(frozen=True, eq=False)
class _Block:
    """Some series at some periods: baseline counts, observed, reports in the last periods, exposures."""

    baseline: Vector
    observed: Vector
    recent: Vector
    exposure: tuple[Vector, Vector] | None


def _past(matrix: Vector, series: Rows, at: Rows, design: Design) -> Vector:
    """Series x baseline periods: the cells of each baseline."""
    back = design.baseline.back
    spans = sliding_window_view(matrix, int(back[0] - back[-1]) + 1, axis=1)[series, at - back[0]]
    return spans if spans.shape[1] == back.size else np.ascontiguousarray(spans[:, back[0] - back])


def _recent(matrix: Vector, series: Rows, at: Rows, length: int) -> Vector:
    """Sum of the last `length` periods."""
    windows = sliding_window_view(matrix, length, axis=1)
    found: Vector = windows[series, at - length + 1].sum(axis=1)
    return found


def _verdicts(block: _Block, design: Design, method: Farrington) -> FarringtonVerdicts:
    """Judge one block of complete histories."""
    rows = len(block.observed)
    found = FarringtonVerdicts.empty(rows)
    found.observed[:] = block.observed
    gaps = ~np.isfinite(block.baseline.sum(axis=1))
    late = ~np.isfinite(block.recent + block.observed)
    if block.exposure is not None:
        gaps |= ~(block.exposure[0] > 0).all(axis=1)
        late |= ~(block.exposure[1] > 0)
    found.reason[:] = np.where(late, Reason.MISSING_RECENT, np.where(gaps, Reason.MISSING_BASELINE, Reason.NOT_SETTLED))
    whole = np.flatnonzero(~gaps & ~late)
    if design.size <= design.baseline.levels:
        found.reason[whole] = Reason.TOO_SHORT
        return found
    baseline = block.baseline if whole.size == rows else block.baseline[whole]
    shares = block.exposure if block.exposure is None else (block.exposure[0][whole], block.exposure[1][whole])
    model = method.model
    expectation = expected_now(baseline, design, model, *(shares or (None, None)))
    limits = bound(expectation, block.observed[whole], method.alpha, method.threshold, method.power)
    empty: Flags = ~(baseline != 0).any(axis=1)
    if method.fast:  # its half event would answer here; the plain way and R do not
        expectation.settled[empty] = False
    few = block.recent[whole] < method.least_reports
    _fill(found, whole, expectation, limits, design, few, empty)
    if method.zero_baseline == "predictive":
        _answer_zeros(found, whole[empty], design.size, method)
    return found


def _fill(
    found: FarringtonVerdicts,
    rows: Rows,
    expectation: Expectation,
    limits: Bound,
    design: Design,
    few: Flags,
    empty: Flags,
) -> None:
    settled, bounded = expectation.settled, np.isfinite(limits.upper)
    reason = np.where(few, Reason.FEW_REPORTS, np.where(bounded, Reason.NONE, Reason.NO_BOUND))
    reason = np.where(settled, reason, np.where(empty, Reason.ZERO_BASELINE, Reason.NOT_SETTLED))
    found.reason[rows] = reason
    answered = reason == Reason.NONE
    found.expected[rows] = np.where(answered, limits.expected, np.nan)
    found.upper[rows] = np.where(answered, limits.upper, np.nan)
    found.mean[rows], found.phi[rows] = limits.mean, expectation.phi
    found.p_value[rows], found.score[rows] = limits.p_value, limits.score
    found.growth[rows] = np.where(expectation.trend, expectation.growth / design.half, np.nan)
    found.trend[rows] = expectation.trend


def _answer_zeros(found: FarringtonVerdicts, rows: Rows, weeks: int, method: Farrington) -> None:
    """All-zero baselines: the predictive distribution after `weeks` without a report, whatever the last weeks hold."""
    mean, phi = after_zeros(weeks)
    expectation = Expectation.empty(rows.size)
    expectation.log_mean[:], expectation.phi[:] = np.log(mean), phi
    expectation.settled[:] = True
    limits = bound(expectation, found.observed[rows], method.alpha, "nbPlugin", method.power)
    nothing: Flags = np.zeros(rows.size, dtype=np.bool_)
    design = Design(Baseline(np.arange(1), np.zeros(1), np.zeros(1, dtype=np.int64), 1, 0))
    _fill(found, rows, expectation, limits, design, nothing, nothing)


def judge_frame(
    counts: pl.DataFrame, method: Farrington | None = None, *, period: Period = "1w", last: int | None = None
) -> pl.DataFrame:
    """Verdicts beside the rows of the `last` periods (all when not given); years are calendar years. See `series`."""
    return judged(counts, lambda values, at, dates: judge(values, method, at=at, dates=dates), period, last)
