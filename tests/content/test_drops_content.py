"""Every CSV drop: its headers are described, its key names a record, its dates can be read."""

from __future__ import annotations

import csv
import tomllib
from datetime import datetime
from pathlib import Path

import pytest

from ewarn.catalogue.crosschecks import same_header
from ewarn.catalogue.definitions import DropDefinition
from ewarn.frames import MEANINGS
from ewarn.terms import RecordKind

DROPS = sorted((Path(__file__).resolve().parents[2] / "sources" / "drops").glob("*.toml"))
OURS = [path for path in DROPS if path.stem != "wedinos"]


def read(path: Path) -> DropDefinition:
    return DropDefinition.model_validate({"id": path.stem} | tomllib.loads(path.read_text()))


@pytest.fixture(scope="module")
def drops() -> dict[str, DropDefinition]:
    return {path.stem: read(path) for path in DROPS}


def test_the_drops_of_the_first_release_are_there(drops: dict[str, DropDefinition]) -> None:
    kinds = {name: drop.kind for name, drop in drops.items()}
    assert kinds == {
        "wedinos": RecordKind.SAMPLE,
        "test_results": RecordKind.SAMPLE,
        "overdose_incidents": RecordKind.INCIDENT,
        "post_mortem": RecordKind.INCIDENT,
        "overdose_counts": RecordKind.COUNT,
    }


@pytest.mark.parametrize("path", DROPS, ids=lambda path: path.stem)
def test_every_header_is_documented(path: Path) -> None:
    drop = read(path)
    headers = {column.column for column in drop.columns.values() if column.column} | {*drop.ignored, *drop.key}
    assert headers - set(drop.documented) == set()
    assert all((drop.publisher, drop.licence, drop.cadence, drop.personal_data, drop.dates_basis))
    assert drop.max_age_days == 180


@pytest.mark.parametrize("path", DROPS, ids=lambda path: path.stem)
def test_values_are_looked_up_in_lower_case(path: Path) -> None:
    for field, column in read(path).columns.items():
        assert all(word == word.lower().strip() for word in column.values), field


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
@pytest.mark.parametrize("written", ["2025-03-03", "03/03/2025", "3 Mar 2025", "03 March 2025"])
def test_dates_are_read_day_first(path: Path, written: str) -> None:
    formats = read(path).date_formats
    assert any(_is(written, form) for form in formats)
    assert not any("%m/%d" in form for form in formats)


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_no_header_means_two_columns(path: Path) -> None:
    drop = read(path)
    owners: dict[str, str] = {}
    for column in drop.columns.values():
        for header in (column.column, *column.other_names) if column.column else ():
            assert owners.setdefault(same_header(header or ""), column.column or "") == column.column, header
    for header, others in drop.key_other_names.items():
        assert all(same_header(other) not in owners for other in others), header


def test_values_are_the_words_of_the_frames(drops: dict[str, DropDefinition]) -> None:
    incidents = drops["overdose_incidents"].columns
    assert set(incidents["outcome"].values.values()) <= set(MEANINGS["staged_incident"]["outcome"].split(" | "))
    assert set(incidents["stream"].values.values()) <= set(MEANINGS["staged_incident"]["stream"].split(" | "))
    settings = MEANINGS["staged_incident"]["setting"].split(";")[0].split(", ")
    assert set(incidents["setting"].values.values()) == set(settings)
    assert set(incidents["cumulative"].values.values()) == {"true", "false"}
    streams = set(drops["test_results"].columns["stream"].values.values())
    assert streams == set(MEANINGS["staged_sample"]["stream"].split(" | "))
    for name in ("test_results", "overdose_incidents", "post_mortem"):
        assert set(drops[name].columns["status"].values.values()) == {"final", "amended", "retracted"}


def test_small_numbers_stay_as_written(drops: dict[str, DropDefinition]) -> None:
    assert not {"*", "<5"} & set(drops["overdose_counts"].columns["value"].blank)


def test_welsh_words_become_english(drops: dict[str, DropDefinition]) -> None:
    columns = drops["wedinos"].columns
    assert columns["form"].values["tabled"] == "tablet"
    assert columns["colour"].values["glas"] == "blue"


def test_deaths_keep_no_cause_text(drops: dict[str, DropDefinition]) -> None:
    assert "cause_text" in drops["post_mortem"].ignored
    assert drops["post_mortem"].columns["outcome"].value == "fatal"


def test_wedinos_knows_every_header_of_the_real_file(drops: dict[str, DropDefinition], shared: Path) -> None:
    with (shared / "data/wedinos/wedinos_dev.csv").open(newline="", encoding="utf-8") as file:
        header = next(csv.reader(file))
    drop = drops["wedinos"]
    assert set(header) == set(drop.documented)
    assert drop.columns["reference_date"].column == drop.columns["known_date"].column == "date_received"


def _is(written: str, form: str) -> bool:
    try:
        return datetime.strptime(written, form).date().isoformat() == "2025-03-03"  # noqa: DTZ007
    except ValueError:
        return False
