"""Line lists become the ground that every method stands on.

In: frames.Lines as the store knew them, the instant asked, the catalogue. Out: Ground: the same versions with the area
each record is named for, every area it could be in, and its detections by substance and by class. Never a clock, a
store or a network; never a version that was not visible by the instant asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

import polars as pl

from ewarn.catalogue import Catalogue
from ewarn.catalogue.definitions import RuleDefinition
from ewarn.frames import Lines
from ewarn.terms import UK, MentionKind, RecordKind, Role, SubjectKind, Tier

FAR = datetime(9999, 1, 1, tzinfo=UTC)
DETECTED = (Role.MAJOR, Role.MINOR, Role.TRACE, Role.CONFIRMED)
VERSION = ["record_id", "version"]
VERSION_FIRST = [pl.col(name).first() for name in VERSION]
SUBJECT = ["subject_kind", "subject"]
STRATUM = [*SUBJECT, "area", "tier"]


@dataclass(frozen=True)
class Ground:
    """What was known by `until`, prepared once for all rules.

    `versions` one row per record version (samples, incidents, notices), with `day` (London day it became known) and
    `age_days`; `possible` one row per version x area it could be in, at every tier, shares adding up to 1 at most;
    `named` one row per version x tier: the area it is named for; `detections` one row per version x subject found;
    `links` what people said of pairs of records; `shared` what several rules need, worked out once.
    """

    until: datetime
    catalogue: Catalogue
    versions: pl.DataFrame
    mentions: pl.DataFrame
    possible: pl.DataFrame
    named: pl.DataFrame
    detections: pl.DataFrame
    counts: pl.DataFrame
    links: pl.DataFrame
    shared: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def boroughs(self) -> pl.DataFrame:
        """One row per version: every borough it could be in, sorted, as text set apart by spaces."""
        could = self.possible.filter(pl.col("tier") == Tier.BOROUGH).with_columns(at=_begins().cum_sum())
        alone = (pl.col("at") != pl.col("at").shift(1)).fill_null(True) & (
            pl.col("at") != pl.col("at").shift(-1)
        ).fill_null(True)
        once, several = could.filter(alone), could.filter(~alone)
        joined = several.group_by("at", maintain_order=True).agg(*VERSION_FIRST, areas=pl.col("area").str.join(" "))
        return pl.concat([once.select(*VERSION, areas="area"), joined.select(*VERSION, "areas")])

    def of_kinds(self, kinds: Iterable[str]) -> pl.DataFrame:
        """The versions of some kinds; looked up once for all rules."""
        key = ("versions", frozenset(kinds))
        if key not in self.shared:
            self.shared[key] = self.versions.filter(pl.col("kind").is_in(list(key[1])))
        found: pl.DataFrame = self.shared[key]
        return found

    @cached_property
    def kinds(self) -> frozenset[str]:
        """Kinds of which any version is known."""
        return frozenset(self.versions["kind"].unique())

    @cached_property
    def first_visible(self) -> dict[str, date]:
        """First London day on which any line of a kind was visible."""
        frame = self.versions.group_by("kind").agg(pl.col("day").min())
        days: dict[str, date] = dict(frame.iter_rows())
        if self.counts.height:
            days[RecordKind.COUNT] = self.counts.select(london_day("visible_from").min()).item()
        return days

    @cached_property
    def finest(self) -> pl.DataFrame:
        """One row per version: its named area at the closest tier known."""
        closest = self.named.filter(_begins())  # sorted by version and, closest first, by tier
        return pl.concat([closest.filter(pl.col("tier") == tier) for tier in Tier])


def _begins() -> pl.Expr:
    """Whether a row is the first of its version; rows are sorted by version."""
    record, version = (pl.col(name) for name in VERSION)
    return ((record != record.shift(1)) | (version != version.shift(1))).fill_null(True)


def london_day(column: str) -> pl.Expr:
    """The Europe/London day an instant falls on."""
    return pl.col(column).dt.convert_time_zone("Europe/London").dt.date()


def prepare(lines: Lines, until: datetime, catalogue: Catalogue) -> Ground:
    """The ground as known at `until` (UTC). Row order of the input does not matter."""
    versions = _visible(lines.lines, until).with_columns(
        age_days=(pl.col("day") - pl.col("reference_date")).dt.total_days()
    )
    possible = _possible(versions, lines.places, catalogue)
    return Ground(
        until=until,
        catalogue=catalogue,
        versions=versions,
        mentions=lines.mentions.join(versions.select(VERSION), on=VERSION, how="semi"),
        possible=possible.drop("at"),
        named=_named(possible, versions, catalogue),
        detections=_detections(versions, lines.mentions, catalogue),
        counts=_visible(lines.counts, until),
        links=_said(lines.links, until),
    )


def _said(links: pl.DataFrame, until: datetime) -> pl.DataFrame:
    """What people had said of pairs of records by an instant; an open end becomes FAR."""
    visible_to = pl.col("visible_to").fill_null(pl.lit(FAR, dtype=links.schema["visible_to"]))
    return links.filter(pl.col("visible_from") <= until).with_columns(visible_to=visible_to)


def _visible(frame: pl.DataFrame, until: datetime) -> pl.DataFrame:
    """Versions visible at or before an instant; an open end becomes FAR."""
    live = ~pl.col("retracted").fill_null(False)
    visible_to = pl.col("visible_to").fill_null(pl.lit(FAR, dtype=frame.schema["visible_to"]))
    return (
        frame.filter(live & (pl.col("visible_from") <= until))
        .with_columns(visible_to=visible_to, day=london_day("visible_from"))
        .filter(pl.col("visible_to") > pl.col("visible_from"))
        .sort("record_id", "version")
    )


def _area_parents(catalogue: Catalogue) -> pl.DataFrame:
    """One row per area: its tier and its region (itself for a region, null for the UK)."""
    region = pl.when(pl.col("tier") == Tier.REGION).then("code").when(pl.col("tier") == Tier.BOROUGH).then("parent")
    return catalogue.areas.select(area="code", area_tier="tier", region=region)


def _possible(versions: pl.DataFrame, places: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    """Every area a version could be in, by tier; what is placed nowhere is somewhere in the UK.

    What is said to lie outside the UK is in no area at all. In: versions in order. Out: with `at`, the version's place
    in that order, by which rows are joined and sorted sooner than by its text.
    """
    at = versions.select(VERSION).with_row_index("at")
    inside = places.join(at, on=VERSION, maintain_order="left")
    away = inside.filter(pl.col("precision") == "outside the UK").select("at").unique()
    placed = (
        inside.join(away, on="at", how="anti")
        .join(_area_parents(catalogue), on="area", how="inner")
        .with_columns(pl.col("share").fill_null(1.0))
        .filter(pl.col("share") > 0)
    )
    columns = ["at", "area", "tier", "share", "certain"]
    alone = (pl.len() > 1) | pl.col("certain").fill_null(True).any()
    boroughs = placed.filter(pl.col("area_tier") == Tier.BOROUGH).with_columns(tier=pl.lit(Tier.BOROUGH.value))
    regions = placed.drop_nulls("region").with_columns(area="region", tier=pl.lit(Tier.REGION.value))
    uk = (
        at.select("at")
        .join(away, on="at", how="anti")
        .with_columns(area=pl.lit(UK), tier=pl.lit(Tier.UK.value), share=pl.lit(1.0), certain=pl.lit(True))
    )
    near = pl.concat([boroughs.select(columns), regions.select(columns)])
    near = near.group_by("at", "area", "tier").agg(
        pl.col("share").sum(), certain=(pl.col("share").sum() > 0.999) & alone
    )
    found = pl.concat([near.select(columns), uk.select(columns)]).sort("at", "tier", "area")
    return found.select(*_version_at(versions, found["at"]), *columns)


def _version_at(versions: pl.DataFrame, at: pl.Series) -> list[pl.Series]:
    return [versions[name].gather(at) for name in VERSION]


def _named(possible: pl.DataFrame, versions: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    """One row per version and tier: the borough of the largest share (ties: lower code), and the areas above it.

    A record placed at a region alone has no borough row; one placed nowhere speaks at the UK alone.
    """
    alike = (pl.col("at") == pl.col("at").shift()) & (pl.col("tier") == pl.col("tier").shift())
    several = alike.fill_null(False) | alike.shift(-1).fill_null(False)
    best = possible.filter(several).sort(
        "at", "tier", pl.col("share").round(9), "area", descending=[False] * 2 + [True, False]
    )
    best = pl.concat([possible.filter(~several), best.unique(["at", "tier"], keep="first", maintain_order=True)])
    boroughs = best.filter(pl.col("tier") == Tier.BOROUGH)
    above = boroughs.join(_area_parents(catalogue).select("area", "region"), on="area", how="left")
    above = above.drop_nulls("region").select("at", area="region", tier=pl.lit(Tier.REGION.value))
    regions = best.filter(pl.col("tier") == Tier.REGION).join(boroughs, on="at", how="anti")
    uk = best.filter(pl.col("tier") == Tier.UK)
    columns = ["at", "area", "tier"]
    found = pl.concat([frame.select(columns) for frame in (boroughs, above, regions, uk)]).sort("at", "tier")
    return found.select(*_version_at(versions, found["at"]), "area", "tier")


def _detections(versions: pl.DataFrame, mentions: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    """One row per version x subject found, substances and classes alike; suspected and named ones are not found."""
    found = mentions.filter(pl.col("role").is_in([r.value for r in DETECTED])).join(
        versions.select(VERSION), on=VERSION, how="semi"
    )
    substances = found.filter(pl.col("mention_kind") == MentionKind.SUBSTANCE).with_columns(
        subject_kind=pl.lit(SubjectKind.SUBSTANCE.value), class_id=_class_of(pl.col("subject"), catalogue)
    )
    unwatched = [s for s, d in catalogue.substances.items() if d.watch is False]
    counted = ~((pl.col("mention_kind") == MentionKind.SUBSTANCE) & pl.col("subject").is_in(unwatched))
    classes = found.with_columns(
        class_id=pl.when(pl.col("mention_kind") == MentionKind.CLASS)
        .then("subject")
        .when(pl.col("mention_kind") == MentionKind.SUBSTANCE)
        .then(_class_of(pl.col("subject"), catalogue))
        .when(pl.col("mention_kind") == MentionKind.QUEUED)
        .then("class_id")
    ).filter(counted & pl.col("class_id").is_not_null())
    classes = classes.with_columns(subject="class_id", subject_kind=pl.lit(SubjectKind.CLASS.value))
    both = pl.concat([substances, classes.select(substances.columns)]).drop_nulls("subject")
    return (
        both.group_by(*VERSION, *SUBJECT)
        .agg(
            pl.col("class_id").first(),
            presumptive=pl.col("presumptive").fill_null(False).all(),
            as_written=pl.col("as_written").sort().first(),
        )
        .sort(*VERSION, *SUBJECT)
    )


def _class_of(subject: pl.Expr, catalogue: Catalogue) -> pl.Expr:
    return subject.replace_strict(catalogue.class_of, default=None, return_dtype=pl.String)


def subjects_of(rule: RuleDefinition, catalogue: Catalogue) -> list[str]:
    """Ids of the substances and classes a rule looks at: every one on watch, or those of the classes it names."""
    wanted = [*catalogue.classes, *catalogue.substances]
    if rule.subjects == "substance":
        wanted = list(catalogue.substances)
    elif rule.subjects == "class":
        wanted = list(catalogue.classes)
    if rule.classes:
        wanted = [s for s in wanted if catalogue.class_of.get(s, s) in rule.classes]
    return sorted(s for s in wanted if catalogue.is_watched(s))


def watched(rule: RuleDefinition, ground: Ground) -> pl.DataFrame:
    """The versions of the rule's kinds with what it watches for found in them: one row per version x subject."""
    kinds, subjects = frozenset(k.value for k in rule.kinds), tuple(subjects_of(rule, ground.catalogue))
    key = ("watched", kinds, subjects)
    if key not in ground.shared:
        found = ground.detections.filter(pl.col("subject").is_in(subjects))
        ground.shared[key] = found.join(ground.of_kinds(kinds), on=VERSION, how="inner")
    both: pl.DataFrame = ground.shared[key]
    return both


