"""The situation report puts what is urgent first and never lets silence read as calm."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from ewarn.review import cases_by_urgency, raised_per_week, signals_by_area, signals_by_urgency, situation
from ewarn.terms import AreaRef, CaseFile, Family, NotEvaluable, Period, Signal, Standing, Subject, SubjectKind, Tier

NOW = datetime(2025, 3, 5, 12, tzinfo=UTC)
CAMDEN = AreaRef(code="E09000007", name="Camden", tier=Tier.BOROUGH)


def signal(**changes: Any) -> Signal:
    day = date(2025, 3, 3)
    values: dict[str, Any] = {
        "id": "a1", "rule": "cluster-24h", "family": Family.CLUSTER, "area": CAMDEN, "observed": 5.0,
        "subject": Subject(kind=SubjectKind.NONE, id="", name=""), "period": Period(start=day, end=day),
        "records": ("r1",), "record_count": 1, "why": "Five events within 24 hours.", "known_on": day,
        "first_raised_on": day,
    }  # fmt: skip
    return Signal(**values | changes)


def case(ref: str, **changes: Any) -> CaseFile:
    values: dict[str, Any] = {
        "ref": ref, "title": "Unknown substance", "status": "open", "lead_area": "E09000007", "keys": (),
        "subject": Subject(kind=SubjectKind.NONE, id="", name=""), "opened_at": NOW, "next_action": "Ask the hostels",
        "due_at": NOW + timedelta(hours=4),
    }  # fmt: skip
    return CaseFile(**values | changes)


def report(**changes: Any) -> str:
    values: dict[str, Any] = {
        "at": NOW, "issuer_name": "Test office", "standing": Standing.ACTUAL, "signals": [], "not_evaluable": [],
        "cases": [], "sources": [], "failed_deliveries": [], "waiting_deliveries": 0,
        "area_names": {"E09000007": "Camden"},
    }  # fmt: skip
    return situation(**values | changes)


def test_the_case_that_is_due_first_stands_first_and_closed_ones_do_not_stand() -> None:
    cases = [case("L-1"), case("L-2", due_at=NOW - timedelta(hours=1)), case("L-3", status="closed")]
    assert [c.ref for c in cases_by_urgency(cases)] == ["L-2", "L-1"]
    assert "**L-2**" in report(cases=cases) and "OVERDUE" in report(cases=cases) and "L-3" not in report(cases=cases)


def test_the_latest_known_signal_stands_first_and_a_cluster_before_a_first_detection() -> None:
    first = signal(id="f", family=Family.FIRST)
    later = signal(id="l", family=Family.NOTICE, known_on=date(2025, 3, 4))
    assert [s.id for s in signals_by_urgency([first, signal(), later])] == ["l", "a1", "f"]


@pytest.mark.parametrize("family", list(Family))
def test_every_family_has_its_place(family: Family) -> None:
    assert signals_by_urgency([signal(family=family)])


def test_rules_without_an_answer_are_named_even_when_no_signal_stands() -> None:
    text = report(
        not_evaluable=[
            NotEvaluable(rule="ears-borough", family=Family.EXCEEDANCE, reason="history of 9 days", strata=33)
        ]
    )
    assert "No signal stands." in text
    assert "ears-borough: 33 strata, history of 9 days" in text


def test_a_late_source_comes_first_and_says_so() -> None:
    fresh = SimpleNamespace(title="Fresh", late=False, last_received_at=NOW, last_outcome="ok")
    late = SimpleNamespace(title="Zurich", late=True, last_received_at=None, last_outcome="failed: 500")
    text = report(sources=[fresh, late])
    assert text.index("LATE: Zurich: last received never") < text.index("Fresh")


@pytest.mark.parametrize("standing", [Standing.EXERCISE, Standing.TEST])
def test_an_exercise_says_that_it_is_not_real(standing: Standing) -> None:
    text = report(standing=standing, signals=[signal(standing=standing)])
    assert "nothing below is real" in text
    assert f"[{standing.value.upper()}]" in text


def test_words_of_others_cannot_become_markup() -> None:
    text = report(signals=[signal(why="<img src=x> [click](http://x) **now**")])
    assert "<img" not in text and "[click]" not in text


def test_signals_are_counted_by_the_area_they_name_first_and_by_week() -> None:
    signals = [signal(), signal(id="b", first_raised_on=date(2025, 2, 24))]
    assert signals_by_area(signals) == {"E09000007": 2}
    weeks = raised_per_week(signals, date(2025, 3, 5), weeks=3)
    assert weeks == [(date(2025, 2, 17), 0), (date(2025, 2, 24), 1), (date(2025, 3, 3), 1)]
