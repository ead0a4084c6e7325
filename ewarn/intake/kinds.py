"""The fields of each kind of record: samples, incidents, counts.

Content of frames.SHAPES['staged_<kind>'] beyond the header.
"""

from __future__ import annotations

import polars as pl

from ewarn.intake import byvalue
from ewarn.intake.clocks import day
from ewarn.intake.normalise import Field, Mapped, number, whole, word, yes
from ewarn.intake.staged import Remark
from ewarn.terms import RecordKind

SAMPLE_STREAMS = ("drug checking", "custody", "seizure", "post-mortem", "hospital", "other")
INCIDENT_STREAMS = (
    "ambulance", "emergency department", "police", "outreach", "coroner", "post-mortem", "hospital", "other",
)  # fmt: skip
OUTCOMES = ("fatal", "non-fatal", "naloxone", "ambulance", "emergency department", "unknown")
SETTINGS = ("hostel", "prison", "custody", "venue", "festival", "school", "street", "home", "other")


def fields(mapped: Mapped) -> dict[str, Field]:
    """Our field -> its value and fault, for the definition's kind."""
    return {RecordKind.SAMPLE: _sample, RecordKind.INCIDENT: _incident, RecordKind.COUNT: _count}[
        mapped.definition.kind
    ](mapped)


def foreign_words(mapped: Mapped, frame: pl.DataFrame) -> list[Remark]:
    """Remarks on words in stream and setting that are not ours and were taken as 'other'."""
    streams = SAMPLE_STREAMS if mapped.definition.kind is RecordKind.SAMPLE else INCIDENT_STREAMS
    remarks = []
    for field, allowed in (("stream", streams), ("setting", SETTINGS)):
        if field not in mapped.headers or mapped.definition.kind is RecordKind.COUNT:
            continue
        cells = byvalue.select(frame, {"cell": mapped.text(field), "ours": word(mapped, field, allowed).value})
        foreign = cells.filter(pl.col("cell").is_not_null() & pl.col("ours").is_null())["cell"]
        if foreign.len():
            words = f"{{}} rows have a {field} we have no word for, taken as 'other'"
            remarks.append(remark(mapped, words, foreign.len(), foreign.unique().to_list()))
    return remarks


def remark(mapped: Mapped, words: str, count: int, examples: list[str], most: int = 5) -> Remark:
    """A remark with examples as written; without any where the source's text may name a person."""
    if mapped.definition.personal:
        return Remark(f"{words} (not quoted here: it may name a person; it stands in the file)", count)
    return Remark(words, count, tuple(examples), most)


def _sample(mapped: Mapped) -> dict[str, Field]:
    return {
        "organisation": Field(mapped.text("organisation")),
        "stream": Field(word(mapped, "stream", SAMPLE_STREAMS, otherwise="other").value.fill_null("other")),
        "sold_as": Field(mapped.text("sold_as")),
        "form": Field(_lower(mapped.text("form"))),
        "colour": Field(_colours(mapped)),
        "label": Field(mapped.text("label")),
    }


def _incident(mapped: Mapped) -> dict[str, Field]:
    outcome, persons, cumulative = (
        word(mapped, "outcome", OUTCOMES),
        whole(mapped, "persons", 1),
        yes(mapped, "cumulative"),
    )
    start, end = day(mapped, "reference_date"), day(mapped, "reference_end")
    early = mapped.fault(
        "reference_end", end.value < start.value, "ends before it begins", "correct one of the two dates"
    )
    return {
        "organisation": Field(mapped.text("organisation")),
        "stream": Field(word(mapped, "stream", INCIDENT_STREAMS, otherwise="other").value.fill_null("other")),
        "outcome": Field(outcome.value.fill_null("unknown"), outcome.fault),
        "persons": Field(persons.value.fill_null(1), persons.fault),
        "cumulative": Field(cumulative.value.fill_null(False), cumulative.fault),
        "setting": word(mapped, "setting", SETTINGS, otherwise="other"),
        "place_label": Field(_lower(mapped.text("place_label"))),
        "reference_end": Field(end.value, pl.coalesce(end.fault, early)),
    }


def _count(mapped: Mapped) -> dict[str, Field]:
    cell = mapped.text("value")
    hidden = (cell.str.contains(r"^\*+$") | cell.str.contains(r"^<\s*\d+$")).fill_null(False)
    value, out_of, days = number(mapped, "value"), number(mapped, "denominator"), whole(mapped, "period_days", 1)
    indicator = mapped.text("indicator")
    unnamed = pl.when(indicator.is_null()).then(pl.lit("blank indicator; say what is counted")).otherwise(None)
    return {
        "organisation": Field(mapped.text("organisation")),
        "indicator": Field(indicator, unnamed) if mapped.has("indicator") else Field(pl.lit(mapped.definition.id)),
        "period_days": Field(days.value.fill_null(1), days.fault),
        "value_text": Field(mapped.cell("value")),
        "value": Field(pl.when(~hidden).then(value.value), pl.when(~hidden).then(value.fault)),
        "suppressed": Field(hidden),
        "denominator": out_of,
    }


def _lower(text: pl.Expr) -> pl.Expr:
    return text.str.to_lowercase().str.replace_all(r"\s+", " ")


def _colours(mapped: Mapped) -> pl.Expr:
    """'White, Blue' and 'blue/white' are one: parts lower-case, in our words, sorted, each once."""
    parts = _lower(mapped.text("colour")).str.replace_all(r"\s*(,|/|&|\+|;|\band\b)\s*", ",").str.split(",")
    ours = parts.list.eval(mapped.translated(pl.element(), "colour").drop_nulls())
    return ours.list.unique().list.sort().list.join(", ")
