"""First detection: a record raises a key that no other record raised in the twelve months before it.

In: the ground. Out: spells, one per record and key. The history is what was known on earlier London days, whatever its
own date: a late record never makes an old event new. It never weighs counts: one laboratory row is enough.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from ewarn.catalogue.definitions import RuleDefinition
from ewarn.frames import empty, spelt
from ewarn.rules.prepare import (
    FAR,
    STRATUM,
    SUBJECT,
    VERSION,
    Ground,
    article,
    day_text,
    known,
    number,
    place,
    plural,
    stands,
    watched,
    words,
)
from ewarn.terms import Tier

PASSES = 4
CARRIED = ("reference_date", "presumptive", "age_days", "max_age_days", "kind", "certain")


def spells(rule: RuleDefinition, ground: Ground) -> pl.DataFrame:
    """Spells of first detections, by borough, region or UK, and by form or sold-as where `by` says so.

    Numbers: `back_days` 365, how far back a record of the key makes this one no news; `by` none | form | sold_as.
    """
    by = words(rule, "by", "none")
    keyed = _keyed(rule, ground, by)
    if keyed.is_empty():
        return empty("spells")
    key = [*STRATUM, "by"]
    news = known(keyed, [*key, "record_id"], *CARRIED)
    held = known(keyed, [*key, "record_id", "reference_date"]).join(
        news.select(*key, "record_id", record_day="day"), on=[*key, "record_id"]
    )
    back_days = int(number(rule, "back_days", 365))
    rows = _firing(_unblocked(news, held, key, back_days), held, key, back_days)
    rows = rows.join(_earlier_possible(rows, ground, keyed), on=[*key, "record_id"], how="left")
    found = [_spell(row, rule, ground) for row in rows.sort(*key, "record_id").iter_rows(named=True)]
    return spelt(found)


def _keyed(rule: RuleDefinition, ground: Ground, by: str) -> pl.DataFrame:
    """One row per version x key."""
    column = {"form": "form", "sold_as": "sold_as_subject"}.get(by)
    found = watched(rule, ground).with_columns(by=pl.col(column) if column else pl.lit(""))
    named = ground.named.filter(pl.col("tier").is_in([t.value for t in rule.tiers]))
    certain = ground.possible.select(*VERSION, "area", "certain")
    found = found.select(*VERSION, *SUBJECT, "by", "visible_from", "visible_to", "day", *CARRIED[:-1])
    return found.drop_nulls("by").join(named, on=VERSION).join(certain, on=[*VERSION, "area"], how="left")


def _unblocked(news: pl.DataFrame, held: pl.DataFrame, key: list[str], back_days: int) -> pl.DataFrame:
    """News without a lasting record of the key that was known on an earlier day and is young enough to count."""
    lasting = held.filter((pl.col("visible_to") == FAR) & (pl.col("day") == pl.col("record_day")))
    youngest = (
        pl.concat([lasting.select(*key, "day", "reference_date"), news.select(*key, "day", reference_date=None)])
        .group_by(*key, "day")
        .agg(youngest=pl.col("reference_date").max())
        .sort(*key, "day")
        .with_columns(pl.col("youngest").cum_max().forward_fill().shift(1).over(key, order_by="day"))
    )
    joined = news.join(youngest, on=[*key, "day"], how="left")
    oldest = pl.col("reference_date") - pl.duration(days=back_days)
    return joined.filter(pl.col("youngest").is_null() | (pl.col("youngest") < oldest))


def _firing(fresh: pl.DataFrame, held: pl.DataFrame, key: list[str], back_days: int) -> pl.DataFrame:
    """When each piece of news fires: at once, or when the records that stood before it were withdrawn or moved."""
    passing = held.filter((pl.col("visible_to") < FAR) | (pl.col("day") > pl.col("record_day"))).select(
        *key,
        other="record_id",
        b_from="visible_from",
        b_to="visible_to",
        b_day="record_day",
        b_reference="reference_date",
    )
    rows = fresh.with_columns(fires_from="visible_from")
    oldest = pl.col("reference_date") - pl.duration(days=back_days)
    blocks = (
        (pl.col("other") != pl.col("record_id"))
        & (pl.col("b_day") < pl.col("day"))
        & (pl.col("b_reference") >= oldest)
        & (pl.col("b_from") <= pl.col("fires_from"))
        & (pl.col("b_to") > pl.col("fires_from"))
    )
    for _ in range(PASSES):
        later = rows.join(passing, on=key).filter(blocks).group_by(*key, "record_id").agg(until=pl.col("b_to").max())
        if later.is_empty():
            break
        moved = pl.max_horizontal("fires_from", "until")
        rows = rows.join(later, on=[*key, "record_id"], how="left").with_columns(fires_from=moved).drop("until")
    return rows.filter((pl.col("fires_from") < pl.col("visible_to")) & (pl.col("fires_from") < FAR))


def _earlier_possible(rows: pl.DataFrame, ground: Ground, keyed: pl.DataFrame) -> pl.DataFrame:
    """How many earlier records, named for another borough, could have been in this one."""
    key = [*STRATUM, "by"]
    boroughs = rows.filter(pl.col("tier") == Tier.BOROUGH)
    elsewhere = keyed.select(*VERSION, "subject_kind", "subject", "by", "visible_from", named="area").unique()
    could = ground.possible.join(boroughs.select("area").unique(), on="area", how="semi").select(*VERSION, "area")
    pairs = boroughs.select(*key, "record_id", "day", known_from="visible_from").join(
        elsewhere.rename({"record_id": "other"}).join(could.rename({"record_id": "other"}), on=["other", "version"]),
        on=["subject_kind", "subject", "by", "area"],
    )
    earlier = (pl.col("visible_from") < pl.col("known_from")) & (pl.col("named") != pl.col("area"))
    pairs = pairs.filter(earlier & (pl.col("other") != pl.col("record_id")))
    return pairs.group_by(*key, "record_id").agg(earlier_possible=pl.col("other").n_unique())


def _spell(row: dict[str, Any], rule: RuleDefinition, ground: Ground) -> dict[str, Any]:
    return {
        **{name: row[name] for name in STRATUM},
        "rule": rule.id,
        "strand": row["by"],
        "fires_from": row["fires_from"],
        "fires_to": stands(row["fires_from"], rule, row["visible_to"]),
        "period_start": row["reference_date"],
        "period_end": row["reference_date"],
        "observed": 1.0,
        "certain": int(bool(row["certain"])),
        "records": [row["record_id"]],
        "why": _why(row, rule, ground),
        "would_have_stopped_it": "An earlier known record of the same in this area, dated within the 12 months before.",
    }


def _why(row: dict[str, Any], rule: RuleDefinition, ground: Ground) -> str:
    catalogue = ground.catalogue
    form = {"form": f" as {row['by']}", "sold_as": f" sold as {catalogue.name_of(row['by'])}"}
    what = catalogue.name_of(row["subject"]) + form.get(words(rule, "by", "none"), "")
    area = place(catalogue, row["area"])
    event: date = row["reference_date"]
    before: date | None = row["youngest"]
    since = "no earlier record is known" if before is None else f"the last one was dated {day_text(before)}"
    ever = "First ever" if before is None else "First in 12 months"
    parts = [f"{ever} in {area}: {what}, in {article(row['kind'])} of {day_text(event)}; {since}."]
    if row["age_days"] > row["max_age_days"]:
        parts.append(f"Newly known, happened on {day_text(event)}.")
    if row["presumptive"]:
        parts.append("By a presumptive test only.")
    if not row["certain"] and row["tier"] == Tier.BOROUGH:
        parts.append("The place as written could lie in another borough too.")
    if row["earlier_possible"]:
        parts.append(f"{plural(row['earlier_possible'], 'earlier record')} named elsewhere could have been here.")
    return " ".join(parts)
