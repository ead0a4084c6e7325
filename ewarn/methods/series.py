"""Counts as frames and as matrices.

In: one row per stratum and period (`stratum`, `period` as a date, `observed`; a period without reports is a row with 0,
a suppressed or missing cell is null or absent). Out: a matrix of strata x consecutive periods with NaN for what is
missing, and verdicts put back beside their rows. Never a zero for a missing cell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ewarn.methods.verdicts import Vector, Verdicts

Period = Literal["1d", "1w", "1mo"]
Judge = Callable[[Vector, list[int], list[date]], Verdicts]
KEYS = ("stratum", "period")


@dataclass(frozen=True, eq=False)
class Matrix:
    """Strata x consecutive periods; NaN where a cell is missing."""

    strata: pl.Series
    periods: list[date]
    values: Vector


def matrix(counts: pl.DataFrame, period: Period = "1w", value: str = "observed") -> Matrix:
    """The counts of every stratum over all periods from the first to the last.

    Raises: ValueError when a stratum has two rows for a period, or a date does not start a period.
    """
    strata = counts["stratum"].unique().sort()
    if not counts.height:
        return Matrix(strata, [], np.empty((0, 0)))
    first, last = counts["period"].min(), counts["period"].max()
    calendar = pl.date_range(pl.lit(first), pl.lit(last), period, eager=True).cast(pl.Date)
    days = counts["period"].cast(pl.Date)
    if not days.is_in(calendar.implode()).all():
        raise ValueError(f"dates are not {period} apart")
    rows, columns = strata.search_sorted(counts["stratum"]), calendar.search_sorted(days)
    place: NDArray[np.int64] = rows.to_numpy().astype(np.int64) * calendar.len() + columns.to_numpy()
    if np.unique(place).size < place.size:
        raise ValueError("a stratum has two rows for one period")
    values = np.full(strata.len() * calendar.len(), np.nan)
    values[place] = counts[value].cast(pl.Float64).fill_null(np.nan).to_numpy()
    return Matrix(strata, calendar.to_list(), values.reshape(strata.len(), -1))


def judged(counts: pl.DataFrame, judge: Judge, period: Period = "1w", last: int | None = None) -> pl.DataFrame:
    """The rows of the `last` periods (all when not given) with their verdicts.

    Out: the columns of `counts` and `expected`, `upper`, `p_value`, `score`, `outcome` (signal, clear, not evaluable),
    `reason`; rows in their order.
    """
    held = matrix(counts, period)
    start = 0 if last is None else max(0, len(held.periods) - last)
    places = list(range(start, len(held.periods)))
    found = judge(held.values, places, held.periods) if places else Verdicts.empty(0, 0)
    frame = _framed(held, places, found).with_columns(pl.col("stratum").cast(counts.schema["stratum"]))
    wanted = counts.with_row_index("_row").with_columns(pl.col("period").cast(pl.Date))
    return wanted.join(frame, on=KEYS, how="inner").sort("_row").drop("_row")


def _framed(held: Matrix, places: list[int], found: Verdicts) -> pl.DataFrame:
    numbers = {
        name: pl.Series(getattr(found, name).ravel(), dtype=pl.Float64).fill_nan(None)
        for name in ("expected", "upper", "p_value", "score")
    }
    words = {
        "outcome": pl.Series(found.outcome.ravel().tolist(), dtype=pl.String),
        "reason": pl.Series(found.words.ravel().tolist(), dtype=pl.String),
    }
    series, order = np.divmod(np.arange(found.reason.size), max(1, len(places)))
    return pl.DataFrame(
        {
            "stratum": held.strata.gather(series),
            "period": pl.Series([held.periods[places[i]] for i in order], dtype=pl.Date),
            **numbers,
            **words,
        }
    )
