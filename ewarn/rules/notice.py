"""Notice: an official notice names a watched substance or class, or our own area together with a drug or an overdose.

In: the ground. Out: spells, one per notice, subject and area. A notice is never a cluster: a coroner's report about an
old death is a notice of the day it was published.
"""

from __future__ import annotations

import re
from typing import Any

import polars as pl

from ewarn.catalogue import Catalogue
from ewarn.catalogue.definitions import RuleDefinition
from ewarn.frames import empty, spelt
from ewarn.rules.prepare import STRATUM, VERSION, Ground, day_text, known, london_day, number, of_one_record, words
from ewarn.terms import LONDON_REGION, UK, MentionKind, RecordKind, SubjectKind, Tier

SILENT_KINDS = ("withdrawal",)


def spells(rule: RuleDefinition, ground: Ground) -> pl.DataFrame:
    """Spells of notices.

    Numbers: `max_age_days` 60 since publication, older ones say nothing; `home_area` GSS code of our region;
    `home_words` that make a notice about it concern us where it names no drug; `silent_kinds` notice kinds that say
    nothing. Background speaks only of what is on watch.
    """
    young = _young(rule, ground)
    home = words(rule, "home_area", LONDON_REGION)
    drugs = _drugs(rule, ground)
    named = _named(drugs, ground, home).join(young, on=VERSION)
    named = pl.concat([named, _worded(rule, drugs, ground, home, young)], how="diagonal")
    named = named.filter(pl.col("watched") | (pl.col("notice_kind").fill_null("") != "background"))
    if named.is_empty():
        return empty("spells")
    named = named.with_columns(abroad=pl.col("evidence").fill_null("").str.contains('"what": "abroad"', literal=True))
    carried = ("reference_date", "published", "title", "watched", "source", "publisher", "abroad", "word")
    rows = known(named, [*STRATUM, "record_id"], *carried).sort(*STRATUM, "record_id")
    return spelt([_spell(row, rule, ground) for row in rows.iter_rows(named=True)])


def _young(rule: RuleDefinition, ground: Ground) -> pl.DataFrame:
    """Notices that became known soon after they were published, whenever that which they tell of happened."""
    silent = rule.numbers.get("silent_kinds", SILENT_KINDS)
    published = london_day("published_at").fill_null(pl.col("reference_date"))
    return (
        ground.versions.filter(pl.col("kind") == RecordKind.NOTICE)
        .with_columns(published=published)
        .filter((pl.col("day") - pl.col("published")).dt.total_days() <= number(rule, "max_age_days", 60))
        .filter(~pl.col("notice_kind").fill_null("").is_in(list(silent)))  # type: ignore[arg-type]
    )


def _worded(rule: RuleDefinition, drugs: pl.DataFrame, ground: Ground, home: str, young: pl.DataFrame) -> pl.DataFrame:
    """Notices that name our area and one of the rule's words, and no drug at all: one row per version."""
    listed = [str(word) for word in rule.numbers.get("home_words", ())]  # type: ignore[union-attr]
    pattern = "|".join(re.escape(word) for word in sorted(listed, key=lambda word: (-len(word), word)))
    text = pl.concat_str(pl.col("title").fill_null(""), pl.lit(". "), pl.col("summary").fill_null(""))
    word = text.str.to_lowercase().str.extract(rf"\b({pattern})\b") if listed else pl.lit(None, pl.String)
    local = _areas(ground, home).filter(pl.col("area") != UK)
    return (
        young.join(drugs, on=VERSION, how="anti")
        .with_columns(word=word, subject=pl.lit(""), subject_kind=pl.lit(SubjectKind.NONE.value), watched=pl.lit(False))
        .drop_nulls("word")
        .join(local, on=VERSION)
    )


def _drugs(rule: RuleDefinition, ground: Ground) -> pl.DataFrame:
    """Mentions of substances and classes, with `watched`; everyday medicines and the like are none."""
    catalogue = ground.catalogue
    kinds = [MentionKind.SUBSTANCE.value, MentionKind.CLASS.value]
    subjects = (*catalogue.classes, *catalogue.substances)
    everyday = rule.numbers.get("everyday", ())
    plain = [s for s in subjects if catalogue.class_of.get(s, s) in everyday]  # type: ignore[operator]
    found = ground.mentions.filter(pl.col("mention_kind").is_in(kinds)).drop_nulls("subject")
    found = found.with_columns(watched=pl.col("subject").is_in([s for s in subjects if catalogue.is_watched(s)]))
    return found.filter(pl.col("watched") | ~pl.col("subject").is_in(plain))


def _named(drugs: pl.DataFrame, ground: Ground, home: str) -> pl.DataFrame:
    """One row per version x subject the notice is about: what is on watch, and at home whatever drug it names."""
    subjects = drugs.select(*VERSION, "subject", "watched", subject_kind="mention_kind").unique()
    placed = subjects.join(_areas(ground, home), on=VERSION)
    return placed.filter(pl.col("watched") | (pl.col("area") != UK))


def _areas(ground: Ground, home: str) -> pl.DataFrame:
    """One row per version: the home borough or region it names, else the UK."""
    home_areas = _within(ground.catalogue, home)
    local = ground.finest.filter(pl.col("area").is_in(home_areas))
    rest = ground.finest.join(local, on=VERSION, how="anti").with_columns(area=pl.lit(UK), tier=pl.lit(Tier.UK.value))
    return pl.concat([local, rest]).select(*VERSION, "area", "tier")


def _within(catalogue: Catalogue, home: str) -> list[str]:
    return [home, *catalogue.areas.filter(pl.col("parent") == home)["code"]] if home != UK else []


def _spell(row: dict[str, Any], rule: RuleDefinition, ground: Ground) -> dict[str, Any]:
    name = ground.catalogue.name_of(row["subject"])
    what = f"the watched {row['subject_kind']} {name}" if row["watched"] else f"our area and {name or row['word']}"
    late = row["reference_date"] < row["published"]
    told = f" It tells of {day_text(row['reference_date'])}." if late else ""
    return {
        **of_one_record(row, rule),
        "certain": int(row["area"] != UK or row["subject_kind"] != SubjectKind.NONE),
        "why": f"A notice from {_publisher(row, ground.catalogue)} dated {day_text(row['published'])} "
        f"names {what}: “{(row['title'] or 'without a title')[:160]}”.{told}"
        + (" It speaks of places abroad, and of none of ours." if row["abroad"] else ""),
        "would_have_stopped_it": "A notice that names nothing on watch, or one older than the rule looks at.",
    }


def _publisher(row: dict[str, Any], catalogue: Catalogue) -> str:
    definition = catalogue.sources.get(row["source"])
    if row["publisher"]:
        return str(row["publisher"])
    if row["source"] in catalogue.notices:
        return "a publisher who was not named"
    return definition.publisher if definition else str(row["source"])
