"""Nights, clock changes and clocks that disagree: what happened, when it was known, when it was published."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest


def event(number: int, day: str, clock: str = "", **more: Any) -> dict[str, Any]:
    return {
        "incident_ref": f"A{number}", "organisation": "Service A", "stream": "ambulance", "event_date": day,
        "event_time": clock, "area_code": "E09000007", "outcome": "non-fatal", **more,
    }  # fmt: skip


def cluster(corridor: Any, now: Any, **asked: Any) -> list[Any]:
    found = corridor.detect(now, dry_run=True, **asked).signals
    return [s for top in found for s in (top, *top.beneath) if s.rule == "cluster-24h-area"]


@pytest.mark.parametrize("evening", ["2025-03-29", "2025-10-25", "2025-03-03"], ids=["to summer", "to winter", "plain"])
def test_a_night_from_eight_to_six_is_one_night(corridor: Any, evening: str) -> None:
    """Also where an hour of it is missing or comes twice."""
    now = corridor.at(evening) + timedelta(days=1)
    next_day = now.date().isoformat()
    rows = [event(1, evening, "20:00"), event(2, evening, "23:59"), event(3, next_day, "00:00")]
    rows += [event(4, next_day, "01:30"), event(5, next_day, "06:00")]
    corridor.drop("overdose_incidents", rows, now)
    (signal,) = cluster(corridor, now)
    assert (signal.observed, signal.persons_min, signal.persons_max) == (5, 5, 5)
    assert (str(signal.period.start), str(signal.period.end)) == (evening, next_day)


@pytest.mark.parametrize("backfill", [False, True])
def test_rows_without_a_known_date_are_known_when_received_or_when_they_happened(corridor: Any, backfill: bool) -> None:
    now = corridor.at("2025-03-20")
    corridor.drop("overdose_incidents", [event(i, "2025-03-03", "20:00") for i in range(5)], now, backfill=backfill)
    then = corridor.at("2025-03-03", "23:00")
    assert bool(cluster(corridor, now, as_of=then)) is backfill
    (raised,) = cluster(corridor, now, as_of=corridor.at("2025-03-03" if backfill else "2025-03-20", "23:30"))
    assert str(raised.known_on) == ("2025-03-03" if backfill else "2025-03-20")


def test_history_read_without_known_dates_is_not_known_before_it_happened(corridor: Any) -> None:
    now = corridor.at("2025-03-20")
    corridor.drop("overdose_incidents", [event(i, "2025-03-03", "20:00") for i in range(5)], now, backfill=True)
    assert cluster(corridor, now, as_of=corridor.at("2025-03-03", "12:00")) == []


def test_what_is_older_than_its_source_allows_raises_no_cluster_however_it_is_published(corridor: Any) -> None:
    now = corridor.at("2025-12-01")
    old = [event(i, "2025-03-03", "20:00", reported_date="2025-03-04") for i in range(6)]
    corridor.drop("overdose_incidents", old, now)
    assert cluster(corridor, now) == []
    fresh = [event(10 + i, "2025-11-30", "20:00", reported_date="2025-11-30") for i in range(5)]
    corridor.drop("overdose_incidents", fresh, now + timedelta(minutes=5))
    (signal,) = cluster(corridor, now + timedelta(minutes=5))
    assert signal.observed == 5


def test_a_first_detection_known_late_says_when_it_happened(corridor: Any) -> None:
    now = corridor.at("2025-12-01")
    row = {
        "sample_ref": "S1", "laboratory": "Laboratory (synthetic)", "stream": "drug-checking", "place": "NW1",
        "date_sampled": "2025-03-03", "date_reported": "2025-11-30", "major": "metonitazene",
    }  # fmt: skip
    corridor.drop("test_results", [row], now)
    (signal,) = corridor.signals(now, "first detection")
    assert "ewly known, happened on 3 March 2025" in signal.why
    assert str(signal.known_on) == "2025-12-01"


def test_a_date_in_the_future_is_rejected_and_tomorrow_is_not(corridor: Any) -> None:
    now = corridor.at("2025-03-29", "23:30")
    rows = [event(1, "2025-03-31"), event(2, "2025-03-30", "00:10"), event(3, "2025-03-29", reported_date="2025-04-15")]
    report = corridor.drop("overdose_incidents", rows, now)
    assert (report.new, report.rejects) == (1, 2)


def test_a_correction_sent_by_a_machine_whose_clock_went_back_a_little_follows_what_it_corrects(corridor: Any) -> None:
    now = corridor.at("2025-03-04")
    corridor.drop("overdose_incidents", [event(i, "2025-03-03", "20:00") for i in range(5)], now)
    back = now - timedelta(minutes=2)
    report = corridor.drop("overdose_incidents", [event(0, "2025-02-03", "20:00")], back)
    assert (report.new, report.changed) == (0, 1)
    assert cluster(corridor, now) == []
