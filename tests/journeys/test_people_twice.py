"""One collapse told by several services: linked with the reason, never merged unseen, and every figure agrees."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from ewarn.desk.app import create_app
from ewarn.errors import Refused, UsageFault
from ewarn.pipeline import assess, links, signin, validate
from ewarn.pipeline.reports import Actor

STREAMS = {"A": "ambulance", "E": "emergency department", "P": "police", "O": "outreach"}


def event(organisation: str, number: int, when: str, **more: Any) -> dict[str, Any]:
    day, _, clock = when.partition(" ")
    return {
        "incident_ref": f"{organisation}{number}", "organisation": f"Service {organisation}",
        "stream": STREAMS[organisation], "report_type": "single", "event_date": day, "event_time": clock,
        "area_code": "E09000007", "outcome": "non-fatal", **more,
    }  # fmt: skip


def told(corridor: Any, rows: list[dict[str, Any]], now: datetime) -> Any:
    corridor.drop("overdose_incidents", rows, now)
    return corridor.detect(now)


def cluster(corridor: Any, now: datetime, **asked: Any) -> Any:
    found = [s for s in corridor.detect(now, dry_run=True, **asked).signals if s.rule == "cluster-24h-area"]
    return found[0] if found else None


@pytest.fixture
def night(corridor: Any) -> tuple[Any, datetime]:
    """Six collapses at 20:00 to 01:00 told by the ambulance and, minutes later, by the emergency department."""
    now = corridor.at("2025-03-04", "09:00")
    clocks = [f"2025-03-03 {h}:00" for h in range(20, 24)] + ["2025-03-04 00:00", "2025-03-04 01:00"]
    rows = [event("A", i, clock) for i, clock in enumerate(clocks)]
    rows += [event("E", i, clock.replace(":00", ":20")) for i, clock in enumerate(clocks[:5])]

    def make() -> None:
        corridor.staff(now)
        told(corridor, rows, now)

    corridor.once("six collapses told twice", make)
    return corridor, now


def test_every_figure_says_the_same_persons(night: tuple[Any, datetime]) -> None:
    corridor, now = night
    signal = cluster(corridor, now)
    assert (signal.observed, signal.persons_min, signal.persons_max, signal.record_count) == (6, 6, 11, 11)
    house = corridor.house(now)
    case = assess.list_cases(house)[0]
    drafted = assess.draft(house, case.ref, "share for information", corridor.actor("author"), now)
    assert "between 6 and 11 people were reported to have overdosed" in drafted.text
    (page,) = assess.show_case(house, case.ref).pages
    assert "6 to 11 persons" in page.text
    token = signin.through(house, "duty", "test", now).token
    today = TestClient(create_app(lambda: house, lambda: now), cookies={"ewarn": token}).get("/").text
    assert "<dd>6 to 11</dd>" in today
    stored = links.list_links(house, now, case=case.ref)
    assert {row["state"] for row in stored} == {"probable"}
    assert all(row["version"] == 1 and row["who"] == "ewarn" and row["reason"] for row in stored)
    pairs = {frozenset((row["left"], row["right"])) for row in stored}
    # an arrival may be told up to three hours after the call; each arrival is one of up to three calls
    assert len(pairs) == len(stored) == 12
    assert "ambulance and emergency department; 3 Mar 2025 20:00 and 3 Mar 2025 20:20" in str(stored)


def _links_of(corridor: Any, now: datetime, first: str, second: str) -> str:
    house = corridor.house(now)
    with house.db.read() as con:
        ids = dict(con.execute("SELECT key, record_id FROM record").fetchall())
    wanted = {record for key, record in ids.items() if f'"{first}"' in key or f'"{second}"' in key}
    return next(r["id"] for r in links.list_links(house, now) if {r["left"], r["right"]} == wanted)


def test_a_confirmed_link_lowers_the_most_and_rejected_ones_raise_the_fewest(night: tuple[Any, datetime]) -> None:
    corridor, now = night
    later, evening = now + timedelta(hours=1), now + timedelta(hours=2)
    link = _links_of(corridor, now, "A0", "E0")
    links.judge(corridor.house(later), link[:8], "confirmed", "handed over at the door", corridor.actor("duty"), later)
    signal = cluster(corridor, later)
    assert (signal.persons_min, signal.persons_max) == (6, 10)
    # E4, at 00:20, may be the ambulance's patient of 22:00, 23:00 or 00:00; said to be none of them
    for other in ("A2", "A3", "A4"):
        link = _links_of(corridor, evening, "E4", other)
        links.judge(corridor.house(evening), link, "rejected", "another patient", corridor.actor("duty"), evening)
    signal = cluster(corridor, evening)
    assert (signal.observed, signal.persons_min, signal.persons_max) == (7, 7, 10)
    # what was shown before anybody judged still is what is asked of that morning
    assert cluster(corridor, evening, as_of=now).persons_max == 11
    ref = assess.list_cases(corridor.house(evening))[0].ref
    acts = [act["why"] for act in assess.show_case(corridor.house(evening), ref).history]
    assert sum("as the same persons" in why for why in acts) == 4
    for asked in (signal.id, signal.id[:8]):  # the day it was raised has no evening yet
        assert validate.explain(corridor.house(evening), asked, evening).signal.id == signal.id


@pytest.mark.slow
def test_a_rejected_link_that_completes_a_cluster_raises_it_that_day(corridor: Any) -> None:
    now = corridor.at("2025-03-04", "09:00")
    corridor.staff(now)
    rows = [event("A", i, f"2025-03-03 {20 + i}:00") for i in range(4)]
    told(corridor, [*rows, event("P", 0, "2025-03-03 20:10")], now)
    assert cluster(corridor, now) is None
    later = now + timedelta(hours=3)
    link = _links_of(corridor, later, "A0", "P0")
    links.judge(corridor.house(later), link, "rejected", "two people, one conveyed", corridor.actor("duty"), later)
    signal = cluster(corridor, later)
    assert (signal.observed, signal.persons_min, signal.persons_max) == (5, 5, 5)
    links.judge(corridor.house(later), link, "confirmed", "a mistake: one person", corridor.actor("duty"), later)
    after = later + timedelta(minutes=1)
    assert cluster(corridor, after) is None


def test_a_correction_that_tells_two_apart_lets_their_link_lapse(corridor: Any) -> None:
    now = corridor.at("2025-03-04", "09:00")
    told(corridor, [event("A", 1, "2025-03-03 20:00"), event("P", 1, "2025-03-03 20:10")], now)
    (link,) = links.list_links(corridor.house(now), now)
    later = now + timedelta(hours=1)
    told(corridor, [event("P", 1, "2025-03-03 23:10")], later)
    (lapsed,) = links.list_links(corridor.house(later), later)
    assert (lapsed["id"], lapsed["state"], lapsed["version"]) == (link["id"], "lapsed", 2)
    told(corridor, [event("P", 1, "2025-03-03 20:10")], later + timedelta(hours=1))
    (again,) = links.list_links(corridor.house(later), later + timedelta(hours=1))
    assert (again["state"], again["version"]) == ("probable", 3)


def test_a_link_by_hand_needs_a_person_and_a_reason(corridor: Any) -> None:
    now = corridor.at("2025-03-04", "09:00")
    corridor.staff(now)
    told(corridor, [event("A", 1, "2025-03-01 20:00"), event("E", 1, "2025-03-03 20:10", outcome="fatal")], now)
    house = corridor.house(now)
    assert links.list_links(house, now) == []
    with house.db.read() as con:
        one, other = (row[0] for row in con.execute("SELECT record_id FROM record ORDER BY 1").fetchall())
    with pytest.raises(UsageFault, match="with a reason"):
        links.add(house, one, other, " ", corridor.actor("duty"), now)
    with pytest.raises(Refused):
        links.add(house, one, other, "x", Actor("duty", "not the secret"), now)
    with pytest.raises(UsageFault, match="with itself"):
        links.add(house, one, one, "x", corridor.actor("duty"), now)
    row = links.add(house, other, one, "died on the ward", corridor.actor("duty"), now)
    assert (row["state"], row["who"], row["left"], row["right"]) == ("confirmed", "duty", one, other)


def test_counts_are_revised_and_never_added_to_listed_events(night: tuple[Any, datetime]) -> None:
    corridor, now = night
    before = corridor.detect(now, dry_run=True).signals
    cell = {"area_code": "E09000007", "area": "Camden", "indicator": "ambulance overdose calls", "period_days": 1}
    counted = [cell | {"date": f"2025-03-0{d}", "count": c} for d, c in ((1, "40"), (2, "*"), (3, "60"), (4, "<5"))]
    corridor.drop("overdose_counts", counted, now)
    revised = corridor.drop("overdose_counts", [cell | {"date": "03/03/2025", "count": "75"}], now + timedelta(hours=1))
    assert (revised.new, revised.changed) == (0, 1)
    after = corridor.detect(now, dry_run=True).signals
    listed = [s for s in after if s.family in ("cluster", "first", "repeat")]
    assert listed == [s for s in before if s.family in ("cluster", "first", "repeat")]
    assert listed
    with corridor.house(now).db.read() as con:
        newest = con.execute(
            "SELECT value, value_text, suppressed FROM count_row JOIN record USING (record_id, version) "
            "QUALIFY row_number() OVER (PARTITION BY record_id ORDER BY version DESC) = 1 ORDER BY reference_date"
        ).fetchall()
    assert newest == [(40.0, "40", False), (None, "*", True), (75.0, "75", False), (None, "<5", True)]


def test_running_totals_and_their_events_agree_between_signal_and_draft(corridor: Any) -> None:
    now = corridor.at("2025-03-06", "12:00")
    corridor.staff(corridor.at("2025-03-03", "09:00"))
    total = event("O", 1, "2025-03-03", report_type="cluster", persons=12, event_time="")
    rows = [event("A", i, f"2025-03-03 {10 + i}:00") for i in range(7)]
    told(corridor, [total, *rows], corridor.at("2025-03-03", "23:00"))
    grown = total | {"persons": 33, "end_date": "2025-03-06"}
    other = event("P", 9, "2025-03-04", report_type="cluster", persons=20, event_time="", end_date="2025-03-05")
    told(corridor, [grown, other], now)
    house = corridor.house(now)
    case = assess.list_cases(house)[0]
    text = assess.draft(house, case.ref, "share for information", corridor.actor("author"), now).text
    assert "between 33 and 60 people" in text
    signals = [s for s in corridor.detect(now, dry_run=True).signals if s.family == "cluster"]
    assert {(s.persons_min, s.persons_max) for s in signals if s.record_count == 9} == {(33, 60)}
