"""The public episodes that every build must get right."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import permutations

import pytest

from ewarn.terms import LONDON, Signal

CAMDEN, LONDON_AREA = "E09000007", "E12000007"
Ask = Callable[..., list[Signal]]


def night(count: int, start: str, minutes: int = 40, **fields: object) -> list[dict[str, object]]:
    first = datetime.fromisoformat(start).replace(tzinfo=LONDON)
    return [
        {"id": f"n{i:02d}", "on": first + timedelta(minutes=minutes * i), "outcome": "non-fatal", **fields}
        for i in range(count)
    ]


@pytest.mark.parametrize("start", ["2025-03-03 09:00", "2025-03-03 20:00"])
def test_the_fifth_of_twelve_overdoses_raises_and_later_ones_are_updates(standing: Ask, start: str) -> None:
    rows = night(12, start, minutes=54)
    before = [r["on"] for r in rows]
    assert standing(rows, before[4] - timedelta(seconds=1), "cluster-24h-area") == []
    (fifth,) = standing(rows, before[4], "cluster-24h-area")
    assert (fifth.observed, fifth.area.code, fifth.record_count) == (5, CAMDEN, 5)
    (last,) = standing(rows, before[11], "cluster-24h-area")
    assert (last.id, last.observed, last.record_count) == (fifth.id, 12, 12)
    assert last.persons_min == last.persons_max == 12


def test_with_every_rule_the_night_is_one_signal(standing: Ask) -> None:
    rows = night(12, "2025-03-03 20:00", minutes=54)
    (signal,) = standing(rows, "2025-03-04")
    assert signal.rule == "cluster-24h-area"
    assert {s.rule for s in signal.beneath} >= {"cluster-72h-area", "cluster-7d-area"}


def test_a_cumulative_report_grows_under_its_own_id(standing: Ask) -> None:
    report = {"id": "report", "outcome": "non-fatal", "cumulative": True, "on": "2025-03-03"}
    rows = [
        {**report, "known": "2025-03-03 23:00", "gone": "2025-03-06 12:00", "persons": 12},
        {
            **report,
            "known": "2025-03-06 12:00",
            "persons": 33,
            "version": 2,
            "reference_end": datetime(2025, 3, 6).date(),  # noqa: DTZ001
        },
    ]
    (day_one,) = standing(rows, "2025-03-03", "cluster-24h-area")
    assert day_one.observed == 12
    week = standing(rows, "2025-03-06", "cluster-7d-area")
    assert [s.observed for s in week] == [33]
    (day_four,) = standing(rows, "2025-03-06", "cluster-24h-area")
    assert day_four.id == day_one.id


def test_listed_events_inside_a_report_are_not_counted_twice(standing: Ask) -> None:
    rows = night(6, "2025-03-03 09:00", minutes=10)
    rows.append({"id": "report", "on": "2025-03-03", "outcome": "non-fatal", "cumulative": True, "persons": 9})
    (signal,) = standing(rows, "2025-03-03", "cluster-24h-area")
    assert (signal.persons_min, signal.persons_max, signal.observed) == (9, 15, 9)


DRUG = "cychlorphine"
DEATHS = {"2025-10-30": "2025-12-20", "2025-11-14": "2025-12-01", "2025-11-23": "2026-01-15"}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_three_cychlorphine_deaths_in_whatever_order_they_become_known(raised: Ask, order: tuple[int, ...]) -> None:
    days, known = list(DEATHS), sorted(DEATHS.values())
    rows = [
        {
            "id": f"d{i}",
            "on": days[i],
            "known": known[order[i]],
            "outcome": "fatal",
            "found": {"cychlorphine": "confirmed"},
        }
        for i in range(3)
    ]
    found = raised(rows, "2025-10-01", "2026-03-01")
    first = [s for s in found if s.rule == "first-in-area"]
    assert [(s.subject.id, s.area.code, str(s.first_raised_on)) for s in first] == [("cychlorphine", CAMDEN, known[0])]
    deaths = [s for s in found if s.rule == "cluster-28d-deaths"]
    assert [(s.area.code, s.observed, str(s.first_raised_on)) for s in deaths] == [(CAMDEN, 3, known[2])]
    assert deaths[0].record_count == 3
    assert not [s for s in found if s.rule in ("cluster-24h-area", "cluster-7d-area")]


def test_coroner_reports_on_old_deaths_raise_no_cluster_and_speak_as_newly_known(raised: Ask) -> None:
    rows = [
        {"on": "2023-08-20", "known": "2025-01-13", "outcome": "fatal", "found": {"metonitazene": "confirmed"}},
        {"on": "2024-09-20", "known": "2025-06-07", "outcome": "fatal", "found": {"metonitazene": "confirmed"}},
        {"on": "2024-09-22", "known": "2025-06-07", "outcome": "fatal", "found": {"metonitazene": "confirmed"}},
        {"on": "2024-09-23", "known": "2025-06-07", "outcome": "fatal", "found": {"metonitazene": "confirmed"}},
    ]
    found = raised(rows, "2023-01-01", "2025-12-31")
    assert not [s for s in found if s.family in ("cluster", "repeat detection")]
    first = [s for s in found if s.rule == "first-in-area"]
    assert "Newly known, happened on 20 August 2023" in first[0].why
    assert str(first[0].period.start) == "2023-08-20"


def test_later_events_update_the_nights_signal_and_raise_no_other(standing: Ask) -> None:
    first = night(12, "2025-03-03 20:00", minutes=30)
    later = [
        {"id": f"l{i}", "on": datetime(2025, 3, 4 + i // 3, 12 + i % 3, tzinfo=LONDON), "outcome": "non-fatal"}
        for i in range(9)
    ]
    (day_one,) = standing(first + later, "2025-03-03")
    (day_four,) = standing(first + later, "2025-03-06")
    assert day_four.id == day_one.id
    assert (day_four.record_count, day_four.persons_max) == (21, 21)


def test_a_running_total_that_grows_beyond_the_day_speaks_through_the_longer_window(standing: Ask) -> None:
    report = {"id": "report", "outcome": "non-fatal", "cumulative": True, "on": "2025-03-03"}
    end = datetime(2025, 3, 6, tzinfo=LONDON).date()
    rows = [
        {**report, "known": "2025-03-03 22:00", "gone": "2025-03-06 22:00", "persons": 12},
        {**report, "known": "2025-03-06 22:00", "persons": 33, "version": 2, "reference_end": end},
    ]
    assert [s.observed for s in standing(rows, "2025-03-03")] == [12]
    assert max(s.observed or 0 for s in standing(rows, "2025-03-06")) == 33


def test_five_persons_in_one_hostel_are_the_boroughs_cluster_too(standing: Ask, raised: Ask) -> None:
    rows = night(6, "2025-03-03 20:00", setting="hostel", place_label="one-house")
    second, fifth = rows[1]["on"], rows[4]["on"]
    (pair,) = standing(rows, second)
    assert pair.rule == "cluster-24h-setting"
    area, place = standing(rows, fifth)
    assert (area.rule, area.observed, area.area.code) == ("cluster-24h-area", 5, CAMDEN)
    assert (place.id, place.observed) == (pair.id, 5)
    assert {s.id for s in raised(rows, "2025-03-01", "2025-03-10")} == {area.id, place.id}


def test_five_in_one_hostel_known_at_once_are_one_signal_of_the_borough(standing: Ask) -> None:
    rows = night(6, "2025-03-03 20:00", setting="hostel", place_label="one-house", known="2025-03-04 09:00")
    (area,) = standing(rows, "2025-03-04")
    assert area.rule == "cluster-24h-area"
    assert "cluster-24h-setting" in {s.rule for s in area.beneath}
