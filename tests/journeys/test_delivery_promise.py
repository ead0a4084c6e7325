"""At least once to every destination: real servers that refuse, hang and vanish; a sender killed at any moment."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from ewarn.pipeline import read, respond
from ewarn.terms import Recipient
from tests.journeys import sending
from tests.journeys.conftest import TOML, Corridor, _Mailbox, at

CASE = "LDN-2025-0001"
ALERT = f"{CASE}/A1"
ROOT = Path(__file__).resolve().parent.parent.parent
NOON = at("2025-05-19")
ROW = {
    "sample_ref": "S1", "laboratory": "Laboratory (synthetic)", "stream": "drug-checking",
    "date_sampled": "2025-05-17", "date_reported": "2025-05-17", "area_code": "E09000007", "sold_as": "diazepam",
    "major": "metonitazene", "test_type": "confirmatory", "status": "",
}  # fmt: skip
WEBHOOK = """
title = "Exercise webhook of a partner"
url = "json://{address}"
format = "slack"
live = false
timeout_seconds = 0.5
max_attempts = 3
"""


class Hook(ThreadingHTTPServer):
    """A partner's webhook: it answers with `statuses` in turn (the last one stays), or hangs at 0."""

    daemon_threads = True

    def __init__(self, *statuses: int) -> None:
        self.statuses, self.taken, self.over = list(statuses), [], threading.Event()
        super().__init__(("127.0.0.1", 0), _Answer)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}/in"

    taken: list[tuple[dict[str, str], str]]


