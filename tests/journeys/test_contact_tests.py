"""A contact test goes to the live list by live channels, holds no drug, and shows who answers; nothing else does so."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from ewarn.errors import Refused, UsageFault
from ewarn.pipeline import assess, contacts, read, respond, versions
from ewarn.pipeline.reports import Actor
from ewarn.store import bounces
from ewarn.terms import DeliveryState, Person, PersonRole, Recipient

CAMDEN, LONDON = "E09000007", "E12000007"
LIVE = """title = "E-mail (live, loopback)"
url = "mailto://{secret:exercise_smtp}?mode=insecure&from={from}&to={address}"
format = "email"
live = true
timeout_seconds = 5
max_attempts = 1
"""
SECRETS = {name: f"a secret for {name}" for name in ("keeper", "other", "reader")}


@pytest.fixture
def live(corridor: Any) -> Any:
    """A live home whose e-mail goes to a mail server on this machine."""
    config = corridor.home / "ewarn.toml"
    config.write_text(config.read_text().replace('standing = "exercise"\n', ""))
    channel = corridor.home / "content" / "alerts" / "channels" / "email.toml"
    channel.parent.mkdir(parents=True)
    channel.write_text(LIVE)
    now = corridor.at("2025-05-16", "10:00")
    house = corridor.house(now)
    for name, role in (("keeper", "coordinator"), ("other", "coordinator"), ("reader", "duty")):
        person = Person(id=name, name=f"Test {name}", roles=(PersonRole(role),), areas=(LONDON,))
        read.add_person(house, person, SECRETS[name], now)
    mail = {"channel": "email", "areas": (CAMDEN,)}
    for made in (
        Recipient(id="clinic", name="Clinic", group="health", address="clinic@example.org", **mail),
        Recipient(id="silent", name="Silent", group="health", address="silent@example.org", **mail),
        Recipient(id="wrong", name="Wrong", group="council", address="gone@example.org", **mail),
        Recipient(
            id="drill", name="Drill", group="council", areas=(CAMDEN,), channel="exercise-email", address="d@x.org"
        ),
        Recipient(
            id="night", name="Night", group="outreach", address="n@x.org", night_address="night@example.org", **mail
        ),
    ):
        read.add_recipient(house, made, now)
    return corridor


def actor(name: str) -> Actor:
    return Actor(name, SECRETS[name])


def refuse_one(mailbox: Any) -> None:
    """The mail server refuses one address for good."""

    async def answer(server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.startswith("gone@"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    mailbox.handle_RCPT = answer


def test_a_contact_test_proves_the_live_list_from_start_to_scorecard(live: Any) -> None:
    now = live.at("2025-05-16", "11:00")
    house = live.house(now)
    refuse_one(live.mailbox)
    written = contacts.start(house, actor("keeper"), now)
    assert (written.status, written.standing, written.approvals_needed) == ("review", "test", 1)
    assert written.findings == () and written.text.startswith("TEST")
    with pytest.raises(Refused, match="wrote this text"):
        assess.approve(house, written.id, written.hash, actor("keeper"), now)
    with pytest.raises(Refused, match="no coordinator or panel role"):
        assess.approve(house, written.id, written.hash, actor("reader"), now)
    approved = assess.approve(house, written.id, written.hash, actor("other"), now)
    assert [a.person for a in approved.approvals] == ["other"]

    respond.send(house, now)
    subjects = {m["To"]: m["Subject"] for m in live.mailbox.messages}
    assert sorted(subjects) == ["clinic@example.org", "n@x.org", "silent@example.org"]
    assert all(s.startswith("TEST") for s in subjects.values())
    for message in live.mailbox.messages:
        parts = [p.get_payload(decode=True).decode() for p in message.walk() if p.get_content_maintype() == "text"]
        assert len(parts) == 2 and "TEST TEST TEST" in parts[1] and parts[0].lstrip().startswith("TEST TEST TEST")
        assert "naloxone" not in " ".join(parts).lower() and "overdose" not in " ".join(parts).lower()

    delivered = {d.destination: d for d in respond.receipts(house, written.id).deliveries}
    later = now + timedelta(hours=3)
    respond.acknowledge(house, delivered["clinic"].id, actor("reader"), later, "rang, it works")
    card = contacts.report(house, written.case, later)
    assert {r.recipient: r.outcome for r in card.rows} == {
        "clinic": "answered", "silent": "never answered", "night": "never answered", "wrong": "wrong address",
        "drill": "not asked",
    }  # fmt: skip
    assert (card.asked, card.delivered, card.answered, card.silent, card.wrong) == (4, 3, 1, 2, 1)
    assert {c.name: c.answered for c in card.by_group} == {"health": 1, "council": 0, "outreach": 0}
    assert next(r for r in card.rows if r.recipient == "clinic").answered_at == later
    assert "example.org" not in card.model_dump_json()
    assert versions.in_force(house, later) == (), "no warning stands"
    with house.db.write("test") as tx:
        bounces.put(tx, "m1", delivered["silent"].id, "silent", "permanent", "5.1.1", "no such user", later)
    again = contacts.report(house, written.case, later)
    assert {r.recipient: r.outcome for r in again.rows}["silent"] == "wrong address", "it came back"
    assert [t.case_ref for t in contacts.listed(house)] == [written.case] == ["LDN-CT-2025-0001"]


@pytest.mark.slow
def test_the_out_of_hours_contacts_are_tested_apart_and_groups_chosen(live: Any) -> None:
    now = live.at("2025-05-17", "03:00")
    house = live.house(now)
    with pytest.raises(UsageFault, match="nobody is in the group clowns"):
        contacts.start(house, actor("keeper"), now, groups=["clowns"])
    written = contacts.start(house, actor("keeper"), now, contacts="out of hours")
    assess.approve(house, written.id, written.hash, actor("other"), now)
    respond.send(house, now)
    assert [m["To"] for m in live.mailbox.messages] == ["night@example.org"]


@pytest.mark.slow
def test_a_drug_in_a_contact_test_stops_it_even_after_approval(live: Any) -> None:
    now = live.at("2025-05-16", "11:00")
    house = live.house(now)
    written = contacts.start(house, actor("keeper"), now)
    assess.approve(house, written.id, written.hash, actor("other"), now)
    with house.db.write("test") as tx:
        from ewarn.dispatch import render
        from ewarn.store import alerts

        alert, stored = alerts.load(tx, written.id), alerts.payloads(tx, written.id, 1)
        other = [p.model_copy(update={"body": p.body.replace(b"local alerts", b"metonitazene")}) for p in stored]
        forged = alert.model_copy(update={"hash": render.bundle_hash(alert, other)})
        alerts.save(tx, forged, other)
        tx.execute("UPDATE decision SET hash = ? WHERE alert = ?", [forged.hash, forged.id])
    assert respond.send(house, now).sent == 0 and not live.mailbox.messages
    errors = {d.last_error for d in respond.receipts(house, written.id).deliveries}
    assert all("names a drug: 'metonitazene'" in error for error in errors)


@pytest.mark.slow
def test_a_test_home_has_no_list_and_an_exercise_home_rehearses_by_its_own_channels(corridor: Any) -> None:
    now = corridor.at("2025-05-16")
    corridor.staff(now)
    house = corridor.house(now)
    written = contacts.start(house, corridor.actor("author"), now)
    assert written.standing == "exercise" and written.text.startswith("EXERCISE: TEST")
    assess.approve(house, written.id, written.hash, corridor.actor("ann"), now)
    assert respond.send(house, now).sent == 2
    assert {d.state for d in respond.receipts(house, written.id).deliveries} == {DeliveryState.SENT}
    assert "TEST" in json.dumps(corridor.partner_calls)
    config = corridor.home / "ewarn.toml"
    config.write_text(config.read_text().replace('"exercise"', '"test"'))
    with pytest.raises(Refused, match="a test home has no list"):
        contacts.start(corridor.house(now), corridor.actor("author"), now)


@pytest.mark.slow
def test_a_case_of_the_live_home_is_never_joined_to_a_contact_test(live: Any) -> None:
    now = live.at("2025-05-16", "11:00")
    house = live.house(now)
    written = contacts.start(house, actor("keeper"), now)
    row = {
        "sample_ref": "S1", "laboratory": "Laboratory (synthetic)", "stream": "drug-checking",
        "date_sampled": "2025-05-15", "date_reported": "2025-05-15", "area_code": CAMDEN, "sold_as": "diazepam",
        "major": "metonitazene", "test_type": "confirmatory", "status": "",
    }  # fmt: skip
    live.drop("test_results", [row], now)
    live.turn(now)
    cases = {c.ref: c for c in assess.list_cases(live.house(now))}
    assert len(cases) == 2 and not cases[written.case].signals
    with pytest.raises(UsageFault, match="not drafted from a case"):
        assess.draft(live.house(now), "LDN-2025-0001", "contact test", Actor("reader", SECRETS["reader"]), now)
