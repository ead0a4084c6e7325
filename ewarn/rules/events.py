"""Which events a window rule looks at, and in which strata.

In: the ground and the rule. Out: one row per event version and stratum it could belong to, with its bounds in time. A
record older than its source's limit when it became known is left out: late news is not a new event.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import polars as pl

from ewarn.catalogue.definitions import RuleDefinition
from ewarn.matching import persons
from ewarn.rules.prepare import SUBJECT, VERSION, Ground, number, subjects_of, watched, words
from ewarn.terms import RecordKind, SubjectKind

SETTINGS = ("hostel", "prison", "custody", "venue", "festival", "school")
# What makes a version of an event another event; versions alike in all of these are one.
ALIKE = ["record_id", *SUBJECT, "stratum", "start", "end", "until", "persons", "fatal", "cumulative", "stream"]
ALIKE += ["organisation", "setting", "place_label", "areas", "single"]
CARRIED = ["row", "record", *SUBJECT, "stratum", "area", "tier", "share", "certain", "start", "seen", "gone"]
CARRIED += ["persons", "ref_day", "max_age_days", "trigger"]
MOVED_DAYS = 7


@dataclass(frozen=True)
class Told:
    """What several rules look at alike: `rows` one per version x subject, and where each could be.

    `row` numbers the versions, `record` stands for the record's id and sorts as it does, `several` says that the record
    has more than one version here.
    """

    rows: pl.DataFrame
    placed: pl.DataFrame
    versions: pl.DataFrame

    @cached_property
    def reports(self) -> persons.Reports:
        """The versions as reports, by `row`."""
        return persons.reports(self.versions)

    @cached_property
    def record_ids(self) -> list[str]:
        """The record of each version, by `row`."""
        return self.versions["record_id"].to_list()


def told(rule: RuleDefinition, ground: Ground) -> Told:
    """The versions of the rule's kinds with what was found in them where the rule asks by subject; worked out once."""
    subjects = None if rule.subjects == "none" else tuple(subjects_of(rule, ground.catalogue))
    key = ("events", tuple(sorted(kind.value for kind in rule.kinds)), subjects)
    if key not in ground.shared:
        ground.shared[key] = _told(rule, ground)
    found: Told = ground.shared[key]
    return found


def _told(rule: RuleDefinition, ground: Ground) -> Told:
    if rule.subjects == "none":
        kinds = [k.value for k in rule.kinds]
        rows = ground.of_kinds(kinds).with_columns(subject_kind=pl.lit(SubjectKind.NONE.value), subject=pl.lit(""))
    else:
        rows = watched(rule, ground)
    versions = ground.versions.join(rows, on=VERSION, how="semi").join(ground.boroughs, on=VERSION, how="left")
    versions = _timed(versions).with_row_index("row")
    at = versions.select(*VERSION, "row")
    timed = rows.select(*VERSION, *SUBJECT).join(versions, on=VERSION)
    return Told(timed, ground.possible.join(at, on=VERSION).drop(VERSION), versions)


def of(rule: RuleDefinition, ground: Ground) -> pl.DataFrame:
    """One row per event version, subject and stratum, merged where versions differ in nothing that matters here.

    `stratum` is the area's code, or the one place; `trigger` is true where becoming known is news: a first sight, a
    larger running total, or a date moved by more than a week. Where the rule counts records, each stands for one person
    and none is a running total.
    """
    known = told(rule, ground)
    outcome = words(rule, "outcome", "any")
    rows = known.rows if outcome == "any" else known.rows.filter(pl.col("outcome") == outcome)
    rows = _eligible(rows)
    if words(rule, "count", "persons") == "records":
        rows = rows.with_columns(persons=pl.lit(1, pl.Int64), cumulative=pl.lit(False))
    scope = words(rule, "scope", "area")
    strata = _at_place(rows, ground, rule) if scope == "setting" else _in_areas(known, rule, ground, scope)
    once, often = rows.filter(~pl.col("several")), rows.filter("several")
    narrow = [name for name in CARRIED if name in rows.columns]
    alone = once.select(narrow).join(strata, on="row").with_columns(trigger=_young())
    merged = _news(_standing(_merged(often.join(strata, on="row"))))
    return pl.concat([alone.select(CARRIED), merged.select(CARRIED)])


def _eligible(rows: pl.DataFrame) -> pl.DataFrame:
    """Without records that were too old when they became known (for this subject)."""
    age = pl.col("day").min().over("record", *SUBJECT) - pl.col("reference_date")
    return rows.filter(age.dt.total_days() <= pl.col("max_age_days"))


