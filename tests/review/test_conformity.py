"""The methods give what other software gave: files the project carries, and those beside it where they are."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import polars as pl
import pytest

from ewarn.review.conformity import conformity


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in (".json", ".csv", ".gz")}


@pytest.fixture(scope="module")
def carried(root: Path) -> dict[str, bytes]:
    return contents(root / "tests" / "golden")


def only(files: dict[str, bytes], *ids: str) -> dict[str, bytes]:
    return {name: text for name, text in files.items() if name.startswith(("input_", *ids))}


def test_every_carried_file_is_met(carried: dict[str, bytes]) -> None:
    found = conformity(only(carried, "synth60", "rnssp"))
    assert found.height == 12
    assert found.filter(pl.col("status") != "met").rows() == []
    assert found["rows"].sum() > 50_000


def test_every_file_beside_the_project_is_met(shared: Path) -> None:
    files = {name: text for name, text in contents(shared / "golden").items() if "synth60" not in name}
    found = conformity(files)
    # Nowcasts and space-time scans are other rooms' work.
    other = {name.removesuffix(".json") for name in files if name.startswith(("stp_", "hus")) and name.endswith("json")}
    run = found.filter(~pl.col("id").is_in(list(other)))
    assert run.height >= 34 and run.filter(pl.col("status") != "met").rows() == []


def test_a_changed_bound_and_a_changed_signal_are_missed(carried: dict[str, bytes]) -> None:
    files = only(carried, "synth60_ff_nb.")
    table = gzip.decompress(files["synth60_ff_nb.csv.gz"]).decode().splitlines()
    evaluable = next(i for i, line in enumerate(table[1:], start=1) if line.split(",")[3] != "NA")
    cells = table[evaluable].split(",")
    for column, value, what in ((3, str(int(cells[3]) + 1), "largest_difference"), (4, "1", "signals_differing")):
        changed = list(table)
        changed[evaluable] = ",".join([*cells[:column], value, *cells[column + 1 :]])
        found = conformity(files | {"synth60_ff_nb.csv.gz": gzip.compress("\n".join(changed).encode())})
        assert found["status"].to_list() == ["missed"] and found[what][0] > 1e-3
    gap = [*table[:evaluable], ",".join([*cells[:3], "NA", *cells[4:]]), *table[evaluable + 1 :]]
    found = conformity(files | {"synth60_ff_nb.csv.gz": gzip.compress("\n".join(gap).encode())})
    assert found["not_evaluable_differing"].to_list() == [1]


def test_what_cannot_be_run_says_why_and_stops_nothing(carried: dict[str, bytes]) -> None:
    files = only(carried, "synth60_bayes.")
    told = json.loads(files["synth60_bayes.json"])
    strange = told | {"control": told["control"] | {"mystery": 3}}
    other = told | {"call": "glrnb(sts)"}
    files |= {name: files["synth60_bayes.csv.gz"] for name in ("odd.csv.gz", "other.csv.gz")}
    files |= {"odd.json": json.dumps(strange).encode(), "other.json": json.dumps(other).encode(), "broken.json": b"{"}
    files |= {"gone.json": json.dumps(told | {"input": "input_gone.csv"}).encode(), "gone.csv": b"t,unit\n"}
    found = {row["id"]: row for row in conformity(files).iter_rows(named=True)}
    assert found["synth60_bayes"]["status"] == "met"
    assert found["odd"]["status"] == "not run" and found["odd"]["why"] == "mystery is not supported"
    assert found["other"]["why"] == "no method here answers this call"
    assert found["broken"]["status"] == "not run" and found["broken"]["why"]
    assert found["gone"]["why"] == "input_gone.csv.gz is missing"
    assert conformity({}).height == 0
