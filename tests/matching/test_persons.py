"""Fewest and most persons hold the true number whatever honest reports of them arrive, in whatever order."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ewarn.matching import apart, persons
from ewarn.matching.persons import Said
from ewarn.terms import LONDON

TIMES = int(os.environ.get("EWARN_FUZZ", "1"))  # ten times as many worlds with EWARN_FUZZ=10

MIDNIGHT = datetime(2025, 3, 28, tzinfo=LONDON)
AMBULANCE, POLICE, OUTREACH = ("ambulance", "A"), ("police", "P"), ("outreach", "O")
EMERGENCY, WARD, CORONER = ("emergency department", "E"), ("hospital", "W"), ("coroner", "C")
PREMISES = (("hostel", "h1", "E09000007"), ("street", "s1", "E09000007"), ("hostel", "h2", "E09000019"))
BOROUGHS = ("E09000007", "E09000019", "E09000033")


def told(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Lines of incidents in a few words, as `reports` reads them."""
    defaults = {
        "persons": 1, "cumulative": False, "outcome": "non-fatal", "setting": None, "place_label": None, "areas": "",
        "reference_end": None, "seen_day": None, "at": None, "stream": "ambulance", "organisation": "A",
        "source": "s", "kind": "incident",
    }  # fmt: skip
    full = [{"record_id": f"r{i:03d}", **defaults, **row} for i, row in enumerate(rows)]
    for row in full:
        row["reference_date"] = row.pop("on") if "on" in row else row["at"].astimezone(LONDON).date()
        row["reference_at"] = row.pop("at")
        row["day"] = row["seen_day"] or row["reference_date"]
    schema = {
        "record_id": pl.String, "reference_date": pl.Date, "reference_at": pl.Datetime("us", "UTC"),
        "reference_end": pl.Date, "day": pl.Date, "persons": pl.Int64, "cumulative": pl.Boolean,
        "outcome": pl.String, "stream": pl.String, "organisation": pl.String, "setting": pl.String,
        "place_label": pl.String, "areas": pl.String, "source": pl.String, "kind": pl.String,
    }  # fmt: skip
    frame = pl.DataFrame([{name: row[name] for name in schema} for row in full], schema=schema)
    return persons.told(frame)


def bounds(rows: list[dict[str, Any]], said: Said = persons.NOTHING) -> tuple[int, int]:
    given = persons.reports(told(rows))
    return persons.bounds(given, persons.pairs(given), said=said)


def at(hours: float, **more: Any) -> dict[str, Any]:
    return {"at": (MIDNIGHT + timedelta(hours=hours)).astimezone(UTC), **more}


def by(service: tuple[str, str], row: dict[str, Any]) -> dict[str, Any]:
    return row | {"stream": service[0], "organisation": service[1]}


def test_one_collapse_told_by_four_services_is_one_to_four_persons() -> None:
    rows = [by(s, at(20 + i / 10)) for i, s in enumerate((AMBULANCE, POLICE, OUTREACH, EMERGENCY))]
    assert bounds(rows) == (1, 4)


def test_the_fewest_is_no_greedy_grouping() -> None:
    """Three singles of one service, and one report of three by another: three persons, not five."""
    singles = [by(EMERGENCY, at(20 + i / 10)) for i in range(3)]
    assert bounds([*singles, by(AMBULANCE, at(20, persons=3))]) == (3, 6)
    chain = [by(AMBULANCE, at(20)), by(POLICE, at(20.4)), by(OUTREACH, at(20.8))]
    assert bounds(chain) == (2, 3)


