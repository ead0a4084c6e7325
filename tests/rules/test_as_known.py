"""What was said at an instant is the same whether later versions are in the line lists or not."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from ewarn.catalogue import Catalogue
from ewarn.frames import SHAPES, Lines
from ewarn.rules import evaluate, reaching, signals
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


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
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


def test_what_lay_beneath_a_signal_that_is_over_stays_there(known: Callable[..., Lines], catalogue: Catalogue) -> None:
    """A series' exceedance that ended holds what is still standing: a check must judge series back to it."""
    lines = known(*history(random.Random(110)))
    rules = [rule for rule in catalogue.rules.values() if rule.method in ("window", "ears", "ladder", "sparse")]
    whole = evaluate(rules, lines, day_end(DAYS[-1]), catalogue, since=day_start(DAYS[0]))
    for instant in (day_end(date(2025, 3, 10)), day_end(date(2025, 3, 11))):
        assert signals.at(evaluate(rules, as_known(lines, instant), instant, catalogue), instant) == signals.at(
            whole, instant
        )


def test_series_are_needed_from_where_the_chain_of_what_lies_beneath_begins() -> None:
    def spell(area: str, first: int, last: int, *records: str) -> dict[str, Any]:
        span = {"fires_from": day_start(DAYS[first]), "fires_to": day_start(DAYS[last])}
        stratum = {"rule": "r", "subject_kind": "none", "subject": "", "area": area, "tier": "borough"}
        return stratum | span | {"records": list(records)}

    rows = [
        spell("a", 60, 65, "x"),
        spell("b", 50, 61, "x", "y"),
        spell("c", 40, 51, "y"),
        spell("d", 30, 41, "z"),
        spell("e", 10, 45, "x"),
    ]
    for order in (rows, rows[::-1]):
        frame = pl.DataFrame(order, schema=SHAPES["spells"])
        assert reaching.needed_from(frame, day_start(DAYS[63])) == day_start(DAYS[40])
        assert reaching.needed_from(frame, day_start(DAYS[66])) == day_start(DAYS[66])
