"""Place columns to areas: one row per record and area it can lie in. Distinct texts are resolved once, then joined."""

from __future__ import annotations

import polars as pl

from ewarn.frames import SHAPES, shaped
from ewarn.intake.csvfile import ROW
from ewarn.intake.kinds import remark
from ewarn.intake.normalise import Mapped
from ewarn.intake.staged import Remark
from ewarn.matching import Gazetteer, Place
from ewarn.matching.places import outside
from ewarn.terms import UK, Tier

# Our fields that say where.
FIELDS = ("place", "area_code")
_PLACE = {k: v for k, v in SHAPES["staged_place"].items() if k != "row"}


def places(frame: pl.DataFrame, mapped: Mapped, gazetteer: Gazetteer) -> tuple[pl.DataFrame, list[Remark]]:
    """In: the file's rows with `row`. Out: frames.SHAPES['staged_place'], and remarks on places nobody can read.

    A valid area code wins over the place's text. What cannot be read lies, unplaced, in the definition's default area.
    """
    written = frame.select(
        pl.col(ROW).alias("row"), text=mapped.text("place").fill_null(""), code=mapped.text("area_code").fill_null("")
    )
    distinct = written.select("text", "code").unique()
    rows, unread = [], []
    for text, code in distinct.iter_rows():
        found = gazetteer.area(code) or gazetteer.resolve(text)
        if not found and (text or code):
            unread.append(outside(text or code))
        for place in found or (unplaced(mapped.definition.default_area, gazetteer, outside(text or code)),):
            rows.append(
                (text, code, place.area, place.tier, place.share, place.certain, place.precision, place.as_written)
            )
    schema: dict[str, pl.DataType | type[pl.DataType]] = {"text": pl.String, "code": pl.String, **_PLACE}
    known = pl.DataFrame(rows, schema=schema, orient="row")
    joined = written.join(known, on=["text", "code"], how="inner").sort(
        ["row", "share", "area"], descending=[False, True, False]
    )
    remarks = []
    if unread:
        words = "{} written places say no area (left unplaced)"
        remarks.append(remark(mapped, words, len(unread), unread, most=8))
    return shaped("staged_place", joined), remarks


def unplaced(default_area: str, gazetteer: Gazetteer, written: str) -> Place:
    """The default area for a record whose place says nothing; certain only where that is the whole UK."""
    tier = gazetteer.tiers.get(default_area, Tier.UK.value)
    return Place(default_area, tier, 1.0, default_area == UK, "unplaced", written)
