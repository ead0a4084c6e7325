"""Headers that a program could take for something else stand for themselves."""

from __future__ import annotations

import pytest

from ewarn.errors import UnusableInput
from ewarn.intake.csvfile import LINE, read_rows

NAMES = ["*", "^.*$", "^a$", "^", "$", "^(", "a*", "^a b\t$", "^*$", "^\u2028$"]


@pytest.mark.parametrize("name", NAMES)
def test_a_header_that_looks_like_a_pattern_is_a_name(name: str) -> None:
    body = f'"{name}",a,b\n1,2,3\n\n{"4,5,6"}\n{name},a,b\n'.encode()
    read = read_rows(body)
    assert read.frame.drop(LINE).columns[0].strip() == name.strip()
    assert [row[:3] for row in read.frame.drop(LINE).rows()] == [("1", "2", "3"), ("4", "5", "6")]


@pytest.mark.parametrize("name", NAMES)
def test_alone_in_its_table_too(name: str) -> None:
    read = read_rows(f'"{name}"\n"x"\n"y"\n'.encode())
    assert [row[0] for row in read.frame.drop(LINE).rows()] == ["x", "y"]


KNOWN = ["ref", "date", "place", "found"]
TABLE = "ref,date,place,found\n1,2025-03-01,Camden,Heroin\n"


@pytest.mark.parametrize(
    "titles",
    ["Results for March 2025\n", "Results for March 2025,,,\n\nLaboratory:,A,,\n", "\n\nResults\n,,,\n", "Date\n"],
)
def test_titles_above_a_known_header_are_passed_over_and_said(titles: str) -> None:
    read = read_rows((titles + TABLE).encode(), KNOWN)
    assert read.frame.drop(LINE).rows() == [("1", "2025-03-01", "Camden", "Heroin")]
    assert read.frame[LINE].to_list() == [titles.count("\n") + 2]
    assert any("above the header" in note for note in read.notes)


@pytest.mark.parametrize(
    "before",
    ["a,b,c\n1,2,3\n", "title\n1,2,3\n", "ref,date,place\n1,2025-03-01,Camden\n", '"never closed\n'],
    ids=["another table", "a row below a title", "a header of the same kind", "a broken line"],
)
def test_rows_are_never_taken_for_titles(before: str) -> None:
    try:
        read = read_rows((before + TABLE).encode(), KNOWN)
    except UnusableInput:
        return
    assert read.header[:3] == tuple(before.splitlines()[0].split(","))[:3]
    assert not any("above the header" in note for note in read.notes)


def test_without_a_definition_the_first_line_is_the_header() -> None:
    assert read_rows(b"Results\nref,date,place,found\n").header == ("Results",)
