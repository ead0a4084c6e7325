"""What a row says is a number over its filled cells, made for ever in one way: kept records are known again by it."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from ewarn.catalogue.definitions import DropDefinition
from ewarn.frames import number_of
from ewarn.intake import Staged

Stage = Callable[..., Staged]


def number(said: str) -> str:
    """The two numbers of a text, as a record's content names them."""
    text = pl.lit(said)
    return "-".join(str(one) for one in pl.select(number_of(text), number_of(text, 1).alias("too")).row(0))


def test_blank_cells_are_left_out_and_braces_in_a_header_are_letters(stage: Stage, sample_drop: DropDefinition) -> None:
    drop = sample_drop.model_copy(update={"documented": {"lot {} {0}": "made up"}})
    body = "ref,date,colour,major,lot {} {0}\n1,2025-03-01, Blue ,,{x}\n2,2025-03-01,,Heroin,\n"
    assert stage(drop, body).records["content_hash"].to_list() == [
        number("colour\x1fBlue\x1edate\x1f2025-03-01\x1elot{}{0}\x1f{x}\x1eref\x1f1\x1e"),
        number("date\x1f2025-03-01\x1emajor\x1fHeroin\x1eref\x1f2\x1e"),
    ]


def test_a_count_says_its_day_and_area_in_one_spelling(stage: Stage, count_drop: DropDefinition) -> None:
    drop = count_drop.model_copy(update={"date_formats": ("%d/%m/%Y",)})
    found = stage(drop, "area,date,count,out of\n e0900 0007,01/03/2025,4,\n").records["content_hash"].to_list()
    assert found == [number("area\x1fE09000007\x1ecount\x1f4\x1edate\x1f2025-03-01\x1e")]
