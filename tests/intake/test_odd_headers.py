"""Headers that a program could take for something else stand for themselves."""

from __future__ import annotations

import pytest

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