@pytest.mark.parametrize(
    ("first", "second", "fewest"),
    [
        (by(AMBULANCE, at(20)), by(POLICE, at(20.5)), 1),
        (by(AMBULANCE, at(20)), by(POLICE, at(20.6)), 2),
        (by(AMBULANCE, at(20)), by(EMERGENCY, at(23)), 1),
        (by(AMBULANCE, at(20)), by(EMERGENCY, at(23.1)), 2),
        (by(EMERGENCY, at(20)), by(AMBULANCE, at(21)), 2),
        (by(AMBULANCE, at(20)), by(AMBULANCE, at(20)), 2),
        (by(AMBULANCE, at(20)), by(("ambulance", "B"), at(20)), 2),
        (by(AMBULANCE, at(20)), by(("police", "A"), at(20)), 2),
        (by(AMBULANCE, at(20, setting="hostel")), by(POLICE, at(20, setting="street")), 2),
        (by(AMBULANCE, at(20, setting="hostel")), by(POLICE, at(20, setting="other")), 1),
        (by(AMBULANCE, at(20, place_label="x")), by(POLICE, at(20, place_label="y")), 2),
        (by(AMBULANCE, at(20, areas="E09000007")), by(POLICE, at(20, areas="E09000019")), 2),
        (by(AMBULANCE, at(20, areas="E09000007 E09000019")), by(POLICE, at(20, areas="E09000019")), 1),
        (by(AMBULANCE, at(20, areas="E09000007")), by(POLICE, at(20)), 1),
        (by(AMBULANCE, {"on": date(2025, 3, 28)}), by(POLICE, {"on": date(2025, 3, 28)}), 1),
        (by(AMBULANCE, {"on": date(2025, 3, 28)}), by(POLICE, {"on": date(2025, 3, 29)}), 2),
        (by(AMBULANCE, {"on": date(2025, 3, 28)}), by(POLICE, at(24.25)), 1),
        (by(AMBULANCE, {"on": date(2025, 3, 28)}), by(POLICE, at(25)), 2),
        (by(AMBULANCE, at(23.9)), by(CORONER, {"on": date(2025, 3, 29), "outcome": "fatal"}), 1),
        (by(AMBULANCE, at(20)), by(CORONER, {"on": date(2025, 3, 30), "outcome": "fatal"}), 2),
        (by(AMBULANCE, at(20, outcome="fatal")), by(EMERGENCY, at(22)), 2),
        (by(AMBULANCE, at(20)), by(EMERGENCY, at(22, outcome="fatal")), 1),
    ],
)  # fmt: skip
def test_what_may_be_one_collapse_and_what_may_not(first: Any, second: Any, fewest: int) -> None:
    assert bounds([first, second]) == (fewest, 2)
    assert bounds([second, first]) == (fewest, 2)


def test_a_running_total_and_what_it_may_hold_count_as_the_larger() -> None:
    total = {"on": date(2025, 3, 28), "persons": 12, "cumulative": True, "reference_end": date(2025, 3, 29)}
    inside = [at(i) for i in range(1, 6)]
    outside = [at(24 * 4 + i) for i in range(3)]
    assert bounds([total, *inside]) == (12, 17)
    assert bounds([total, *inside, *outside]) == (15, 20)
    assert bounds([total, *(at(i / 4) for i in range(20))]) == (20, 32)
    unended = total | {"reference_end": None, "seen_day": date(2025, 4, 2)}
    assert bounds([unended, *inside, *outside]) == (12, 20)


def test_totals_of_one_id_grow_and_those_of_two_organisations_may_overlap() -> None:
    first = {"record_id": "r", "on": date(2025, 3, 28), "persons": 12, "cumulative": True}
    grown = first | {"persons": 33, "reference_end": date(2025, 3, 31)}
    other = {"record_id": "s", "on": date(2025, 3, 29), "persons": 20, "cumulative": True, "organisation": "B"}
    assert bounds([first, grown]) == (33, 33)
    assert bounds([first, grown, other]) == (33, 53)
    later = other | {"on": date(2025, 4, 20), "reference_end": date(2025, 4, 20)}
    assert bounds([grown, later]) == (53, 53)


def test_a_confirmed_link_lowers_the_most_and_a_rejected_one_raises_the_fewest() -> None:
    rows = [by(AMBULANCE, at(20)), by(EMERGENCY, at(20.2)), by(POLICE, at(20.1))]
    assert bounds(rows) == (1, 3)
    assert bounds(rows, Said(same=frozenset({(1, 2)}))) == (1, 2)
    assert bounds(rows, Said(same=frozenset({(1, 2), (2, 3), (1, 3)}))) == (1, 1)
    assert bounds(rows, Said(apart=frozenset({(1, 2)}))) == (2, 3)
    assert bounds(rows, Said(apart=frozenset({(1, 2), (1, 3), (2, 3)}))) == (3, 3)
    strangers = [by(AMBULANCE, at(20)), by(EMERGENCY, at(40))]
    assert bounds(strangers, Said(same=frozenset({(1, 2)}))) == (1, 1)


