"""Mis-sold content: a watched substance in something sold as another thing.

In: the ground. Out: spells, one per record and substance, at the closest area known. It never prints the words a thing
was sold under unless they resolve to a substance or a class: brand and street words stay inside.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from ewarn.catalogue import Catalogue
from ewarn.catalogue.definitions import RuleDefinition
from ewarn.frames import SHAPES, empty
from ewarn.matching import Matcher
from ewarn.rules.prepare import STRATUM, VERSION, Ground, article, day_text, known, of_one_record, watched

# How a thing was come by, not what somebody meant to buy.
NO_INTENT = (
    "found", "amnesty", "unknown", "not known", "not stated", "unsure", "seized", "surrendered", "given", "n a",
)  # fmt: skip
CARRIED = ("reference_date", "presumptive", "age_days", "max_age_days", "sold_as_subject", "certain", "kind")


def spells(rule: RuleDefinition, ground: Ground) -> pl.DataFrame:
    """Spells of mis-sold content; a record whose sold-as is not stated says nothing.

    Numbers: `no_intent`, words that state how a thing was come by and not what it was bought as.
    """
    silent = [str(word) for word in rule.numbers.get("no_intent", NO_INTENT)]  # type: ignore[union-attr]
    said = pl.col("sold_as").fill_null("").str.to_lowercase().str.replace_all(r"[^\w]+", " ").str.strip_chars()
    stated = (said != "") & ~said.is_in(silent)
    found = watched(rule, ground).filter(stated | pl.col("sold_as_subject").is_not_null())
    expected = _expected(ground.catalogue)
    pair = pl.concat_str(pl.col("subject"), pl.lit(" "), pl.col("sold_as_subject"), ignore_nulls=False)
    surprising = found.filter(pl.col("sold_as_subject").is_null() | ~pair.is_in(list(expected)))
    surprising = _not_named_among_several(surprising, ground.catalogue, expected)
    certain = ground.possible.select(*VERSION, "area", "certain")
    placed = surprising.join(ground.finest, on=VERSION).join(certain, on=[*VERSION, "area"], how="left")
    if placed.is_empty():
        return empty("spells")
    rows = known(placed, [*STRATUM, "record_id"], *CARRIED).sort(*STRATUM, "record_id")
    return pl.DataFrame([_spell(row, rule, ground) for row in rows.iter_rows(named=True)], schema=SHAPES["spells"])


def _not_named_among_several(rows: pl.DataFrame, catalogue: Catalogue, expected: set[str]) -> pl.DataFrame:
    """Without rows whose words resolve to no one thing, but name what was found, or its class, among others."""
    unresolved = rows.filter(pl.col("sold_as_subject").is_null())["sold_as"].drop_nulls().unique().to_list()
    if not unresolved:
        return rows
    matcher = Matcher(catalogue.classes.values(), catalogue.statuses.values())
    named = [
        (text, subject)
        for text in unresolved
        for mention in matcher.mentions(text, whole=False, brands=True)
        for subject in {mention.subject, mention.class_id} - {None}
    ]
    pairs = pl.DataFrame(named, schema={"sold_as": pl.String, "asked": pl.String}, orient="row")
    both = rows.filter(pl.col("sold_as_subject").is_null()).join(pairs, on="sold_as")
    fits = pl.concat_str("subject", pl.lit(" "), "asked").is_in(list(expected))
    return rows.join(both.filter(fits).select(*VERSION, "subject"), on=[*VERSION, "subject"], how="anti")


def _expected(catalogue: Catalogue) -> set[str]:
    """Pairs 'substance sold-as' that are no surprise: itself, its class, and what its class names as expected.

    A class that is named stands for each of its substances.
    """
    members: dict[str, set[str]] = {class_id: set() for class_id in catalogue.classes}
    for substance, class_id in catalogue.class_of.items():
        members[class_id].add(substance)
    pairs: set[str] = set()
    for class_id, definition in catalogue.classes.items():
        own, expected = members[class_id], definition.expected_sold_as
        within = {substance for named in expected for substance in members.get(named, ())}
        pairs |= {f"{class_id} {sold_as}" for sold_as in {class_id, *own, *expected}}
        pairs |= {
            f"{substance} {sold_as}" for substance in own for sold_as in {substance, class_id, *expected, *within}
        }
    return pairs


def _spell(row: dict[str, Any], rule: RuleDefinition, ground: Ground) -> dict[str, Any]:
    catalogue = ground.catalogue
    sold_as = catalogue.name_of(row["sold_as_subject"]) if row["sold_as_subject"] else "something else"
    late = row["age_days"] > row["max_age_days"]
    why = (
        f"{catalogue.name_of(row['subject'])} in {article(row['kind'])} sold as {sold_as}, "
        f"{catalogue.area_ref(row['area']).name}, {day_text(row['reference_date'])}."
        + (f" Newly known, happened on {day_text(row['reference_date'])}." if late else "")
        + (" By a presumptive test only." if row["presumptive"] else "")
    )
    return {
        **of_one_record(row, rule),
        "certain": int(bool(row["certain"])),
        "why": why,
        "would_have_stopped_it": "Sold as what it contained, or as something its class is expected in.",
    }
