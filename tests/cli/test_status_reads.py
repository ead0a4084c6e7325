"""`ewarn status` at 80 columns: every source with its state, how it is measured, and what is wrong in words."""

from __future__ import annotations

from typing import Any

import pytest

OLD = "sample_ref,laboratory,stream,date_sampled,place,major\nT-{0},Test lab,custody,2025-02-0{0},Camden,heroin\n"


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Any:
    return lambda instant: monkeypatch.setenv("EWARN_NOW", instant)


def test_the_table_reads_at_80_columns_and_says_what_fails(door: Any, at: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    at("2025-03-03T10:00:00+00:00")
    assert door("intake", "--source", "closed").status == 4
    at("2025-03-04T10:00:00+00:00")
    answer = door("status")
    table = [line for line in answer.out.splitlines() if line.startswith(" ") and "lag: in days" not in line]
    assert all(len(line) <= 80 for line in table)
    (row,) = [line for line in table if line.split()[:1] == ["closed"]]
    assert row.split()[1] == "FAILING"
    assert "closed: failed at 3 Mar 2025 10:00: the feed could not be fetched" in answer.out
    assert "never received" in answer.out


def test_cadence_is_measured_beside_what_is_expected(door: Any, at: Any, tmp_path: Any) -> None:
    for day in range(1, 6):
        file = tmp_path / f"{day}.csv"
        file.write_text(OLD.format(day))
        at(f"2025-03-0{day}T10:00:00+00:00")
        assert door("intake", "--file", str(file), "--source", "test_results").status == 0
    at("2025-03-05T12:00:00+00:00")
    sources = {s["source"]: s for s in door("status", "--json").document["sources"]}
    measured = sources["test_results"]
    assert (measured["cadence_hours"], measured["lag_days"], measured["expected_lag_days"]) == (24, 28, 14)
    assert measured["states"][0] != "failing" and not measured["late"]