def test_links_say_which_and_why_and_name_no_place() -> None:
    rows = [
        by(AMBULANCE, at(20, place_label="secret house", setting="hostel")),
        by(POLICE, at(20.2, place_label="secret house")),
        {"on": date(2025, 3, 28), "persons": 9, "cumulative": True, "organisation": "B", "stream": "outreach"},
    ]
    found = persons.links(told(rows))
    assert [(x.left, x.right, x.kind) for x in found] == [
        (0, 1, "duplicate"), (0, 2, "contained"), (1, 2, "contained"),
    ]  # fmt: skip
    assert found[0].rule == "within 30 minutes"
    assert found[0].reason == "ambulance and police; 28 Mar 2025 20:00 and 28 Mar 2025 20:12; the same premises"
    assert not any("secret" in link.reason for link in found)


@dataclass
class Collapse:
    """What truly happened: some persons in one place, with what became of each."""

    minute: int
    premises: int
    people: list[int]
    dies_after: dict[int, int] = field(default_factory=dict)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[set[int]]]:
    """True persons, and the reports that honest services make of them: rows, and whom each row speaks of."""
    collapses, number = [], 0
    for _ in range(draw(st.integers(1, 7))):
        people = list(range(number, number := number + draw(st.integers(1, 3))))
        dies = {p: draw(st.integers(0, 24 * 60)) for p in people if draw(st.integers(0, 4)) == 0}
        minute = draw(st.integers(0, 4 * 24 * 60) | st.sampled_from([24 * 60 - 5, 24 * 60, 49 * 60]))
        collapses.append(Collapse(minute, draw(st.integers(0, 2)), people, dies))
    rows, whom = [], []
    for collapse in collapses:
        for service, slow in ((AMBULANCE, 30), (POLICE, 30), (OUTREACH, 30), (EMERGENCY, 180), (WARD, 180)):
            seen = [p for p in collapse.people if draw(st.booleans())]
            for group in [seen] if draw(st.booleans()) else [[p] for p in seen]:
                if group:
                    rows.append(_listed(draw, collapse, group, service, draw(st.integers(0, slow))))
                    whom.append(set(group))
        for person, minutes in collapse.dies_after.items():
            if draw(st.booleans()):
                day = (MIDNIGHT + timedelta(minutes=collapse.minute + minutes)).date()
                rows.append(by(CORONER, {"on": day, "outcome": "fatal"} | _where(draw, collapse.premises)))
                whom.append({person})
    for organisation in draw(st.lists(st.sampled_from("ABC"), max_size=3)):
        held = [c for c in collapses if draw(st.booleans())]
        people = {p for c in held for p in c.people if draw(st.booleans())}
        if people:
            rows.append(_total(draw, held, people, organisation))
            whom.append(people)
    return rows, whom


def _listed(draw: st.DrawFn, c: Collapse, group: list[int], service: tuple[str, str], late: int) -> dict[str, Any]:
    fatal = all(p in c.dies_after and late >= c.dies_after[p] for p in group)
    row = by(service, {"persons": len(group), "outcome": "fatal" if fatal else "non-fatal"})
    row |= _where(draw, c.premises)
    if draw(st.integers(0, 2)):
        return row | {"at": (MIDNIGHT.astimezone(UTC) + timedelta(minutes=c.minute + late))}
    return row | {"on": (MIDNIGHT.astimezone(UTC) + timedelta(minutes=c.minute)).astimezone(LONDON).date()}


def _where(draw: st.DrawFn, premises: int) -> dict[str, Any]:
    setting, label, borough = PREMISES[premises]
    could = {borough, *draw(st.lists(st.sampled_from(BOROUGHS), max_size=2))}
    return {
        "setting": draw(st.sampled_from([setting, None, "other"])),
        "place_label": draw(st.sampled_from([label, None])),
        "areas": draw(st.sampled_from([" ".join(sorted(could)), ""])),
    }


