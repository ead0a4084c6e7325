"""How often a signal like this one is expected by chance in a year of this deployment.

In: one row per signal with its p-value (and the share it was held against, or its q-value in a false-discovery tier),
how many strata its rule tested together and how many analyses that rule makes in a year. Out: the same rows with
`by_chance_per_year` and words. Never a probability that this signal is false: it counts what chance alone would bring.

Formula: at a fixed threshold, strata x analyses x p signals at least this unlikely are expected in a year when nothing
happens, whether or not the tests hang together, because expectations add up. It is exact for a tail that is uniform;
counts are discrete and reach less, so it is an upper figure. Signals of one episode are counted each, so it is an upper
figure for episodes too. In a false-discovery tier the false ones among those accepted are at most q x accepted at each
analysis, so q x accepted x analyses a year.

Source: linearity of expectation; Kleinman, Lazarus and Platt 2004, Am J Epidemiol 159:217-224 (recurrence intervals);
Benjamini and Hochberg 1995, theorem 1.
"""

from __future__ import annotations

import polars as pl

COUNTS = ("p_value", "strata", "analyses_per_year")


def expected_by_chance(signals: pl.DataFrame) -> pl.DataFrame:
    """Signals at least this unlikely that chance alone brings in a year.

    In: `p_value`, `strata`, `analyses_per_year`; where several windows shared one alpha, `share` (p / share is what
    counts, at most 1). For a false-discovery tier also `q_value` and `accepted_count` (accepted at this analysis);
    where q is given it decides. Out: the same rows with `by_chance_per_year` and `by_chance`, missing where p is.
    """
    share = pl.col("share") if "share" in signals.columns else pl.lit(1.0)
    alone = pl.min_horizontal(pl.col("p_value") / share, pl.lit(1.0)) * pl.col("strata") * pl.col("analyses_per_year")
    missing = pl.any_horizontal(pl.col(name).is_null() for name in COUNTS)
    rate: pl.Expr = pl.when(~missing).then(alone)
    if {"q_value", "accepted_count"} <= set(signals.columns):
        tier = pl.col("q_value") * pl.col("accepted_count") * pl.col("analyses_per_year")
        rate = pl.coalesce(tier, rate)
    found = signals.with_columns(rate.cast(pl.Float64).fill_nan(None).alias("by_chance_per_year"))
    return found.with_columns(words("by_chance_per_year").alias("by_chance"))


def signals_per_year(alpha: float, strata: int, analyses_per_year: float) -> float:
    """What a rule at this alpha brings by chance in a year over all its strata: the cost of switching it on."""
    return alpha * strata * analyses_per_year


def words(column: str) -> pl.Expr:
    """'about 3 a year', 'about once in 8 years', 'less than once in 100 years'; missing where the rate is."""
    rate = pl.col(column)
    years = (1 / rate).round(0).cast(pl.Int64, strict=False).cast(pl.String)
    yearly = rate.round(0).cast(pl.Int64, strict=False).cast(pl.String)
    return (
        pl.when(rate.is_null())
        .then(None)
        .when(rate < 0.01)
        .then(pl.lit("less than once in 100 years"))
        .when(rate < 2 / 3)
        .then(pl.concat_str(pl.lit("about once in "), years, pl.lit(" years")))
        .when(rate < 1.5)
        .then(pl.lit("about once a year"))
        .otherwise(pl.concat_str(pl.lit("about "), yearly, pl.lit(" a year")))
    )


def in_words(rate: float) -> str:
    """The same for one rate."""
    if rate < 0.01:
        return "less than once in 100 years"
    if rate < 2 / 3:
        return f"about once in {round(1 / rate)} years"
    return "about once a year" if rate < 1.5 else f"about {round(rate)} a year"
