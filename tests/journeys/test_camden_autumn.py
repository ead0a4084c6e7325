"""Camden, 30 October, 14 and 23 November 2025: three cychlorphine deaths in 24 days; and old coroner reports."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import permutations
from typing import Any

import pytest

from ewarn.pipeline import validate

DEATHS = ["2025-10-30", "2025-11-14", "2025-11-23"]


def death(number: int, day: str, reported: str, **more: Any) -> dict[str, Any]:
    return {
        "case_ref": f"PM{number}", "laboratory": "Toxicology (reconstructed)", "date_of_death": day,
        "date_reported": reported, "place": "Camden", "confirmed_substances": "cychlorphine", "method": "LC-MS/MS",
        "status": "final",
    } | more  # fmt: skip


# The hardest order each time, the last death first; the others in the long run.
USUAL = ((2, 1, 0),)
ORDERS = [
    pytest.param(order, marks=() if order in USUAL else pytest.mark.slow, id="".join(str(i + 1) for i in order))
    for order in permutations(range(3))
]


@pytest.mark.parametrize("order", ORDERS)
def test_the_first_known_death_and_the_third_speak_however_late(corridor: Any, order: tuple[int, ...]) -> None:
    corridor.staff(corridor.at("2025-10-01"))
    families = []
    for step, death_number in enumerate(order):
        now = corridor.at(f"2026-01-{10 + step * 6:02d}", "10:00")
        row = death(death_number, DEATHS[death_number], now.date().isoformat())
        assert corridor.drop("post_mortem", [row], now).new == 1
        corridor.turn(now)
        families.append({(s.rule, s.subject.id, s.area.code) for s in corridor.detect(now, dry_run=True).signals})
    assert ("first-in-area", "cychlorphine", "E09000007") in families[0]
    thirds = [{r for r, _, area in f if r == "cluster-28d-deaths" and area == "E09000007"} for f in families]
    assert thirds == [set(), set(), {"cluster-28d-deaths"}]
    short = {r for f in families for r, _, _ in f if r.startswith(("cluster-24h", "cluster-7d"))}
    assert not short, "24-hour and 7-day windows miss it"
    signal = next(s for s in corridor.signals(now, "cluster") if s.rule == "cluster-28d-deaths")
    assert (signal.period.start.isoformat(), signal.period.end.isoformat()) == (DEATHS[0], DEATHS[2])
    assert len(signal.records) == 3


@pytest.mark.slow
def test_the_same_three_deaths_back_tested_say_the_same(corridor: Any) -> None:
    known = ["2026-01-22", "2026-01-10", "2026-01-16"]
    rows = [death(n, *days) for n, days in enumerate(zip(DEATHS, known, strict=True))]
    now = corridor.at("2026-02-01")
    assert corridor.drop("post_mortem", rows, now, backfill=True).new == 3
    found = validate.backtest(corridor.house(now), date(2025, 10, 1), date(2026, 1, 31)).signals
    raised = {(s.rule, s.subject.id): s for s in found if s.area.code == "E09000007"}
    assert raised["first-in-area", "cychlorphine"].first_raised_on == date(2026, 1, 10)
    third = raised["cluster-28d-deaths", "cychlorphine"]
    assert third.first_raised_on == date(2026, 1, 22)
    then = corridor.detect(now, as_of=corridor.at("2026-01-22", "23:59:59"), dry_run=True)
    assert third.id in {s.id for s in then.signals}


def test_coroner_reports_on_old_deaths_are_recorded_and_raise_no_cluster(corridor: Any) -> None:
    reports = [("2025-01-20", 512), ("2025-06-20", 260)]
    now = corridor.at("2025-06-20")
    for number, (known, days) in enumerate(reports):
        now = corridor.at(known)
        happened = (date.fromisoformat(known) - timedelta(days=days)).isoformat()
        rows = [death(10 * number + i, happened, known, confirmed_substances="metonitazene") for i in range(3)]
        assert corridor.drop("post_mortem", rows, now).new == 3
        found = corridor.detect(now, dry_run=True).signals
        assert not [s for s in found if s.family == "cluster"], "late news is not a new event"
        first = next(s for s in found if s.family == "first detection" and s.area.code == "E09000007")
        assert "newly known" in first.why.lower()
        assert happened[:4] in first.why


@pytest.mark.slow
def test_toxicology_as_amended_incident_rows_says_the_same(corridor: Any) -> None:
    def told(number: int, now: Any, **more: Any) -> set[str]:
        row = {
            "incident_ref": f"D{number}", "organisation": "Ambulance (reconstructed)", "stream": "ambulance",
            "report_type": "single", "event_date": DEATHS[number], "reported_date": DEATHS[number], "place": "Camden",
            "outcome": "fatal",
        } | more  # fmt: skip
        corridor.drop("overdose_incidents", [row], now)
        return {s.rule for s in corridor.detect(now, dry_run=True).signals if s.area.code == "E09000007"}

    for number, day in enumerate(DEATHS):
        assert told(number, corridor.at(day, "18:00")) == set()
    found = {"confirmed_substances": "cychlorphine", "method": "LC-MS/MS", "status": "amended"}
    rules = [told(n, corridor.at(f"2026-01-{10 + 6 * i}"), **found) for i, n in enumerate((2, 0, 1))]
    assert rules[0] == {"first-in-area"}
    assert "cluster-28d-deaths" in rules[2] - rules[1]
