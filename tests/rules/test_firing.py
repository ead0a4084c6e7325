"""Leaving windows out by sums alone never changes what fires."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pytest

from ewarn.catalogue import Catalogue
from ewarn.frames import Lines
from ewarn.rules import firing, window
from ewarn.rules.prepare import prepare
from ewarn.terms import day_end, day_start

AREAS = ["E09000007", "E09000019", "E09000033", "E09000003"]
START, DAYS = date(2023, 1, 2), 700


def anything(seed: int) -> list[dict[str, object]]:
    """Two years of events in four boroughs, denser at times, with corrections, totals and reports told twice."""
    chance = random.Random(seed)
    rows: list[dict[str, object]] = []
    for number in range(160):
        day = chance.choice([chance.randrange(DAYS)] * 9 + [600 + chance.randrange(4)])
        at = day_start(START + timedelta(days=day)) + timedelta(minutes=chance.randrange(1440))
        row: dict[str, object] = {
            "id": f"r{number}",
            "on": at if chance.random() < 0.7 else at.date(),
            "known": at + timedelta(hours=chance.randrange(72)),
            "area": chance.choice(AREAS),
            "outcome": chance.choice(["fatal", "non-fatal"]),
            "stream": chance.choice(["ambulance", "police", None]),
            "organisation": chance.choice(["x", "y"]),
            "persons": chance.choice([1, 1, 1, 3]),
        }
        if chance.random() < 0.03:
            row |= {"cumulative": True, "persons": chance.randint(3, 30)}
        if chance.random() < 0.1:
            row["gone"] = row["known"] + timedelta(hours=chance.randrange(1, 900))  # type: ignore[operator]
        rows.append(row)
    return rows


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("rule", ["cluster-72h-region", "cluster-72h-neighbours", "cluster-7d-area"])
def test_windows_left_out_by_sums_would_not_have_fired(
    seed: int, rule: str, known: Callable[..., Lines], catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    ground = prepare(known(*anything(seed)), day_end(START + timedelta(days=DAYS)), catalogue)
    plain = catalogue.rules[rule]
    numbers = {**plain.numbers, "n": [2, 4, 3][seed % 3], "alpha": [0.05, 0.001, 0.01][seed % 3]}
    asked = plain.model_copy(update={"numbers": numbers})
    sifted = window.spells(asked, ground, window.EPOCH)
    seen: list[float] = []

    def everything(*given: object) -> np.ndarray:
        mask = could(*given)  # type: ignore[arg-type]
        seen.append(float((~mask).mean()) if mask.size else 0.0)
        return np.ones_like(mask)

    could = firing._could
    monkeypatch.setattr(firing, "_could", everything)
    assert window.spells(asked, ground, window.EPOCH).equals(sifted)
    assert max(seen) > 0
