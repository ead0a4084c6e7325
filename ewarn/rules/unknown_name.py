"""Unknown name: a name no list has, found in a sample or an incident and waiting for a person to name it.

In: the ground. Out: spells, one per normalised name, from the day it was first seen. A name that looks like something
on watch is asked for by its own rule. It never guesses what the substance is.
"""

from __future__ import annotations

import re
from typing import Any

import polars as pl
from rapidfuzz import fuzz, process

from ewarn.catalogue import Catalogue
from ewarn.catalogue.definitions import RuleDefinition
from ewarn.frames import empty, spelt
from ewarn.rules.prepare import VERSION, Ground, article, day_text, known, number, place, stands
from ewarn.terms import UK, MentionKind, SubjectKind, Tier


def spells(rule: RuleDefinition, ground: Ground) -> pl.DataFrame:
    """Spells of names waiting to be named; the area is the UK, the place is in the words.

    Numbers: `near_watched` true for names that look like something on watch, false for the others; `likeness` 88, of
    100, above which a misspelling is near.
    """
    queued = ground.mentions.filter(pl.col("mention_kind") == MentionKind.QUEUED).with_columns(
        subject=pl.col("as_written").map_elements(slug, return_dtype=pl.String)
    )
    queued = queued.filter(pl.col("subject") != "").join(ground.of_kinds(k.value for k in rule.kinds), on=VERSION)
    if queued.is_empty():
        return empty("spells")
    near = _near(queued, ground.catalogue, number(rule, "likeness", 88))
    wanted = [name for name, like in near.items() if bool(like) is bool(rule.numbers.get("near_watched", False))]
    queued = queued.filter(pl.col("subject").is_in(wanted)).join(ground.finest, on=VERSION)
    rows = known(queued, ["subject", "record_id"], "as_written", "reference_date", "area", "kind").sort(
        "subject", "day", "record_id"
    )
    first_day = rows.filter(pl.col("day") == pl.col("day").min().over("subject"))
    found = [_spell(row, rule, ground, near[row["subject"]]) for row in first_day.iter_rows(named=True)]
    return spelt(found)


def slug(name: str) -> str:
    """A name as written, normalised: lower case, everything else than letters and digits one hyphen, at most 60."""
    return re.sub(r"[^\w]+", "-", name.lower()).strip("-")[:60].strip("-")


def _near(queued: pl.DataFrame, catalogue: Catalogue, likeness: float) -> dict[str, str]:
    """Normalised name -> name of the watched class or substance it looks like, or empty."""
    watch = {
        slug(word): substance.name
        for definition in catalogue.classes.values()
        if definition.watch and definition.fuzzy_close_to
        for substance in definition.substances
        for word in (substance.name, *substance.synonyms)
        if len(word) > 5
    }
    found: dict[str, str] = {}
    pairs = queued.group_by("subject").agg(pl.col("class_id").drop_nulls().sort().first()).sort("subject")
    for name, class_id in pairs.iter_rows():
        close = process.extractOne(name, list(watch), scorer=fuzz.ratio, score_cutoff=likeness) if watch else None
        watched_class = class_id and catalogue.is_watched(class_id)
        found[name] = article(catalogue.name_of(class_id)) if watched_class else watch[close[0]] if close else ""
    return found


def _spell(row: dict[str, Any], rule: RuleDefinition, ground: Ground, like: str) -> dict[str, Any]:
    written = " ".join(row["as_written"].split())[:60]
    area = place(ground.catalogue, row["area"])
    return {
        "rule": rule.id,
        "subject_kind": SubjectKind.KEY.value,
        "subject": row["subject"],
        "area": UK,
        "tier": Tier.UK.value,
        "fires_from": row["visible_from"],
        "fires_to": stands(row["visible_from"], rule, row["visible_to"]),
        "period_start": row["reference_date"],
        "period_end": row["reference_date"],
        "observed": 1.0,
        "certain": 1,
        "records": [row["record_id"]],
        "why": f"“{written}”, a name no list has, in {article(row['kind'])} of {day_text(row['reference_date'])} "
        f"from {area}" + (f"; it looks like {like}." if like else "."),
        "would_have_stopped_it": "The name standing in a list of substances, or having been seen before.",
    }
