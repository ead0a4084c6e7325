"""The area tables: CSV bytes become frames of the fixed shapes, with a fault for every cell that does not fit.

In: bytes of areas.csv, neighbours.csv and outcodes.csv; lines starting with # are source citations. Out: frames
`areas`, `neighbours` and `outcodes` of ewarn.frames. Never guesses a parent, a border or a share.
"""

from __future__ import annotations

import io

import polars as pl

from ewarn.catalogue.faults import Fault, nearest
from ewarn.frames import MEANINGS, SHAPES, empty
from ewarn.terms import UK, Tier

REQUIRED = {
    "areas": ("code", "name", "tier"),
    "neighbours": ("code", "neighbour"),
    "outcodes": ("outcode", "area", "share"),
}
SHARE_TOLERANCE = 0.001


def read(name: str, body: bytes, file: str) -> tuple[pl.DataFrame, list[Fault]]:
    """One table in its shape; cells that cannot be read are null and a fault each."""
    shape = SHAPES[name]
    try:
        text = pl.read_csv(io.BytesIO(body), comment_prefix="#", infer_schema=False)
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        problem = f"not a readable CSV: {str(error).splitlines()[0]}"
        return empty(name), [Fault(file=file, problem=problem, remedy=f"write the header {','.join(shape)}")]
    faults = _header_faults(name, text.columns, file)
    text = text.with_columns(pl.lit(None, pl.String).alias(c) for c in shape.names() if c not in text.columns)
    text = text.select(pl.col(c).str.strip_chars().replace("", None) for c in shape.names())
    frame = text.select(pl.col(c).cast(dtype, strict=False) for c, dtype in shape.items())
    for column, dtype in shape.items():
        required = column in REQUIRED[name]
        bad = frame[column].is_null() & (text[column].is_not_null() | required)
        for label, cell in zip(text.filter(bad)[shape.names()[0]], text.filter(bad)[column], strict=True):
            problem = "empty" if cell is None else f"'{cell}' is not a {dtype}"
            remedy = f"write {MEANINGS[name][column]}"
            faults.append(Fault(file=file, key=f"{label}.{column}", problem=problem, remedy=remedy))
    return frame, faults


def _header_faults(name: str, columns: list[str], file: str) -> list[Fault]:
    shape = SHAPES[name].names()
    unknown = [
        Fault(file=file, key=column, problem="unknown column", remedy=nearest(column, shape))
        for column in columns
        if column not in shape
    ]
    missing = [
        Fault(file=file, key=column, problem="missing column", remedy=f"write it: {MEANINGS[name][column]}")
        for column in shape
        if column not in columns
    ]
    return unknown + missing


def area_faults(areas: pl.DataFrame, file: str) -> list[Fault]:
    """Codes used twice, unknown tiers, and parents that are unknown, missing or not wider than their area."""
    faults = [
        Fault(file=file, key=str(code), problem="this code stands twice", remedy="write each area once")
        for code in areas.filter(pl.col("code").is_duplicated())["code"].unique().sort()
    ]
    tiers = [tier.value for tier in Tier]
    width = dict(zip(tiers, range(3), strict=True))
    tier_of = dict(areas.select("code", "tier").iter_rows())
    for code, tier, parent in areas.select("code", "tier", "parent").iter_rows():
        if tier not in width:
            problem, remedy, key = f"'{tier}' is not a tier", f"write one of {', '.join(tiers)}", "tier"
        elif code == UK and parent is None:
            continue
        elif parent not in tier_of:
            problem, remedy, key = f"'{parent or ''}' is no area", "write the code of an area in this table", "parent"
        elif width.get(tier_of[parent], -1) <= width[tier]:
            problem, remedy, key = f"{parent} is not wider than {code}", "write a region or the UK", "parent"
        else:
            continue
        faults.append(Fault(file=file, key=f"{code}.{key}", problem=problem, remedy=remedy))
    return faults


def neighbour_faults(neighbours: pl.DataFrame, areas: pl.DataFrame, file: str) -> list[Fault]:
    """Pairs that name no area, name themselves, or are not answered by the pair the other way round."""
    codes, pairs = set(areas["code"]), set(neighbours.iter_rows())
    faults = [
        Fault(file=file, key=f"{code},{other}", problem=f"'{unknown}' is no area", remedy="write a code of areas.csv")
        for code, other in sorted(pairs, key=str)
        for unknown in (code, other)
        if unknown not in codes
    ]
    for code, other in sorted(pairs, key=str):
        if code == other:
            faults.append(Fault(file=file, key=f"{code},{other}", problem="borders itself", remedy="leave the row out"))
        elif (other, code) not in pairs:
            problem, remedy = "the other direction is missing", f"write {other},{code} as well"
            faults.append(Fault(file=file, key=f"{code},{other}", problem=problem, remedy=remedy))
    return faults


def outcode_faults(outcodes: pl.DataFrame, areas: pl.DataFrame, file: str) -> list[Fault]:
    """Outward codes not written as such, areas that do not exist, pairs twice, and shares that do not sum to 1."""
    key = pl.format("{},{}", "outcode", "area")
    checks = [
        (~pl.col("area").is_in(areas["code"].to_list()), "no such area", "write a code of areas.csv"),
        (~pl.col("outcode").str.contains(r"^[A-Z]{1,2}[0-9][0-9A-Z]?$"), "not an outward code", "write it like SW1A"),
        (pl.struct("outcode", "area").is_duplicated(), "this pair stands twice", "write it once"),
        (~pl.col("share").is_between(0, 1), "the share is not between 0 and 1", "write a share such as 0.25"),
    ]
    faults = [
        Fault(file=file, key=where, problem=problem, remedy=remedy)
        for wrong, problem, remedy in checks
        for where in outcodes.filter(wrong).select(key.alias("key"))["key"].unique().sort()
        if where is not None
    ]
    sums = outcodes.group_by("outcode").agg(pl.col("share").sum()).sort("outcode")
    for outcode, total in sums.filter((pl.col("share") - 1).abs() > SHARE_TOLERANCE).iter_rows():
        problem = f"its shares sum to {total:.4g}"
        faults.append(Fault(file=file, key=str(outcode), problem=problem, remedy="write shares that sum to 1"))
    return faults
