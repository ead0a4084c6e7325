"""Which events a window rule looks at, and in which strata.

In: the ground and the rule. Out: one row per event version and stratum it could belong to, with its bounds in time. A
record older than its source's limit when it became known is left out: late news is not a new event.
"""

from __future__ import annotations

import polars as pl

from ewarn.catalogue.definitions import RuleDefinition
from ewarn.matching import persons
from ewarn.rules.prepare import SUBJECT, VERSION, Ground, number, watched, words
from ewarn.terms import RecordKind, SubjectKind

SETTINGS = ("hostel", "prison", "custody", "venue", "festival", "school")
# What makes a version of an event another event; versions alike in all of these are one.
ALIKE = ["record_id", *SUBJECT, "stratum", "start", "end", "until", "persons", "fatal", "cumulative", "stream"]
ALIKE += ["organisation", "setting", "place_label", "areas", "single"]
MOVED_DAYS = 7


def of(rule: RuleDefinition, ground: Ground) -> pl.DataFrame:
    """One row per event version, subject and stratum, merged where versions differ in nothing that matters here.

    `stratum` is the area's code, or the one place; `trigger` is true where becoming known is news: a first sight, a
    larger running total, or a date moved by more than a week. Where the rule counts records, each stands for one person
    and none is a running total.
    """
    rows = _timed(_eligible(_matching(rule, ground))).join(ground.boroughs, on=VERSION, how="left")
    if words(rule, "count", "persons") == "records":
        rows = rows.with_columns(persons=pl.lit(1, pl.Int64), cumulative=pl.lit(False))
    scope = words(rule, "scope", "area")
    placed = _at_place(rows, ground, rule) if scope == "setting" else _in_areas(rows, ground, rule, scope)
    return _news(_standing(_merged(placed)))


def _matching(rule: RuleDefinition, ground: Ground) -> pl.DataFrame:
    """Versions of the rule's kinds and outcome, with what was found in them where the rule asks by subject."""
    if rule.subjects == "none":
        kinds = [k.value for k in rule.kinds]
        rows = ground.versions.filter(pl.col("kind").is_in(kinds)).with_columns(
            subject_kind=pl.lit(SubjectKind.NONE.value), subject=pl.lit("")
        )
    else:
        rows = watched(rule, ground)
    outcome = words(rule, "outcome", "any")
    return rows if outcome == "any" else rows.filter(pl.col("outcome") == outcome)


def _eligible(rows: pl.DataFrame) -> pl.DataFrame:
    """Without records that were too old when they became known (for this subject)."""
    first = rows.group_by("record_id", *SUBJECT).agg(first_day=pl.col("day").min())
    age = (pl.col("first_day") - pl.col("reference_date")).dt.total_days()
    return rows.join(first, on=["record_id", *SUBJECT]).filter(age <= pl.col("max_age_days"))


def _timed(rows: pl.DataFrame) -> pl.DataFrame:
    """`start` and `end` in microseconds: the instant, or the first and last second of the London days it spans."""
    return persons.told(rows).with_columns(
        seen=pl.col("visible_from").dt.epoch("us"),
        gone=pl.col("visible_to").dt.epoch("us"),
        ref_day=pl.col("reference_date").cast(pl.Int32).cast(pl.Int64),
    )


def _in_areas(rows: pl.DataFrame, ground: Ground, rule: RuleDefinition, scope: str) -> pl.DataFrame:
    """One row per version and area it could be in; with neighbours, per area whose surroundings it could be in."""
    tiers = [t.value for t in rule.tiers]
    could = ground.possible.filter(pl.col("tier").is_in(tiers) & (pl.col("share") >= number(rule, "least_share", 0)))
    if scope == "neighbours":
        around = ground.catalogue.neighbours.select(area="code", near="neighbour")
        own = around.select("area").unique().with_columns(near="area")
        reach = pl.concat([own, around]).join(could.rename({"area": "near"}), on="near")
        own_share = pl.col("share").filter(pl.col("near") == pl.col("area")).sum()
        could = reach.group_by(*VERSION, "area", "tier").agg(share=own_share, certain=pl.col("share").sum() > 0.999)
    return rows.join(could, on=VERSION).with_columns(stratum="area")


def _at_place(rows: pl.DataFrame, ground: Ground, rule: RuleDefinition) -> pl.DataFrame:
    """One row per version in a named place; a setting without the place named is not one place."""
    settings = list(rule.numbers.get("settings", SETTINGS))  # type: ignore[arg-type]
    stated = pl.col("place_label").fill_null("") != ""
    inside = rows.filter(stated & (pl.col("setting").is_null() | pl.col("setting").is_in(settings)))
    certain = ground.possible.select(*VERSION, "area", "share", "certain")
    placed = inside.join(ground.finest, on=VERSION).join(certain, on=[*VERSION, "area"], how="left")
    return placed.with_columns(stratum="place_label")


def _merged(rows: pl.DataFrame) -> pl.DataFrame:
    """Versions of one record alike in all that matters, as one row with one interval of known time."""
    carried = ["area", "tier", "share", "certain", "ref_day", "reference_date", "max_age_days"]
    return (
        rows.sort("seen", "version")
        .group_by(ALIKE, maintain_order=True)
        .agg(pl.col("seen").min(), pl.col("gone").max(), *(pl.col(c).first() for c in carried))
        .sort("stratum", *SUBJECT, "record_id", "seen")
    )


def _standing(rows: pl.DataFrame) -> pl.DataFrame:
    """A running total stays true when a larger one follows it, until a smaller one corrects it."""
    over = ["stratum", *SUBJECT, "record_id"]
    follows = pl.col("seen").shift(-1).over(over) == pl.col("gone")
    larger = pl.col("persons").shift(-1).over(over) >= pl.col("persons")
    grows = (pl.col("cumulative") & follows & larger).fill_null(False)
    step = (~grows).cast(pl.Int32).reverse().cum_sum().reverse()
    return rows.with_columns(step=step).with_columns(gone=pl.col("gone").max().over(*over, "step")).drop("step")


def _news(rows: pl.DataFrame) -> pl.DataFrame:
    over = ["stratum", *SUBJECT, "record_id"]
    before = pl.col("persons").shift(1).over(over)
    moved = (pl.col("ref_day") - pl.col("ref_day").shift(1).over(over)).abs() > MOVED_DAYS
    age = pl.col("seen").cast(pl.Datetime("us")).dt.replace_time_zone("UTC").dt.date() - pl.col("reference_date")
    young = age.dt.total_days() <= pl.col("max_age_days")
    news = before.is_null() | (pl.col("persons") > before) | moved.fill_null(False)
    return rows.with_columns(trigger=(news & young).fill_null(False))


def history_start(ground: Ground) -> pl.DataFrame:
    """One row per instant at which incident or sample lines became known, with the earliest date known by then.

    Per kind; only records young enough to count, so that one old report does not pass for a history.
    """
    kinds = [RecordKind.SAMPLE.value, RecordKind.INCIDENT.value]
    young = ground.versions.filter(pl.col("kind").is_in(kinds) & (pl.col("age_days") <= pl.col("max_age_days")))
    return (
        young.group_by("kind", seen=pl.col("visible_from").dt.epoch("us"))
        .agg(earliest=pl.col("reference_date").min().cast(pl.Datetime("us")).dt.epoch("us"))
        .sort("kind", "seen")
        .with_columns(pl.col("earliest").cum_min().over("kind", order_by="seen"))
    )
