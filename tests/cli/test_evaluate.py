"""`ewarn evaluate` at the door: quick, honest about what did not run, and a page that stands alone."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from ewarn.pipeline.evaluation import golden_files, golden_folder


@pytest.mark.slow
def test_a_quick_run_needs_nothing_but_ewarn_itself(door: Any, tmp_path: Path) -> None:
    answer = door("evaluate", "--quick", "--replicates", "2", "--seed", "5", "--out", str(tmp_path / "out"), "--json")
    report = answer.document
    assert answer.status == report["exit_status"] == (1 if report["missed"] else 0)
    assert {row["key"] for row in report["figures"]} >= {"C1", "C2", "D1", "D2", "D3", "D4", "D5", "D6", "D7"}
    by_key = {row["key"]: row["verdict"] for row in report["figures"] if row["key"] in ("C1", "C2", "D6")}
    assert by_key == {"C1": "met", "C2": "met", "D6": "not run"}, "the labelled weeks are not ours to carry"
    assert (
        report["made"]["seed"] == "5"
        and int(report["made"]["processors"]) >= 1
        and len(report["made"]["content"]) == 64
    )
    page = (tmp_path / "out" / "evaluation.html").read_text()
    assert "ewarn evaluate --seed 5 --replicates 2 --quick" in page and report["made"]["content"] in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


def test_a_figure_that_is_missed_is_exit_status_one(door: Any, root: Path, tmp_path: Path) -> None:
    for path in (root / "tests" / "golden").glob("*synth60*"):
        if path.name.startswith(("input_synth60", "synth60_ears_C1")):
            (tmp_path / path.name).write_bytes(path.read_bytes())
    bounds = tmp_path / "synth60_ears_C1.csv.gz"
    lines = gzip.decompress(bounds.read_bytes()).decode().splitlines()
    place = lines[0].replace('"', "").split(",").index("alarm")
    cells = lines[-1].split(",")
    cells[place] = str(1 - int(cells[place] or 0))
    bounds.write_bytes(gzip.compress("\n".join([*lines[:-1], ",".join(cells)]).encode()))
    out = tmp_path / "out"
    words = ("evaluate", "--quick", "--replicates", "2", "--golden", str(tmp_path), "--out", str(out))
    answer = door(*words)
    assert answer.status == 1
    assert "missed by 1" in answer.out and "synth60_ears_C1" in answer.out
    page = (out / "evaluation.html").read_text()
    assert "missed by 1" in page and f"--golden {tmp_path.name} --replicates 2 --quick" in page
    figures = json.loads((out / "evaluation.json").read_text())["figures"]
    not_run = {row["key"] for row in figures if row["verdict"] == "not run"}
    assert not_run == {"C2", "D6"}, "what is not in the folder"


def test_the_reference_files_that_ewarn_carries_are_found(root: Path) -> None:
    folder = golden_folder(None)
    assert folder == root / "tests" / "golden"
    assert {"synth60_ears_C1.json", "stp_a33d365c600.json", "input_synth60.csv.gz"} <= set(golden_files(folder))


@pytest.mark.parametrize("words", [("--golden", "/nowhere/at/all"), ("--replicates", "1")])
def test_what_cannot_be_is_a_usage_fault(door: Any, words: tuple[str, str]) -> None:
    answer = door("evaluate", "--quick", *words)
    assert answer.status == 2 and "next:" in answer.err
