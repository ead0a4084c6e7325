"""Signals while results are still coming in, on frames: reports and expectations in, one row per stratum out.

In: reports with the day each happened and became known; what is expected in full per stratum, source and event week.
Out: per stratum the outcome as of a day, with what speaks (a window of event weeks or the newest report week), and how
many of the expected results are in. Never the future, never an inflated count; a stratum without expectations, or whose
source's lag is not learnt, is not evaluable and says so.

Source: see `delay` and `lagged`.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ewarn.methods.delay import (
    COHORTS,
    LONGEST,
    WEEK,
    delay_distribution,
    newest_closed,
    period_number,
    results_in_words,
    still_to_come,
    thinned,
)
from ewarn.methods.lagged import (
    ALPHA,
    EVENT_WEEKS,
    LENGTHS,
    REPORT_SHARE,
    SCAN_SHARE,
    Scanned,
    arrivals_tail,
    judge,
    scan_event_weeks,
    windows,
)
from ewarn.methods.quantiles import quantile

Array = NDArray[np.float64]
Whole = NDArray[np.int64]
FIRST_MONDAY = date(1969, 12, 29)
NO_EXPECTATION = "no expectation for this stratum"
NO_LAG = "the lag of its source is not known yet"
CELL = ("stratum", "source", "week")


def lagged_signals(
    reports: pl.DataFrame, expectations: pl.DataFrame, as_of: date, alpha: float = ALPHA, longest: int = LONGEST
) -> pl.DataFrame:
    """Each stratum as of the end of a day, over the weeks closed by then.

    In: `stratum`, `source`, `reference_date`, `known_date`, optionally `reports`; and `stratum`, `source`, `period`
    (Monday), `expected`, `phi`, one row per event week back to `longest` weeks. Out: one row per stratum: `stratum`,
    `period` (newest closed week), `observed`, `expected`, `upper`, `p_value`, `score`, `outcome`, `reason`, `by`,
    `window_first`, `window_last` (Mondays), `results_in`, `results_expected`, `results_in_words` (of the last 8 weeks).
    """
    newest = newest_closed(as_of)
    strata = pl.concat([expectations["stratum"], reports["stratum"]]).unique().sort()
    lag = delay_distribution(reports, as_of, WEEK, COHORTS, longest)
    cells = _cells(reports, expectations, lag, newest, longest)
    full = _matrices(cells, strata, newest, longest + 1)
    known, mean, phi = (full[name][:, -EVENT_WEEKS:] for name in ("known", "thinned", "ratio"))
    scanned = scan_event_weeks(known, mean, phi, alpha)
    p_report, due, due_phi = _report_week(full)
    p, by_report = judge(scanned, p_report, alpha)
    upper = np.where(by_report, _bound(alpha * REPORT_SHARE, due, due_phi), _window_bound(scanned, alpha))
    observed = np.where(by_report, full["arrived"].sum(axis=1), scanned.observed)
    expected = np.where(by_report, due, scanned.expected)
    frame = pl.DataFrame(
        {
            "stratum": strata,
            "observed": observed,
            "expected": expected,
            "upper": upper,
            "p_value": p,
            "score": np.divide(observed - expected, upper - expected, out=np.zeros_like(p), where=upper > expected),
            "_report": by_report,
            "_first": scanned.first - EVENT_WEEKS + 1 + newest,
            "_last": scanned.last - EVENT_WEEKS + 1 + newest,
        },
        nan_to_null=True,
    )
    return _said(frame, cells, lag, newest, alpha)


def _cells(
    reports: pl.DataFrame, expectations: pl.DataFrame, lag: pl.DataFrame, newest: int, longest: int
) -> pl.DataFrame:
    """One row per stratum, source and event week: known by now, known in the newest week, expected, ratio, shares."""
    number = pl.col("reports") if "reports" in reports.columns else pl.lit(1)
    seen = reports.select(
        "stratum",
        "source",
        period_number(pl.col("reference_date")).alias("week"),
        period_number(pl.col("known_date")).alias("known_in"),
        number.cast(pl.Float64).alias("n"),
    ).filter(pl.col("known_in").is_between(pl.col("week"), pl.min_horizontal(pl.col("week") + longest, pl.lit(newest))))
    counted = seen.group_by(CELL).agg(
        pl.col("n").sum().alias("known"), pl.col("n").filter(pl.col("known_in") == newest).sum().alias("arrived")
    )
    weeks = expectations.select(
        "stratum", "source", period_number(pl.col("period")).alias("week"), "expected", "phi"
    ).filter(pl.col("week").is_between(newest - longest, newest))
    shares = lag.select("source", "lag", "share_known", "reason")
    before = shares.select("source", pl.col("lag") + 1, pl.col("share_known").alias("share_before"))
    return (
        weeks.join(counted, on=CELL, how="left")
        .with_columns((newest - pl.col("week")).alias("lag"), pl.col("known", "arrived").fill_null(0.0))
        .join(shares, on=["source", "lag"], how="left")
        .join(before, on=["source", "lag"], how="left")
        .with_columns((pl.col("share_known") - pl.col("share_before").fill_null(0.0)).alias("share_now"))
    )


def _matrices(cells: pl.DataFrame, strata: pl.Series, newest: int, weeks: int) -> dict[str, Array]:
    """Strata x event weeks, oldest first, sources added up; weeks without an expectation are missing."""
    mean, phi = (cells[name].cast(pl.Float64).fill_null(np.nan).to_numpy() for name in ("expected", "phi"))
    share, now = (cells[name].cast(pl.Float64).fill_null(np.nan).to_numpy() for name in ("share_known", "share_now"))
    part, ratio = thinned(mean, phi, share)
    due, due_ratio = thinned(mean, phi, now)
    row = np.asarray(strata.search_sorted(cells["stratum"])) if cells.height else np.zeros(0, dtype=np.int64)
    column = weeks - 1 - (newest - cells["week"].to_numpy())
    made = {
        "known": cells["known"].to_numpy(),
        "arrived": cells["arrived"].to_numpy(),
        "thinned": part,
        "variance": part * ratio,
        "due": due,
        "due_variance": due * due_ratio,
    }
    full = {name: _added(values, row, column, (len(strata), weeks)) for name, values in made.items()}
    none = np.isnan(_added(np.ones(cells.height), row, column, (len(strata), weeks), empty=np.nan))
    for name in ("known", "thinned"):
        full[name] = np.where(none, np.nan, full[name])
    full["ratio"] = np.divide(
        full["variance"], full["thinned"], out=np.ones_like(full["variance"]), where=full["thinned"] > 0
    )
    return full


def _added(values: Array, row: Whole, column: Whole, shape: tuple[int, int], empty: float = 0.0) -> Array:
    total, touched = np.zeros(shape), np.zeros(shape, dtype=bool)
    np.add.at(total, (row, column), values)
    touched[row, column] = True
    return np.where(touched, total, empty)


def _report_week(full: dict[str, Array]) -> tuple[Array, Array, Array]:
    due = full["due"].sum(axis=1)
    ratio = np.divide(full["due_variance"].sum(axis=1), due, out=np.ones_like(due), where=due > 0)
    p, _, _ = arrivals_tail(full["arrived"].sum(axis=1), due[:, None], ratio[:, None], np.ones((due.size, 1)))
    return np.where(due > 0, p, np.nan), due, ratio


def _bound(alpha: float, mean: Array, phi: Array) -> Array:
    return quantile(1 - alpha, mean, phi)


def _window_bound(scanned: Scanned, alpha: float) -> Array:
    """Largest count of the window that would not speak: its own tail at the level that makes the joint one alpha."""
    number = len(windows(EVENT_WEEKS, LENGTHS))
    factor = np.divide(
        scanned.p_scan, scanned.p_window, out=np.full(scanned.p_scan.shape, float(number)), where=scanned.p_window > 0
    )
    levels = alpha * SCAN_SHARE / np.clip(np.nan_to_num(factor, nan=number), 1.0, number)
    found = np.full(levels.shape, np.nan)
    for level in np.unique(levels):
        mine = levels == level
        found[mine] = quantile(1 - level, scanned.expected[mine], scanned.phi[mine])
    return found


def _said(frame: pl.DataFrame, cells: pl.DataFrame, lag: pl.DataFrame, newest: int, alpha: float) -> pl.DataFrame:
    """Outcome, reason and words."""
    recent = cells.filter(pl.col("lag") < EVENT_WEEKS)
    coming = still_to_come(*(recent[name].cast(pl.Float64).fill_null(np.nan).to_numpy() for name in COMING))
    counted = (
        recent.with_columns(pl.Series("coming", coming, dtype=pl.Float64).fill_nan(0.0))
        .group_by("stratum")
        .agg(pl.col("known").sum().cast(pl.Int64), pl.col("coming").sum(), pl.col("share_known").is_null().any())
        .with_columns((pl.col("known") + pl.col("coming").round(0).cast(pl.Int64)).alias("results_expected"))
    )
    told = frame.join(counted, on="stratum", how="left").with_columns(
        pl.when(pl.col("known").is_null())
        .then(pl.lit(NO_EXPECTATION))
        .when(pl.col("p_value").is_null())
        .then(pl.lit(NO_LAG))
        .otherwise(pl.lit(""))
        .alias("reason")
    )
    answered = pl.col("reason") == ""
    words = [
        results_in_words(k, n) if k is not None else None
        for k, n in told.select("known", "results_expected").iter_rows()
    ]
    monday = pl.lit(FIRST_MONDAY)
    return told.select(
        "stratum",
        pl.lit(FIRST_MONDAY + timedelta(weeks=newest)).alias("period"),
        *(pl.when(answered).then(name).alias(name) for name in ("observed", "expected", "upper", "p_value", "score")),
        pl.when(~answered)
        .then(pl.lit("not evaluable"))
        .when(pl.col("p_value") <= alpha)
        .then(pl.lit("signal"))
        .otherwise(pl.lit("clear"))
        .alias("outcome"),
        "reason",
        pl.when(answered)
        .then(pl.when("_report").then(pl.lit("report week")).otherwise(pl.lit("event weeks")))
        .alias("by"),
        pl.when(answered & ~pl.col("_report")).then(monday + pl.duration(weeks="_first")).alias("window_first"),
        pl.when(answered & ~pl.col("_report")).then(monday + pl.duration(weeks="_last")).alias("window_last"),
        pl.col("known").alias("results_in"),
        "results_expected",
        pl.Series("results_in_words", words, dtype=pl.String),
    )


COMING = ("known", "expected", "phi", "share_known")