class _Answer(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.taken.append((dict(self.headers.items()), body))
        status = self.server.statuses.pop(0) if len(self.server.statuses) > 1 else self.server.statuses[0]
        if status == 0:
            self.server.over.wait(30)
            return
        self.send_response(status)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Stay quiet."""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with staff and one case, made once: each test begins with a copy of it."""
    made = Corridor(tmp_path_factory.mktemp("prepared"), None, _Mailbox())
    (made.home / "ewarn.toml").write_text(TOML)
    made.staff(at("2025-05-17"))
    made.drop("test_results", [ROW], NOON)
    made.detect(NOON)
    with made.house(NOON).db.write("test") as tx:
        tx.execute("DELETE FROM delivery")
    return made.home


@pytest.fixture
def house_of(corridor: Any, prepared: Path) -> Corridor:
    """The prepared home, with a channel of webhooks whose addresses are the partners' own."""
    shutil.copytree(prepared, corridor.home, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.lock", "ewarn.toml"))
    corridor.content = corridor.home.parent / "content"
    for part in ("sources", "alerts"):
        shutil.copytree(ROOT / part, corridor.content / part)
    channels = corridor.content / "alerts" / "channels"
    (channels / "exercise-hooks.toml").write_text(WEBHOOK)
    (channels / "exercise-patient.toml").write_text(WEBHOOK.replace("seconds = 0.5", "seconds = 20"))
    return corridor


def partner(corridor: Any, name: str, channel: str, address: str) -> None:
    made = Recipient(id=name, name=name, channel=channel, address=address, areas=("E09000007",), group="health")
    read.add_recipient(corridor.house(NOON), made, NOON)


def states(corridor: Any, now: datetime) -> dict[str, str]:
    return {d.destination: d.state.value for d in respond.receipts(corridor.house(now), ALERT).deliveries}


@pytest.fixture
def hooks() -> Iterator[dict[str, Hook]]:
    made = {"well": Hook(200), "busy": Hook(429, 200), "ill": Hook(500, 500, 200), "gone": Hook(404), "deaf": Hook(0)}
    yield made
    for hook in made.values():
        hook.over.set()
        hook.shutdown()
        hook.server_close()


def test_every_partner_is_served_or_told_of_whatever_the_others_do(house_of: Any, hooks: dict[str, Hook]) -> None:
    for name, hook in hooks.items():
        partner(house_of, name, "exercise-hooks", hook.address)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        partner(house_of, "refused", "exercise-hooks", f"127.0.0.1:{closed.getsockname()[1]}/in")
        house_of.issue(CASE, NOON)
        began = time.monotonic()
        respond.send(house_of.house(NOON), NOON)
        took = time.monotonic() - began
        assert took < 20
        assert states(house_of, NOON) == {
            "clinic": "sent", "slack": "sent", "well": "sent", "busy": "failed", "ill": "failed", "gone": "dead",
            "deaf": "failed", "refused": "failed",
        }  # fmt: skip
        now = NOON
        for _ in range(2):
            now += timedelta(minutes=10)
            respond.send(house_of.house(now), now)
    assert states(house_of, now) == {
        "clinic": "sent", "slack": "sent", "well": "sent", "busy": "sent", "ill": "sent", "gone": "dead",
        "deaf": "dead", "refused": "dead",
    }  # fmt: skip
    assert {name: len(hook.taken) for name, hook in hooks.items()} == {
        "well": 1, "busy": 2, "ill": 3, "gone": 1, "deaf": 3,
    }  # fmt: skip
    marked = {name: ["X-Ewarn-Possible-Repeat" in head for head, _ in hook.taken] for name, hook in hooks.items()}
    assert marked["deaf"] == [False, True, True], "it took the message and never said so"
    assert all("Possible repeat" in body for _, body in hooks["deaf"].taken[1:])
    assert not any(marked["busy"] + marked["ill"]), "a server that refuses has nothing twice"
    keys = {head["X-Ewarn-Key"] for hook in hooks.values() for head, _ in hook.taken}
    assert len(keys) == len(hooks) and all(key.startswith(f"{ALERT} v1 ") for key in keys)
    told = {n["text"].split(":")[0]: n["text"] for n in read.status(house_of.house(now), now).operator_notices}
    assert {"gone", "deaf", "refused"} <= set(told)
    assert "it may have arrived" in told["deaf"] and "it may have arrived" not in told["refused"]


class Moody:
    """A mail server that answers DATA as it is told, one answer after the other; the last one stays."""

    def __init__(self) -> None:
        self.answers, self.taken = ["250 OK"], []

    taken: list[bytes]

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.taken.append(envelope.content)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.mark.parametrize(
    ("answers", "after", "tries"),
    [
        (["451 try later", "250 OK"], "sent", 2),
        pytest.param(["451 try later"], "dead", 3, marks=pytest.mark.slow),
        pytest.param(["550 no such address"], "dead", 1, marks=pytest.mark.slow),
    ],
    ids=["4xx, then well", "4xx for long", "5xx"],
)
def test_a_mail_server_that_refuses_is_asked_again_or_given_up(
    house_of: Any, answers: list[str], after: str, tries: int
) -> None:
    moody = Moody()
    moody.answers = list(answers)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Controller(moody, hostname="127.0.0.1", port=port)
    server.start()
    try:
        (house_of.home / "smtp").write_text(f"127.0.0.1:{port}")
        house_of.issue(CASE, NOON)
        for minutes in (0, 5, 15):
            now = NOON + timedelta(minutes=minutes)
            respond.send(house_of.house(now), now)
    finally:
        server.stop()
    assert states(house_of, now)["clinic"] == after and len(moody.taken) == tries
    assert not any(b"POSSIBLE REPEAT" in message for message in moody.taken)


def killed(house_of: Any, runs: int, seed: int, partners: int = 6) -> None:
    """Kill a sender at a random moment, again and again; then let one end. What is said must hold for every message."""
    chance = random.Random(seed)
    mails = [f"m{n}" for n in range(partners // 2)]
    hooks = {f"h{n}": Hook(200) for n in range(partners - partners // 2)}
    for name in mails:
        partner(house_of, name, "exercise-email", f"{name}@example.org")
    for name, hook in hooks.items():
        partner(house_of, name, "exercise-patient", hook.address)
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload([sending.__name__])
    now, alerts, cut, whole = NOON, [], 0, 60.0
    try:
        for run in range(runs + 1):
            if not alerts or all(d.state == "sent" for d in respond.receipts(house_of.house(now)).deliveries):
                alerts.append(house_of.issue(CASE, now).id)
            ready = forks.Event()
            words = (str(house_of.home), str(house_of.content), now.timestamp(), ready)
            child = forks.Process(target=sending.send, args=words)
            child.start()
            assert ready.wait(60), "the sender never began"
            began = time.monotonic()
            child.join(chance.uniform(0.0, whole) if run else 60)
            whole = whole if run else time.monotonic() - began  # the first is left to end, to know how long one takes
            cut += child.is_alive()
            child.kill()
            child.join()
            now += timedelta(minutes=11)
        for _ in range(8):
            respond.send(house_of.house(now), now)
            now += timedelta(minutes=11)
        said = respond.receipts(house_of.house(now))
    finally:
        for hook in hooks.values():
            hook.shutdown()
            hook.server_close()
    print(f"{cut} killed, {len(alerts)} alerts, attempts {Counter(d.attempts for d in said.deliveries)}")
    assert cut, "no sender was killed at its work"
    ours = [d for d in said.deliveries if d.alert]
    assert len(ours) == len(alerts) * (partners + 2) and {d.state.value for d in ours} == {"sent"}
    arrived: list[tuple[str, bool]] = [
        (m["X-Ewarn-Key"], "POSSIBLE REPEAT" in str(m["Subject"])) for m in house_of.mailbox.messages
    ]
    for hook in hooks.values():
        arrived += [(head["X-Ewarn-Key"], "Possible repeat" in body) for head, body in hook.taken]
    seen = Counter(key for key, _ in arrived)
    expected = [d for d in ours if d.destination in {*mails, *hooks, "clinic"}]
    missing = [d.destination for d in expected if not seen[f"{d.alert} v{d.version} {d.id}"]]
    repeated = {key: [m for k, m in arrived if k == key] for key, count in seen.items() if count > 1}
    print(f"{len(arrived)} arrived, {len(repeated)} of {len(seen)} more than once")
    assert missing == [], "approved and never sent"
    assert all(marks.count(False) <= 1 and marks[-1] for marks in repeated.values()), repeated


def test_a_killed_sender_loses_nothing_and_marks_every_repeat(house_of: Any) -> None:
    killed(house_of, runs=8, seed=3)


@pytest.mark.slow
def test_a_thousand_killed_senders_lose_nothing_and_mark_every_repeat(house_of: Any) -> None:
    killed(house_of, runs=1000, seed=7, partners=10)
