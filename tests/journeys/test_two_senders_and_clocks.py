"""Two senders at once send each message once; a full disk or a clock that jumps loses none."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from ewarn.catalogue.definitions import ChannelDefinition
from ewarn.dispatch.send import DEADLINE_TIMES
from ewarn.pipeline import read, respond, sending
from ewarn.store import audit, outbox
from ewarn.terms import DeliveryState, Recipient
from tests.journeys.conftest import at
from tests.journeys.test_dead_letters import CASE, NOON, ROW

YEAR = timedelta(days=365)
ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def approved(corridor: Any) -> Any:
    """An approved alert to eight mailboxes and a webhook that has not been sent."""
    corridor.staff(at("2025-05-17"))
    corridor.drop("test_results", [ROW], NOON)
    corridor.detect(NOON)
    mail = {"channel": "exercise-email", "areas": ("E09000007",), "group": "health"}
    made = [Recipient(id=f"p{n}", name=f"Partner {n}", address=f"p{n}@example.org", **mail) for n in range(7)]
    read.add_recipients(corridor.house(NOON), made, NOON)
    corridor.issue(CASE, NOON)
    return corridor


SENDING = (
    "import sys; from datetime import datetime; from pathlib import Path;"
    "from ewarn.pipeline import respond; from ewarn.pipeline.house import open_house;"
    "now = datetime.fromisoformat(sys.argv[2]);"
    "h = open_house(Path(sys.argv[1]), None, {}, clock=lambda _: now);"
    "print('ready', flush=True); sys.stdin.readline(); respond.send(h, now)"
)
BY_SCHEDULE = (
    "import asyncio, sys; from flows.dispatch_flow import send_approved;"
    "print('ready', flush=True); sys.stdin.readline(); asyncio.run(send_approved.fn())"
)


def sender(home: Path, words: str) -> Any:
    """A process that sends once it is told to."""
    environ = os.environ | {"EWARN_HOME": str(home), "PREFECT_HOME": str(home.parent / "prefect")}
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    command = [sys.executable, "-c", words, str(home), NOON.isoformat()]
    return subprocess.Popen(command, cwd=ROOT, env=environ, text=True, **pipes)


def test_two_senders_at_once_send_each_message_once(approved: Any) -> None:
    """The schedule's own step, twice: a second schedule, or a person's `ewarn send` beside it."""
    senders = [sender(approved.home, BY_SCHEDULE) for _ in range(2)]
    for one in senders:
        assert one.stdout.readline() == "ready\n"
    for one in senders:
        print("go", file=one.stdin, flush=True)
    said = [one.communicate()[1][-2000:] for one in senders]
    assert [one.returncode for one in senders] == [0, 0], said
    assert len(approved.mailbox.messages) == len({m["To"] for m in approved.mailbox.messages}) == 8
    assert len(approved.partner_calls) == 1
    found = respond.receipts(approved.house(NOON))
    assert {d.attempts for d in found.deliveries if d.alert} == {1} and found.possible_repeats == ()


def test_a_claim_lasts_for_all_that_is_sent_under_it() -> None:
    """Ten messages at a minute each: another sender took the last ones for lost, and they arrived twice."""
    (longest,) = (m.le for m in ChannelDefinition.model_fields["timeout_seconds"].metadata if hasattr(m, "le"))
    taken = sending.HELD_SECONDS + DEADLINE_TIMES * longest + sending.ENTER_SECONDS
    assert taken < outbox.LOST_AFTER.total_seconds()


@pytest.mark.slow
def test_what_a_slow_server_leaves_no_time_for_is_put_back_and_sent_once(
    approved: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "HELD_SECONDS", 0.0)
    respond.send(approved.house(NOON), NOON)
    assert len(approved.mailbox.messages) == len({m["To"] for m in approved.mailbox.messages}) == 8
    with approved.house(NOON).db.read() as con:
        acts = [row["act"] for row in audit.entries(con).to_dicts()]
    assert acts.count("put back delivery") == 6 + 5 + 4 + 3 + 2 + 1, "of seven behind the first, one was sent each time"
    assert {(d.attempts, d.state.value) for d in respond.receipts(approved.house(NOON)).deliveries} == {(1, "sent")}


def test_what_left_before_a_disk_was_full_is_sent_again_and_marked(approved: Any, httpserver: HTTPServer) -> None:
    """The server takes the message, and from then on nothing that the sender writes reaches the disk."""
    child = sender(approved.home, SENDING)

    def full(request: Request) -> Response:
        hard = resource.prlimit(child.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (0, hard))
        approved.partner_calls.append(request.get_json())
        return Response("ok")

    httpserver.expect_oneshot_request("/partners").respond_with_handler(full)
    assert child.stdout.readline() == "ready\n"
    said = child.communicate("go\n")[1]
    assert child.returncode != 0 and "the disk is full" in said, said[-2000:]
    calls = approved.partner_calls
    for minutes, came in ((5, 1), (11, 2)):
        now = NOON + timedelta(minutes=minutes)
        respond.send(approved.house(now), now)
        assert len(calls) == came, "a claim without a receipt holds for ten minutes, and no longer"
    assert "Possible repeat" not in str(calls[0]) and "Possible repeat" in str(calls[1])
    found = respond.receipts(approved.house(now))
    assert {d.state.value for d in found.deliveries if d.alert} == {"sent"}
    assert {d.id for d in found.deliveries if d.destination == "slack"} <= set(found.possible_repeats)
    assert {m["To"] for m in approved.mailbox.messages} == {"clinic@example.org"} | {
        f"p{n}@example.org" for n in range(7)
    }


@pytest.mark.slow
@pytest.mark.parametrize("wrong", [YEAR, pytest.param(-YEAR, marks=pytest.mark.slow)])
def test_a_claim_made_by_a_wrong_clock_is_sent_again_and_marked(approved: Any, wrong: timedelta) -> None:
    house = approved.house(NOON)
    with house.db.write("test") as tx:
        (lost, *_) = outbox.due(tx, NOON)
        outbox.claim(tx, lost.id, NOON + wrong)
    respond.send(house, NOON)
    said = {d.id: d for d in respond.receipts(house).deliveries}
    assert said[lost.id].state == "sent" and lost.id in respond.receipts(house).possible_repeats
    assert {d.state.value for d in said.values() if d.alert} == {"sent"}


def test_a_wait_set_by_a_wrong_clock_is_not_kept(approved: Any) -> None:
    house = approved.house(NOON)
    with house.db.write("test") as tx:
        (failed, *_) = outbox.due(tx, NOON)
        outbox.claim(tx, failed.id, NOON + YEAR)
        outbox.settle(tx, failed.id, DeliveryState.FAILED, NOON + YEAR, "no answer", NOON + YEAR)
    respond.send(house, NOON)
    assert {d.state.value for d in respond.receipts(house).deliveries if d.alert} == {"sent"}