def _timed(rows: pl.DataFrame) -> pl.DataFrame:
    """`start` and `end` in microseconds: the instant, or the first and last second of the London days it spans."""
    return persons.told(rows).with_columns(
        seen=pl.col("visible_from").dt.epoch("us"),
        gone=pl.col("visible_to").dt.epoch("us"),
        ref_day=pl.col("reference_date").cast(pl.Int32).cast(pl.Int64),
        record=pl.col("record_id").rank("dense").cast(pl.Int64),
        several=pl.col("record_id").is_duplicated(),
    )


def _in_areas(known: Told, rule: RuleDefinition, ground: Ground, scope: str) -> pl.DataFrame:
    """One row per version and area it could be in; with neighbours, per area whose surroundings it could be in."""
    tiers = [t.value for t in rule.tiers]
    could = known.placed.filter(pl.col("tier").is_in(tiers) & (pl.col("share") >= number(rule, "least_share", 0)))
    could = _around(could, ground) if scope == "neighbours" else could
    return could.select("row", "area", "tier", "share", "certain", stratum="area")


def _around(could: pl.DataFrame, ground: Ground) -> pl.DataFrame:
    """Per version and area whose surroundings it could be in: its own share there; certain if surely around."""
    around = ground.catalogue.neighbours.select(area="code", near="neighbour")
    own = around.select("area").unique().with_columns(near="area")
    reach = pl.concat([own, around]).join(could.rename({"area": "near"}), on="near")
    one = pl.len().over("row") == 1
    alone = could.filter(one).select("row")
    own_share = pl.when(pl.col("near") == pl.col("area")).then("share").otherwise(0.0)
    columns = ["row", "area", "tier", "share", "certain"]
    of_one = reach.join(alone, on="row", how="semi").with_columns(share=own_share, certain=pl.col("share") > 0.999)
    of_more = reach.join(alone, on="row", how="anti")
    shared = of_more.group_by("row", "area", "tier").agg(share=own_share.sum(), certain=pl.col("share").sum() > 0.999)
    return pl.concat([of_one.select(columns), shared.select(columns)])


def _at_place(rows: pl.DataFrame, ground: Ground, rule: RuleDefinition) -> pl.DataFrame:
    """One row per version in a named place; a setting without the place named is not one place."""
    settings = list(rule.numbers.get("settings", SETTINGS))  # type: ignore[arg-type]
    stated = pl.col("place_label").fill_null("") != ""
    inside = rows.filter(stated & (pl.col("setting").is_null() | pl.col("setting").is_in(settings)))
    inside = inside.select(*VERSION, "row", stratum="place_label").unique()
    certain = ground.possible.select(*VERSION, "area", "share", "certain")
    placed = inside.join(ground.finest, on=VERSION).join(certain, on=[*VERSION, "area"], how="left")
    return placed.select("row", "area", "tier", "share", "certain", "stratum")


def _merged(rows: pl.DataFrame) -> pl.DataFrame:
    """Versions of one record alike in all that matters, as one row with one interval of known time."""
    carried = ["row", "record", "area", "tier", "share", "certain", "ref_day", "reference_date", "max_age_days"]
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
    news = before.is_null() | (pl.col("persons") > before) | moved.fill_null(False)
    return rows.with_columns(trigger=(news & _young()).fill_null(False))


def _young() -> pl.Expr:
    """Whether a version was within its source's limit when it became known."""
    age = pl.col("seen").cast(pl.Datetime("us")).dt.date().cast(pl.Int32) - pl.col("ref_day")
    return (age <= pl.col("max_age_days")).fill_null(False)


def history_start(ground: Ground) -> pl.DataFrame:
    """One row per instant at which incident or sample lines became known, with the earliest date known by then.

    Per kind; only records young enough to count, so that one old report does not pass for a history.
    """
    if "history" not in ground.shared:
        ground.shared["history"] = _history_start(ground)
    found: pl.DataFrame = ground.shared["history"]
    return found


def _history_start(ground: Ground) -> pl.DataFrame:
    kinds = [RecordKind.SAMPLE.value, RecordKind.INCIDENT.value]
    young = ground.versions.filter(pl.col("kind").is_in(kinds) & (pl.col("age_days") <= pl.col("max_age_days")))
    return (
        young.group_by("kind", seen=pl.col("visible_from").dt.epoch("us"))
        .agg(earliest=pl.col("reference_date").min().cast(pl.Datetime("us")).dt.epoch("us"))
        .sort("kind", "seen")
        .with_columns(pl.col("earliest").cum_min().over("kind", order_by="seen"))
    )
