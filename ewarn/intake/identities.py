"""Which record a row is of, and what it says: its key as text, and its mapped cells as two numbers.

In: a part's usable rows and what the definition makes of the file's columns. Out: one identity a row. Must never change
what a key or a number is made of: kept records are known again by them.
"""

from __future__ import annotations

import polars as pl

from ewarn.frames import number_of
from ewarn.intake.columns import column_named
from ewarn.intake.csvfile import LINE, ROW
from ewarn.intake.normalise import Field, Mapped
from ewarn.terms import RecordKind


def identity(good: pl.DataFrame, retracted: pl.Series, mapped: Mapped, fields: dict[str, Field]) -> pl.DataFrame:
    """row, line, key, what the row says as two numbers, and whether it withdraws its record."""
    spelt = _one_spelling(mapped, fields)
    cells = good.select(column_named(c).str.strip_chars() for _, c in mapped.content)
    blank = {c for c in cells.columns if (cells[c] == "").any()}
    cells = cells.hstack(good.select(spelt[c].alias(f"\0{c}") for c in cells.columns if c in spelt))
    words, told = "", list[pl.Expr]()
    for name, c in mapped.content:
        shown, start = column_named(f"\0{c}" if c in spelt else c), f"{name}\x1f"
        if c in blank:
            empty = column_named(c) == ""
            shown = pl.when(empty).then(pl.lit("")).otherwise(shown) if c in spelt else shown
            told += [_unless(empty, start), shown, _unless(empty, "\x1e")]
            words += "{}{}{}"
        else:
            told.append(shown)
            words += start.replace("{", "{{").replace("}", "}}") + "{}\x1e"
    content = cells.select(pl.format(words, *told).alias("said"))
    numbers = content.select(content=number_of(pl.col("said")), content_too=number_of(pl.col("said"), 1))
    identity = good.select(pl.col(ROW).alias("row"), pl.col(LINE).alias("line"), _key(mapped, fields))
    return identity.hstack([*numbers.get_columns(), retracted])


def _unless(empty: pl.Expr, words: str) -> pl.Expr:
    return pl.when(empty).then(pl.lit("")).otherwise(pl.lit(words))


def _key(mapped: Mapped, fields: dict[str, Field]) -> pl.Expr:
    """Canonical JSON of the key columns, as 'key'."""
    spelt = _one_spelling(mapped, fields)
    return (
        pl.struct(
            (spelt.get(c, column_named(c).str.strip_chars()) if c else pl.lit("")).alias(name)
            for name, c in sorted({**mapped.key, **mapped.joining}.items())
        )
        .struct.json_encode()
        .alias("key")
    )


def _one_spelling(mapped: Mapped, fields: dict[str, Field]) -> dict[str, pl.Expr]:
    """Column -> its cell in one spelling, for the day and the area a count is keyed on: 01/03/2025 is 2025-03-01."""
    if mapped.definition.kind is not RecordKind.COUNT:
        return {}
    spelt = {
        "reference_date": fields["reference_date"].value.dt.to_string("%Y-%m-%d"),
        "area_code": mapped.cell("area_code").str.to_uppercase().str.replace_all(r"\s", ""),
    }
    keyed = {*mapped.key.values(), *mapped.joining.values()}
    return {mapped.headers[f]: one for f, one in spelt.items() if f in mapped.headers and mapped.headers[f] in keyed}
