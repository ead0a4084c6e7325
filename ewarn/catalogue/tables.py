"""The area tables: CSV bytes become frames of the fixed shapes, with a fault for every cell that does not fit.

In: bytes of areas.csv, neighbours.csv, outcodes.csv, placenames.csv and squares.csv; lines starting with # are source
citations. Out: frames of the same names in ewarn.frames. Never guesses a parent, a border or a share.
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
    "placenames": ("name", "kind"),
    "squares": ("square", "area", "share", "certain"),
}
KINDS = (
    "former code", "former authority", "county", "coroner area", "police force", "police unit", "neighbourhood",
    "post town", "former outward code", "outside the UK",
)  # fmt: skip
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
    frame = text.select(_typed(c, dtype) for c, dtype in shape.items())
    for column, dtype in shape.items():
        required = column in REQUIRED[name]
        bad = frame[column].is_null() & (text[column].is_not_null() | required)
        for label, cell in zip(text.filter(bad)[shape.names()[0]], text.filter(bad)[column], strict=True):
            problem = "empty" if cell is None else f"'{cell}' is not a {dtype}"
            remedy = f"write {MEANINGS[name][column]}"
            faults.append(Fault(file=file, key=f"{label}.{column}", problem=problem, remedy=remedy))
    return frame, faults


def _typed(column: str, dtype: pl.DataType) -> pl.Expr:
    cell = pl.col(column)
    if dtype == pl.Boolean:
        return cell.replace_strict({"true": True, "false": False}, default=None, return_dtype=pl.Boolean)
    return cell.str.to_date("%Y-%m-%d", strict=False) if dtype == pl.Date else cell.cast(dtype, strict=False)


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
    shape = (
        ~pl.col("outcode").str.contains(r"^[A-Z]{1,2}[0-9][0-9A-Z]?$"),
        "not an outward code",
        "write it like SW1A",
    )
    return _share_faults(outcodes, ["outcode"], areas, file, [shape])


def placename_faults(placenames: pl.DataFrame, areas: pl.DataFrame, file: str) -> list[Fault]:
    """Unknown kinds, areas that do not exist or are missing, pairs twice, dates that end before they begin, shares."""
    kind = (~pl.col("kind").is_in(KINDS), "not a kind of name", f"write one of {', '.join(KINDS)}")
    dates = (pl.col("valid_to") < pl.col("valid_from"), "ends before it begins", "correct one of the two dates")
    inside = placenames.filter(pl.col("kind") != "outside the UK")
    return _share_faults(inside, ["name", "kind"], areas, file, [kind, dates])


def square_faults(squares: pl.DataFrame, areas: pl.DataFrame, file: str) -> list[Fault]:
    """Squares not written as such, areas that do not exist, pairs twice, and shares that do not sum to 1."""
    name = pl.col("square").str.contains(r"^[A-HJ-Z]{2}([0-9]{2}([NS][EW])?|[0-9]{4})$")
    both = (pl.col("certain") & (pl.col("share") < 1), "certain, and yet not the only area", "write false")
    return _share_faults(squares, ["square"], areas, file, [(~name, "not a grid square", "write it like TQ3080"), both])


def _share_faults(
    frame: pl.DataFrame, named: list[str], areas: pl.DataFrame, file: str, more: list[tuple[pl.Expr, str, str]]
) -> list[Fault]:
    """Faults that every table of shares can have, and more of its own; a fault names the row by its first column."""
    key = pl.format("{},{}", named[0], pl.col("area").fill_null(""))
    checks = [
        *more,
        (~pl.col("area").fill_null("").is_in(areas["code"].to_list()), "no such area", "write a code of areas.csv"),
        (pl.struct(*named, "area").is_duplicated(), "this pair stands twice", "write it once"),
        (
            ~pl.col("share").fill_null(-1).is_between(0, 1),
            "the share is not between 0 and 1",
            "write a share like 0.25",
        ),
    ]
    faults = [
        Fault(file=file, key=where, problem=problem, remedy=remedy)
        for wrong, problem, remedy in checks
        for where in frame.filter(wrong).select(key.alias("key"))["key"].unique().sort()
        if where is not None
    ]
    sums = frame.group_by(named).agg(pl.col("share").sum()).sort(named)
    for row in sums.filter((pl.col("share") - 1).abs() > SHARE_TOLERANCE).iter_rows():
        problem = f"its shares sum to {row[-1]:.4g}"
        faults.append(Fault(file=file, key=str(row[0]), problem=problem, remedy="write shares that sum to 1"))
    return faults
