"""Where the header stands is one answer for a CSV file and for a workbook, and no row of data is left out for it."""

from __future__ import annotations

import csv
import io
import zipfile

import pytest

from ewarn.intake import sheetchild
from ewarn.intake.csvfile import LINE, read_rows
from ewarn.intake.titles import folded, header_at
from tests.intake.workbooks import row, workbook

KNOWN = ("Sample ref", "date", "place", "found")
HEADER, DATA = ["sample_ref", "Date", "place", "found"], ["1", "2025-03-01", "Camden", "Heroin"]
TITLED = {
    "one title": [["Results for March"]],
    "two titles of two cells": [["Laboratory:", "A"], ["Made", "2025-03-02"]],
    "a title that is also a column": [["Date"]],
    "twenty titles": [[f"title {number}"] for number in range(20)],
}
UNTITLED = {
    "another table above": [["a", "b", "c"], ["1", "2", "3"]],
    "a row of data below a title": [["title"], ["1", "2", "3"]],
    "a small table of the same kind above": [["sample_ref", "place"], ["1", "Camden"]],
    "a row of data above": [["2", "2025-03-02", "Camden"]],
    "more titles than anybody writes": [[f"title {number}"] for number in range(21)],
}


def of_csv(rows: list[list[str]]) -> tuple[list[tuple[str, ...]], bool]:
    """Header and rows, and whether lines above it were left out."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    read = read_rows(text.getvalue().encode(), KNOWN)
    return [read.header, *read.frame.drop(LINE).rows()], any("above the header" in note for note in read.notes)


def of_sheet(rows: list[list[str]]) -> tuple[list[tuple[str, ...]], bool]:
    body, out = workbook({"Sheet1": [row(*cells) for cells in rows]}), io.StringIO(newline="")
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        told = sheetchild.read(body, archive, 0, out, {folded(name) for name in KNOWN})
    read = read_rows(out.getvalue().encode(), KNOWN)
    return [read.header, *read.frame.drop(LINE).rows()], any("above the header" in note for note in told["notes"])


@pytest.mark.parametrize("titles", TITLED.values(), ids=TITLED)
def test_titles_are_left_out_of_both_and_it_is_said(titles: list[list[str]]) -> None:
    wanted = ([tuple(HEADER), tuple(DATA)], True)
    assert of_csv([*titles, HEADER, DATA]) == wanted == of_sheet([*titles, HEADER, DATA])


@pytest.mark.parametrize("above", UNTITLED.values(), ids=UNTITLED)
def test_nothing_is_left_out_of_either_where_a_row_of_data_could_be_meant(above: list[list[str]]) -> None:
    assert header_at([*above, HEADER, DATA], {folded(name) for name in KNOWN}) in (0, None)
    for read in (of_csv, of_sheet):
        found, left_out = read([*above, HEADER, DATA])
        assert not left_out and found[0][: len(above[0])] == tuple(above[0])
