"""Faults of the place tables that an installation may leave out: every one is named with what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ewarn import catalogue

NAMES = "name,kind,area,share,valid_from,valid_to,basis\n"
SQUARES = "square,area,share,certain,basis\n"


def test_both_tables_may_be_left_out(write: Callable[..., Path]) -> None:
    assert catalogue.check(write({})) == []


def test_a_sound_table_is_read_in_its_types(write: Callable[..., Path]) -> None:
    folder = write(
        {
            "sources/areas/placenames.csv": NAMES
            + "Old Camden,former authority,E09000007,1,,1965-03-31,x\nAbroad,outside the UK,,,,,\n",
            "sources/areas/squares.csv": SQUARES + "TQ3080,E09000007,1,true,x\n",
        }
    )
    known = catalogue.load(folder)
    assert known.placenames["valid_to"][0].isoformat() == "1965-03-31"
    assert known.squares["certain"].to_list() == [True]


@pytest.mark.parametrize(
    ("table", "row", "key", "problem"),
    [
        ("placenames", "Old,former authority,E09000999,1,,,x", "Old,E09000999", "no such area"),
        ("placenames", "Old,former authority,,,,,x", "Old,", "no such area"),
        ("placenames", "Old,village,E09000007,1,,,x", "Old,E09000007", "not a kind of name"),
        ("placenames", "Old,county,E09000007,0.5,,,x", "Old", "its shares sum to 0.5"),
        ("placenames", "Old,county,E09000007,1,2020-01-01,2019-01-01,x", "Old,E09000007", "ends before it begins"),
        ("placenames", "Old,county,E09000007,1,,1 May,x", "Old.valid_to", "'1 May' is not a Date"),
        ("squares", "T3080,E09000007,1,true,x", "T3080,E09000007", "not a grid square"),
        ("squares", "TQ3080,E09000007,1,perhaps,x", "TQ3080.certain", "'perhaps' is not a Boolean"),
        ("squares", "TQ3080,E09000007,0.9,false,x", "TQ3080", "its shares sum to 0.9"),
        ("squares", "TQ3080,E09000007,0.9,true,x", "TQ3080,E09000007", "certain, and yet not the only area"),
    ],
)
def test_a_fault_is_named(write: Callable[..., Path], table: str, row: str, key: str, problem: str) -> None:
    header = NAMES if table == "placenames" else SQUARES
    found = catalogue.check(write({f"sources/areas/{table}.csv": f"{header}{row}\n"}))
    assert (key, problem) in {(fault.key, fault.problem) for fault in found}
