"""Figures, verdicts and the page they stand on."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ewarn.review import evaluation, evaluation_page
from ewarn.review.evaluation import SHAPE, Size, judged, studies


def figure(**more: Any) -> pl.DataFrame:
    row = dict.fromkeys(SHAPE) | {"key": "D1", "study": "a study", "figure": "POD", "note": "", "value": 0.5} | more
    return pl.DataFrame([row], schema=SHAPE)


def verdict(quick: bool = False, **more: Any) -> tuple[str, float | None]:
    row = judged(figure(**more), 1.0, quick).to_dicts()[0]
    return row["verdict"], None if row["missed_by"] is None else round(row["missed_by"], 4)


def test_a_floor_is_met_when_its_interval_reaches_to_a_point_under_it() -> None:
    assert verdict(floor=0.45, value=0.46, lower=0.44, upper=0.48) == ("met", None)
    assert verdict(floor=0.45, value=0.46, lower=0.43, upper=0.48) == ("missed", 0.0)
    assert verdict(floor=0.45, value=0.40, lower=0.38, upper=0.42) == ("missed", 0.05)


def test_a_ceiling_is_met_when_the_value_is_not_above_it() -> None:
    assert verdict(ceiling=0.05, value=0.05, lower=0.04, upper=0.06) == ("met", None)
    assert verdict(ceiling=0.05, value=0.06, lower=0.04, upper=0.08) == ("missed", 0.01)


def test_a_level_is_missed_only_where_the_whole_interval_lies_above_it() -> None:
    assert verdict(ceiling=0.05, value=0.055, lower=0.045, upper=0.065, nominal=True) == ("met", None)
    assert verdict(ceiling=0.05, value=0.07, lower=0.06, upper=0.08, nominal=True) == ("missed", 0.02)


def test_a_quick_run_decides_only_what_the_whole_interval_decides() -> None:
    assert verdict(True, floor=0.45, value=0.46, lower=0.30, upper=0.60)[0] == "undecided"
    assert verdict(True, floor=0.45, value=0.30, lower=0.20, upper=0.40)[0] == "missed"
    assert verdict(True, ceiling=0.05, value=0.04, lower=0.01, upper=0.09)[0] == "undecided"
    assert verdict(True, ceiling=0.05, value=0.02, lower=0.01, upper=0.04)[0] == "met"
    assert verdict(True, ceiling=0.05, value=0.20, lower=0.10, upper=0.30)[0] == "missed"
    assert verdict(True, ceiling=0.0, value=0.0)[0] == "met"


def test_what_did_not_run_is_never_met_and_what_nothing_is_wanted_of_has_no_verdict() -> None:
    assert verdict(value=None, floor=0.1)[0] == "not run"
    assert verdict() == ("", None)


def test_replicates_keep_their_proportion() -> None:
    assert Size.asked(None, False) == Size() and Size.asked(50, False) == Size(50, 750, 1000, 20)
    assert Size.asked(2, True) == Size(2, 15, 50, 10, True)


def test_reference_files_that_are_not_there_are_not_run() -> None:
    """No file at all: C1, C2 and D6 say so, D7 needs none."""
    wanted = [study for study in studies({}, 1, Size(2, 2, 2, 2)) if study.keys in ("C1", "C2", "D6", "D7")]
    rows = pl.concat(judged(study.run(), 0.0, False) for study in wanted)
    found = {key: part["verdict"].to_list() for (key,), part in rows.group_by("key")}
    assert found["C1"] == found["C2"] == found["D6"] == ["not run"]
    assert found["D7"] == ["met", "met"]
    assert rows.filter(verdict="not run")["note"].str.len_chars().min() > 10


def test_a_reference_file_that_differs_is_missed(root: Path) -> None:
    """One count of the reference's bounds is changed; the table says which file and by how much."""
    import gzip

    names = ("synth60_ears_C1", "input_synth60")
    folder = root / "tests" / "golden"
    files = {p.name: p.read_bytes() for p in folder.iterdir() if p.name.startswith(names)}
    run = next(iter(studies(files, 1, Size()))).run
    assert judged(run(), 0.0, False)["verdict"].to_list() == ["met", "met"]
    text = gzip.decompress(files["synth60_ears_C1.csv.gz"]).decode().splitlines()
    column = text[0].replace('"', "").split(",").index("upperbound")
    row = next(i for i, line in enumerate(text[1:], 1) if line.split(",")[column] not in ("NA", "0"))
    cells = text[row].split(",")
    cells[column] = str(float(cells[column]) * 1.01)
    text[row] = ",".join(cells)
    files["synth60_ears_C1.csv"] = "\n".join(text).encode()
    found = judged(run(), 0.0, False)
    assert found["verdict"].to_list() == ["met", "missed"]
    assert found["missed_by"][1] == pytest.approx(0.01, rel=0.02) and "synth60_ears_C1" in found["note"][0]


