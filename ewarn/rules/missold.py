"""Mis-sold content: a watched substance in something sold as another thing.

In: the ground. Out: spells, one per record and substance, at the closest area known. It never prints the words a thing
was sold under unless they resolve to a substance or a class: brand and street words stay inside.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from ewarn.catalogue import Catalogue
from ewarn.catalogue.definitions import RuleDefinition
from ewarn.frames import empty, spelt
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
    if found.is_empty():
        return empty("spells")
    expected = _expected(found, "sold_as_subject", ground.catalogue)
    surprising = _not_named_among_several(found.filter(~expected), ground.catalogue)
    certain = ground.possible.select(*VERSION, "area", "certain")
    placed = surprising.join(ground.finest, on=VERSION).join(certain, on=[*VERSION, "area"], how="left")
    if placed.is_empty():
        return empty("spells")
    rows = known(placed, [*STRATUM, "record_id"], *CARRIED).sort(*STRATUM, "record_id")
    return spelt([_spell(row, rule, ground) for row in rows.iter_rows(named=True)])


def _not_named_among_several(rows: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
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
    fits = _expected(both, "asked", catalogue)
    return rows.join(both.filter(fits).select(*VERSION, "subject"), on=[*VERSION, "subject"], how="anti")


def _expected(rows: pl.DataFrame, asked: str, catalogue: Catalogue) -> pl.Series:
    """Which rows are no surprise: `asked` is what was found, its class, or what its class names as expected."""
    pairs = rows.select("subject", asked).unique()
    fits = [one is not None and _is_expected(subject, one, catalogue) for subject, one in pairs.iter_rows()]
    told = pairs.with_columns(pl.Series("fits", fits, dtype=pl.Boolean))
    on = ["subject", asked]
    return rows.select(on).join(told, on=on, how="left", maintain_order="left", nulls_equal=True)["fits"]


def _is_expected(subject: str, asked: str, catalogue: Catalogue) -> bool:
    """A class that is named as expected stands for each of its substances."""
    class_id = catalogue.class_of.get(subject, subject)
    expected = catalogue.classes[class_id].expected_sold_as
    if asked in (subject, class_id, *expected):
        return True
    return catalogue.class_of.get(asked) in ((class_id,) if subject == class_id else expected)


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
