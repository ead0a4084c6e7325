"""False-discovery tiers: which of many tests of one run are accepted, tier by tier.

In: exact upper-tail p-values, one row per stratum tested, with the run and the tier each belongs to. Out: the same rows
in the same order with `tests` (how many were tested together), `q_value` and `accepted`. Never a distance to a bound in
place of a p-value, and never an untested stratum as rejected: where p is missing, q and accepted are missing too.

Counts are discrete, so exact tails are larger than uniform ones and the plain step-up is conservative. Two refinements
are offered: `mid_p`, which gives half the probability of the count itself back, and `discrete_q_values`, which counts
how likely each stratum can reach a threshold at all.

Source: Benjamini and Hochberg 1995, JRSS B 57:289-300, procedure (1); Lancaster 1961, JASA 56:223-234 (mid-p); Heyse
2011, in Recent Advances in Biostatistics, pp. 43-58, and Doehler, Durand and Roquain 2018, EJS 12:1867-1900
(discrete step-up).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ewarn.methods.tails import upper_tail

Vector = NDArray[np.float64]
LEVEL = 0.05


def discoveries(
    tested: pl.DataFrame, level: float = LEVEL, by: Sequence[str] = ("run", "tier"), p: str = "p_value"
) -> pl.DataFrame:
    """Benjamini-Hochberg within each run and tier.

    In: one row per stratum tested; columns `by` and `p`. Out: the same rows with `tests`, `q_value` and `accepted`.
    q is the smallest level at which the row is accepted; `accepted` is q <= level.
    """
    usable = pl.col(p).is_between(0, 1)
    ranked = (
        tested.with_row_index("_row")
        .with_columns(pl.when(usable).then(pl.col(p)).cast(pl.Float64).alias("_p"))
        .sort("_p", nulls_last=True, maintain_order=True)
    )
    groups: list[str | pl.Expr] = [*by] or [pl.lit(0)]
    number = pl.col("_p").count()
    rank = pl.int_range(1, pl.len() + 1)
    raw = (pl.col("_p") * number / rank).cum_min(reverse=True)
    return (
        ranked.with_columns(number.over(groups).cast(pl.Int64).alias("tests"), raw.over(groups).alias("_q"))
        .with_columns(pl.when(pl.col("_p").is_not_null()).then(pl.min_horizontal("_q", pl.lit(1.0))).alias("q_value"))
        .with_columns((pl.col("q_value") <= level).alias("accepted"))
        .sort("_row")
        .drop("_row", "_p", "_q")
    )


def q_values(p: Vector) -> Vector:
    """Benjamini-Hochberg along the last axis: every row of a matrix is one run. NaN was not tested and stays NaN."""
    order = np.argsort(p, axis=-1, kind="stable")  # NaN sorts last
    ranked = np.take_along_axis(p, order, -1)
    number = np.isfinite(p).sum(axis=-1, keepdims=True)
    raw = ranked * number / np.arange(1, p.shape[-1] + 1)
    return _back_in_place(raw, order, p)


def mid_p(observed: Vector, mean: Vector, phi: Vector) -> Vector:
    """P(Y > y) + P(Y = y)/2: nearer to uniform than the exact tail, and no longer sure to be at most its level."""
    above: Vector = upper_tail(observed + 1, mean, phi)
    return 0.5 * (above + upper_tail(observed, mean, phi))


def discrete_q_values(p: Vector, mean: Vector, phi: Vector, ceiling: float = 0.5) -> Vector:
    """Step-up on sums of what each stratum can attain: q_(k) = min over j >= k of sum_i F_i(p_(j)) / j.

    F_i(t) is the largest tail probability of stratum i that is at most t, so F_i(t) <= t and no q is above the plain
    one. In: one run (vectors of one length). Rows with p above `ceiling` are no candidates and get the plain q.
    """
    plain = q_values(p)
    tested = np.flatnonzero(np.isfinite(p) & np.isfinite(mean) & np.isfinite(phi))
    candidates = tested[p[tested] <= ceiling]
    if not candidates.size:
        return plain
    order = candidates[np.argsort(p[candidates], kind="stable")]
    thresholds, place = np.unique(p[order], return_inverse=True)
    sums = _attainable(thresholds, mean[tested], phi[tested])[place]
    raw = sums / np.arange(1, order.size + 1)
    found = plain.copy()
    after = plain[tested][p[tested] > ceiling]
    raw = np.append(raw, after.min() if after.size else 1.0)
    found[order] = np.minimum(np.minimum.accumulate(raw[::-1])[::-1][:-1], plain[order])
    return found


def _attainable(thresholds: Vector, mean: Vector, phi: Vector) -> Vector:
    """For each threshold (ascending) the sum over strata of the largest attainable tail at or below it.

    One count after another: the tail of count c serves the thresholds from itself up to the tail of c - 1. Strata whose
    tail has passed the least threshold are done.
    """
    kinds, number = np.unique(np.column_stack([mean, phi]), axis=0, return_counts=True)
    change = np.zeros(thresholds.size + 1)
    last = np.full(number.size, thresholds.size)
    count = 0.0
    while number.size:
        tail = upper_tail(count, kinds[:, 0], kinds[:, 1])
        first = np.searchsorted(thresholds, tail * (1 - 1e-12))
        np.add.at(change, first, number * tail)
        np.add.at(change, last, -number * tail)
        going = first > 0
        kinds, number, last, count = kinds[going], number[going], first[going], count + 1
    return np.cumsum(change)[:-1]


def _back_in_place(raw: Vector, order: NDArray[np.int64], p: Vector) -> Vector:
    filled = np.where(np.isfinite(raw), raw, np.inf)
    least = np.minimum(np.minimum.accumulate(filled[..., ::-1], axis=-1)[..., ::-1], 1.0)
    found = np.empty_like(p, dtype=np.float64)
    np.put_along_axis(found, order, least, -1)
    return np.where(np.isfinite(p), found, np.nan)
