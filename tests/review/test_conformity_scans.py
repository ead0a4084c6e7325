"""The permutation scan gives what SaTScan gave, and a difference is seen."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from ewarn.review.conformity_scans import conformity, stated


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if "stp_" in path.name}


@pytest.fixture(scope="module")
def carried(root: Path) -> dict[str, bytes]:
    return contents(root / "tests" / "golden")


def test_zones_windows_and_ratios_are_those_of_satscan(carried: dict[str, bytes]) -> None:
    found = conformity(carried)
    assert found["status"].to_list() == ["met"] * 3
    assert found["clusters"].to_list() == [2, 3, 4]
    assert found.select(pl.col("ratio_difference").max()).item() <= 1e-6
    assert found.select(pl.col("p_difference").max()).item() <= 0.1


def test_the_files_beside_the_project_are_met_too(shared: Path) -> None:
    found = conformity(contents(shared / "golden"))
    assert found.height >= 3 and set(found["status"]) == {"met"}


def test_another_zone_a_longer_window_or_another_ratio_is_missed(carried: dict[str, bytes]) -> None:
    for key, value in (("areas", [18, 7]), ("start", "2023/12/26"), ("llr", 7.58729)):
        description = json.loads(carried["stp_a33d365c600.json"])
        description["clusters"][0][key] = value
        files = carried | {"stp_a33d365c600.json": json.dumps(description).encode()}
        assert conformity(files)["status"].to_list() == ["missed", "met", "met"]


def test_a_file_that_states_too_little_is_not_run(carried: dict[str, bytes]) -> None:
    files = {"a.json": b'{"model": "space-time permutation"}', "b.json": b"{", "c.json": b'{"model": "poisson"}'}
    found = conformity(carried | files)
    assert found.filter(pl.col("status") == "not run")["id"].to_list() == ["a", "b"]


def test_settings_are_read_from_the_words(carried: dict[str, bytes]) -> None:
    model = json.loads(carried["stp_a33d90c600.json"])["model"]
    found = stated(model, seed=4)
    assert (found.most_periods, found.most_share, found.least_cases, found.replicates) == (30, 0.5, 2, 999)
