"""What few values share is worked out once and held as categories, and reads as `frame.select` reads."""

from __future__ import annotations

import polars as pl

from ewarn.intake import byvalue

WANTED = {
    "lower": pl.col("word").str.to_lowercase(),
    "same": pl.lit("laboratory"),
    "none": pl.lit(None, pl.String),
    "length": pl.col("word").str.len_chars(),
}


def words(*found: str | None) -> pl.DataFrame:
    return pl.DataFrame({"word": [*found] * 4}, schema={"word": pl.String})


def test_values_met_in_several_frames_read_as_if_each_row_was_worked_out() -> None:
    values = byvalue.Values(WANTED)
    for frame in (words("White", "Blue", None), words("Blue", "Glas", ""), words()):
        assert values.of(frame).cast({"lower": pl.String, "same": pl.String}).rows() == [
            (None if one is None else one.lower(), "laboratory", None, None if one is None else len(one))
            for one in frame["word"]
        ]


def test_texts_are_categories_only_while_few_rows_share_them() -> None:
    few, many = words("White", "Blue"), pl.DataFrame({"word": [f"press {number}" for number in range(8)]})
    assert byvalue.Values(WANTED).of(few).schema["lower"] == pl.Categorical
    assert byvalue.Values(WANTED).of(many).schema["lower"] == pl.String


def test_once_too_many_values_were_met_each_row_is_worked_out() -> None:
    values = byvalue.Values({"lower": WANTED["lower"]})
    first = values.of(pl.DataFrame({"word": ["A", "B"] * 400}))
    assert first.schema["lower"] == pl.Categorical
    many = pl.DataFrame({"word": [f"W{number}" for number in range(byvalue._MOST_KEPT)]})
    values.of(many)
    after = values.of(pl.DataFrame({"word": ["A", "C"] * 4}))
    assert after.schema["lower"] == pl.String and after["lower"].to_list() == ["a", "c"] * 4


def test_the_one_child_of_each_row_is_found_by_its_set() -> None:
    def work(rows: pl.DataFrame) -> pl.DataFrame:
        return rows.select("row", said=pl.col("word").str.to_uppercase())

    children = byvalue.Children(["word"], "row", work)
    for frame in (words("a", "b"), words("b", "c", None), words(), words("a", "c")):
        given = frame.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
        wanted = [None if one is None else one.upper() for one in frame["word"]]
        assert children.one(given, "said").to_list() == wanted
