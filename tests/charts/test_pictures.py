"""Pictures say every value in characters, escape the words of others, and never draw 'no answer' as nothing."""

from __future__ import annotations

from datetime import date
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from ewarn.charts import Cell, cartogram, weekly_bars

SVG = "{http://www.w3.org/2000/svg}"


def drawn(cells: list[Cell]) -> ElementTree.Element:
    return ElementTree.fromstring(cartogram(cells, title="Signals", description="In words"))


def test_a_cell_says_its_name_and_its_value() -> None:
    picture = drawn([Cell("Camden", 3, 2, 4), Cell("Brent", 2, 2, 0)])
    assert [t.text for t in picture.iter(f"{SVG}title")] == ["Signals", "Brent: 0", "Camden: 4"]
    assert [t.text for t in picture.iter(f"{SVG}text")] == ["Bren", "0", "Camd", "4"]
    assert picture.get("role") == "img"
    assert picture.find(f"{SVG}desc") is not None


def test_no_answer_is_not_drawn_as_nothing() -> None:
    picture = drawn([Cell("Camden", 3, 2, None)])
    assert [g.get("class") for g in picture.iter(f"{SVG}g")] == ["hex unknown"]
    assert "?" in [t.text for t in picture.iter(f"{SVG}text")]


def test_the_largest_value_is_the_darkest_and_one_is_never_the_paper() -> None:
    picture = drawn([Cell("A", 0, 0, 40), Cell("B", 1, 0, 1), Cell("C", 2, 0, 0)])
    assert [g.get("class") for g in picture.iter(f"{SVG}g")] == ["hex level-4", "hex level-1", "hex level-0"]


def test_odd_rows_sit_half_a_cell_to_the_right() -> None:
    picture = drawn([Cell("A", 0, 0, 1), Cell("B", 0, 1, 1)])
    first, second = (float(t.get("x", "")) for t in picture.iter(f"{SVG}text") if t.get("class") == "name")
    assert 25 < second - first < 27


def test_a_picture_carries_no_style_or_script_of_its_own() -> None:
    text = cartogram([Cell('<b>"x"</b>', 0, 0, 1)], title="<script>", description="&")
    assert "<script>" not in text and "<b>" not in text and "style=" not in text


def test_no_cells_and_no_weeks_make_no_picture() -> None:
    assert cartogram([], title="t", description="d") == ""
    assert weekly_bars([], title="t", description="d") == ""


@given(st.lists(st.one_of(st.none(), st.integers(0, 10_000)), min_size=1, max_size=60))
def test_every_week_is_a_bar_with_its_number(values: list[int | None]) -> None:
    weeks = [(date(2025, 1, 6), value) for value in values]
    picture = ElementTree.fromstring(weekly_bars(weeks, title="t", description="d"))
    numbers = [t.text for t in picture.iter(f"{SVG}text") if t.get("class") == "value"]
    assert numbers == ["?" if value is None else str(value) for value in values]
    assert all(0 <= float(r.get("height", "")) <= 90 for r in picture.iter(f"{SVG}rect"))
