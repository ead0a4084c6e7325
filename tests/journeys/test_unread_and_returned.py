"""What was not read is sent again once and taken further; what comes back is known; ewarn says daily that it works."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from ewarn.personal import spool
from ewarn.pipeline import (
    answering,
    assess,
    bounces,
    canary,
    collecting,
    matrix,
    nudging,
    quiet,
    read,
    respond,
    versions,
)
from ewarn.store import operator_notices, outbox
from ewarn.terms import Recipient
from tests.journeys.test_desk_and_sending import CASE
from tests.journeys.test_personal_links import begun, mail, own

ALERT = f"{CASE}/A1"
REPORT = """From: MAILER-DAEMON@mx.example.org
To: ewarn@example.org
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

It did not work.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; team0@example.org
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {status} team0@example.org is not here

--b
Content-Type: {kind}

Message-ID: {message_id}
{header}Subject: x

--b--
"""


@pytest.fixture
def now(corridor: Any) -> datetime:
    """Monday 19 May 2025, 10:00: an alert went to five partners, one of whom answered."""
    at = begun(corridor, corridor.at("2025-05-19", "10:00"))
    house = corridor.house(at)
    night = {"night_channel": "exercise-email", "night_address": "night@example.org", "address": "team1@example.org"}
    partner = Recipient(
        id="team1", name="Team 1", channel="exercise-email", areas=("E09000007",), group="health", **night
    )
    read.add_recipient(house, partner, at)
    operator = {"audience": "internal", "areas": ("E12000007",), "channel": "exercise-duty"}
    read.add_recipient(house, Recipient(id="op", name="Operator", group="operator", **operator), at)
    corridor.issue(CASE, at)
    assert respond.send(house, at).sent == 5
    answer(corridor, "clinic", at)
    return at


def answer(corridor: Any, who: str, at: datetime) -> None:
    house = corridor.house(at)
    with house.db.read() as con:
        name = next(d.id for d in outbox.all(con) if d.destination == who and d.alert and not d.nudge)
    told = spool.Answer(delivery=name, act="read", at=at, name="Ann")
    spool.put(collecting.folder(house) / "spool", told, answering.of_house(house))
    assert collecting.collect(house, at).taken == 1


def notices(corridor: Any, at: datetime) -> str:
    with corridor.house(at).db.read() as con:
        return " | ".join(operator_notices.open(con)["text"])


def test_an_unread_alert_is_sent_once_more_and_then_taken_further(corridor: Any, now: datetime) -> None:
    early = now + timedelta(minutes=29)
    assert nudging.nudge(corridor.house(early), early).nudges == ()
    answer(corridor, "team2", early)
    at = now + timedelta(minutes=31)
    house = corridor.house(at)
    written = nudging.nudge(house, at).nudges
    assert sorted(d.destination for d in written) == ["slack", "team0", "team1"]
    assert nudging.nudge(house, at).nudges == ()
    before = {m["To"]: m for m in corridor.mailbox.messages}
    assert respond.send(house, at).sent == 3
    again = [m for m in corridor.mailbox.messages if m["Subject"].startswith("REMINDER: ")]
    assert sorted(m["To"] for m in again) == ["team0@example.org", "team1@example.org"]
    for message in again:
        first = before[message["To"]]
        assert message["In-Reply-To"] == first["Message-ID"] != message["Message-ID"]
        assert message["X-Ewarn-Key"] != first["X-Ewarn-Key"] and message["X-Ewarn-Reminder"] == "yes"
        old, new = (text(m) for m in (first, message))
        assert new.startswith("Reminder: we have no answer from you") and new.endswith(old)
        assert own(new) == own(old), "a reminder is answered like the first message"
    assert corridor.partner_calls[-1]["text"].endswith(corridor.partner_calls[0]["text"])
    answer(corridor, "slack", at)
    late = now + timedelta(minutes=61)
    report = nudging.nudge(corridor.house(late), late)
    assert sorted(report.escalated) == ["team0", "team1"]
    assert [(d.destination, d.contact) for d in report.nudges] == [("team1", "out of hours")]
    assert "not answered after a reminder by: team0, team1" in notices(corridor, late)
    assert nudging.nudge(corridor.house(late), late) == nudging.NudgeReport()
    respond.send(corridor.house(late), late)
    assert corridor.mailbox.messages[-1]["To"] == "night@example.org"
    assert "team0, team1" in json.dumps(corridor.duty_calls)
    cells = {c["destination"]: c for c in matrix.matrix(corridor.house(late), late, ALERT).cells}
    assert {name: c["state"] for name, c in cells.items()} == {
        "clinic": "read", "slack": "read", "team0": "sent", "team1": "sent", "team2": "read",
    }  # fmt: skip
    assert cells["team0"]["nudged_at"] and cells["team0"]["escalated_at"] and not cells["team2"]["nudged_at"]
    history = {e["act"] for e in assess.show_case(corridor.house(late), CASE).history}
    assert {"nudged", "escalated", "answered"} <= history
    answer(corridor, "team0", late)
    answer(corridor, "team1", late)
    nudging.nudge(corridor.house(late), late)
    assert "not answered after" not in notices(corridor, late), "the notice closes when everybody has answered"


def text(message: Any) -> str:
    """The plain text as it arrived."""
    return str(json.loads(mail(message, b"{}"))["text"])


@pytest.mark.slow
def test_nobody_is_reminded_of_an_alert_that_ended_and_a_waiting_reminder_does_not_leave(
    corridor: Any, now: datetime
) -> None:
    at = now + timedelta(minutes=31)
    house = corridor.house(at)
    assert len(nudging.nudge(house, at).nudges) == 4
    drafted = versions.withdraw(house, ALERT, "It was wrong.", corridor.actor("author"), at)
    fixed = assess.submit(house, drafted.id, corridor.actor("author"), at)
    for person in ("ann", "ben"):
        assess.approve(house, fixed.id, fixed.hash, corridor.actor(person), at, note="exercise")
    respond.send(house, at)
    assert not [m for m in corridor.mailbox.messages if m["Subject"].startswith("REMINDER")]
    later = at + timedelta(days=3)
    assert nudging.nudge(corridor.house(later), later) == nudging.NudgeReport()


def report(
    action: str, status: str, name: str = "", message_id: str = "<x@y>", kind: str = "text/rfc822-headers"
) -> bytes:
    header = f"X-Ewarn-Delivery: {name}\n" if name else ""
    words = REPORT.format(action=action, status=status, header=header, message_id=message_id, kind=kind)
    return words.replace("\n", "\r\n").encode()


def test_returned_mail_marks_its_delivery_and_nothing_else_does(corridor: Any, now: datetime, tmp_path: Path) -> None:
    sent = {m["To"]: m for m in corridor.mailbox.messages}
    ids = {who: sent[f"{who}@example.org"]["X-Ewarn-Delivery"] for who in ("team0", "team1", "team2")}
    away = EmailMessage()
    away["Subject"], away["Auto-Submitted"] = "Out of office", "auto-replied"
    away["In-Reply-To"] = sent["clinic@example.org"]["Message-ID"]
    away.set_content("I have read your message. Not.")
    box = tmp_path / "box"
    for part in ("new", "cur", "tmp"):
        (box / part).mkdir(parents=True)
    (box / "new" / "1").write_bytes(report("failed", "5.1.1", ids["team0"]))
    (box / "cur" / "2:2,S").write_bytes(report("delayed", "4.4.1", message_id=sent["team1@example.org"]["Message-ID"]))
    (box / "new" / "3").write_bytes(report("delivered", "2.0.0", ids["team2"], kind="message/rfc822"))
    (box / "new" / "4").write_bytes(away.as_bytes())
    (box / "new" / "5").write_bytes(report("failed", "5.1.1", "0" * 16))
    (box / "new" / "6").write_bytes(b"Subject: hello\r\n\r\nwhat is this?")
    (box / "new" / "7").write_bytes(b"\xff\x00" * 500)
    found = bounces.read(corridor.house(now), box, now)
    assert found.found == {"permanent": 2, "delayed": 1, "delivered": 1, "automatic": 1, "unknown": 2}
    assert found.marked == (ids["team0"],) and len(found.unknown) == 3
    assert bounces.read(corridor.house(now), box, now).known == 7
    states = {c["destination"]: c["state"] for c in matrix.matrix(corridor.house(now), now).cells}
    assert states == {"clinic": "read", "slack": "sent", "team0": "bounced", "team1": "sent", "team2": "delivered"}
    told = notices(corridor, now)
    assert "team0: a message came back for good 5.1.1" in told and "@" not in told
    assert list(bounces.flagged(corridor.house(now))) == ["team0"]
    at = now + timedelta(minutes=31)
    assert "team0" not in {d.destination for d in nudging.nudge(corridor.house(at), at).nudges}
    answer(corridor, "team0", at)
    assert bounces.flagged(corridor.house(at)) == {}


def test_the_canary_comes_back_and_all_is_quiet_or_it_is_said_what_is_wrong(
    corridor: Any, now: datetime, tmp_path: Path
) -> None:
    inside = {"audience": "internal", "areas": ("E12000007",)}
    for name, group, channel in (("bird", "canary", "exercise-email"), ("boss", "coordinator", "exercise-duty")):
        made = Recipient(id=name, name=name, group=group, channel=channel, address=f"{name}@example.org", **inside)
        read.add_recipient(corridor.house(now), made, now)
    first = quiet.all_quiet(corridor.house(now), now)
    assert "no daily test message came back since yesterday" in first.wrong and first.deliveries == ()
    assert len(canary.canary(corridor.house(now), now).deliveries) == 1
    assert canary.canary(corridor.house(now), now).deliveries == ()
    respond.send(corridor.house(now), now)
    message = corridor.mailbox.messages[-1]
    assert message["To"] == "bird@example.org" and message["Subject"].endswith("TEST: daily message of 2025-05-19")
    late = now + timedelta(hours=3)
    assert canary.canary(corridor.house(late), late).missing
    assert "the daily test message did not come back" in notices(corridor, late)
    (tmp_path / "arrived.eml").write_bytes(message.as_bytes())
    assert bounces.read(corridor.house(late), tmp_path, late).found == {"arrived": 1}
    assert canary.canary(corridor.house(late), late).exit_status == 0
    assert "the daily test message did not" not in notices(corridor, late)
    looked = quiet.all_quiet(corridor.house(late), late)
    assert looked.wrong == () and [d.destination for d in looked.deliveries] == ["boss"]
    assert quiet.all_quiet(corridor.house(late), late).deliveries == (), "once a day"
    corridor.duty_calls.clear()
    respond.send(corridor.house(late), late)
    (told,) = [call["text"] for call in corridor.duty_calls if "all quiet" in call["text"]]
    for words in (
        "EXERCISE: ewarn: all quiet on 2025-05-19",
        "test_results: ",
        "Audit chain: ",
        "Version: ",
        "back 2025",
    ):
        assert words in told
    assert not any(word in told.lower() for word in ("nitazene", "heroin", "camden", CASE.lower()))
    assert "Daily test message" in (collecting.folder(corridor.house(late)) / "shown.json").read_text()
