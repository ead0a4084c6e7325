"""Dense counts as known at the ground's instant: one row per stratum and period, periods without a record as 0.

In: the ground and a rule (which kinds, subjects and tiers). Out: frames. The strata are every area from which anything
of these kinds is known, times every watched subject found anywhere: where something is looked for and not found, that
is a zero; where nobody looked, there is no row. A record is placed once per tier. Never a record that was known later
than the instant asked, and never aggregated counts beside listed lines. `store.periods` gives the same numbers of one
area out of the database, `store.tallies` those of now out of memory.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from ewarn.catalogue import Catalogue
from ewarn.catalogue.definitions import RuleDefinition
from ewarn.rules.counts import period_expr, period_of, starts_on, subjected
from ewarn.rules.prepare import STRATUM, SUBJECT, VERSION, Ground, london_day, subjects_of
from ewarn.terms import RecordKind

CELL = [*STRATUM, "period"]
TESTED = {name: pl.Date if name == "period" else pl.String for name in CELL} | {
    "observed": pl.Int64,
    "tested": pl.Int64,
}


def question(rule: RuleDefinition, catalogue: Catalogue) -> dict[str, Any]:
    """What `store.periods` and `store.tallies` must be told to count the same."""
    substances = [
        {"substance": name, "class_id": catalogue.class_of.get(name), "counts": substance.watch is not False}
        for name, substance in catalogue.substances.items()
    ]
    return {
        "kinds": [kind.value for kind in rule.kinds if kind is not RecordKind.COUNT],
        "tiers": [tier.value for tier in rule.tiers],
        "areas": catalogue.areas.select("code", "tier", "parent"),
        "substances": pl.DataFrame(
            substances, schema={"substance": pl.String, "class_id": pl.String, "counts": pl.Boolean}
        ),
        "subjects": None if rule.subjects == "none" else subjects_of(rule, catalogue),
    }


def counted(rule: RuleDefinition, ground: Ground, first: date, last: date, period_days: int = 7) -> pl.DataFrame:
    """Records per stratum and period.

    Out: STRATUM, `period` (its first day) and `observed`, from the period of `first` to that of `last`, sorted. Periods
    of 7 days are ISO weeks; the day is the record's reference date (Europe/London).
    """
    placed = _current(subjected(rule, ground), ground).join(_named(rule, ground), on=VERSION)
    return _filled(placed, _areas(rule, ground), "observed", first, last, period_days)


def tested(rule: RuleDefinition, ground: Ground, first: date, last: date, period_days: int = 7) -> pl.DataFrame:
    """As `counted`, with `tested`: the records of these kinds in the same area and period, whatever was found in them.

    The denominator of positivity; a period in which nothing was tested has 0 and no positivity.
    """
    found = counted(rule, ground, first, last, period_days)
    every = _of_kinds(rule, ground).with_columns(period=period_expr("reference_date", period_days))
    every = _current(every, ground).join(_named(rule, ground), on=VERSION)
    total = every.group_by("area", "tier", "period").agg(tested=pl.col("record_id").n_unique())
    total = total.with_columns(period=_first_day(period_days))
    joined = found.join(total, on=["area", "tier", "period"], how="left")
    return joined.with_columns(pl.col("tested").fill_null(0).cast(pl.Int64)).sort(CELL)


def around(counts: pl.DataFrame, neighbours: pl.DataFrame) -> pl.DataFrame:
    """Counts of every area together with those that border it; the rows an area had of its own stay in."""
    own = counts.select("area").unique().select(area="area", near="area")
    pairs = pl.concat([own, neighbours.select(area="code", near="neighbour").join(own, on="area", how="semi")]).unique()
    near = counts.rename({"area": "near"}).join(pairs, on="near")
    numbers = [name for name in ("observed", "tested") if name in counts.columns]
    return near.group_by(CELL).agg(pl.col(numbers).sum()).sort(CELL)


def backlog(rule: RuleDefinition, ground: Ground) -> pl.DataFrame:
    """Records by the month they are of and the month they became known, per stratum: what a quiet newest month hides.

    Out: STRATUM, `reference_month`, `known_month` (first days), `observed`; months without records are left out.
    """
    rows = subjected(rule, ground)
    first = rows.group_by("record_id", *SUBJECT).agg(known_month=london_day("visible_from").min().dt.truncate("1mo"))
    placed = _current(rows, ground).join(_named(rule, ground), on=VERSION).join(first, on=["record_id", *SUBJECT])
    months = placed.with_columns(reference_month=pl.col("reference_date").dt.truncate("1mo"))
    over = [*STRATUM, "reference_month", "known_month"]
    return months.group_by(over).agg(observed=pl.col("record_id").n_unique().cast(pl.Int64)).sort(over)


def _of_kinds(rule: RuleDefinition, ground: Ground) -> pl.DataFrame:
    kinds = [kind.value for kind in rule.kinds if kind is not RecordKind.COUNT]
    return ground.of_kinds(kinds)


def _current(rows: pl.DataFrame, ground: Ground) -> pl.DataFrame:
    """The versions that stand at the instant asked."""
    return rows.filter(pl.col("visible_to") > ground.until)


def _named(rule: RuleDefinition, ground: Ground) -> pl.DataFrame:
    return ground.named.filter(pl.col("tier").is_in([tier.value for tier in rule.tiers]))


def _areas(rule: RuleDefinition, ground: Ground) -> pl.DataFrame:
    """Areas from which anything of these kinds is known."""
    rows = _current(_of_kinds(rule, ground), ground).join(_named(rule, ground), on=VERSION)
    return rows.select("area", "tier").unique()


def _filled(
    rows: pl.DataFrame, areas: pl.DataFrame, name: str, first: date, last: date, period_days: int
) -> pl.DataFrame:
    """Every subject in every area and period, with the number of records or 0."""
    numbers = range(period_of(first, period_days), period_of(last, period_days) + 1)
    calendar = pl.DataFrame({"period": [starts_on(n, period_days) for n in numbers]}, schema={"period": pl.Date})
    grid = rows.select(SUBJECT).unique().join(areas, how="cross").join(calendar, how="cross")
    rows = rows.with_columns(period=period_expr("reference_date", period_days)).with_columns(
        period=_first_day(period_days)
    )
    found = rows.group_by(CELL).agg(pl.col("record_id").n_unique().alias(name))
    return (
        grid.join(found, on=CELL, how="left")
        .with_columns(pl.col(name).fill_null(0).cast(pl.Int64))
        .select(*CELL, name)
        .sort(CELL)
    )


def _first_day(period_days: int) -> pl.Expr:
    return pl.lit(starts_on(0, period_days)) + pl.duration(days=pl.col("period") * period_days)