def test_every_study_gives_rows_of_one_shape_and_both_readings_are_shown(root: Path) -> None:
    files = {p.name: p.read_bytes() for p in (root / "tests" / "golden").iterdir()}
    found = pl.concat(judged(study.run(), 1.0, True) for study in studies(files, 3, Size(2, 3, 4, 2, True)))
    assert found.schema == pl.Schema(SHAPE)
    assert set(found["key"]) == {"", "C1", "C2", "D1", "D2", "D3", "D4", "D5", "D6", "D7"}
    for key in ("D1", "D2"):
        rates = found.filter(key=key).filter(pl.col("figure").is_in(["false-positive rate", "rate beside outbreaks"]))
        assert rates["ceiling"].null_count() == 1 and rates.height == 2
    one_week = found.filter(pl.col("figure").str.contains("one week"))
    assert one_week.height == 2 and set(one_week["verdict"]) == {""}
    assert found.filter(key="C1")["verdict"].to_list() == ["met", "met"]
    drawn = found.filter(pl.col("key").is_in(["D1", "D2", "D3", "D4", "D5", "D7"]))
    assert drawn["seed"].null_count() == drawn["replicates"].null_count() == 0


class Read(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


def test_the_page_stands_alone_and_says_everything_in_words() -> None:
    rows = pl.concat(
        [
            judged(
                figure(floor=0.45, value=0.40, lower=0.38, upper=0.42, seed=1, replicates=9, note="<b>"), 1.5, False
            ),
            judged(
                figure(key="D6", study="other", figure="days", value=None, verdict="not run", note="none"), 0.1, False
            ),
        ]
    )
    html = evaluation_page.page(rows, {"ewarn": "0.1", "content": "abc"}, "ewarn evaluate --seed 1")
    read = Read()
    read.feed(html)
    tags = [tag for tag, _ in read.tags]
    assert "script" not in tags and "link" not in tags and "img" not in tags
    addresses = [v for _, a in read.tags for k, v in a.items() if k in ("src", "href") and not str(v).startswith("#")]
    assert addresses == [] and "url(" not in html
    assert html.startswith("<!DOCTYPE html>") and ("html", {"lang": "en-GB"}) in read.tags
    assert tags.count("caption") == tags.count("table") == 2 and tags.count("h1") == 1
    assert all(a.get("scope") for tag, a in read.tags if tag == "th")
    assert [a.get("role") for tag, a in read.tags if tag == "svg"] == ["img"]
    for words in ("missed by 0.05", "0.3800 to 0.4200", "≥ 0.45", "not run", "ewarn evaluate --seed 1", "abc", "<b>"):
        assert words in read.words
    assert evaluation_page.summary(rows) == "0 met, 1 missed, 1 not run."


def test_a_study_that_breaks_is_a_row_that_says_why() -> None:
    study = evaluation.Study("D6", "labelled weeks", lambda: pl.DataFrame())
    row = judged(evaluation.broken(study, "ValueError: no such day"), 0.0, False).to_dicts()[0]
    assert (row["verdict"], row["note"]) == ("not run", "ValueError: no such day")
