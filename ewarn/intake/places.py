"""Place columns and coordinates to areas: one row per record and area it can lie in.

In: a file's rows and its definition's columns place, area_code, latitude and longitude, easting and northing. Out:
frames.SHAPES['staged_place'] and remarks. Distinct texts and positions are worked on once, then joined. Must never keep
the inward half of a postcode or a position closer than a kilometre, nor quote free text of incidents.
"""

from __future__ import annotations

import polars as pl

from ewarn.catalogue.definitions import PAIRS
from ewarn.frames import SHAPES, shaped
from ewarn.intake.csvfile import ROW
from ewarn.intake.kinds import remark
from ewarn.intake.normalise import Mapped
from ewarn.intake.staged import Remark
from ewarn.matching import Gazetteer, Place
from ewarn.matching.grid import positions
from ewarn.matching.placenames import OUTSIDE_UK
from ewarn.matching.places import Reading, outside
from ewarn.terms import UK, Tier

_PLACE = {k: v for k, v in SHAPES["staged_place"].items() if k != "row"}
_COORDINATES = [name for pair in PAIRS for name in pair]
# Our fields that say where.
FIELDS = ("place", "area_code", *_COORDINATES)
# A latitude and a longitude of Great Britain or Ireland, written in each other's column.
_EXCHANGED = pl.col("latitude").is_between(-11, 3) & pl.col("longitude").is_between(49, 61.5)
_NOTHING = (pl.col("latitude") == 0) & (pl.col("longitude") == 0) | (pl.col("easting") == 0) & (pl.col("northing") == 0)


def places(frame: pl.DataFrame, mapped: Mapped, gazetteer: Gazetteer) -> tuple[pl.DataFrame, list[Remark]]:
    """In: the file's rows with `row`. Out: frames.SHAPES['staged_place'], and remarks on places nobody can read.

    What says most counts: an area code, then a position that gives local authorities, then the place's text, then a
    position that gives a region only. What cannot be read lies, unplaced, in the definition's default area; what lies
    outside the UK keeps that area's code with the precision 'outside the UK', and no rule counts it.
    """
    written = frame.select(
        pl.col(ROW).alias("row"), text=mapped.text("place").fill_null(""), code=mapped.text("area_code").fill_null("")
    )
    texts, told = _texts(written, mapped, gazetteer)
    by_text = written.join(texts, on=["text", "code"], how="left").drop("text", "code")
    if not any(mapped.has(field) for field in _COORDINATES):
        return _finished(by_text), told
    located, more = _positions(frame, mapped, gazetteer)
    return _finished(_chosen(by_text, located)), _still_unread(by_text, located, told) + more


def unplaced(default_area: str, gazetteer: Gazetteer, written: str) -> Place:
    """The default area for a record whose place says nothing; certain only where that is the whole UK."""
    tier = gazetteer.tiers.get(default_area, Tier.UK.value)
    return Place(default_area, tier, 1.0, default_area == UK, "unplaced", written)


def _texts(written: pl.DataFrame, mapped: Mapped, gazetteer: Gazetteer) -> tuple[pl.DataFrame, list[Remark]]:
    """Every distinct text and code with its areas, and remarks on those that give none or are out of date."""
    place = mapped.definition.columns.get("place")
    holds, default = place.holds if place else "", mapped.definition.default_area
    distinct = written.group_by("text", "code").len().sort("text", "code")
    nothing, abroad = (unplaced(default, gazetteer, ""),), (Place(UK, Tier.UK.value, 1.0, False, OUTSIDE_UK, ""),)
    found: dict[int, tuple[int, tuple[Place, ...]]] = {}
    which, words = [], []
    unread: list[str] = []
    told: dict[str, list[int]] = {}
    for text, code, count in distinct.iter_rows():
        reading = _read(text, code, holds, gazetteer)
        areas = reading.places or (abroad if reading.outside else nothing)
        which.append(found.setdefault(id(areas), (len(found), areas))[0])
        kept = "" if mapped.definition.personal else outside(text or code)  # what names no area may name a person
        words.append(reading.written if reading.places else kept)
        if reading.why and reading.why != "not stated":
            told.setdefault(_general(reading), []).append(count)
            if not reading.places:
                unread.append(words[-1])
    flat = [(number, one) for number, areas in found.values() for one in areas]
    columns: dict[str, list[object]] = {"set": [number for number, _ in flat]}
    columns |= {name: [getattr(one, name) for _, one in flat] for name in _PLACE}
    placed = pl.DataFrame(columns, schema_overrides={"set": pl.Int64, **_PLACE})
    texts = distinct.select(
        "text", "code", set=pl.Series(which, dtype=pl.Int64), words=pl.Series(words, dtype=pl.String)
    )
    as_written = pl.when(pl.col("as_written") == "").then("words").otherwise("as_written")
    texts = texts.join(placed, on="set").with_columns(as_written=as_written).drop("set", "words")
    remarks = []
    if unread:
        said = "{} written places say no area (left unplaced)"
        remarks.append(remark(mapped, said, len(unread), unread, most=8))
    remarks += _told(*((sum(counts), why) for why, counts in sorted(told.items())))
    return texts, remarks


