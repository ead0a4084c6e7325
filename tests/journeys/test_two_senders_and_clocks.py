"""Two senders at once send each message once; a clock that jumps loses none."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ewarn.pipeline import read, respond
from ewarn.store import outbox
from ewarn.terms import DeliveryState, Recipient
from tests.journeys.conftest import at
from tests.journeys.test_dead_letters import CASE, NOON, ROW

YEAR = timedelta(days=365)


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


def test_two_senders_at_once_send_each_message_once(approved: Any) -> None:
    words = (
        "import sys; from datetime import datetime; from pathlib import Path;"
        "from ewarn.pipeline import respond; from ewarn.pipeline.house import open_house;"
        "now = datetime.fromisoformat(sys.argv[2]);"
        "h = open_house(Path(sys.argv[1]), None, {}, clock=lambda _: now);"
        "print('ready', flush=True); sys.stdin.readline(); respond.send(h, now)"
    )
    command = [sys.executable, "-c", words, str(approved.home), NOON.isoformat()]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    senders = [subprocess.Popen(command, cwd=Path.cwd(), env=dict(os.environ), **pipes) for _ in range(2)]
    for sender in senders:
        assert sender.stdout and sender.stdout.readline() == "ready\n"
    for sender in senders:
        assert sender.stdin
        print("go", file=sender.stdin, flush=True)
    assert [sender.wait(120) for sender in senders] == [0, 0]
    assert len(approved.mailbox.messages) == len({m["To"] for m in approved.mailbox.messages}) == 8
    assert len(approved.partner_calls) == 1
    said = respond.receipts(approved.house(NOON))
    assert {d.attempts for d in said.deliveries if d.alert} == {1} and said.possible_repeats == ()


@pytest.mark.parametrize("wrong", [YEAR, -YEAR])
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
