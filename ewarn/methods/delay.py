"""Reporting lag: how much of what happened is known by now, and what may be expected in what is known.

In: one row per report (source, the day it happened, the day it became known; several at once with `reports`) and the
day of asking. Out: per source and lag the share known by then; expectations thinned by it; and how many of the expected
results are in. Never an inflated count: what has not come in is not seen. Never the future: rows known after the day of
asking are left out, and only periods closed by then count.

The share F comes from reverse hazards: of the reports with lag up to d, from periods old enough to show lag d, g(d) is
the share with lag exactly d, and F(d) is the product of 1 - g(j) over j > d. Recent periods, which can show short lags
only, are used without bias (right truncation). A source with few reports is shrunk towards all sources together:
g = (n + k g_all)/(N + k), with k = 20 reports unless said. F speaks of what is known within `longest` periods.

Thinning: if Y has mean m and variance phi m, and each event is known with chance F, then what is known has mean m F and
variance (1 + (phi - 1)F) m F, and is negative binomial where Y is.

Source: Lawless 1994, Canadian Journal of Statistics 22:15-31; Kalbfleisch and Lawless 1991, Statistica
Sinica 1:19-32 (reverse hazards); Brookmeyer and Damiano 1989, Statistics in Medicine 8:23-34.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
COHORTS = 26
LONGEST = 16
PRIOR_REPORTS = 20.0
LEAST_REPORTS = 5
WEEK = 7
MONDAY_OFFSET = 3  # 1970-01-01 was a Thursday: day numbers count from Monday 1969-12-29


def newest_closed(as_of: date, period_days: int = WEEK) -> int:
    """Number of the newest period that is over at the end of `as_of`; weeks run from Monday to Sunday."""
    return (as_of.toordinal() - date(1969, 12, 29).toordinal() + 1) // period_days - 1


def period_number(day: pl.Expr, period_days: int = WEEK) -> pl.Expr:
    """Number of the period a day lies in."""
    return (day.cast(pl.Date).cast(pl.Int64) + MONDAY_OFFSET) // period_days


def delay_distribution(
    reports: pl.DataFrame,
    as_of: date,
    period_days: int = WEEK,
    cohorts: int = COHORTS,
    longest: int = LONGEST,
    prior_reports: float = PRIOR_REPORTS,
) -> pl.DataFrame:
    """Share known by lag, per source, as of a day.

    In: `source`, `reference_date`, `known_date`, optionally `reports` (number of reports the row stands for). Out: one
    row per source and lag 0..longest in periods: `source`, `lag`, `share_known`, `own_share` (not shrunk; missing where
    the source shows no lag), `reports` (used for this source), `reason` (empty, or why there is no answer).
    """
    longest = min(longest, cohorts - 1)
    seen = _as_known(reports, as_of, period_days, cohorts, longest)
    sources = reports.get_column("source").drop_nulls().unique().sort()
    counts = _counted(seen, sources, cohorts, longest)
    shrunk, own = learnt_shares(counts, prior_reports)
    enough = counts.sum() >= LEAST_REPORTS
    share = shrunk if enough else np.full_like(shrunk, np.nan)
    own[counts.sum(axis=(1, 2)) == 0] = np.nan
    lags = longest + 1
    return pl.DataFrame(
        {
            "source": np.repeat(sources.to_numpy(), lags),
            "lag": np.tile(np.arange(lags), len(sources)),
            "share_known": share.ravel(),
            "own_share": own.ravel(),
            "reports": np.repeat(counts.sum(axis=(1, 2)).astype(np.int64), lags),
        },
        schema_overrides={"source": pl.String, "lag": pl.Int64},
        nan_to_null=True,
    ).with_columns(
        pl.when(pl.lit(enough))
        .then(pl.lit(""))
        .otherwise(pl.lit(f"fewer than {LEAST_REPORTS} reports to learn the lag from"))
        .alias("reason")
    )


def learnt_shares(counts: Array, prior_reports: float = PRIOR_REPORTS) -> tuple[Array, Array]:
    """Share known by lag, shrunk and each source's own, from reports by source, age of the cohort and lag.

    Only what could be known by now may be counted: a cohort of age a holds lags up to a.
    """
    hit, risk = _reverse(counts, counts.shape[2] - 1)
    pooled = _ratio(hit.sum(axis=0), risk.sum(axis=0))
    shrunk = (hit + prior_reports * pooled) / np.maximum(risk + prior_reports, 1e-300)
    return _share(shrunk), _share(_ratio(hit, risk))


def _as_known(reports: pl.DataFrame, as_of: date, period_days: int, cohorts: int, longest: int) -> pl.DataFrame:
    """Source, age of the cohort and lag, both in periods; nothing that was not known, and nothing older."""
    newest = newest_closed(as_of, period_days)
    number = pl.col("reports") if "reports" in reports.columns else pl.lit(1)
    happened = period_number(pl.col("reference_date"), period_days)
    known = period_number(pl.col("known_date"), period_days)
    rows = reports.select(
        "source", (newest - happened).alias("age"), (known - happened).alias("lag"), number.alias("n")
    )
    return rows.filter(
        pl.col("source").is_not_null(),
        pl.col("age").is_between(0, cohorts - 1),
        pl.col("lag").is_between(0, longest),
        pl.col("lag") <= pl.col("age"),
    )


def _counted(seen: pl.DataFrame, sources: pl.Series, cohorts: int, longest: int) -> Array:
    """Reports by source, age of the cohort and lag."""
    counts: Array = np.zeros((len(sources), cohorts, longest + 1))
    if seen.height:
        place = np.asarray(sources.search_sorted(seen["source"]))
        np.add.at(counts, (place, seen["age"].to_numpy(), seen["lag"].to_numpy()), seen["n"].to_numpy())
    return counts


def _reverse(counts: Array, longest: int) -> tuple[Array, Array]:
    """Per source and lag d: reports with lag d, and with lag up to d, of cohorts at least d periods old."""
    old_enough = np.arange(counts.shape[1])[:, None] >= np.arange(longest + 1)
    hit = np.where(old_enough, counts, 0.0).sum(axis=1)
    risk = np.where(old_enough, np.cumsum(counts, axis=2), 0.0).sum(axis=1)
    return hit, risk


def _ratio(hit: Array, risk: Array) -> Array:
    """Reverse hazard; the share with lag 0 among those with lag up to 0 is all of them."""
    return np.divide(hit, risk, out=np.zeros_like(hit), where=risk > 0)


def _share(hazard: Array) -> Array:
    """F(d), the product over longer lags of 1 - g: increasing, 1 at the longest lag."""
    longer = np.cumprod((1.0 - hazard[..., :0:-1]), axis=-1)[..., ::-1]
    return np.concatenate([longer, np.ones((*hazard.shape[:-1], 1))], axis=-1)


def thinned(mean: ArrayLike, phi: ArrayLike, share: ArrayLike) -> tuple[Array, Array]:
    """Mean and variance-to-mean ratio of the part that is known: m F and 1 + (phi - 1)F."""
    part = np.asarray(share, dtype=np.float64)
    return np.asarray(mean, dtype=np.float64) * part, 1.0 + (np.asarray(phi, dtype=np.float64) - 1.0) * part


def still_to_come(known: ArrayLike, mean: ArrayLike, phi: ArrayLike, share: ArrayLike) -> Array:
    """Reports of a period expected to come in yet, given how many are known.

    The period's rate is Gamma with the mean and variance that make the count negative binomial; what is known moves it.
    At phi = 1 the rate is held to be known, and known reports change nothing.
    """
    m, wide, part = (np.asarray(x, dtype=np.float64) for x in (mean, np.asarray(phi) - 1.0, share))
    rate = (m + np.asarray(known) * wide) / (1.0 + part * wide)
    return np.asarray(rate * (1.0 - part))


def results_in(known: ArrayLike, mean: ArrayLike, phi: ArrayLike, share: ArrayLike) -> tuple[int, int]:
    """k of n: results in, and results expected in the end, of the periods given. n is never below k."""
    counts = np.asarray(known, dtype=np.float64)
    k = int(np.nansum(counts))
    coming = float(np.nansum(still_to_come(counts, mean, phi, share)))
    return k, k + round(coming)


def results_in_words(k: int, n: int) -> str:
    """'3 of about 8 expected results are in.'"""
    if n <= 0:
        return "No results are expected yet, and none is in."
    if k >= n:
        return f"All of about {n} expected {'result is' if n == 1 else 'results are'} in."
    return f"{k} of about {n} expected {'result is' if n == 1 else 'results are'} in."


def shares(distribution: pl.DataFrame, source: str, ages: ArrayLike) -> Any:
    """Share known of cohorts of these ages in periods; 1 beyond the longest lag, NaN where the lag was not learnt."""
    own = distribution.filter(pl.col("source") == source).sort("lag").get_column("share_known")
    learnt = own.cast(pl.Float64).fill_null(np.nan).to_numpy()
    age = np.asarray(ages, dtype=np.int64)
    if not learnt.size:
        return np.full(age.shape, np.nan)
    return learnt[np.clip(age, 0, learnt.size - 1)]