def _total(draw: st.DrawFn, held: list[Collapse], people: set[int], organisation: str) -> dict[str, Any]:
    days = [(MIDNIGHT.astimezone(UTC) + timedelta(minutes=c.minute)).astimezone(LONDON).date() for c in held]
    ended = draw(st.booleans())
    one_place = len({c.premises for c in held}) == 1
    return {
        "on": min(days), "cumulative": True, "persons": len(people), "organisation": organisation,
        "stream": draw(st.sampled_from(["ambulance", "outreach"])),
        "reference_end": max(days) if ended else None,
        "seen_day": max(days) + timedelta(days=draw(st.integers(0, 9))),
    } | (_where(draw, held[0].premises) if one_place else {})  # fmt: skip


@settings(max_examples=25 * TIMES, deadline=None)
@given(worlds())
def test_the_true_number_lies_between_the_fewest_and_the_most(
    world: tuple[list[dict[str, Any]], list[set[int]]],
) -> None:
    rows, whom = world
    if not rows:
        return
    fewest, most = bounds(rows)
    assert fewest <= len(set().union(*whom)) <= most


@settings(max_examples=20 * TIMES, deadline=None)
@given(worlds(), st.data())
def test_true_words_of_people_narrow_the_bounds_and_keep_them_true(
    world: tuple[list[dict[str, Any]], list[set[int]]], data: st.DataObject
) -> None:
    rows, whom = world
    if len(rows) < 2:
        return
    codes = list(combinations(range(len(rows)), 2))
    nested = [(i + 1, j + 1) for i, j in codes if whom[i] <= whom[j] or whom[j] <= whom[i]]
    disjoint = [(i + 1, j + 1) for i, j in codes if not whom[i] & whom[j]]
    same = frozenset(data.draw(st.lists(st.sampled_from(nested), max_size=6)) if nested else [])
    others = frozenset(data.draw(st.lists(st.sampled_from(disjoint), max_size=6)) if disjoint else [])
    loose, tight = bounds(rows), bounds(rows, Said(same, others))
    assert tight[0] <= len(set().union(*whom)) <= tight[1] <= loose[1]
    if len(rows) <= 12:  # beyond that the search may stop early, on either side
        assert bounds(rows, Said(apart=others))[0] >= loose[0]


@settings(max_examples=15 * TIMES, deadline=None)
@given(worlds(), st.randoms())
def test_the_order_of_the_rows_plays_no_part(world: tuple[list[dict[str, Any]], list[set[int]]], random: Any) -> None:
    rows = [{"record_id": f"r{i:03d}", **row} for i, row in enumerate(world[0])]
    if not rows:
        return
    shuffled = random.sample(rows, len(rows))
    assert bounds(rows) == bounds(shuffled)
    ours, theirs = told(rows), told(shuffled)
    names = [
        {(f["record_id"][x.left], f["record_id"][x.right], x.reason) for x in persons.links(f)} for f in (ours, theirs)
    ]
    assert names[0] == names[1]


@settings(max_examples=75, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=11), st.data())
def test_the_fewest_is_the_heaviest_set_without_a_pair(weights: list[int], data: st.DataObject) -> None:
    """Against every set there is."""
    size = len(weights)
    every = list(combinations(range(size), 2))
    edges = data.draw(st.lists(st.sampled_from(every), unique=True)) if every else []
    best = 0
    for chosen in range(1 << size):
        if all(not (chosen >> i & 1 and chosen >> j & 1) for i, j in edges):
            best = max(best, sum(w for i, w in enumerate(weights) if chosen >> i & 1))
    assert apart.heaviest(weights, [i for i, _ in edges], [j for _, j in edges]) == best


def test_many_rows_of_one_day_are_worked_out_without_trying_every_set() -> None:
    """Two hundred rows without a time, told by five services: the largest service's own number."""
    day = {"on": date(2025, 3, 28)}
    services = (AMBULANCE, POLICE, OUTREACH, EMERGENCY, WARD)
    rows = [by(s, day | {"place_label": None}) for n, s in enumerate(services) for _ in range(60 - 10 * n)]
    assert bounds(rows) == (60, 200)
    given = persons.reports(told(rows))
    assert np.array_equal(persons.pairs(given).left, np.sort(persons.pairs(given).left))
