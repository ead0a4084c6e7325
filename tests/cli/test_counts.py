"""ewarn counts, and the names people give areas and drugs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Door

HEAD = "sample_ref,laboratory,stream,date_sampled,date_reported,place,sold_as,major,test_type"
ROWS = [
    "1,Lab,drug checking,2025-03-03,2025-03-04,NW1 0DB,diazepam,metonitazene,confirmatory",
    "2,Lab,drug checking,2025-03-05,2025-03-06,NW1 0DB,diazepam,diazepam,confirmatory",
    "3,Lab,drug checking,2025-03-12,2025-03-30,NW1 0DB,diazepam,metonitazene,confirmatory",
    "4,Lab,drug checking,2025-03-13,2025-03-14,N1 9AG,diazepam,metonitazene,confirmatory",
]


@pytest.fixture
def filled(door: Door, tmp_path: Path) -> Door:
    rows = tmp_path / "rows.csv"
    rows.write_text("\n".join([HEAD, *ROWS]) + "\n")
    assert door("init").status == 0
    assert door("intake", "--source", "test_results", "--file", str(rows), "--backfill").status == 0
    return door


def weeks(door: Door, *words: str) -> list[tuple[str, int, int, float | None]]:
    asked = ("counts", "--from", "2025-03-03", "--to", "2025-03-20", "--area", "Camden", *words, "--json")
    rows = door(*asked).document["rows"]
    return [(r["period"], r["observed"], r["tested"], r["positivity"]) for r in rows]


def test_weeks_without_a_record_are_zero_and_the_tested_stand_beside_the_found(filled: Door) -> None:
    found = weeks(filled, "--substance", "metonitazene")
    assert found == [("2025-03-03", 1, 2, 0.5), ("2025-03-10", 1, 1, 1.0), ("2025-03-17", 0, 0, None)]


def test_as_it_was_known_then(filled: Door) -> None:
    before = weeks(filled, "--substance", "metonitazene", "--as-of", "2025-03-20")
    assert [observed for _, observed, _, _ in before] == [1, 0, 0]


def test_areas_next_door_count_where_they_are_asked_for(filled: Door) -> None:
    found = weeks(filled, "--substance", "metonitazene", "--near")
    assert [observed for _, observed, _, _ in found] == [1, 2, 0]


def test_the_month_it_is_of_and_the_month_it_became_known(filled: Door) -> None:
    said = ("counts", "--from", "2025-03-01", "--to", "2025-03-31", "--area", "E09000007", "--substance", "nitazenes")
    (row,) = filled(*said, "--backlog", "--json").document["rows"]
    assert (row["reference_month"], row["known_month"], row["observed"]) == ("2025-03-01", "2025-03-01", 2)
    table = filled(*said, "--csv").out.splitlines()
    assert table[0].startswith("area,area_name,subject") and "TLP:AMBER" in table[1]


def test_an_area_may_be_named(filled: Door) -> None:
    for said in ("Camden", "camden", "E09000007", "LB Camden", "Camden Council"):
        asked = ("counts", "--from", "2025-03-03", "--to", "2025-03-05", "--area", said, "--json")
        assert {row["area"] for row in filled(*asked).document["rows"]} == {"E09000007"}, said


def test_a_name_that_is_nearly_one_is_asked_about(door: Door) -> None:
    assert door("init").status == 0
    answer = door("counts", "--area", "Camdn")
    assert answer.status == 2 and "camden" in answer.err.casefold()
    answer = door("detect", "--dry-run", "--substance", "quuxamol")
    assert answer.status == 2 and "no substance or class" in answer.err
