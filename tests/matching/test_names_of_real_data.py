"""Names measured on the development data: the drug-checking slice, causes of death, the public vocabulary, feed items.

Death records are read as texts and counts only; no row is ever shown.
"""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from ewarn.matching import Matcher
from ewarn.matching.text import key
from tests.matching.test_names_of_the_lists import listed

__all__ = ["listed"]
# Vocabulary class -> our class, and the least share of its rows that must be named by one of their names, and that
# must be named or queued with the right class. The rest are isomers and standards of catalogues.
RECALL = {
    "nitazene": ("nitazene", 0.95, 1.0),
    "orphine": ("orphine", 1.0, 1.0),
    "veterinary_sedative": ("sedative-adulterant", 1.0, 1.0),
    "fentanyl_analogue": ("fentanyls", 0.55, 1.0),
    "benzodiazepine": ("benzodiazepine", 0.80, 0.90),
    "cathinone": ("cathinone", 0.68, 0.85),
    "synthetic_cannabinoid": ("synthetic-cannabinoid", 0.28, 0.65),
}


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def test_every_string_of_the_drug_checking_slice_is_named(listed: Matcher, shared: Path) -> None:
    rows = rows_of(shared / "data/wedinos/wedinos_dev.csv")
    names = {part.strip() for row in rows for field in ("major", "minor") for part in row[field].split("|")} - {""}
    kinds = Counter(m.kind.value for name in names for m in listed.in_cell(name, in_prose=False))
    assert kinds["queued"] == 0 and sum(kinds.values()) >= len(names)


def test_causes_of_death_end_in_names_and_the_queue_holds_names(listed: Matcher, shared: Path) -> None:
    rows = rows_of(shared / "data/incidents/connecticut_deaths_2012-2022.csv")
    kinds: Counter[str] = Counter()
    queue: set[str] = set()
    xylazine = []
    for row in rows:
        found = listed.in_cell(row["Cause of Death"], in_prose=True)
        kinds.update(m.kind.value for m in found)
        queue |= {m.as_written.casefold() for m in found if m.kind.value == "queued"}
        if any(m.subject == "xylazine" for m in found):
            month, _, year = row["Date"].split("/")
            xylazine.append(f"{year}-{month}")
    named = kinds["substance"] + kinds["class"]
    assert kinds["queued"] / (named + kinds["queued"]) < 0.005
    assert min(xylazine) == "2019-03"
    prose = {"acute", "intoxication", "disease", "effects", "hypertensive", "complicating", "toxicity", "and", "due"}
    assert not [words for words in queue if prose & set(words.split())]
    near = [words for words in queue if any(s.confidence != "weak" for s in listed.suggest(words, 1))]
    assert len(near) / len(queue) > 0.6
    common = {"heroin", "fentanyl", "cocaine", "alcohol", "methadone", "morphine", "diazepam", "alprazolam", "xylazine"}
    assert not common & queue


@pytest.mark.parametrize("column", ["Other Significant Conditions ", "Description of Injury"])
def test_prose_that_no_word_list_was_made_from_hardly_reaches_the_queue(
    listed: Matcher, shared: Path, column: str
) -> None:
    rows = rows_of(shared / "data/incidents/connecticut_deaths_2012-2022.csv")
    texts = {row[column].strip() for row in rows} - {""}
    queued = sum(any(m.kind.value == "queued" for m in listed.in_cell(t, in_prose=True)) for t in texts)
    assert queued / len(texts) < 0.02


def test_the_public_vocabulary_is_known_by_class(listed: Matcher, shared: Path) -> None:
    named: dict[str, list[bool]] = defaultdict(list)
    placed: dict[str, list[bool]] = defaultdict(list)
    for row in rows_of(shared / "data/vocab/substances.csv"):
        if row["class"] in RECALL:
            ours = RECALL[row["class"]][0]
            names = [row["canonical_name"], *filter(None, row["synonyms"].split("|"))]
            found = [m for name in names if key(name) for m in listed.mentions(name, whole=True)]
            named[row["class"]].append(any(m.kind.value in ("substance", "class") for m in found))
            placed[row["class"]].append(any(m.class_id == ours for m in found))
    for group, (_, least_named, least_placed) in RECALL.items():
        share, of_class = sum(named[group]) / len(named[group]), sum(placed[group]) / len(placed[group])
        assert share >= least_named and of_class >= least_placed, (group, round(share, 3), round(of_class, 3))


def test_every_drug_alert_of_the_feeds_names_its_substances(listed: Matcher, shared: Path) -> None:
    lines = (shared / "data/feeds/labelled_items.jsonl").read_text(encoding="utf-8").splitlines()
    items = [json.loads(line) for line in lines]
    alerts = [item for item in items if item["label"] == "alert"]
    assert len(alerts) == 11
    queued: Counter[str] = Counter()
    for item in items:
        found = listed.mentions(f"{item['title']}. {item['text']}", whole=False)
        queued.update(m.as_written for m in found if m.kind.value == "queued")
        if item["label"] == "alert":
            assert item["substances"] == [] or found, item["title"]
    assert not queued, "articles about other things put nothing into the queue"
