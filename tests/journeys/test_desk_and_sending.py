"""Cases handed over, linked and corrected; texts overtaken before they leave; what is looked at again when sending."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ewarn.errors import Refused, UsageFault
from ewarn.pipeline import assess, read, respond
from ewarn.terms import Person, PersonRole, Recipient

CASE = "LDN-2025-0001"
ROOT = Path(__file__).resolve().parent.parent.parent


def laboratory_hit(corridor: Any, now: Any, **more: Any) -> None:
    row = {
        "sample_ref": "S1", "laboratory": "Laboratory (synthetic)", "stream": "drug-checking",
        "date_sampled": "2025-05-17", "date_reported": "2025-05-17", "area_code": "E09000007", "sold_as": "diazepam",
        "major": "metonitazene", "test_type": "confirmatory", "status": "",
    } | more  # fmt: skip
    corridor.drop("test_results", [row], now)
    corridor.turn(now)


@pytest.fixture
def now(corridor: Any) -> Any:
    """02:10 on Sunday 18 May 2025: one laboratory hit is a case."""
    night = corridor.at("2025-05-18", "02:10")

    def make() -> None:
        corridor.staff(corridor.at("2025-05-17"))
        laboratory_hit(corridor, night)

    corridor.once("a laboratory hit in the night", make)
    return night


def test_a_case_is_handed_over_and_its_history_reads_as_sentences(corridor: Any, now: Any) -> None:
    house = corridor.house(now)
    due = now + timedelta(hours=9)
    with pytest.raises(UsageFault, match="nobody is registered"):
        assess.assign_case(house, CASE, actor=corridor.actor("duty"), now=now, owner="nobody")
    kept = assess.assign_case(
        house, CASE, actor=corridor.actor("duty"), now=now, owner="ann", next_action="Ring the laboratory", due_at=due
    )
    assert (kept.owner, kept.next_action, kept.due_at) == ("ann", "Ring the laboratory", due)
    questions = {q.id: "not known" for q in house.catalogue.grading.questions}
    assess.grade_case(house, CASE, "share", questions, corridor.actor("ann"), now)
    why = {e["act"]: e["why"] for e in assess.show_case(house, CASE).history}
    assert why["assigned"] == "owner ann; next: Ring the laboratory; due 18 May 2025 11:10 London time"
    assert why["graded"].startswith("graded share. local-relevance: not known; ") and "{" not in why["graded"]


def test_a_suggested_cluster_is_linked_by_a_person_with_a_reason_and_never_by_itself(corridor: Any, now: Any) -> None:
    rows = [
        {
            "incident_ref": f"C{n}", "organisation": "Ambulance", "stream": "ambulance", "report_type": "single",
            "event_date": "2025-05-17", "event_time": f"2{n // 3}:{n}5", "reported_date": "2025-05-18",
            "place": "Camden", "outcome": "non-fatal", "persons": "1",
        } for n in range(6)
    ]  # fmt: skip
    corridor.drop("overdose_incidents", rows, now)
    corridor.turn(now)
    house, duty = corridor.house(now), corridor.actor("duty")
    held = [s for s in assess.show_case(house, CASE).case.signals if s.suggested]
    assert held, "an unknown-substance cluster beside a laboratory hit is suggested"
    signal = held[0].signal.id
    with pytest.raises(UsageFault, match="needs a reason"):
        assess.link_signal(house, CASE, signal, " ", duty, now)
    linked = assess.link_signal(house, CASE, signal[:8], "Found beside one of them.", duty, now)
    found = next(s for s in linked.signals if s.signal.id == signal)
    assert (found.suggested, found.why) == (False, "linked by duty: Found beside one of them.")
    assert linked.verification_event == "confirmed"
    assert linked.verification_link == "unverified", "a sample does not confirm what people took"
    with pytest.raises(UsageFault, match="not one suggested"):
        assess.link_signal(house, CASE, signal[:8], "Again.", duty, now)


def test_a_retracted_result_takes_back_what_it_confirmed_save_what_a_person_set(corridor: Any, now: Any) -> None:
    house = corridor.house(now)
    assert assess.show_case(house, CASE).case.verification_substance == "confirmed"
    assess.verify_case(house, CASE, actor=corridor.actor("duty"), now=now, link="discounted")
    laboratory_hit(corridor, now + timedelta(hours=1), status="retracted")
    case = assess.show_case(house, CASE).case
    assert (case.verification_substance, case.verification_link) == ("unverified", "discounted")
    assert "Look again" in case.next_action
    later = now + timedelta(hours=2)
    drafted = assess.draft(corridor.house(later), CASE, "formal alert", corridor.actor("author"), later)
    assert "Found to contain" not in drafted.text
    assert "not confirmed" in drafted.text


def test_nobody_approves_their_own_text_not_even_a_light_one(corridor: Any, now: Any) -> None:
    house, author = corridor.house(now), corridor.actor("author")
    for product in ("share for information", "request for corroboration"):
        fixed = assess.submit(house, assess.draft(house, CASE, product, author, now).id, author, now)
        with pytest.raises(Refused, match="wrote this text"):
            assess.approve(house, fixed.id, fixed.hash, author, now)


def test_an_edit_after_approval_takes_back_what_has_not_been_sent(corridor: Any, now: Any) -> None:
    house = corridor.house(now)
    approved = corridor.issue(CASE, now)
    assert approved.status == "approved"
    assess.edit(house, approved.id, {"headline": "Other words"}, corridor.actor("author"), now)
    assert respond.send(house, now).sent == 0
    assert {d.state.value for d in respond.receipts(house, approved.id).deliveries} == {"superseded"}
    assert not corridor.mailbox.messages


def test_the_second_review_ends_the_call_for_it(corridor: Any, now: Any) -> None:
    house = corridor.house(now)
    fixed = assess.draft(house, CASE, "formal alert", corridor.actor("author"), now)
    fixed = assess.submit(house, fixed.id, corridor.actor("author"), now)
    assess.approve(house, fixed.id, fixed.hash, corridor.actor("ann"), now, out_of_hours=True)
    assert "Second review" in assess.show_case(house, CASE).case.next_action
    monday = corridor.at("2025-05-19", "10:00")
    assess.approve(house, fixed.id, fixed.hash, corridor.actor("ben"), monday)
    shown = assess.show_case(house, CASE)
    assert shown.case.next_action == f"Read the answers to {fixed.id} and look at it again"
    acts = [e["act"] for e in shown.history]
    assert acts[-1] == "reviewed" and "out-of-hours" in acts


def test_a_channel_made_live_after_approval_still_carries_no_exercise(corridor: Any, now: Any, tmp_path: Path) -> None:
    corridor.content = tmp_path / "content"
    for part in ("sources", "alerts"):
        shutil.copytree(ROOT / part, corridor.content / part)
    approved = corridor.issue(CASE, now)
    for channel in (corridor.content / "alerts" / "channels").glob("exercise-*.toml"):
        channel.write_text(channel.read_text().replace("live = false", "live = true"))
    assert respond.send(corridor.house(now), now).sent == 0
    assert not corridor.mailbox.messages and not corridor.partner_calls
    errors = {d.last_error for d in respond.receipts(corridor.house(now), approved.id).deliveries}
    assert all("never carries an exercise" in error for error in errors)


def test_bytes_changed_after_approval_and_a_moved_recipient_are_not_sent(corridor: Any, now: Any) -> None:
    house = corridor.house(now)
    approved = corridor.issue(CASE, now)
    moved = {"areas": ("E09000007",), "channel": "exercise-webhook", "address": "clinic@example.org"}
    read.add_recipient(house, Recipient(id="clinic", name="Test clinic", **moved), now)
    assert respond.send(house, now).sent == 1
    assert "has changed since" in {d.destination: d.last_error for d in respond.receipts(house).deliveries}["clinic"]
    again = corridor.issue(CASE, now)
    with house.db.write("test") as tx:
        tx.execute("UPDATE payload SET body = encode('other words') WHERE alert = ?", [again.id])
    assert respond.send(house, now).sent == 0
    failing = {c["check"]: c["words"] for c in read.doctor(house, now).checks if not c["ok"]}
    assert again.id in failing["texts"] and approved.id not in failing["texts"]


def test_doctor_finds_a_decision_that_was_changed_or_removed(corridor: Any, now: Any) -> None:
    house = corridor.house(now)
    corridor.issue(CASE, now)
    assert "decisions, cases and people" not in {c["check"] for c in read.doctor(house, now).checks if not c["ok"]}
    for sql in ("UPDATE decision SET person = 'eve' WHERE act = 'approved'", "DELETE FROM decision"):
        with house.db.write("test") as tx:
            tx.execute(sql)
        assert "decisions, cases and people" in {c["check"] for c in read.doctor(house, now).checks if not c["ok"]}


def test_a_home_keeps_one_standing(corridor: Any, now: Any) -> None:
    config = corridor.home / "ewarn.toml"
    config.write_text(config.read_text().replace('"exercise"', '"actual"'))
    with pytest.raises(Refused, match="holds exercise cases"):
        corridor.detect(now)
    with pytest.raises(Refused, match="holds exercise cases"):
        laboratory_hit(corridor, now, sample_ref="S2")


@pytest.mark.slow
def test_a_silent_mail_server_costs_a_few_attempts_and_holds_up_nobody(corridor: Any, now: Any) -> None:
    house = corridor.house(now)
    for n in range(12):
        mail = {"channel": "exercise-email", "address": f"p{n}@example.org", "areas": ("E09000007",)}
        read.add_recipient(house, Recipient(id=f"p{n:02}", name=f"Partner {n}", **mail), now)
    corridor.issue(CASE, now)
    where = (corridor.home / "smtp").read_text()
    (corridor.home / "smtp").write_text("127.0.0.1:1")
    first = respond.send(house, now)
    assert (first.sent, first.failed) == (1, 3), "the webhook has it; of the thirteen e-mails three were tried"
    (corridor.home / "smtp").write_text(where)
    later = now + timedelta(minutes=5)
    assert respond.send(house, later).sent == 13
    assert respond.send(house, later).sent == 0
    assert len({m["To"] for m in corridor.mailbox.messages}) == len(corridor.mailbox.messages) == 13


@pytest.mark.slow
def test_a_case_for_the_whole_country_pages_this_house_and_can_be_worked_on(corridor: Any, now: Any) -> None:
    laboratory_hit(corridor, now + timedelta(minutes=5), sample_ref="S9", major="metonitazenne")
    later = now + timedelta(minutes=6)
    case = next(c for c in assess.list_cases(corridor.house(later)) if c.lead_area == "K02000001")
    assert any(case.ref in call["text"] for call in corridor.duty_calls)
    house = corridor.house(later)
    elsewhere = Person(id="leeds", name="Leeds", roles=(PersonRole.PANEL,), areas=("E08000035",))
    read.add_person(house, elsewhere, "a secret for leeds", later)
    with pytest.raises(Refused, match="another area's panel"):
        assess.close_case(
            house, case.ref, "artefact", "x", type(corridor.actor("ann"))("leeds", "a secret for leeds"), later
        )
    closed = assess.close_case(house, case.ref, "artefact", "A misspelling.", corridor.actor("duty"), later)
    assert closed.status == "closed"
