"""Every fault of every file at once, each with its file, its key and what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ewarn import catalogue
from ewarn.catalogue import Fault
from ewarn.errors import ContentFault

Write = Callable[..., Path]
Edited = Callable[[str, str, str], dict[str, str]]


def only(faults: list[Fault]) -> Fault:
    assert len(faults) == 1, [str(f) for f in faults]
    return faults[0]


def test_whole_content_has_no_fault(write: Write) -> None:
    assert catalogue.check(write()) == []


def test_all_faults_of_all_files_come_at_once(write: Write, edited: Edited) -> None:
    folder = write(
        edited("sources/feeds/agency.toml", "publisher", "publsher")
        | edited("alerts/routes.toml", '\nchannels = ["duty"]', '\nchannels = ["email"]')
        | edited("sources/areas/outcodes.csv", "0.8", "0.7")
        | {"sources/drops/broken.toml": "title = \n", "alerts/rules/rule.py": "x = 1\n"}
    )
    found = {(fault.file, fault.key) for fault in catalogue.check(folder)}
    assert found == {
        ("sources/feeds/agency.toml", "publsher"),
        ("sources/feeds/agency.toml", "publisher"),
        ("alerts/routes.toml", "route[1].channels"),
        ("sources/areas/outcodes.csv", "N1"),
        ("sources/drops/broken.toml", "line 1, column 9"),
        ("alerts/rules/rule.py", ""),
    }


def test_loading_raises_with_every_fault_and_exit_status_3(write: Write, edited: Edited) -> None:
    folder = write(edited("sources/feeds/agency.toml", "https://", "") | {"alerts/grading.toml": None})
    with pytest.raises(ContentFault) as raised:
        catalogue.load(folder)
    assert raised.value.exit_status == 3
    assert sorted(raised.value.faults) == sorted(str(fault) for fault in catalogue.check(folder))
    assert len(raised.value.faults) == 2


@pytest.mark.parametrize(
    ("path", "old", "new", "key", "remedy"),
    [
        ("sources/feeds/agency.toml", "cadence", "cadense", "cadense", "write 'cadence'"),
        ("sources/feeds/agency.toml", "url =", "expected_lag_days = -1\nurl =", "expected_lag_days", "write"),
        ("sources/feeds/agency.toml", "url =", 'enabled = "yes please"\nurl =', "enabled", "true or false"),
        ("sources/drops/laboratory.toml", '"sample"', '"samples"', "kind", "'sample', 'incident', 'count'"),
        ("sources/drops/laboratory.toml", "split", "splitt", "columns.major.splitt", "write 'split'"),
        ("sources/drops/laboratory.toml", "[columns.major]", "[columns.majors]", "", "write one of area_code"),
        ("sources/drops/laboratory.toml", 'key = ["ref"]', 'key = ["reff"]', "key", "write 'ref'"),
        ("sources/substances/nitazene.toml", "synonyms", "synonym", "substances[metonitazene].synonym", "'synonyms'"),
        ("sources/substances/nitazene.toml", 'parent = "opioid"', 'parent = "opiod"', "parent", "write 'opioid'"),
        ("alerts/rules/first.toml", '"first detection"', '"first"', "family", "'first detection', 'repeat detection'"),
        ("alerts/rules/first.toml", "day = 0", 'day = "x"', "example[one is enough].rows[1].day", "whole number"),
        ("alerts/rules/first.toml", '"urgent"', '"urgnt"', "grade_suggested", "write 'urgent'"),
        ("alerts/rules/first.toml", "fires = true", "fires = false", "", "one that must not"),
        ("alerts/advice/naloxone.md", "dated = 2026-01-01", 'dated = "soon"', "dated", "2026-01-31"),
        ("alerts/advice/naloxone.md", '["nitazene"]', '["nitazenes"]', "applies_to", "write 'nitazene'"),
        ("alerts/grading.toml", "due_hours = 4", "due_hours = 0", "grade[urgent].due_hours", "write"),
        ("alerts/templates/alert.toml", '"formal alert"', '"formal"', "product", "'formal alert'"),
        (
            "sources/areas/areas.csv",
            ",E12000007,London Borough",
            ",E12000008,London Borough",
            "E09000007.parent",
            "write",
        ),
        ("sources/areas/areas.csv", "Camden,borough", "Camden,boro", "E09000007.tier", "borough, region, uk"),
        ("sources/areas/areas.csv", "210000", "many", "E09000007.population", "write persons"),
        ("sources/areas/areas.csv", "hex_row", "hexrow", "hexrow", "write 'hex_row'"),
        (
            "sources/areas/neighbours.csv",
            "E09000019,E09000007\n",
            "",
            "E09000007,E09000019",
            "E09000019,E09000007 as well",
        ),
        ("sources/areas/outcodes.csv", "NW5,", "nw5,", "nw5,E09000007", "write it like SW1A"),
    ],
)
def test_a_fault_names_file_key_and_remedy(
    write: Write, edited: Edited, path: str, old: str, new: str, key: str, remedy: str
) -> None:
    said = [fault for fault in catalogue.check(write(edited(path, old, new))) if fault.key == key]
    fault = only(said[:1])
    assert fault.file in (path, "alerts/routes.toml")
    assert remedy in fault.remedy
    assert str(fault) == f"{fault.file}: {key + ': ' if key else ''}{fault.problem}; {fault.remedy}"


def test_every_fault_says_what_to_write(write: Write) -> None:
    for fault in catalogue.check(write({path: "[[" for path in ("alerts/routes.toml", "alerts/grading.toml")})):
        assert fault.problem and fault.remedy


def test_a_syntax_error_has_its_line_and_column(write: Write) -> None:
    fault = only(catalogue.check(write({"sources/feeds/other.toml": 'title = "x"\npublisher = Agency\n'})))
    assert (fault.file, fault.key) == ("sources/feeds/other.toml", "line 2, column 13")


def test_a_file_that_is_not_utf8_is_a_fault(write: Write) -> None:
    folder = write()
    (folder / "sources/feeds/other.toml").write_bytes(b'title = "caf\xe9"')
    assert "UTF-8" in only(catalogue.check(folder)).remedy


def test_an_empty_or_missing_folder_is_a_fault(write: Write) -> None:
    folder = write(
        {"alerts/rules/first.toml": None, "sources/areas/areas.csv": None, "sources/feeds/agency.toml": None}
    )
    said = {fault.file: fault.problem for fault in catalogue.check(folder)}
    assert said["alerts/rules"] == said["sources/feeds"] == "missing or empty"
    assert said["sources/areas/areas.csv"] == "missing"


def test_areas_without_a_row_are_a_fault(write: Write) -> None:
    header = "code,name,tier,parent,other_names,population,population_year,hex_column,hex_row\n"
    said = [f.problem for f in catalogue.check(write({"sources/areas/areas.csv": header}))]
    assert "holds no row" in said


def test_nothing_at_all_is_faults_and_not_an_exception(tmp_path: Path) -> None:
    assert len(catalogue.check(tmp_path / "nowhere")) >= 10


def test_files_in_the_wrong_place_are_faults(write: Write) -> None:
    folder = write({"sources/feed/other.toml": "", "sources/feeds/notes.txt": "", "sources/feeds/README.md": "words"})
    said = {fault.file: fault.remedy for fault in catalogue.check(folder)}
    assert said == {
        "sources/feed/other.toml": "write 'sources/feeds' as its place",
        "sources/feeds/notes.txt": "write a .toml file",
    }


def test_a_differing_id_inside_is_a_fault_and_the_same_id_is_not(write: Write, edited: Edited) -> None:
    path = "alerts/channels/duty.toml"
    assert catalogue.check(write(edited(path, "title", 'id = "duty"\ntitle'))) == []
    assert only(catalogue.check(write(edited(path, "title", 'id = "rota"\ntitle')))).key == "id"


@pytest.mark.parametrize("spelling", ["Metonitazine", "METO NITAZINE", "meto-nitazine", "Metonitazene"])
def test_a_name_claimed_by_two_substances_is_a_fault(write: Write, edited: Edited, spelling: str) -> None:
    fault = only(catalogue.check(write(edited("sources/substances/opioid.toml", "diamorphine", spelling))))
    assert "metonitazene" in fault.problem + fault.remedy and "heroin" in fault.problem + fault.remedy


def test_a_phrase_of_a_result_cannot_be_a_substance(write: Write, edited: Edited) -> None:
    folder = write(edited("sources/substances/opioid.toml", "diamorphine", "unable to identify"))
    assert "unable-to-identify" in str(only(catalogue.check(folder)))


def test_an_id_stands_for_one_thing(write: Write, edited: Edited) -> None:
    folder = write(edited("sources/substances/opioid.toml", 'id = "heroin"', 'id = "nitazene"'))
    assert any("already used" in fault.problem for fault in catalogue.check(folder))


def test_one_id_is_never_feed_and_drop(write: Write) -> None:
    folder = write()
    (folder / "sources/drops/agency.toml").write_text((folder / "sources/drops/laboratory.toml").read_text())
    assert only(catalogue.check(folder)).file == "sources/drops/agency.toml"


def test_a_header_that_means_two_columns_is_a_fault(write: Write, edited: Edited) -> None:
    new = 'column = "found"\nother_names = ["Date"]\n'
    old = 'column = "sampled"\n'
    changed = edited("sources/drops/laboratory.toml", 'column = "found"\n', new)
    text = changed["sources/drops/laboratory.toml"].replace(old, old + 'other_names = ["date"]\n')
    assert (
        "'date' means found and sampled"
        in only(catalogue.check(write({"sources/drops/laboratory.toml": text}))).problem
    )


def test_a_refused_class_is_not_reported_again_by_those_who_name_it(write: Write, edited: Edited) -> None:
    folder = write(edited("sources/substances/nitazene.toml", "watch = true", "watch = maybe"))
    assert only(catalogue.check(folder)).file == "sources/substances/nitazene.toml"


def test_advice_past_its_review_is_not_a_fault_of_the_file(write: Write) -> None:
    assert catalogue.load(write()).advice["naloxone"].review_by.year == 2026
