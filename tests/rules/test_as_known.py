"""What was said at an instant is the same whether later versions are in the line lists or not."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from ewarn.catalogue import Catalogue
from ewarn.frames import Lines
from ewarn.rules import evaluate, signals
from ewarn.terms import LONDON, day_end, day_start, days_between

AREAS = ["E09000007", "E09000019", "E09000033", "E09000003"]
START = datetime(2025, 1, 6, tzinfo=LONDON)
DAYS = days_between(date(2025, 1, 6), date(2025, 3, 16))


def anything(chance: random.Random) -> dict[str, Any]:
    """A sample or an incident somewhere in four boroughs, with a time or without."""
    at = START + timedelta(hours=chance.choice([chance.randint(0, 960), 240 + chance.randint(0, 60)]))
    area, other = chance.sample(AREAS, 2)
    row: dict[str, Any] = {
        "on": at if chance.random() < 0.7 else at.date(),
        "area": {area: 1.0} if chance.random() < 0.6 else {area: 0.6, other: 0.4},
    }
    if chance.random() < 0.4:
        found = chance.choice(["metonitazene", "protonitazene", "brorphine", "zzz"])
        return row | {"found": found, "form": chance.choice([None, "tablet"]), "sold_as": chance.choice([None, "x"])}
    row |= {
        "outcome": chance.choice(["fatal", "non-fatal"]),
        "stream": chance.choice(["ambulance", "police", None]),
        "organisation": chance.choice(["x", "y"]),
        "setting": chance.choice([None, "hostel"]),
        "place_label": chance.choice([None, "p", "q"]),
    }
    if chance.random() < 0.1:
        row |= {"cumulative": True, "persons": chance.randint(3, 14)}
    return row | ({"found": {"cychlorphine": "confirmed"}} if chance.random() < 0.4 else {})


def history(chance: random.Random) -> list[dict[str, Any]]:
    """Records that become known late, are corrected and are withdrawn."""
    rows = []
    for number in range(chance.randint(20, 60)):
        first = anything(chance) | {"id": f"r{number}"}
        known = (START + timedelta(hours=chance.randint(0, 1400))).replace(minute=0)
        first["known"] = known
        rows.append(first)
        if chance.random() < 0.3:
            first["gone"] = known + timedelta(hours=chance.randint(1, 480))
            if chance.random() < 0.6:
                again = anything(chance) if chance.random() < 0.5 else {k: v for k, v in first.items() if k != "gone"}
                rows.append(again | {"id": f"r{number}", "version": 2, "known": first["gone"]})
    return rows


def as_known(lines: Lines, instant: datetime) -> Lines:
    """The line lists without what became known after an instant."""
    seen = lines.lines.filter(pl.col("visible_from") <= instant)
    seen = seen.with_columns(visible_to=pl.when(pl.col("visible_to") <= instant).then("visible_to"))
    key = ["record_id", "version"]
    mentions, places = (f.join(seen.select(key), on=key, how="semi") for f in (lines.mentions, lines.places))
    return Lines(seen, mentions, places, lines.counts)


@pytest.mark.parametrize("seed", range(3))
def test_later_versions_change_nothing_that_was_said(
    seed: int, known: Callable[..., Lines], catalogue: Catalogue
) -> None:
    chance = random.Random(seed)
    lines, rules = known(*history(chance)), list(catalogue.rules.values())
    whole = evaluate(rules, lines, day_end(DAYS[-1]), catalogue, since=day_start(DAYS[0]))
    first_raised = signals.over(whole, DAYS)
    beneath = {s.id for top in first_raised for s in top.beneath}
    for day in chance.sample(DAYS[:50], 2):
        instant = day_end(day)
        said = signals.at(evaluate(rules, as_known(lines, instant), instant, catalogue), instant)
        assert said == signals.at(whole, instant)
        new = {s.id for s in said if s.first_raised_on == day}
        assert {s.id for s in first_raised if s.first_raised_on == day} <= new
        assert new <= {s.id for s in first_raised} | beneath
