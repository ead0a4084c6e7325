"""Which record a row is of, and what it says: its key as text, and its mapped cells as two numbers.

In: a part's usable rows and what the definition makes of the file's columns. Out: one identity a row. Must never change
what a key or a number is made of: kept records are known again by them.
"""

from __future__ import annotations

import polars as pl

from ewarn.frames import number_of
from ewarn.intake import byvalue
from ewarn.intake.columns import column_named
from ewarn.intake.csvfile import LINE, ROW
from ewarn.intake.normalise import Field, Mapped
from ewarn.terms import RecordKind


class Identities:
    """What a table's rows are known by: the work on cells that repeat is done once."""

    def __init__(self, mapped: Mapped, fields: dict[str, Field], coded: byvalue.Coded) -> None:
        spelt = _one_spelling(mapped, fields)
        said = {str(place): _told(name, c, spelt.get(c)) for place, (name, c) in enumerate(mapped.content)}
        self._said = byvalue.Values(said, coded, texts=True)
        self._key = _key(mapped, spelt)

    def of(self, good: pl.DataFrame, retracted: pl.Series) -> pl.DataFrame:
        """row, line, key, what the row says as two numbers, and whether it withdraws its record."""
        content = self._said.of(good).select(pl.concat_str(pl.all()).alias("said"))
        numbers = content.select(content=number_of(pl.col("said")), content_too=number_of(pl.col("said"), 1))
        rows = byvalue.in_texts(good.select(ROW, LINE, *dict.fromkeys(self._key.meta.root_names())))
        identity = rows.select(pl.col(ROW).alias("row"), pl.col(LINE).alias("line"), self._key)
        return identity.hstack([*numbers.get_columns(), retracted])


def _told(name: str, c: str, spelt: pl.Expr | None) -> pl.Expr:
    """What one of its cells adds to what a row says: nothing where it is blank."""
    cell = column_named(c).str.strip_chars()
    words = [pl.lit(f"{name}\x1f"), cell if spelt is None else spelt, pl.lit("\x1e")]
    return pl.when(cell == "").then(pl.lit("")).otherwise(pl.concat_str(words))


def _key(mapped: Mapped, spelt: dict[str, pl.Expr]) -> pl.Expr:
    """Canonical JSON of the key columns, as 'key'."""
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
