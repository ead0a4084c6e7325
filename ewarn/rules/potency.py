"""Potency: a measured amount of a watched substance above all that was known before, for its form, in an area.

In: the ground. Out: spells, one per record, substance and area, and what had no answer. Amounts are compared in one
unit only. It says 'highest known' and the amounts; never how many times stronger something is.

Source: `ewarn.methods.tolerance`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from ewarn.catalogue.definitions import RuleDefinition
from ewarn.frames import empty, spelt
from ewarn.matching import looks, units
from ewarn.methods import tolerance
from ewarn.rules.prepare import (
    DETECTED,
    STRATUM,
    VERSION,
    Ground,
    article,
    day_text,
    known,
    number,
    of_one_record,
    place,
    plural,
    subjects_of,
)
from ewarn.terms import MentionKind, NotEvaluable, SubjectKind

SERIES = [*STRATUM, "form", "unit"]
CARRIED = ("reference_date", "presumptive", "age_days", "max_age_days", "kind", "certain")


def spells(rule: RuleDefinition, ground: Ground) -> tuple[pl.DataFrame, list[NotEvaluable]]:
    """Spells of amounts above all known before.

    Numbers: `least` 8 earlier amounts of the substance, form and unit in the area, below which there is no answer; `z`
    3 robust standard deviations of the logarithm that it must pass as well.
    """
    measured = _measured(rule, ground)
    if measured.is_empty():
        return empty("spells"), [_unanswered(rule, "no concentration in a known unit", 1)]
    rows: list[dict[str, Any]] = []
    short = 0
    for series in measured.partition_by(SERIES, maintain_order=True):
        short += series["record_id"].n_unique() <= number(rule, "least", 8)
        rows += _of_series(rule, ground, series)
    missing = [_unanswered(rule, tolerance.TOO_FEW, short)] if short else []
    return spelt(rows), missing


def _unanswered(rule: RuleDefinition, reason: str, strata: int) -> NotEvaluable:
    return NotEvaluable(rule=rule.id, family=rule.family, reason=reason, strata=strata)


def _measured(rule: RuleDefinition, ground: Ground) -> pl.DataFrame:
    """One row per record, substance, area and amount: the highest where a version gives several."""
    wanted = [s for s in subjects_of(rule, ground.catalogue) if s in ground.catalogue.substances]
    roles = [role.value for role in DETECTED]
    given = ground.mentions.filter(
        (pl.col("mention_kind") == MentionKind.SUBSTANCE)
        & pl.col("subject").is_in(wanted)
        & pl.col("role").is_in(roles)
    ).drop_nulls("concentration")
    converted = [units.amount(value, unit) for value, unit in given.select("concentration", "unit").iter_rows()]
    given = given.with_columns(
        amount=pl.Series([a.value if a else None for a in converted], dtype=pl.Float64),
        unit=pl.Series([a.unit if a else None for a in converted], dtype=pl.String),
        subject_kind=pl.lit(SubjectKind.SUBSTANCE.value),
        presumptive=pl.col("presumptive").fill_null(False),
    ).drop_nulls("amount")
    given = given.group_by(*VERSION, "subject_kind", "subject", "unit").agg(
        pl.col("amount").max(), pl.col("presumptive").all()
    )
    kinds = [k.value for k in rule.kinds]
    forms = pl.col("form").fill_null("").replace(looks.FORMS)
    versions = ground.of_kinds(kinds).with_columns(form=forms)
    named = ground.named.filter(pl.col("tier").is_in([t.value for t in rule.tiers]))
    certain = ground.possible.select(*VERSION, "area", "certain")
    rows = given.join(versions, on=VERSION).join(named, on=VERSION)
    rows = rows.join(certain, on=[*VERSION, "area"], how="left")
    return known(rows, [*SERIES, "record_id", "amount"], *CARRIED).sort(*SERIES, "day", "record_id", "amount")


def _of_series(rule: RuleDefinition, ground: Ground, series: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """Each amount against those of other records known on earlier London days, as they stood when it became known."""
    least, z = int(number(rule, "least", 8)), number(rule, "z", 3)
    amounts, days = series["amount"].to_numpy(), series["day"].to_numpy()
    seen, gone = series["visible_from"].to_numpy(), series["visible_to"].to_numpy()
    records = series["record_id"].to_numpy()
    for i, row in enumerate(series.iter_rows(named=True)):
        before = amounts[(days < days[i]) & (gone > seen[i]) & (records != records[i])]
        found = tolerance.bound(before, z)
        if found.number >= least and amounts[i] > found.upper:
            yield _spell(rule, ground, row, found, float(np.median(before)))


def _spell(
    rule: RuleDefinition, ground: Ground, row: dict[str, Any], found: tolerance.Bound, middle: float
) -> dict[str, Any]:
    name, day = ground.catalogue.name_of(row["subject"]), day_text(row["reference_date"])
    form = f" ({row['form']})" if row["form"] else " (form not stated)"
    late = f" Newly known, happened on {day}." if row["age_days"] > row["max_age_days"] else ""
    why = (
        f"Highest known in {place(ground.catalogue, row['area'])}: {name}{form}, {row['amount']:.3g} {row['unit']} in "
        f"{article(row['kind'])} of {day}. {plural(found.number, 'earlier amount')} known: the middle one "
        f"{middle:.3g}, the highest {found.highest:.3g}, robust bound {found.robust:.3g} {row['unit']}; p "
        f"{found.p_value:.2g} that the newest is the highest by chance.{late}"
        + (" By a presumptive test only." if row["presumptive"] else "")
    )
    return of_one_record(row, rule) | {
        "strand": f"{row['form']} {row['unit']}",
        "observed": float(row["amount"]),
        "expected": middle,
        "upper_bound": found.upper,
        "p_value": found.p_value,
        "certain": int(bool(row["certain"])),
        "why": why,
        "would_have_stopped_it": f"An amount of at most {found.upper:.3g} {row['unit']}.",
    }