def known(frame: pl.DataFrame, key: Sequence[str], *carried: str) -> pl.DataFrame:
    """Versions merged into one interval of known time per key: [first seen, last seen); `carried` as first seen."""
    return (
        frame.sort("visible_from", "version")
        .group_by(list(key), maintain_order=True)
        .agg(
            pl.col("visible_from").min(),
            pl.col("visible_to").max(),
            pl.col("day").min(),
            *(pl.col(name).first() for name in carried),
        )
    )


def number(rule: RuleDefinition, name: str, default: float) -> float:
    """A number of the rule, or what the method takes when the file leaves it out."""
    return float(rule.numbers.get(name, default))  # type: ignore[arg-type]


def words(rule: RuleDefinition, name: str, default: str) -> str:
    return str(rule.numbers.get(name, default))


def day_text(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def plural(count: float, one: str, many: str = "") -> str:
    return f"{count:g} {one if count == 1 else many or one + 's'}"


def article(noun: str) -> str:
    """'a sample', 'an incident'."""
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def place(catalogue: Catalogue, code: str) -> str:
    """An area's name as it follows 'in': 'the North East', 'the UK', 'the City of London', 'Camden'."""
    area = catalogue.area_ref(code)
    wide = ("North ", "South ", "East ", "West ")
    the = ("City of ", "Isle of ", "Vale of ") if area.tier is Tier.BOROUGH else wide
    return "the UK" if code == UK else f"the {area.name}" if area.name.startswith(the) else area.name


def stands(fires_from: datetime, rule: RuleDefinition, gone: datetime) -> datetime:
    """When a spell ends: after the rule's standing time, or when its record was withdrawn."""
    return min(fires_from + timedelta(days=rule.fires_for_days), gone)


def of_one_record(row: Mapping[str, Any], rule: RuleDefinition) -> dict[str, Any]:
    """What every spell of a single record says: its stratum, when it stands, its day, and that it is one."""
    return {
        "rule": rule.id,
        **{column: row[column] for column in STRATUM},
        "fires_from": row["visible_from"],
        "fires_to": stands(row["visible_from"], rule, row["visible_to"]),
        "period_start": row["reference_date"],
        "period_end": row["reference_date"],
        "observed": 1.0,
        "records": [row["record_id"]],
    }
