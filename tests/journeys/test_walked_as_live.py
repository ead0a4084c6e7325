"""A stretch of the past walked through asks of people what it asked when it was lived."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from ewarn.pipeline import assess, backtest, read, validate, walk
from ewarn.review import interruptions
from ewarn.terms import ClosedAs


def collapse(number: int, day: str, clock: str, place: str = "Camden", **more: Any) -> dict[str, Any]:
    return {
        "incident_ref": f"C{number}", "organisation": "Ambulance (reconstructed)", "stream": "ambulance",
        "report_type": "single", "event_date": day, "event_time": clock, "reported_date": day, "place": place,
        "setting": "street", "outcome": "non-fatal", "persons": "1",
    } | more  # fmt: skip


def sample(number: int, day: str, place: str, found: str = "metonitazene") -> dict[str, Any]:
    return {
        "sample_ref": f"S{number}", "laboratory": "Laboratory (synthetic)", "stream": "drug checking",
        "date_sampled": day, "date_reported": day, "place": place, "sold_as": "heroin", "major": found,
        "test_type": "presumptive",
    }  # fmt: skip


NIGHT = ["20:00", "20:40", "21:10", "22:30", "22:50", "23:10", "23:20", "23:30", "23:40", "23:50"]


def lived(corridor: Any) -> None:
    """A night of collapses in Camden that doubles, a nitazene in Camden two days later, a name nobody knows."""
    corridor.staff(corridor.at("2025-03-01"))
    for half in (NIGHT[:5], NIGHT[5:]):
        now = corridor.at("2025-03-03", half[-1]) + timedelta(minutes=3)
        rows = [collapse(NIGHT.index(clock), "2025-03-03", clock) for clock in half]
        corridor.drop("overdose_incidents", rows, now)
        corridor.turn(now)
    now = corridor.at("2025-03-05", "10:00")
    found = [sample(1, "2025-03-04", "Camden"), sample(2, "2025-03-04", "Leeds")]
    corridor.drop("test_results", [*found, sample(3, "2025-03-04", "Camden", "corvadrolone")], now)
    corridor.turn(now)


@pytest.mark.slow
def test_the_walk_asks_what_the_service_asked_and_nobody_is_called_for_leeds(corridor: Any) -> None:
    lived(corridor)
    house = corridor.house(corridor.at("2025-03-07"))
    leeds = next(c for c in assess.list_cases(house, "open") if c.lead_area.startswith("E08"))
    shown = assess.show_case(house, leeds.ref)
    assert shown.pages == () and "not paged" in {entry["act"] for entry in shown.history}
    assert any("outside the home area" in entry["why"] for entry in shown.history)
    assert not [n for n in read.status(house, corridor.at("2025-03-07")).operator_notices if "does not reach" in str(n)]
    start, end = date(2025, 3, 3), date(2025, 3, 6)
    looked = validate.look_back(house, validate.rules_of(house, None), start, end)
    walked = walk.walked(house, looked.evaluation, looked.known, start, end).filter("ours")
    stored = walk.stored(house, start, end).filter("ours")
    kinds = [frame["kind"].value_counts().sort("kind").rows() for frame in (walked, stored)]
    assert kinds[0] == kinds[1] == [("name", 1), ("page", 3), ("signal", 2)], (walked, stored)
    told = [frame.filter(kind="page")["at"].to_list() for frame in (walked, stored)]
    assert told[0] == told[1], "to the minute"
    assert interruptions.load(walked, start, end).everything == interruptions.load(stored, start, end).everything


@pytest.mark.slow
def test_a_study_says_how_soon_what_it_asked_and_what_was_borne_out(corridor: Any, tmp_path: Any) -> None:
    now = corridor.at("2025-03-06")
    corridor.staff(now)
    night = [collapse(number, "2025-03-03", clock) for number, clock in enumerate(NIGHT)]
    corridor.drop("overdose_incidents", night, now, backfill=True)
    strips = [sample(1, "2025-03-05", "Camden"), sample(2, "2025-03-05", "Leeds")]
    corridor.drop("test_results", strips, now, backfill=True)
    corridor.detect(now)
    house = corridor.house(now)
    episodes = tmp_path / "known.toml"
    episodes.write_text(
        '[[episode]]\nname = "The night"\ndate = 2025-03-03\narea = "E09000007"\n'
        '[[episode]]\nname = "The nitazene"\ndate = 2025-03-02\narea = "E12000007"\nclass = "nitazene"\n'
        '[[episode]]\nname = "Never seen"\ndate = 2025-03-02\nsubstance = "cychlorphine"\n'
    )
    before = backtest.study(house, date(2025, 3, 1), date(2025, 3, 6), episodes=episodes)
    assert [(one.episode, one.days) for one in before.lead_times] == [
        ("The night", 0), ("The nitazene", 3), ("Never seen", None),
    ]  # fmt: skip
    assert before.confirmed_share is None and before.load.pages > 0 and before.load.elsewhere > 0
    ref = next(
        c.ref for c in assess.list_cases(house, "open") if c.subject.id == "nitazene" and c.lead_area[:3] == "E09"
    )
    assess.close_case(house, ref, ClosedAs.CONFIRMED, "Borne out.", corridor.actor("ann"), now)
    after = backtest.study(house, date(2025, 3, 1), date(2025, 3, 6))
    assert (after.confirmed.by_case, after.confirmed_share) == (1, 1.0)
