"""Farrington 1996: the newest periods against windows round the same period of past years.

In and out as `farrington`. The forerunner: windows only, weights below 1 already from residuals of 1, a trend that must
be significant at 5 %, and a two-sided bound after a power transformation. Kept for comparison and for what others
report with it; rules should use `farrington`.

Baselines that reach before the first period use what there is of them only with `partial=True`, as R does.

Source: Farrington et al. 1996, JRSS A 159:547-563; results compared with R surveillance 1.20.3 `farrington`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from ewarn.methods.arrow import Design, Vector
from ewarn.methods.expecting import Model, expected_now, natural
from ewarn.methods.farrington import FarringtonVerdicts
from ewarn.methods.reference import Baseline, anniversary
from ewarn.methods.special import ndtri
from ewarn.methods.thresholds import Power, transformed
from ewarn.methods.verdicts import Reason

WEIGHTS_ABOVE, TREND_P = 1.0, 0.05
STEP_DAYS = {52: 7, 365: 1}


@dataclass(frozen=True)
class Farrington1996:
    """Numbers of the method. `alpha` is two-sided."""

    years: int = 5
    half_width: int = 3
    alpha: float = 0.01
    power: Power = "2/3"
    trend: bool = True
    reweight: bool = True
    least_reports: float = 5
    recent: int = 4
    year: int = 52
    partial: bool = False


def judge(
    counts: NDArray[np.float64] | NDArray[np.int64],
    method: Farrington1996 | None = None,
    *,
    at: Iterable[int] | None = None,
    dates: Sequence[date] | None = None,
) -> FarringtonVerdicts:
    """Verdicts for the periods `at` (places in the series; the last one when not given)."""
    method = method or Farrington1996()
    matrix = np.atleast_2d(np.asarray(counts, dtype=np.float64))
    places = [matrix.shape[1] - 1] if at is None else [int(place) for place in at]
    found = FarringtonVerdicts.empty(len(matrix) * len(places))
    found.observed[:] = matrix[:, places].ravel()
    for i, place in enumerate(places):
        back = _windows(method, dates, place)
        if back.size > 2 and (method.partial or back.size == method.years * (2 * method.half_width + 1)):
            rows = np.arange(len(matrix)) * len(places) + i
            found.put(rows, _judged(matrix, place, back, method))
    return found.shaped(len(matrix), len(places))


def _windows(method: Farrington1996, dates: Sequence[date] | None, at: int) -> NDArray[np.int64]:
    """Periods back of the windows, oldest first, of those that lie in the series."""
    spread = range(-method.half_width, method.half_width + 1)
    years = range(method.years, 0, -1)
    if dates is None:
        back = [method.year * i - j for i in years for j in spread]
        return np.array([each for each in back if each <= at], dtype=np.int64)
    place = {day: i for i, day in enumerate(dates)}
    wanted = [_moved(anniversary(dates[at], i, method.year), j, method.year) for i in years for j in spread]
    return np.array([at - place[day] for day in wanted if day in place], dtype=np.int64)


def _moved(day: date, periods: int, year: int) -> date:
    if year in STEP_DAYS:
        return day + timedelta(days=periods * STEP_DAYS[year])
    months = day.year * 12 + day.month - 1 + periods
    return day.replace(year=months // 12, month=months % 12 + 1)


def _judged(matrix: Vector, at: int, back: NDArray[np.int64], method: Farrington1996) -> FarringtonVerdicts:
    found = FarringtonVerdicts.empty(len(matrix))
    found.observed[:] = matrix[:, at]
    recent = matrix[:, max(0, at - method.recent + 1) : at + 1].sum(axis=1)
    past = matrix[:, at - back]
    late, gaps = ~np.isfinite(recent), ~np.isfinite(past.sum(axis=1))
    found.reason[:] = np.where(late, Reason.MISSING_RECENT, np.where(gaps, Reason.MISSING_BASELINE, Reason.NONE))
    rows = np.flatnonzero(~late & ~gaps)
    baseline = Baseline(back, -back.astype(np.float64), np.zeros(back.size, dtype=np.int64), 1, 0)
    model = Model(method.trend, TREND_P, method.years, method.reweight, WEIGHTS_ABOVE, own_weights=False)
    now = expected_now(past[rows], Design(baseline), model)
    y = matrix[rows, at]
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        expected = natural(now.log_mean)
        z = float(ndtri(1 - method.alpha / 2))
        upper, p_value = transformed(expected, replace(now, spread_phi=now.phi), y, z, method.power)
        score = (y - expected) / (upper - expected)
    reason = np.where(recent[rows] < method.least_reports, Reason.FEW_REPORTS, Reason.NONE)
    reason = np.where(now.settled & np.isfinite(upper), reason, Reason.NOT_SETTLED)
    answered = reason == Reason.NONE
    found.reason[rows], found.trend[rows] = reason, now.trend
    found.expected[rows], found.upper[rows] = np.where(answered, expected, np.nan), np.where(answered, upper, np.nan)
    found.mean[rows], found.phi[rows], found.p_value[rows], found.score[rows] = expected, now.phi, p_value, score
    found.growth[rows] = np.where(now.trend, now.growth / Design(baseline).half, np.nan)
    return found
