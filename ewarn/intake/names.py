"""Substance columns to mentions: one row per record and written name. Distinct texts are matched once, then joined."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ewarn.frames import SHAPES, empty, shaped
from ewarn.intake.analysis import presumed
from ewarn.intake.csvfile import ROW
from ewarn.intake.normalise import Mapped, number, yes
from ewarn.matching import Matcher, Mention
from ewarn.terms import MentionKind, Role

# Our field -> the role of what it names, in the order of a record's ordinals.
ROLES = {
    "major": Role.MAJOR, "minor": Role.MINOR, "trace": Role.TRACE, "confirmed": Role.CONFIRMED,
    "suspected": Role.SUSPECTED, "substances": Role.NAMED,
}  # fmt: skip
# Our fields that say how it was found.
MEASURES = ("method", "presumptive", "concentration", "unit")
# Without a separator these cells are prose: a name not listed as a whole is looked for inside.
_PROSE = {"confirmed", "suspected", "substances"}
# What was suspected is said in the words of the street.
_STREET = "suspected"
_NAMED = (MentionKind.SUBSTANCE, MentionKind.CLASS)
_HOW = ["text", "prose", "street"]
_MATCH = ["mention_kind", "subject", "class_id", "as_written", "matched"]


def mentions(frame: pl.DataFrame, mapped: Mapped, matcher: Matcher) -> pl.DataFrame:
    """In: the file's rows with `row`. Out: frames.SHAPES['staged_mention']."""
    parts = [_parts(frame, mapped, field, order) for order, field in enumerate(ROLES) if mapped.has(field)]
    if not parts:
        return empty("staged_mention")
    written = pl.concat(parts)
    if written.is_empty():
        return empty("staged_mention")
    found = _matched(written.select(_HOW).unique(), matcher)
    joined = written.join(found, on=_HOW, how="inner").sort("row", "order", "part", "sub")
    joined = joined.with_columns(
        ordinal=pl.int_range(pl.len()).over("row"),
        several=(pl.col("role") != Role.SUSPECTED.value).sum().over("row") > 1,
    )
    return shaped("staged_mention", joined.join(_measured(frame, mapped), on="row", how="left").pipe(_one_figure))


def sold_as(frame: pl.DataFrame, mapped: Mapped, matcher: Matcher) -> pl.DataFrame:
    """row, and as 'subject' the one substance its sold-as text names, or the one class, else null."""
    texts = frame.select(mapped.text("sold_as").alias("text")).to_series()
    subjects = {text: intent(text, matcher) for text in texts.drop_nulls().unique()}
    return frame.select(
        pl.col(ROW).alias("row"),
        subject=texts.replace_strict(subjects, default=None, return_dtype=pl.String)
        if subjects
        else pl.lit(None, pl.String),
    )


def intent(text: str, matcher: Matcher) -> str | None:
    """What somebody meant to buy, brand and street words included; null where it is nothing or several things."""
    whole = matcher.mentions(text, whole=True, brands=True)[0] if text.strip() else None
    if whole is None or whole.kind in _NAMED or whole.kind is MentionKind.STATUS:
        return whole.subject if whole is not None and whole.kind in _NAMED else None
    inside = [m for m in matcher.mentions(text, whole=False, brands=True) if m.kind in _NAMED]
    subjects, classes = {m.subject for m in inside}, {m.class_id for m in inside}
    if len(subjects) == 1:
        return subjects.pop()
    return classes.pop() if len(classes) == 1 else None


def in_cell(text: str, matcher: Matcher, prose: bool, street: bool = False) -> list[Mention]:
    """Mentions of a cell or one part of a list: one whole name, else every name in it, each substance once.

    What no list has is queued; of prose only what stands where a name would. `street`: brands and street words too.
    """
    found: Sequence[Mention] = matcher.in_cell(text, in_prose=prose)
    inside: dict[str, Mention] = {}
    for one in _with_street_words(text, found, matcher) if street else found:
        inside.setdefault(one.subject or one.as_written.casefold(), one)
    return list(inside.values())


def _with_street_words(text: str, found: Sequence[Mention], matcher: Matcher) -> list[Mention]:
    """The mentions with what brands and street words stand for, in place of what was queued or not understood there."""
    known = [m for m in matcher.mentions(text, whole=False, brands=True) if m.kind in _NAMED]
    kept = [
        m for m in found
        if m.kind in _NAMED or not (known and (m.kind is MentionKind.STATUS or _overlaps(m, known)))
    ]  # fmt: skip
    return sorted([*kept, *(m for m in known if not _overlaps(m, kept))], key=lambda m: m.start)


def _overlaps(one: Mention, others: Sequence[Mention]) -> bool:
    return any(one.start < other.end and other.start < one.end for other in others)


def _parts(frame: pl.DataFrame, mapped: Mapped, field: str, order: int) -> pl.DataFrame:
    """One row per written part: row, order, part, role, text, prose, street."""
    split = mapped.definition.columns[field].split
    lists = mapped.cell(field).str.split(split) if split else pl.concat_list(mapped.cell(field))
    parts = (
        frame.select(pl.col(ROW).alias("row"), text=lists)
        .explode("text")
        .with_columns(part=pl.int_range(pl.len()).over("row"))
    )
    parts = parts.with_columns(text=mapped.translated(pl.col("text").str.strip_chars(), field)).drop_nulls("text")
    return parts.select(
        "row", order=pl.lit(order), part="part", role=pl.lit(ROLES[field].value), text="text",
        prose=pl.lit(field in _PROSE), street=pl.lit(field == _STREET),
    )  # fmt: skip


def _matched(distinct: pl.DataFrame, matcher: Matcher) -> pl.DataFrame:
    rows = [
        (text, prose, street, sub, m.kind.value, m.subject, m.class_id, m.as_written, m.matched)
        for text, prose, street in distinct.iter_rows()
        for sub, m in enumerate(in_cell(text, matcher, prose, street))
    ]
    kinds = dict.fromkeys(_MATCH, pl.String())
    how = {"text": pl.String(), "prose": pl.Boolean(), "street": pl.Boolean()}
    schema: dict[str, pl.DataType] = {**how, "sub": pl.Int64(), **kinds}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _measured(frame: pl.DataFrame, mapped: Mapped) -> pl.DataFrame:
    return frame.select(
        pl.col(ROW).alias("row"),
        method=mapped.text("method"),
        presumptive=pl.coalesce(yes(mapped, "presumptive", presumptive=True).value, presumed(mapped.text("method"))),
        concentration=number(mapped, "concentration").value,
        unit=mapped.text("unit"),
    )


def _one_figure(joined: pl.DataFrame) -> pl.DataFrame:
    """A suspicion has no method; one concentration beside several names belongs to none of them for certain."""
    tested = pl.col("role") != Role.SUSPECTED.value
    kept = [pl.when(tested).then(pl.col(c)).alias(c) for c in ("method", "presumptive")]
    kept += [pl.when(tested & ~pl.col("several")).then(pl.col(c)).alias(c) for c in ("concentration", "unit")]
    return joined.with_columns(kept).select([c for c in SHAPES["staged_mention"].names() if c in joined.columns])
