"""Series whose results come in late: the last event weeks against what can be known of them by now.

In: a series of listed lines, a close, its counts as known then. Out: Answers: a window of event weeks, or what became
known in the newest week, with how many of the expected results are in. The lag of each source is learnt from the rows
known at the close; what a stratum may expect is split over its sources as its own records of the past are. Never an
inflated count.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ewarn.catalogue.definitions import RuleDefinition
from ewarn.methods import farrington, lagged
from ewarn.methods.delay import LONGEST
from ewarn.methods.lagframe import lagged_signals
from ewarn.methods.scan_weeks import WeekScan
from ewarn.methods.verdicts import Reason
from ewarn.rules.counts import MONDAY, Series, period_expr, starts_on
from ewarn.rules.judging import Answers
from ewarn.rules.prepare import number

Vector = NDArray[np.float64]
EPOCH = date(1970, 1, 1)


def judge(rule: RuleDefinition, series: Series, close: int, matrix: Vector) -> Answers:
    """Judge all strata at one close. Raises: ValueError for a rule that does not count by week."""
    if series.period_days != 7:
        raise ValueError("lag is learnt by week: give period = week")
    alpha = number(rule, "alpha", lagged.ALPHA)
    mean, phi, reason = _expected(matrix)
    found = Answers.none(len(matrix), "")
    tier = np.array([stratum[3] for stratum in series.strata])
    for name in np.unique(tier).tolist():
        mine = np.flatnonzero(tier == name)
        found.put(mine, _of_tier(series, close, mine, mean[mine], phi[mine], alpha))
    for row in np.flatnonzero(reason != "").tolist():
        found.reason[row], found.raised[row] = str(reason[row]), False
    return found


def _expected(matrix: Vector) -> tuple[Vector, Vector, NDArray[np.str_]]:
    """Full means and variance-to-mean ratios of the newest weeks back to the longest lag, and why there are none."""
    weeks = min(LONGEST + 1, matrix.shape[1])
    places = list(range(matrix.shape[1] - weeks, matrix.shape[1]))
    fits = farrington.judge(matrix, WeekScan.fitted_to(matrix.shape[1] - 1 - LONGEST).expectation, at=places)
    answered = fits.reason == Reason.NONE
    newest = np.where(answered[:, -1], "", fits.words[:, -1])
    return np.where(answered, fits.mean, np.nan), np.where(answered, fits.phi, np.nan), newest


def _of_tier(series: Series, close: int, rows: NDArray[np.int64], mean: Vector, phi: Vector, alpha: float) -> Answers:
    """One tier's strata: within it a record lies in one area, so that the lag is learnt from each once a subject."""
    at = series.known(close)
    at = at[np.isin(series.stratum[at], rows)]
    reports = pl.DataFrame(
        {
            "stratum": series.stratum[at],
            "source": pl.Series(series.source[at]).cast(pl.String),
            "reference_date": (MONDAY - EPOCH).days + series.period[at] * 7,
            "known_date": series.known_day[at],
        }
    ).with_columns(pl.col("reference_date", "known_date").cast(pl.Int32).cast(pl.Date))
    sunday = starts_on(close + 1, 7) - timedelta(days=1)
    told = lagged_signals(reports, _expectations(series, close, rows, at, mean, phi), sunday, alpha)
    return _answers(pl.DataFrame({"stratum": rows}).join(told, on="stratum", how="left", maintain_order="left"), close)


def _expectations(
    series: Series, close: int, rows: NDArray[np.int64], at: NDArray[np.int64], mean: Vector, phi: Vector
) -> pl.DataFrame:
    """What each stratum expects of each source in each week, as its records are spread over sources."""
    sources = int(series.source.max()) + 1
    place = np.searchsorted(rows, series.stratum[at])
    count = np.bincount(place * sources + series.source[at], minlength=rows.size * sources).reshape(-1, sources)
    total = count.sum(axis=1, keepdims=True)
    share = np.where(total > 0, count / np.maximum(total, 1), count.sum(axis=0) / max(1, count.sum()))
    row, source = np.nonzero(share > 0)
    weeks = mean.shape[1]
    monday = [starts_on(close - weeks + 1 + week, 7) for week in range(weeks)]
    return pl.DataFrame(
        {
            "stratum": np.repeat(rows[row], weeks),
            "source": pl.Series(np.repeat(source, weeks)).cast(pl.String),
            "period": pl.Series(monday * row.size, dtype=pl.Date),
            "expected": (share[row, source][:, None] * mean[row]).ravel(),
            "phi": phi[row].ravel(),
        },
        nan_to_null=True,
    )


def _answers(told: pl.DataFrame, close: int) -> Answers:
    found = Answers.none(told.height, "")
    for name in ("observed", "expected", "upper", "p_value"):
        getattr(found, name)[:] = told[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
    found.raised[:] = (told["outcome"] == "signal").fill_null(False).to_numpy()
    found.arrived[:] = (told["by"] == "report week").fill_null(False).to_numpy()
    weeks = [period_expr(name, 7).fill_null(close) for name in ("window_first", "window_last")]
    first, last = (told.select(week).to_series().to_numpy() for week in weeks)
    found.periods[:], found.back[:] = last - first + 1, close - last
    found.reason[:] = told["reason"].fill_null("no expectation for this stratum").to_list()
    found.said[:] = told["results_in_words"].fill_null("").to_list()
    return found
