"""The history ladder: which methods a stratum's history can carry.

In: one row per stratum with its weeks of history and mean per week. Out: one row per stratum and method with `usable`
and the reason, and for each stratum the method to `lead`. Every stratum has at least one usable method, whatever its
history: what cannot be judged by one method is judged by another, and a method that cannot judge says why.

Rungs: fewer than 26 weeks, mean and CUSUM; from 26 weeks EARS as well; from 4 years (four times 52 weeks and the half
width of the window) Farrington Flexible; a sparse series at any age the empirical-Bayes scan; a baseline of zeros at
any age the predictive tail of `zeros`, so that the first cases always have an answer.

Source: METHODS "History ladder"; sparse is Farrington's own limit, fewer than 5 reports in 4 weeks (Farrington et al.
1996, JRSS A 159:547-563), read as a mean.
"""

from __future__ import annotations

import polars as pl

EARS_WEEKS = 26
FARRINGTON_YEARS, YEAR_WEEKS, HALF_WIDTH = 4, 52, 3
FARRINGTON_WEEKS = FARRINGTON_YEARS * YEAR_WEEKS + HALF_WIDTH
SPARSE_MEAN = 5 / 4
METHODS = ("farrington", "ears", "cusum", "ebt", "zeros")

WEEKS, MEAN = pl.col("weeks"), pl.col("mean_per_week")


def ladder(history: pl.DataFrame) -> pl.DataFrame:
    """Which methods each stratum can carry.

    In: `stratum`, `weeks` (complete weeks before the one to judge), `mean_per_week` (missing when there is no week).
    Out: one row per stratum and method, strata in the order given: `stratum`, `method`, `usable`, `lead`, `reason`.
    """
    facts = history.select("stratum", WEEKS.fill_null(0).cast(pl.Int64), MEAN.cast(pl.Float64).fill_nan(None))
    rungs = pl.concat([_rung(facts, method, place) for place, method in enumerate(METHODS)])
    ordered = rungs.sort("_row", "_place")
    return ordered.select("stratum", "method", "usable", (pl.col("method") == pl.col("_lead")).alias("lead"), "reason")


def _rung(facts: pl.DataFrame, method: str, place: int) -> pl.DataFrame:
    usable, reason = _judged(method)
    return facts.with_row_index("_row").select(
        "_row",
        pl.lit(place).alias("_place"),
        "stratum",
        pl.lit(method).alias("method"),
        usable.alias("usable"),
        reason.alias("reason"),
        _lead().alias("_lead"),
    )


def _lead() -> pl.Expr:
    """Zeros before everything, sparse before long: Farrington Flexible is blind where counts are few."""
    return (
        pl.when(_empty())
        .then(pl.lit("zeros"))
        .when(MEAN < SPARSE_MEAN)
        .then(pl.lit("ebt"))
        .when(WEEKS >= FARRINGTON_WEEKS)
        .then(pl.lit("farrington"))
        .when(WEEKS >= EARS_WEEKS)
        .then(pl.lit("ears"))
        .otherwise(pl.lit("cusum"))
    )


def _empty() -> pl.Expr:
    return (WEEKS == 0) | MEAN.is_null() | (MEAN <= 0)


def _judged(method: str) -> tuple[pl.Expr, pl.Expr]:
    """Whether the method can be used, and why or why not."""
    weeks = WEEKS.cast(pl.String)
    history = pl.concat_str(weeks, pl.when(WEEKS == 1).then(pl.lit(" week")).otherwise(pl.lit(" weeks")))
    zeros = pl.lit("no reports in the whole baseline")
    if method == "zeros":
        other = pl.lit("the baseline holds reports")
        return _empty(), pl.when(_empty()).then(zeros).otherwise(other)
    if method == "ebt":
        sparse = _empty() | (MEAN < SPARSE_MEAN)
        few = pl.lit("sparse: fewer than 5 reports in 4 weeks on average")
        none = pl.when(WEEKS == 0).then(pl.lit("no history: region and class say what to expect"))
        return sparse, none.when(sparse).then(few).otherwise(pl.lit("not sparse: 5 reports or more in 4 weeks"))
    least = {"farrington": FARRINGTON_WEEKS, "ears": EARS_WEEKS, "cusum": 1}[method]
    enough = pl.concat_str(history, pl.lit(f" of history, {least} needed"))
    long_enough = WEEKS.ge(least)
    return long_enough & ~_empty(), pl.when(long_enough & _empty()).then(zeros).otherwise(enough)
