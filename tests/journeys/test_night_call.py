"""02:10 on a Sunday: the page reaches the duty rota's channel, the back-up after a wait, and the case shows it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ewarn.pipeline import assess, read, respond


def night(corridor: Any) -> Any:
    """A laboratory hit at 02:10 on Sunday 18 May 2025."""
    now = corridor.at("2025-05-18", "02:10")
    corridor.once("a night call", lambda: _began(corridor, now))
    return now


def _began(corridor: Any, now: Any) -> None:
    corridor.staff(corridor.at("2025-05-17"))
    row = {
        "sample_ref": "S1", "laboratory": "Laboratory (synthetic)", "stream": "custody", "date_sampled": "2025-05-17",
        "date_reported": "2025-05-18", "area_code": "E09000007", "sold_as": "heroin", "major": "cychlorphine",
        "test_type": "presumptive",
    }  # fmt: skip
    corridor.drop("test_results", [row], now)
    corridor.turn(now)


def test_a_signal_at_ten_past_two_on_sunday_reaches_the_rota(corridor: Any) -> None:
    now = night(corridor)
    assert len(corridor.duty_calls) == 1
    text = corridor.duty_calls[0]["text"]
    assert "LDN-2025-0001" in text
    assert "ychlorphine" in text
    assert "Camden" in text
    assert "ewarn duty ack" in text
    shown = assess.show_case(corridor.house(now), "LDN-2025-0001")
    assert [p.acknowledged_by for p in shown.pages] == [""]
    assert "paged" in {entry["act"] for entry in shown.history}
    assert shown.case.verification_substance == "unverified", "a presumptive test alone never confirms"


def test_nobody_answers_and_the_back_up_is_called_once(corridor: Any) -> None:
    now = night(corridor)
    for minutes in (5, 14):
        respond.page(corridor.house(now), now + timedelta(minutes=minutes))
        respond.send(corridor.house(now), now + timedelta(minutes=minutes))
    assert len(corridor.duty_calls) == 1
    for minutes in (16, 20, 60):
        corridor.turn(now + timedelta(minutes=minutes))
    assert len(corridor.duty_calls) == 2
    acts = [e["why"] for e in assess.show_case(corridor.house(now), "LDN-2025-0001").history if e["act"] == "paged"]
    assert any("number 2" in why for why in acts)


def test_an_acknowledged_page_goes_no_further_and_the_case_shows_who(corridor: Any) -> None:
    now = night(corridor)
    page = read.duty(corridor.house(now)).pages[0]
    respond.acknowledge(corridor.house(now), page.id, corridor.actor("duty"), now + timedelta(minutes=4))
    corridor.turn(now + timedelta(minutes=40))
    assert len(corridor.duty_calls) == 1
    shown = assess.show_case(corridor.house(now), "LDN-2025-0001")
    assert shown.pages[0].acknowledged_by == "duty"
    assert "acknowledged" in {entry["act"] for entry in shown.history}


def test_a_formal_alert_takes_two_others_and_arrives_once_as_approved(corridor: Any) -> None:
    import pytest

    from ewarn.errors import Refused
    from ewarn.store import alerts

    now = night(corridor)
    house = corridor.house(now)
    drafted = assess.draft(house, "LDN-2025-0001", "formal alert", corridor.actor("author"), now)
    fixed = assess.submit(house, drafted.id, corridor.actor("author"), now)
    for person, seen in (("author", fixed.hash), ("ann", "0" * 64), ("duty", fixed.hash)):
        with pytest.raises(Refused):
            assess.approve(house, fixed.id, seen, corridor.actor(person), now, note="exercise")
    first = assess.approve(house, fixed.id, fixed.hash, corridor.actor("ann"), now, note="exercise")
    assert first.status == "review"
    with pytest.raises(Refused):
        assess.approve(house, fixed.id, fixed.hash, corridor.actor("ann"), now, note="exercise")
    done = assess.approve(house, fixed.id, fixed.hash, corridor.actor("ben"), now, note="exercise")
    assert done.status == "approved"
    sent = respond.send(house, now)
    assert (sent.sent, sent.failed) == (2, 0)
    assert respond.send(house, now).sent == 0
    with house.db.read() as con:
        stored = {(p.audience, p.format): p for p in alerts.payloads(con, fixed.id, fixed.version)}
    assert len(corridor.mailbox.messages) == 1
    message = corridor.mailbox.messages[0]
    parts = {
        p.get_content_type(): p.get_payload(decode=True).decode()
        for p in message.walk()
        if p.get_content_maintype() == "text"
    }
    import json

    mail = json.loads(stored["professional", "email"].body)
    assert parts["text/plain"].replace("\r\n", "\n").strip() == mail["text"].strip()
    assert "EXERCISE" in str(message["Subject"])
    assert corridor.partner_calls[0] == json.loads(stored["professional", "slack"].body)
    assert {d.state.value for d in respond.receipts(house, fixed.id).deliveries} == {"sent"}
    assert assess.show_alert(house, fixed.id).status == "issued"


def test_a_detection_that_finds_nothing_new_writes_nothing(corridor: Any) -> None:
    now = night(corridor)
    before = (corridor.home / "ewarn.duckdb").stat().st_mtime_ns
    again = corridor.detect(now + timedelta(minutes=1))
    assert again.signals and not again.new and not again.pages
    assert (corridor.home / "ewarn.duckdb").stat().st_mtime_ns == before
