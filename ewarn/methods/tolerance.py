"""Highest known: a measured amount above everything measured before, and above a robust bound of it.

In: amounts in one unit, in the order in which they became known. Out: for each the highest before, a robust upper bound
and how likely it is by chance that the newest is the highest. With too few before, not evaluable. Never an amount that
is missing, zero or below zero taken for a measurement.

The bound is the median of the logarithms plus z times 1.4826 times their median absolute deviation (never less than a
tenth): amounts are skewed, and one wild value must not hide the next. That the newest of n + 1 exchangeable amounts is
the highest has probability 1 / (n + 1), whatever their distribution.

Source: Hampel F. R. (1974) JASA 69:383-393 (median absolute deviation); Renyi A. (1962) Annales de la Faculte des
sciences de Clermont 8:7-13, theorem 1 (records).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
LEAST_SPREAD = float(np.log(1.1))
TO_SIGMA = 1.4826
TOO_FEW = "too few amounts were known before"
MISSING = "no amount is given"


class Bound(NamedTuple):
    """What an amount has to pass: the highest before and the robust bound; and how many there were."""

    highest: float
    robust: float
    number: int

    @property
    def upper(self) -> float:
        return max(self.highest, self.robust)

    @property
    def p_value(self) -> float:
        """Probability that the next of exchangeable amounts is the highest."""
        return 1 / (self.number + 1)


def bound(earlier: ArrayLike, z: float = 3.0) -> Bound:
    """The bound that some earlier amounts set; without any, nothing is high enough."""
    amounts = np.asarray(earlier, dtype=np.float64)
    amounts = amounts[np.isfinite(amounts) & (amounts > 0)]
    if not amounts.size:
        return Bound(np.inf, np.inf, 0)
    logs = np.log(amounts)
    middle = float(np.median(logs))
    spread = max(TO_SIGMA * float(np.median(np.abs(logs - middle))), LEAST_SPREAD)
    return Bound(float(amounts.max()), float(np.exp(middle + z * spread)), int(amounts.size))


def highest_known(amounts: pl.DataFrame, least: int = 8, z: float = 3.0) -> pl.DataFrame:
    """The same on frames.

    In: one row per amount: `stratum`, `period` (when it became known; amounts of one period never judge each other),
    `observed`. Out: the same rows with `expected` (median before), `upper`, `p_value`, `score` (observed / upper),
    `outcome` and `reason`.
    """
    rows = amounts.with_row_index("_row")
    columns = ("expected", "upper", "p_value", "score")
    schema = {"_row": pl.UInt32, **dict.fromkeys(columns, pl.Float64), "outcome": pl.String, "reason": pl.String}
    judged = [
        _judged(row, value, before, least, z)
        for part in rows.partition_by("stratum")
        for row, value, before in _with_before(part)
    ]
    answers = pl.DataFrame(judged, schema=schema, orient="row")
    return rows.join(answers, on="_row", how="left", maintain_order="left").drop("_row")


def _with_before(part: pl.DataFrame) -> list[tuple[int, float, Floats]]:
    """Each row's number and amount, and the amounts of earlier periods."""
    ordered = part.sort("period", "_row")
    values = ordered["observed"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    first = np.searchsorted(ordered["period"].to_numpy(), ordered["period"].to_numpy(), side="left")
    numbers = ordered["_row"].to_list()
    return [(numbers[i], float(values[i]), values[: first[i]]) for i in range(len(numbers))]


def _judged(row: int, value: float, before: Floats, least: int, z: float) -> tuple[object, ...]:
    if not np.isfinite(value) or value <= 0:
        return (row, None, None, None, None, "not evaluable", MISSING)
    found = bound(before, z)
    if found.number < least:
        return (row, None, None, None, None, "not evaluable", TOO_FEW)
    known = before[np.isfinite(before) & (before > 0)]
    outcome = "signal" if value > found.upper else "clear"
    p = (1 + float((known >= value).sum())) / (found.number + 1)
    return (row, float(np.median(known)), found.upper, p, value / found.upper, outcome, "")