def _read(text: str, code: str, holds: str, gazetteer: Gazetteer) -> Reading:
    found = gazetteer.read(code) if code and gazetteer.area(code) else None
    return found or gazetteer.read(text or code, holds if text else "")


def _general(reading: Reading) -> str:
    """What to know of a reading, without the words of one cell."""
    first = reading.places[0] if reading.places else None
    if first and "in force" in reading.why:
        return "a former area code, read as what became of it"
    if first and "exchanged" in reading.why:
        return "a postcode read with a letter and a digit exchanged (possible, not certain)"
    if first and "in use" in reading.why:
        return "an outward code that is no longer in use"
    if first:
        return "an outward code that does not exist, placed in its postcode area's regions only"
    return f"outside the UK ({reading.why})" if reading.outside and reading.why != OUTSIDE_UK else reading.why


# ---------------------------------------------------------------- positions


def _positions(frame: pl.DataFrame, mapped: Mapped, gazetteer: Gazetteer) -> tuple[pl.DataFrame, list[Remark]]:
    """Every row that has a position, with its areas, and remarks on positions that cannot be used."""
    cells = frame.select(pl.col(ROW).alias("row"), *(mapped.text(name).alias(name) for name in _COORDINATES))
    numbers = cells.with_columns(_number(name) for name in _COORDINATES)
    stated = pl.any_horizontal(pl.col(name).is_not_null() for name in _COORDINATES)
    usable = (numbers.select(~(_EXCHANGED.fill_null(False) | _NOTHING.fill_null(False)))).to_series()
    exchanged = numbers.filter(_EXCHANGED.fill_null(False)).height
    kept = numbers.filter(usable)
    distinct = kept.select(_COORDINATES).unique(maintain_order=True).with_row_index("at")
    grid = positions(distinct).drop_nulls()
    found = gazetteer.located(grid)
    away = grid.join(found, on="at", how="anti").join(distinct, on="at", suffix="_given")
    found = pl.concat([found.select("at", *_PLACE), _outside(away).select("at", *_PLACE)])
    at = kept.join(distinct, on=_COORDINATES, how="inner", nulls_equal=True).select("row", "at")
    located = at.join(found, on="at", how="inner").drop("at")
    unread = cells.filter(stated).join(located, on="row", how="anti").height - exchanged
    outside_uk = located.filter(pl.col("precision") == OUTSIDE_UK)["row"].n_unique()
    remarks = _told(
        (outside_uk, "coordinates lie outside the UK or at sea (no rule counts them in any area)"),
        (exchanged, "latitude and longitude look exchanged (left unplaced); correct the definition's columns"),
        (unread, "coordinates that cannot be read, or are 0 and 0"),
    )
    return located, remarks


def _number(name: str) -> pl.Expr:
    """A finite number; a comma may stand for the decimal point."""
    cell = pl.col(name).str.strip_chars(" °").str.replace(r"^([-+]?\d+),(\d+)$", "$1.$2")
    value = cell.cast(pl.Float64, strict=False)
    return pl.when(value.is_finite()).then(value).alias(name)


def _outside(away: pl.DataFrame) -> pl.DataFrame:
    """Positions in no square of the UK, by a tenth of a degree or 10 km."""
    degrees = pl.format("{}, {}", pl.col("latitude").round(1), pl.col("longitude").round(1))
    metres = pl.format("{}, {} km", (pl.col("easting") / 1e4).round() * 10, (pl.col("northing") / 1e4).round() * 10)
    return away.with_columns(
        area=pl.lit(UK), tier=pl.lit(Tier.UK.value), share=pl.lit(1.0), certain=pl.lit(False),
        precision=pl.lit(OUTSIDE_UK), as_written=pl.coalesce(degrees, metres),
    )  # fmt: skip


def _chosen(by_text: pl.DataFrame, located: pl.DataFrame) -> pl.DataFrame:
    """Of text and position, for each row, what says more."""
    worth = (
        pl.when(pl.col("precision") == "area code").then(0)
        .when(pl.col("precision") == "coordinates").then(1)
        .when(pl.col("precision").is_in(["unplaced", OUTSIDE_UK]) & pl.col("given")).then(4)
        .when(pl.col("precision") == OUTSIDE_UK).then(3)
        .when(pl.col("precision").is_in(["unplaced"])).then(5)
        .otherwise(2)
    )  # fmt: skip
    both = pl.concat([by_text.with_columns(given=True), located.select(by_text.columns).with_columns(given=False)])
    both = both.with_columns(worth=worth.min().over("row", "given"))
    return both.filter(pl.col("worth") == pl.col("worth").min().over("row")).drop("given", "worth")


def _still_unread(by_text: pl.DataFrame, located: pl.DataFrame, told: list[Remark]) -> list[Remark]:
    """Remarks on written places, unless every row that has an unread one has a position."""
    unread = by_text.filter(pl.col("precision") == "unplaced")
    return told if unread.join(located, on="row", how="anti").height else []


def _finished(placed: pl.DataFrame) -> pl.DataFrame:
    return shaped("staged_place", placed.sort(["row", "share", "area"], descending=[False, True, False]))


def _told(*counted: tuple[int, str]) -> list[Remark]:
    """In: how many different places, as the rows of one part were read; and what is to be said of them."""
    return [Remark(f"{{}} written places: {what}", count) for count, what in counted if count > 0]
