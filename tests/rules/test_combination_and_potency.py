"""Pairs found together more than before, amounts above all known, and how seldom either speaks without cause."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from ewarn.assess import joining
from ewarn.catalogue import Catalogue
from ewarn.frames import SHAPES, Lines, empty
from ewarn.rules import evaluate, signals
from ewarn.terms import Signal, day_end, day_start, days_between

START = date(2020, 1, 6)
SHARES = {
    "heroin": 0.35, "cocaine": 0.3, "diazepam": 0.25, "bromazolam": 0.15, "ketamine": 0.1, "mdma": 0.1,
    "xylazine": 0.06, "metonitazene": 0.05, "fentanyl": 0.08, "morphine": 0.2,
}  # fmt: skip


def made(catalogue: Catalogue, days: int, seed: int, per_day: float = 3.0, change_on: int | None = None) -> Lines:
    """Samples whose drugs are drawn one by one with fixed shares; from `change_on` on, heroin brings xylazine."""
    rng = np.random.default_rng(seed)
    listed, mentions, places = [], [], []
    for day in range(days):
        for i in range(rng.poisson(per_day)):
            record, on = f"r{day:05d}-{i}", START + timedelta(days=day)
            found = [s for s, share in SHARES.items() if rng.random() < share]
            if change_on is not None and day >= change_on and "heroin" in found and rng.random() < 0.5:
                found.append("xylazine")
            at = {"record_id": record, "version": 1}
            listed.append(
                at | {"source": "made", "kind": "sample", "reference_date": on, "known_date": on,
                      "visible_from": day_start(on), "retracted": False, "max_age_days": 180}
            )  # fmt: skip
            mentions += [
                at | {"ordinal": 0, "role": "major", "mention_kind": "substance", "subject": s,
                      "class_id": catalogue.class_of[s], "as_written": s}
                for s in sorted(set(found))
            ]  # fmt: skip
            places.append(at | {"area": "K02000001", "tier": "uk", "share": 1.0, "certain": True})
    return Lines(*(_frame(n, r) for n, r in (("lines", listed), ("line_mentions", mentions), ("line_places", places))),
                 counts=empty("line_counts"))  # fmt: skip


def _frame(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame([{c: r.get(c) for c in SHAPES[name]} for r in rows], schema=SHAPES[name])


def said(catalogue: Catalogue, lines: Lines, days: int, rule: str = "combination-change") -> list[Signal]:
    last = START + timedelta(days=days)
    evaluation = evaluate([catalogue.rules[rule]], lines, day_end(last), catalogue, since=day_start(START))
    return signals.over(evaluation, days_between(START, last))


@pytest.fixture(scope="module")
def changed(catalogue: Catalogue) -> Lines:
    return made(catalogue, 470, seed=5, change_on=400)


def test_a_change_is_found_within_weeks_and_names_its_records(catalogue: Catalogue, changed: Lines) -> None:
    pair = [s for s in said(catalogue, changed, 470) if s.subject.id == "heroin-with-xylazine"]
    (signal,) = [s for s in pair if (s.first_raised_on - START).days >= 400]
    assert (signal.first_raised_on - START).days - 400 <= 42
    assert signal.observed == signal.record_count and signal.expected is not None and signal.observed > signal.expected
    assert signal.p_value is not None and "q " in signal.why and "by itself" in signal.why
    assert joining.subject_of(signal, catalogue).id == "sedative-adulterant"


def test_without_a_change_it_is_all_but_silent(catalogue: Catalogue) -> None:
    assert len(said(catalogue, made(catalogue, 500, seed=2), 500)) <= 1


@pytest.mark.slow
def test_ten_years_without_a_change_speak_seldom(catalogue: Catalogue) -> None:
    found = [len(said(catalogue, made(catalogue, 1100, seed=s), 1100)) for s in range(5)]
    assert sum(found) / (5 * 2) <= 1.0


def test_a_check_today_and_a_back_test_agree(catalogue: Catalogue, changed: Lines) -> None:
    asked = day_end(START + timedelta(days=460))
    standing = signals.at(evaluate([catalogue.rules["combination-change"]], changed, asked, catalogue), asked)
    found = {s.id for s in said(catalogue, changed, 460)}
    assert standing and {s.id for s in standing} <= found


def test_too_short_a_history_is_no_answer(catalogue: Catalogue) -> None:
    lines = made(catalogue, 120, seed=3)
    asked = day_end(START + timedelta(days=120))
    evaluation = evaluate([catalogue.rules["combination-change"]], lines, asked, catalogue)
    assert evaluation.spells.is_empty() and evaluation.not_evaluable


def amounts(catalogue: Catalogue, *given: tuple[int, float, str]) -> Lines:
    """Tablets with metonitazene: day, amount, unit."""
    lines = made(catalogue, 0, seed=1)
    rows: dict[str, list[dict[str, Any]]] = {"lines": [], "line_mentions": [], "line_places": []}
    for i, (day, value, unit) in enumerate(given):
        on, at = START + timedelta(days=day), {"record_id": f"a{i:03d}", "version": 1}
        rows["lines"].append(
            at | {"source": "made", "kind": "sample", "reference_date": on, "known_date": on, "form": "tablet",
                  "visible_from": day_start(on), "retracted": False, "max_age_days": 180}
        )  # fmt: skip
        rows["line_mentions"].append(
            at | {"ordinal": 0, "role": "major", "mention_kind": "substance", "subject": "metonitazene",
                  "class_id": "nitazene", "as_written": "m", "concentration": value, "unit": unit}
        )  # fmt: skip
        rows["line_places"].append(at | {"area": "E09000007", "tier": "borough", "share": 1.0, "certain": True})
    return Lines(*(_frame(name, given_rows) for name, given_rows in rows.items()), counts=lines.counts)


def test_the_highest_amount_says_so_once_and_never_how_many_times_stronger(catalogue: Catalogue) -> None:
    given = [(d, 1.0 + 0.1 * (d % 5), "mg/tablet") for d in range(12)] + [
        (20, 9.0, "mg per tablet"),
        (25, 8.0, "mg/tablet"),
    ]
    (signal,) = said(catalogue, amounts(catalogue, *given), 40, "potency-highest")
    assert signal.area.code == "E09000007" and signal.observed == 9.0 and signal.upper_bound is not None
    assert "Highest known" in signal.why and "times" not in signal.why and "stronger" not in signal.why


def test_amounts_of_one_day_do_not_judge_each_other_and_units_are_kept_apart(catalogue: Catalogue) -> None:
    given = [(0, 1.0, "mg/tablet")] * 12 + [(0, 9.0, "mg/tablet")]
    assert said(catalogue, amounts(catalogue, *given), 40, "potency-highest") == []
    mixed = [(d, 1.0, "mg/tablet") for d in range(12)] + [(20, 9.0, "%"), (21, 9.0, "strong")]
    assert said(catalogue, amounts(catalogue, *mixed), 40, "potency-highest") == []
