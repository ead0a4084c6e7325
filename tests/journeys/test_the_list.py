"""The list of recipients is kept, imported and confirmed; who gets an alert is explained before and after sending."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ewarn.errors import Refused
from ewarn.pipeline import assess, distribution, explain, read, respond
from ewarn.pipeline.reports import Actor
from ewarn.store import audit
from ewarn.terms import Person, PersonRole, Recipient

CAMDEN, ISLINGTON, LONDON = "E09000007", "E09000019", "E12000007"
LIST = f"""id,name,areas,channel,address,group,hours
clinic,Test clinic,{CAMDEN},exercise-email,clinic@example.org,health,working
night,Night team,{CAMDEN},exercise-email,night-team@example.org,outreach,always
broken,No channel,{CAMDEN},pigeon,broken@example.org,,
"""


def hit(corridor: Any, now: Any) -> None:
    row = {
        "sample_ref": "S1", "laboratory": "Laboratory (synthetic)", "stream": "drug-checking",
        "date_sampled": "2025-05-17", "date_reported": "2025-05-17", "area_code": CAMDEN, "sold_as": "diazepam",
        "major": "metonitazene", "test_type": "confirmatory", "status": "",
    }  # fmt: skip
    corridor.drop("test_results", [row], now)
    corridor.turn(now)


def test_a_list_is_imported_confirmed_and_told_when_overdue(corridor: Any, caplog: Any) -> None:
    now = corridor.at("2025-05-16")
    corridor.staff(now)
    house = corridor.house(now)
    dry = distribution.take(house, LIST.encode(), now, dry_run=True)
    assert (dry.added, [c["id"] for c in dry.changed], dry.exit_status) == (("night",), ["clinic"], 1)
    assert not distribution.rejects(house) and "night" not in {r.id for r in read.list_recipients(house)}
    done = distribution.take(house, LIST.encode(), now)
    assert done.missing == ("first", "second", "slack") and [r["id"] for r in done.rejected] == ["broken"]
    again = distribution.take(house, LIST.encode(), now)
    assert (again.added, again.changed, again.unchanged) == ((), (), ("clinic", "night"))
    assert [v["columns"] for v in distribution.history(house, "clinic")][1:] == [["hours"]]
    assert "channel: there is no channel 'pigeon'" in distribution.rejects(house)[0]["faults"]
    assert "night-team@example.org" in distribution.request(house, "night", now)[1]

    assert distribution.fall_due(house, now + timedelta(days=365)) == ()
    later = now + timedelta(days=366)
    distribution.confirm(house, ["night"], later)
    respond.watch_silence(house, later)
    (notice,) = [n for n in read.status(house, later).operator_notices if n["source"] == "recipients"]
    assert "clinic" in notice["text"] and "night" not in notice["text"] and "still served" in notice["text"]
    distribution.confirm(house, ["clinic", "first", "second", "slack"], later)
    assert not [n for n in read.status(house, later).operator_notices if n["source"] == "recipients"]

    with house.db.read() as con:
        chain = str(audit.entries(con).to_dicts())
    told = chain + caplog.text + notice["text"] + done.model_dump_json()
    assert "example.org" not in told, "no contact detail in audit, log or notice"


@pytest.mark.slow
def test_only_a_co_ordinator_changes_the_list_of_a_live_service(corridor: Any) -> None:
    now = corridor.at("2025-05-16")
    house = corridor.house(now)
    boss, secret = (
        Person(id="boss", name="Boss", roles=(PersonRole.ADMINISTRATOR,), areas=(LONDON,)),
        "a secret for boss",
    )
    read.add_person(house, boss, secret, now)
    for act in (
        lambda: distribution.take(house, LIST.encode(), now),
        lambda: distribution.confirm(house, ["clinic"], now),
        lambda: distribution.set_active(house, "clinic", False, now),
    ):
        with pytest.raises(Refused, match="coordinator or administrator"):
            act()
    distribution.take(house, LIST.encode(), now, Actor("boss", secret))
    assert [v["by"] for v in distribution.history(house, "clinic")] == ["boss"]


@pytest.mark.slow
def test_who_gets_it_is_the_same_before_approval_and_after_sending(corridor: Any) -> None:
    corridor.staff(corridor.at("2025-05-16"))
    night = corridor.at("2025-05-17", "03:00")  # a Saturday
    house = corridor.house(night)
    mail = {"channel": "exercise-email", "group": "health", "address": "p@example.org"}
    for made in (
        Recipient(id="day", name="Day clinic", areas=(CAMDEN,), hours="working", **mail),
        Recipient(
            id="switch",
            name="Switchboard",
            areas=(CAMDEN,),
            hours="working",
            night_address="switch@example.org",
            **mail,
        ),
        Recipient(id="gla", name="Region", areas=(LONDON,), **mail),
        Recipient(id="croydon", name="Far away", areas=("E09000008",), **mail),
        Recipient(id="live", name="Live partner", areas=(CAMDEN,), channel="email", address="live@example.org"),
    ):
        read.add_recipient(house, made, night)
    hit(corridor, night)
    case = assess.list_cases(house)[0].ref
    drafted = assess.draft(house, case, "formal alert", corridor.actor("author"), night)
    before = explain.explain(house, drafted.id, night)
    assert (before.hour, before.approvals, before.sent) == ("out of hours", "as if it were approved now", False)
    lines = {line.recipient: line for line in before.lines}
    assert sorted(lines) == sorted(r.id for r in read.list_recipients(house))
    assert lines["switch"].contact == "out of hours" and "no out-of-hours contact" in lines["day"].why
    assert "never carries an exercise" in lines["live"].why and lines["croydon"].outcome == "not concerned"
    assert {(a.name, a.words[:6]) for a in before.bare_areas} >= {("Islington", "only b")}
    assert next(r for r in before.by_group if r["name"] == "health")["delivered"] == 5
    monday = explain.explain(house, drafted.id, night, at=corridor.at("2025-05-19", "10:00"))
    assert {line.recipient: line.contact for line in monday.lines}["switch"] == "" and monday.hour == "working"

    fixed = assess.submit(house, drafted.id, corridor.actor("author"), night)
    for person in ("ann", "ben"):
        assess.approve(house, fixed.id, fixed.hash, corridor.actor(person), night)
    assert respond.send(house, night).failed == 0
    after = explain.explain(house, drafted.id, night)
    gets = [(line.recipient, line.channel, line.format, line.contact) for line in before.of("delivered")]
    assert [(line.recipient, line.channel, line.format, line.contact) for line in after.of("delivered")] == gets
    assert after.sent and {line.state for line in after.of("delivered")} == {"sent"}
    assert sorted(m["To"] for m in corridor.mailbox.messages) == [
        "clinic@example.org", "p@example.org", "p@example.org", "switch@example.org",
    ]  # fmt: skip
