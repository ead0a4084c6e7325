"""Faults of routes and scenarios are named with file and key; a route or a scenario more is an edit of one file."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ewarn import catalogue

ROOT = Path(__file__).resolve().parent.parent.parent
ROUTE = '\n[[route]]\ntitle = "x"\nproduct = ["formal alert"]\naudience = "professional"\n'


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("content")
    for part in ("sources", "alerts"):
        shutil.copytree(ROOT / part, folder / part)
    return folder


@pytest.mark.parametrize(
    ("line", "key", "words"),
    [
        ('least_severity = "act-noww"', "route[7].least_severity", "'act-noww' is no grade"),
        ('severities = ["share", "shout"]', "route[7].severities", "'shout' is no grade"),
        ('channels = ["pigeon"]', "route[7].channels", "'pigeon' is no channel"),
        ('attachments = ["flier"]', "route[7].attachments", "'flier' is no printed format"),
        ('format = "slak"', "route[7].format", "'slak' is no format"),
        ('hours = "nights"', "hours", "nights"),
        ("waits = true", "waits", 'only a route with hours = "working"'),
        ('least_severity = "share"\nseverities = ["share"]', "least_severity and severities", "write one of the two"),
    ],
)
def test_a_fault_in_a_route_names_file_and_key(content: Path, tmp_path: Path, line: str, key: str, words: str) -> None:
    overlay = tmp_path / "alerts"
    overlay.mkdir()
    (overlay / "routes.toml").write_text((ROOT / "alerts" / "routes.toml").read_text() + ROUTE + line + "\n")
    (fault,) = catalogue.check(content, tmp_path)
    said = str(fault)
    assert fault.file.endswith("routes.toml") and key in said and words in said


def test_a_route_more_is_an_edit_of_one_file(content: Path, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "how-to" / "recipients-and-routes.md").read_text()
    route = page.split("```toml\n", 1)[1].split("```", 1)[0]
    (tmp_path / "alerts").mkdir()
    (tmp_path / "alerts" / "routes.toml").write_text((ROOT / "alerts" / "routes.toml").read_text() + "\n" + route)
    assert catalogue.check(content, tmp_path) == []
    made = catalogue.load(content, tmp_path).routes.routes[-1]
    assert (made.title, made.hours, made.least_severity) == ("the region at night", "out of hours", "act-now")


def test_a_scenario_about_no_drop_is_a_fault_and_the_shipped_ones_are_none(content: Path, tmp_path: Path) -> None:
    assert {"camden-evening", "first-nitazene"} <= set(catalogue.load(content).scenarios)
    folder = tmp_path / "alerts" / "scenarios"
    folder.mkdir(parents=True)
    text = (ROOT / "alerts" / "scenarios" / "first-nitazene.toml").read_text()
    (folder / "other.toml").write_text(text.replace('"test_results"', '"test_result"'))
    (fault,) = catalogue.check(content, tmp_path)
    assert "other.toml" in str(fault) and "'test_result' is no drop" in str(fault)
