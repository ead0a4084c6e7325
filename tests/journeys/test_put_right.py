"""What stands under an alert changes, and its panel is asked; what an originator releases may leave, and no more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ewarn.errors import Refused, UsageFault
from ewarn.pipeline import assess, checking, read, respond, versions
from ewarn.store import cases
from ewarn.terms import Recipient

ENFORCEMENT = "Not for enforcement."


def event(number: int, **more: Any) -> dict[str, Any]:
    return {
        "incident_ref": f"D{number}", "organisation": "Ambulance (synthetic)", "stream": "ambulance",
        "event_date": "2025-04-30", "event_time": "21:00", "reported_date": "2025-04-30",
        "outcome": "fatal" if number < 3 else "non-fatal",
        "persons": "1", "place": "NW1", "setting": "hostel", "status": "",
    } | more  # fmt: skip


@pytest.fixture
def case(corridor: Any) -> tuple[str, Any]:
    """Six overdoses in one night, three of them deaths; one case."""
    now = corridor.at("2025-05-01")
    corridor.staff(now)
    corridor.drop("overdose_incidents", [event(n) for n in range(6)], now)
    corridor.detect(now)
    with corridor.house(now).db.read() as con:
        return cases.all(con)[0].ref, now


def agree(corridor: Any, alert: str, now: Any) -> Any:
    house = corridor.house(now)
    fixed = assess.submit(house, alert, corridor.actor("author"), now)
    for person in ("ann", "ben"):
        fixed = assess.approve(house, alert, fixed.hash, corridor.actor(person), now)
    return fixed


def test_a_death_taken_back_under_an_issued_alert_is_asked_about_once_and_put_right(corridor: Any, case: Any) -> None:
    ref, now = case
    house, author = corridor.house(now), corridor.actor("author")
    first = assess.draft(house, ref, "formal alert", author, now)
    agree(corridor, first.id, now)
    assert respond.send(house, now).sent > 0
    later = now + timedelta(hours=5)
    rows = [event(0, status="retracted"), *(event(n) for n in range(1, 6))]
    corridor.drop("overdose_incidents", rows, later)
    house = corridor.house(later)
    shown = assess.show_alert(house, first.id, None, later)
    assert len(shown.asks) == 1 and "People who died: 2 now, 3 before." in shown.asks[0]
    with house.db.read() as con:
        kept, history = cases.load(con, ref), [entry["act"] for entry in cases.history(con, ref)]
    assert kept is not None and kept.status == "open" and "update or withdraw" in kept.next_action
    assert kept.due_at <= later + timedelta(hours=4) and history.count("asked to correct") == 1
    assert any(first.id in str(n["text"]) for n in read.status(house, later).operator_notices)
    (today,) = versions.in_force(house, later)
    assert "People who died: 2 now" in today.asks[0]
    corridor.drop("overdose_incidents", [*rows, event(7)], later + timedelta(minutes=5))
    assert len(assess.show_alert(house, first.id, None, later).asks) == 1, "asked once for one change"
    update = versions.update(house, first.id, {}, author, later, from_case=True)
    assert "People who died: 2 now, 3 before." in update.text and "People who died: 2" in update.text
    agree(corridor, first.id, later)
    respond.send(corridor.house(later), later)
    assert assess.show_alert(house, first.id, None, later).asks == ()
    old = assess.show_alert(house, first.id, 1, later)
    assert "Of these, 3 people died." in old.text and old.figures[0]["value"] == 3
    assert {r["version"] for r in old.figures[0]["records"]} == {1} and len(old.figures[0]["records"]) == 3
    assert not [n for n in read.status(house, later).operator_notices if n["topic"] == "corrected"]


@pytest.mark.slow
def test_with_the_originators_release_the_public_text_leaves_and_without_it_it_does_not(
    corridor: Any, case: Any
) -> None:
    ref, now = case
    house, author = corridor.house(now), corridor.actor("author")
    everybody = {"audience": "public", "channel": "exercise-email", "address": "all@example.org"}
    read.add_recipient(house, Recipient(id="all", name="Public list", areas=("E09000007",), **everybody), now)
    drafted = assess.draft(house, ref, "formal alert", author, now)
    assert not drafted.public_text and "TLP:AMBER" in drafted.text
    wider = assess.edit(house, drafted.id, {"marking": "TLP:CLEAR"}, author, now)
    (breach,) = [f for f in wider.findings if f["code"] == "handling"]
    assert "ewarn release" in breach["instead"]
    with pytest.raises(Refused, match="wider than"):
        assess.submit(house, wider.id, author, now)
    said = ("The hospital wants it known.", "A. Officer, by telephone on 1 May")
    with pytest.raises(UsageFault, match="no record of this case"):
        checking.release(house, ref, "wedinos", "TLP:CLEAR", *said, corridor.actor("ann"), now)
    with pytest.raises(Refused):
        checking.release(house, ref, "overdose_incidents", "TLP:CLEAR", *said, corridor.actor("duty"), now)
    checking.release(house, ref, "overdose_incidents", "TLP:CLEAR", *said, corridor.actor("ann"), now)
    released = assess.edit(house, drafted.id, {"marking": "TLP:CLEAR"}, author, now)
    assert not [f for f in released.findings if f["blocking"]]
    assert any("A. Officer" in words for words in released.releases)
    assert any(f["code"] == "released" and "A. Officer" in f["what"] for f in released.findings)
    assert "fewer than 8 people" in released.public_text and "Deaths are among them." in released.public_text
    counted = checking.publish_count(
        house, drafted.id, "People who died", "To show how serious it is.", corridor.actor("author"), now
    )
    assert "Of these, 3 people died." in counted.public_text
    agree(corridor, drafted.id, now)
    checking.release(house, ref, "overdose_incidents", "TLP:GREEN", "Taken back.", said[1], corridor.actor("ann"), now)
    assert respond.send(house, now).failed > 0, "a release that was taken back takes the text with it"
    assert not [m for m in corridor.mailbox.messages if m["To"] == "all@example.org"]


def test_an_error_is_let_pass_by_name_and_reason_for_that_text_alone_and_personal_data_never(
    corridor: Any, case: Any
) -> None:
    ref, now = case
    house, author = corridor.house(now), corridor.actor("author")
    drafted = assess.draft(house, ref, "formal alert", author, now)
    assess.edit(house, drafted.id, {"at_risk": "Anyone offered it on Telegram."}, author, now)
    with pytest.raises(Refused, match="bound to a submitted text"):
        checking.let_pass(house, drafted.id, ["all"], "Known.", corridor.actor("ann"), now)
    fixed = assess.submit(house, drafted.id, author, now)
    with pytest.raises(Refused, match="findings stand"):
        assess.approve(house, drafted.id, fixed.hash, corridor.actor("ann"), now)
    passed = checking.let_pass(house, drafted.id, ["all"], "People must know where.", corridor.actor("ann"), now)
    assert [f["overridden"] for f in passed.findings if f["blocking"]] == ["ann: People must know where."]
    assert len(assess.approve(house, drafted.id, fixed.hash, corridor.actor("ben"), now).approvals) == 1
    assess.edit(house, drafted.id, {"at_risk": "Anyone offered it on Telegram. Or not."}, author, now)
    again = assess.submit(house, drafted.id, author, now)
    with pytest.raises(Refused, match="findings stand"):
        assess.approve(house, drafted.id, again.hash, corridor.actor("ben"), now)
    assess.edit(house, drafted.id, {"at_risk": "Sarah Jones and others."}, author, now)
    with pytest.raises(Refused, match="a name"):
        assess.submit(house, drafted.id, author, now)
