"""Signals, cases, people, alerts, decisions, deliveries and pages come back as they went in."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from ewarn.errors import Refused
from ewarn.store import (
    alerts,
    audit,
    cases,
    decisions,
    operator_notices,
    outbox,
    pages,
    people,
    recipients,
    signals,
    tables,
)
from ewarn.store.database import Database
from ewarn.terms import (
    Alert,
    AlertStatus,
    AreaRef,
    CaseChange,
    CaseFile,
    ClosedAs,
    Decision,
    Delivery,
    DeliveryState,
    Family,
    Page,
    Payload,
    Period,
    Person,
    PersonRole,
    Product,
    Recipient,
    Signal,
    Standing,
    Subject,
    SubjectKind,
    Tier,
)

MINUTE = timedelta(minutes=1)
SUBJECT = Subject(kind=SubjectKind.CLASS, id="nitazene", name="nitazene")


def a_signal(**changes: Any) -> Signal:
    values: dict[str, Any] = {
        "id": "s1", "rule": "first_in_borough", "family": Family.FIRST, "subject": SUBJECT,
        "area": AreaRef(code="E09000007", name="Camden", tier=Tier.BOROUGH),
        "period": Period(start=date(2025, 5, 1), end=date(2025, 5, 1)), "observed": 1.0, "records": ("r1",),
        "record_count": 1, "why": "the first", "known_on": date(2025, 6, 2), "first_raised_on": date(2025, 6, 2),
    }  # fmt: skip
    return Signal(**(values | changes))


def a_case(now: datetime, **changes: Any) -> CaseFile:
    values: dict[str, Any] = {
        "ref": "LDN-2025-0001", "title": "nitazene in Camden", "status": "open", "lead_area": "E09000007",
        "subject": SUBJECT, "keys": ("same class",), "opened_at": now, "next_action": "grade", "due_at": now,
    }  # fmt: skip
    return CaseFile(**(values | changes))


def an_alert(now: datetime, **changes: Any) -> Alert:
    values: dict[str, Any] = {
        "id": "LDN-2025-0001/A1", "case": "LDN-2025-0001", "version": 1, "product": Product.FORMAL_ALERT,
        "status": AlertStatus.DRAFT, "standing": Standing.EXERCISE, "area": "E09000007", "author": "ann",
        "template_versions": {"formal": 1}, "advice_versions": {"naloxone": 2}, "content": {"what": "é"},
        "created_at": now, "hash": "h1",
    }  # fmt: skip
    return Alert(**(values | changes))


def a_delivery(**changes: Any) -> Delivery:
    values: dict[str, Any] = {
        "id": "d1", "alert": "LDN-2025-0001/A1", "version": 1, "destination": "outreach", "channel": "mail",
        "audience": "professional", "format": "email", "state": DeliveryState.WAITING, "why": "Camden",
    }  # fmt: skip
    return Delivery(**(values | changes))


# ------------------------------------------------------------------------------------------------ signals


def save(db: Database, now: datetime, *found: Signal) -> signals.SignalChanges:
    with db.write() as tx:
        name = signals.evaluation(tx, now, now, "content", "detect")
        return signals.save(tx, found, name, now)


def test_a_signal_is_new_once_and_then_unchanged(db: Database, now: datetime) -> None:
    assert save(db, now, a_signal(), a_signal()).new == (a_signal(),)
    again = save(db, now + MINUTE, a_signal())
    assert (again.new, again.grown, again.unchanged) == ((), (), (a_signal(),))
    with db.read() as con:
        assert signals.load(con, "s1") == a_signal()
        assert signals.load(con, "s2") is None
        assert signals.evaluations(con).height == 2


@pytest.mark.parametrize(
    "change",
    [
        {"records": ("r1", "r2"), "record_count": 2},
        {"records": ("r2",)},
        {"observed": 2.0},
        {"standing": Standing.TEST},
    ],
)
def test_more_records_more_observed_or_another_standing_is_growth(
    db: Database, now: datetime, change: dict[str, Any]
) -> None:
    save(db, now, a_signal())
    grown = a_signal(**change)
    assert save(db, now + MINUTE, grown).grown == (grown,)
    with db.read() as con:
        assert signals.load(con, "s1") == grown
        assert signals.recent(con, now + MINUTE) == [grown]


def test_a_signal_that_shrinks_and_comes_back_has_not_grown(db: Database, now: datetime) -> None:
    large = a_signal(records=("r1", "r2"), record_count=2, observed=2.0)
    save(db, now, large)
    assert save(db, now + MINUTE, a_signal()).unchanged == (a_signal(),)
    assert save(db, now + 2 * MINUTE, large).grown == ()
    with db.read() as con:
        assert signals.load(con, "s1") == large


def test_signals_are_found_by_their_records_and_beneath_others(db: Database, now: datetime) -> None:
    below = a_signal(id="s2", rule="first_in_region")
    save(db, now, a_signal(beneath=(below,)))
    with db.read() as con:
        assert [signal.id for signal in signals.touching(con, ["r1", "r9"])] == ["s1"]
        assert signals.touching(con, ["r9"]) == []
        assert signals.load(con, "s2") == below
        evaluated = signals.evaluated_with(con, "s1")
    assert evaluated is not None and evaluated["content_hash"] == "content"


# ------------------------------------------------------------------------------------------------ cases


def test_a_case_comes_back_as_it_stands_with_its_history(db: Database, now: datetime) -> None:
    opened = a_case(now)
    closed = a_case(now, status="closed", closed_at=now + MINUTE, closed_as=ClosedAs.ARTEFACT)
    with db.write() as tx:
        change = CaseChange(act="opened", case=opened, signal="s1", why="a first detection", pages=True)
        cases.record_change(tx, change, now)
        cases.note(tx, opened.ref, now, "ann", "rang the laboratory")
        cases.save(tx, closed, now + MINUTE, "ann")
        cases.save(tx, closed, now + MINUTE, "ann")
    with db.read() as con:
        assert cases.load(con, opened.ref) == closed
        assert cases.all(con) == [closed] and cases.all(con, "open") == []
        acts = cases.history(con, opened.ref)
        assert tables.one(con, "SELECT count(*) FROM case_file") == 2
    assert [(act["act"], act["who"], act["why"]) for act in acts] == [
        ("opened", "ewarn", "a first detection"),
        ("note", "ann", "rang the laboratory"),
    ]
    assert acts[0]["at"] == now and acts[0]["signal"] == "s1"


def test_references_count_up_per_issuer_and_year_and_are_given_back(db: Database) -> None:
    with db.write() as tx:
        assert [cases.next_ref(tx, "LDN", 2025) for _ in range(2)] == ["LDN-2025-0001", "LDN-2025-0002"]
        assert cases.next_ref(tx, "LDN", 2026) == "LDN-2026-0001"
        assert alerts.next_id(tx, "LDN-2025-0001") == "LDN-2025-0001/A1"
        assert alerts.next_id(tx, "LDN-2025-0001") == "LDN-2025-0001/A2"
    with pytest.raises(ValueError, match="no"), db.write() as tx:
        cases.next_ref(tx, "LDN", 2025)
        raise ValueError("no")
    with db.write() as tx:
        assert cases.next_ref(tx, "LDN", 2025) == "LDN-2025-0003"


# ------------------------------------------------------------------------------------------------ people


def test_a_person_is_registered_once_and_the_token_stays_apart(db: Database, now: datetime) -> None:
    ann = Person(id="ann", name="Ann", roles=(PersonRole.PANEL,), areas=("E09000007",))
    with db.write() as tx:
        people.add(tx, ann, "$argon2id$hash", now)
    with db.write() as tx, pytest.raises(Refused, match="registered already"):
        people.add(tx, ann, "$argon2id$other", now)
    with db.write() as tx:
        people.change(tx, ann.model_copy(update={"active": False}), now)
        with pytest.raises(Refused, match="nobody"):
            people.change(tx, ann.model_copy(update={"id": "bob"}), now)
    with db.read() as con:
        (found,) = people.all(con)
        assert not found.active and people.secret_hash(con, "ann") == "$argon2id$hash"
        assert people.secret_hash(con, "bob") is None
        assert not any("argon2" in str(row) for row in audit.entries(con).rows())


def test_a_recipient_is_replaced_and_removed(db: Database, now: datetime) -> None:
    team = Recipient(id="outreach", name="Outreach", areas=("E09000007",), channel="mail", address="a@example.org")
    moved = team.model_copy(update={"address": "b@example.org"})
    with db.write() as tx:
        recipients.save(tx, team)
        recipients.save(tx, moved)
    with db.read() as con:
        assert recipients.all(con) == [moved]
    with db.write() as tx:
        assert recipients.remove(tx, "outreach") and not recipients.remove(tx, "outreach")
    with db.read() as con:
        assert recipients.all(con) == [] and recipients.load(con, "outreach") is None


# ------------------------------------------------------------------------------------------------ alerts


def test_the_bytes_of_an_alert_come_back_as_stored(db: Database, now: datetime) -> None:
    bodies = [
        Payload(audience="professional", format="slack", subject="", body=b"\x00\xff"),
        Payload(audience="public", format="text", subject="Warning", body="é".encode()),
    ]
    with db.write() as tx:
        alerts.save(tx, an_alert(now), bodies)
    with db.read() as con:
        assert alerts.load(con, "LDN-2025-0001/A1") == an_alert(now)
        assert alerts.payloads(con, "LDN-2025-0001/A1", 1) == bodies


def test_a_draft_is_replaced_and_an_issued_version_never(db: Database, now: datetime) -> None:
    edited = an_alert(now, content={"what": "edited"}, hash="h2")
    with db.write() as tx:
        alerts.save(tx, an_alert(now), [Payload(audience="a", format="text", subject="", body=b"1")])
        alerts.save(tx, edited)
        assert alerts.payloads(tx, edited.id, 1) == []
        issued = alerts.set_status(tx, edited.id, 1, AlertStatus.ISSUED, now)
        with pytest.raises(Refused, match="has been issued"):
            alerts.save(tx, an_alert(now))
        second = an_alert(now + MINUTE, version=2, supersedes=1)
        alerts.save(tx, second)
        with pytest.raises(Refused, match="no version 3"):
            alerts.set_status(tx, edited.id, 3, AlertStatus.REVIEW)
    with db.read() as con:
        assert alerts.versions(con, edited.id) == [issued, second]
        assert alerts.all(con) == [second]
        assert alerts.load(con, edited.id, 1) == issued


def test_decisions_come_back_in_order_for_their_alert_and_case(db: Database, now: datetime) -> None:
    graded = Decision(act="graded", person="ann", at=now, case="LDN-2025-0001", hash="g")
    approved = Decision(act="approved", person="bob", at=now, alert="LDN-2025-0001/A1", version=1, hash="h1")
    other = Decision(act="graded", person="ann", at=now, case="LDN-2025-00012", hash="g")
    with db.write() as tx:
        for decision in (graded, approved, other):
            decisions.append(tx, decision)
    with db.read() as con:
        assert decisions.of_alert(con, "LDN-2025-0001/A1") == [approved]
        assert decisions.of_case(con, "LDN-2025-0001") == [graded, approved]


# ------------------------------------------------------------------------------------------------ outbox


def test_the_same_version_goes_to_the_same_destination_once(db: Database, now: datetime) -> None:
    with db.write() as tx:
        assert outbox.put(tx, [a_delivery(), a_delivery(id="d2")]) == 1
        assert outbox.put(tx, [a_delivery(id="d3"), a_delivery(id="d4", version=2)]) == 1
        assert outbox.put(tx, [a_delivery(id="p1", alert="", version=None, page="page1")] * 2) == 1
    with db.read() as con:
        assert [delivery.id for delivery in outbox.all(con)] == ["d1", "d4", "p1"]
        assert outbox.of_page(con, "page1")[0].destination == "outreach"


def test_a_delivery_is_claimed_by_one_sender_and_settled_with_a_receipt(db: Database, now: datetime) -> None:
    with db.write() as tx:
        outbox.put(tx, [a_delivery()], now)
        assert [delivery.id for delivery in outbox.due(tx, now)] == ["d1"]
        assert outbox.claim(tx, "d1", now) and not outbox.claim(tx, "d1", now)
        assert outbox.due(tx, now + MINUTE) == []
        outbox.settle(tx, "d1", DeliveryState.FAILED, now, "no answer", now + 5 * MINUTE)
        assert outbox.due(tx, now + MINUTE) == []
        assert outbox.claim(tx, "d1", now + 5 * MINUTE)
        outbox.settle(tx, "d1", DeliveryState.SENT, now + 5 * MINUTE)
        assert outbox.due(tx, now + timedelta(days=9)) == [] and not outbox.claim(tx, "d1", now + timedelta(days=9))
        outbox.acknowledge(tx, "d1", "team", now + 6 * MINUTE, "read")
        with pytest.raises(Refused):
            outbox.acknowledge(tx, "unknown", "team", now + 6 * MINUTE)
    with db.read() as con:
        receipts = outbox.receipts(con, "LDN-2025-0001/A1")
        (answer,) = outbox.acknowledgements(con)
        (delivery,) = outbox.all(con)
    assert (delivery.state, delivery.attempts, delivery.last_error) == (DeliveryState.SENT, 2, "")
    assert [(r["attempt"], r["state"], r["error"], r["possible_repeat"]) for r in receipts] == [
        (1, "failed", "no answer", False),
        (2, "sent", "", False),
    ]
    assert (answer["by"], answer["text"], answer["at"]) == ("team", "read", now + 6 * MINUTE)


@pytest.mark.parametrize("released", [True, False])
def test_a_delivery_lost_in_sending_is_due_again_as_a_possible_repeat(
    db: Database, now: datetime, released: bool
) -> None:
    later = now + outbox.LOST_AFTER
    with db.write() as tx:
        outbox.put(tx, [a_delivery()], now)
        outbox.claim(tx, "d1", now)
        assert outbox.due(tx, later - MINUTE) == [] and outbox.release_lost(tx, later - MINUTE) == []
        if released:
            assert outbox.release_lost(tx, later) == ["d1"]
        assert [delivery.id for delivery in outbox.due(tx, later)] == ["d1"]
        assert outbox.claim(tx, "d1", later)
        outbox.settle(tx, "d1", DeliveryState.SENT, later)
        assert outbox.possible_repeats(tx) == {"d1"}
        assert outbox.receipts(tx)[0]["possible_repeat"] is True


# ------------------------------------------------------------------------------------------------ pages


def test_a_page_stays_open_until_somebody_takes_it(db: Database, now: datetime) -> None:
    call = Page(id="p1", case="LDN-2025-0001", at=now, subject="new", text="text", standing=Standing.ACTUAL)
    with db.write() as tx:
        assert pages.put(tx, call) and not pages.put(tx, call)
        assert pages.open(tx) == [call]
        assert pages.escalated(tx, "p1", 2, now).rota_order == 2
        taken = pages.acknowledge(tx, "p1", "ann", now + MINUTE)
        assert pages.acknowledge(tx, "p1", "bob", now + 2 * MINUTE) == taken
        with pytest.raises(Refused, match="no page"):
            pages.acknowledge(tx, "p2", "ann", now + MINUTE)
    assert (taken.acknowledged_by, taken.acknowledged_at) == ("ann", now + MINUTE)
    with db.read() as con:
        assert pages.open(con) == [] and pages.all(con, "LDN-2025-0001") == [taken]


def test_a_notice_to_the_operator_stands_once_until_closed(db: Database, now: datetime) -> None:
    with db.write() as tx:
        assert operator_notices.put(tx, now, "feed", "silent") and not operator_notices.put(tx, now, "feed", "silent")
        assert operator_notices.close(tx, now, "ann", source="feed") == 1
        assert operator_notices.open(tx).is_empty()
        assert operator_notices.put(tx, now + MINUTE, "feed", "silent")


# ------------------------------------------------------------------------------------------------ audit


def test_every_act_leaves_a_link_and_a_changed_link_shows(db: Database, now: datetime) -> None:
    with db.write() as tx:
        before, _, _ = audit.last(tx)
        recipients.save(tx, Recipient(id="a", name="A", areas=(), channel="mail"), now)
        outbox.put(tx, [a_delivery()], now)
        cases.save(tx, a_case(now), now)
        decisions.append(tx, Decision(act="graded", person="ann", at=now, case="c"))
        assert audit.last(tx)[0] == before + 4 and audit.verify(tx) is None
    for change in (
        f"UPDATE audit SET actor = 'eve' WHERE seq = {before + 2}",
        f"DELETE FROM audit WHERE seq = {before + 2}",
    ):
        with pytest.raises(ZeroDivisionError), db.write() as tx:
            tx.execute(change)
            assert audit.verify(tx) == before + 2
            raise ZeroDivisionError
