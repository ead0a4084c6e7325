"""Two hundred pairs of real samples, labelled by reading them: one batch, not one, or cannot be told.

The pairs hold references and labels alone; what the samples say stays beside the project. The first round was in view
when the points were set, the second was not.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import polars as pl
import pytest

from ewarn.catalogue import Catalogue
from ewarn.frames import Lines
from ewarn.matching import batches, looks
from ewarn.matching.batches import Verdict

PAIRS = Path(__file__).with_name("batch_pairs.csv")


@pytest.fixture(scope="module")
def judged(wedinos: tuple[Lines, pl.DataFrame], catalogue: Catalogue) -> list[tuple[dict[str, str], Verdict]]:
    lines, staged = wedinos
    vocabulary = looks.Vocabulary.of(catalogue)
    named = {json.loads(key)["sample_ref"]: record for record, key in staged.select("record_id", "key").iter_rows()}
    rows = {row["record_id"]: row for row in lines.lines.iter_rows(named=True)}
    found: dict[str, set[str]] = {}
    for record, subject in lines.mentions.select("record_id", "subject").drop_nulls().iter_rows():
        if catalogue.class_of.get(subject, "cutting-agent") != "cutting-agent":
            found.setdefault(record, set()).add(subject)
    places = dict(lines.places.select("record_id", "as_written").drop_nulls().iter_rows())
    judged = []
    for pair in csv.DictReader(PAIRS.open()):
        left, right = (rows[named[pair[side]]] for side in ("left", "right"))
        verdict = batches.alike(
            *(
                looks.look(
                    vocabulary, sold_as=r["sold_as"], subject=r["sold_as_subject"], form=r["form"],
                    colour=r["colour"], label=r["label"],
                )
                for r in (left, right)
            ),
            abs((left["reference_date"] - right["reference_date"]).days),
            near=places.get(left["record_id"], 1) == places.get(right["record_id"], 2),
            content=(frozenset(found.get(left["record_id"], ())), frozenset(found.get(right["record_id"], ()))),
        )  # fmt: skip
        judged.append((pair, verdict))
    return judged


def test_the_labels_hold_references_and_neutral_words_alone() -> None:
    rows = list(csv.DictReader(PAIRS.open()))
    assert len(rows) >= 60 and len({(r["left"], r["right"]) for r in rows}) == len(rows)
    assert set(rows[0]) == {"left", "right", "label", "reason", "round"}
    assert {r["label"] for r in rows} == {"same", "other", "cannot tell"}
    assert all(r[side].removeprefix("W").isdigit() for r in rows for side in ("left", "right"))


def test_what_is_called_one_batch_is_one_and_few_are_missed(judged: list[tuple[dict[str, str], Verdict]]) -> None:
    told = [(pair["label"], verdict.state) for pair, verdict in judged]
    right = told.count(("same", "same"))
    assert right / sum(state == "same" for _, state in told) >= 0.90
    assert right / sum(label == "same" for label, _ in told) >= 0.90


def test_pairs_that_look_alike_at_first_sight_are_told_apart(judged: list[tuple[dict[str, str], Verdict]]) -> None:
    apart = [verdict.state for pair, verdict in judged if pair["label"] == "other"]
    assert apart.count("other") / len(apart) >= 0.95
    dosed = [verdict.state for pair, verdict in judged if pair["reason"] == "dose"]
    assert dosed and set(dosed) == {"other"}


def test_the_round_that_was_not_in_view_agrees_as_well(judged: list[tuple[dict[str, str], Verdict]]) -> None:
    second = [pair["label"] == verdict.state for pair, verdict in judged if pair["round"] == "second"]
    assert len(second) >= 30 and sum(second) / len(second) >= 0.90
