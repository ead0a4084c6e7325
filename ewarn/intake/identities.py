"""Which record a row is of, and what it says: its key as text, and its mapped cells as two numbers.

In: a part's usable rows and what the definition makes of the file's columns. Out: one identity a row. Must never change
what a key or a number is made of: kept records are known again by them.
"""

from __future__ import annotations

from collections.abc import Sequence

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
    said: list[pl.Expr | str] = []
    for name, c in mapped.content:
        tagged: list[pl.Expr | str] = [f"{name}\x1f", column_named(f"\0{c}" if c in spelt else c), "\x1e"]
        if c in blank:
            tagged = [pl.when(column_named(c) == "").then(pl.lit("")).otherwise(_concatenated(tagged))]
        said += tagged
    content = cells.select(_concatenated(said).alias("said"))
    numbers = content.select(content=number_of(pl.col("said")), content_too=number_of(pl.col("said"), 1))
    identity = good.select(pl.col(ROW).alias("row"), pl.col(LINE).alias("line"), _key(mapped, fields))
    return identity.hstack([*numbers.get_columns(), retracted])


def _concatenated(parts: Sequence[pl.Expr | str]) -> pl.Expr:
    """Columns and words as one text; words that meet are joined first, as each part costs what a column does."""
    columns, words = list[pl.Expr](), ""
    for part in parts:
        if isinstance(part, str):
            words += part
        else:
            columns += [pl.lit(words), part] if words else [part]
            words = ""
    return pl.concat_str([*columns, pl.lit(words)] if words else columns)


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
