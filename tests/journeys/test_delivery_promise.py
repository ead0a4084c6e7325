"""At least once to every destination: real servers that refuse, hang and vanish; a sender killed at any moment."""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from ewarn.pipeline import assess, read, respond
from ewarn.store import alerts as alert_store
from ewarn.store import outbox
from ewarn.terms import Recipient
from tests.journeys.conftest import TOML, Corridor, _Mailbox, at, words_of

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
        self.one_more = threading.Condition()
        super().__init__(("127.0.0.1", 0), _Answer)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}/in"

    def has_taken(self, number: int) -> None:
        """Wait for what has reached its port and its threads have not read yet: they share a processor with ours."""
        with self.one_more:
            assert self.one_more.wait_for(lambda: len(self.taken) >= number, timeout=300)

    taken: list[tuple[dict[str, str], str]]


class _Answer(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        with self.server.one_more:
            self.server.taken.append((dict(self.headers.items()), body))
            self.server.one_more.notify_all()
        status = self.server.statuses.pop(0) if len(self.server.statuses) > 1 else self.server.statuses[0]
        if status == 0:
            self.server.over.wait(3600)
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
        partner(house_of, name, "exercise-hooks" if name == "deaf" else "exercise-patient", hook.address)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        partner(house_of, "refused", "exercise-patient", f"127.0.0.1:{closed.getsockname()[1]}/in")
        house_of.issue(CASE, NOON)
        respond.send(house_of.house(NOON), NOON)
        assert not hooks["deaf"].over.is_set(), "the one that hangs still hangs: it is left behind"
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
    hooks["deaf"].has_taken(3)
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


class Forks:
    """The process that forks approvers and senders and kills them in their time."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.journeys.sending"]
        self.process = subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._answer() == "loaded"

    def asked(self, what: dict[str, Any]) -> Any:
        assert self.process.stdin is not None
        print(json.dumps(what), file=self.process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def over(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(60)


@dataclass
class Slaughter:
    """Approvers and senders killed at random moments, again and again, in one home; and what must hold after each."""

    house_of: Any
    seed: int
    partners: int
    forks: Forks
    now: datetime = NOON
    kills: Counter[str] = field(default_factory=Counter)
    alerts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.house = self.house_of.house(NOON)
        self.mails = [f"m{n}" for n in range(self.partners // 2)]
        self.hooks = {f"h{n}": Hook(200) for n in range(self.partners - self.partners // 2)}
        for name in self.mails:
            partner(self.house_of, name, "exercise-email", f"{name}@example.org")
        for name, hook in self.hooks.items():
            partner(self.house_of, name, "exercise-patient", hook.address)
        self.takes: dict[str, float] = {}
        self.draft = self.text()  # never approved

    def text(self) -> Any:
        author = self.house_of.actor("author")
        made = assess.draft(self.house, CASE, "formal alert", author, self.now)
        return assess.submit(self.house, made.id, author, self.now)

    def run(self, kills: int, until: float) -> None:
        questions = {q.id: "not known" for q in self.house.catalogue.grading.questions}
        grade = self.house.catalogue.grading.grades[0].id
        assess.grade_case(self.house, CASE, grade, questions, self.house_of.actor("author"), NOON)
        waiting: Any = None
        tried = 0
        while self.kills.total() < kills and time.monotonic() < until:
            if waiting is None and not self.unsent():
                waiting, tried = self.text(), 0
                self.alerts.append(waiting.id)
            if waiting is None:
                self.job("send")
                continue
            tried += 1
            self.job("approve", waiting.id, waiting.hash, whole=tried > 3)
            with self.house.db.read() as con:
                alert = alert_store.load(con, waiting.id)
                queued = len(outbox.all(con, waiting.id))
            status = alert.status.value if alert else ""
            assert queued == (self.partners + 2 if status == "approved" else 0), "approval and outbox are one act"
            waiting = None if status == "approved" else waiting
        if waiting is not None:
            self.job("approve", waiting.id, waiting.hash, whole=True)
        for _ in range(8):
            if not self.unsent():
                break
            self.now += timedelta(minutes=11)
            respond.send(self.house, self.now)

    def unsent(self) -> bool:
        self.house.db.publish()  # what a killed process wrote is shown a second later at the latest
        with self.house.db.read() as con:
            found = con.execute("SELECT count(*) FROM delivery WHERE alert <> '' AND state <> 'sent'").fetchone()
        return found != (0,)

    def job(self, what: str, *more: str, whole: bool = False) -> None:
        """One process, killed at a random moment of the time that one takes; the first of a kind is left to end."""
        self.now += timedelta(minutes=11)
        seconds = self.chance.uniform(0.0, self.takes[what]) if what in self.takes and not whole else None
        home, content = str(self.house_of.home), str(self.house_of.content)
        asked = {"what": what, "home": home, "content": content, "instant": self.now.timestamp(), "more": more}
        done = self.forks.asked(asked | {"seconds": seconds})
        assert done["begun"], "it never began"
        if not done["killed"]:
            self.takes[what] = max(done["took"], 0.8 * self.takes.get(what, 0.0))  # or short runs draw kills forward
        self.kills[what] += done["killed"]

    def deliveries(self) -> list[Any]:
        with self.house.db.read() as con:
            return [d for d in outbox.all(con) if d.alert]

    def arrived(self) -> list[tuple[str, bool, str]]:
        """Key, whether it is marked, and the text ('' where a mark stands in it): everything that reached anybody."""
        found = []
        for mail in self.house_of.mailbox.messages:
            text = words_of(mail).replace("\r\n", "\n").rstrip()
            found.append((mail["X-Ewarn-Key"], "POSSIBLE REPEAT" in str(mail["Subject"]), text))
        for hook in self.hooks.values():
            for head, body in hook.taken:
                text, marked = json.loads(body)["message"], "X-Ewarn-Possible-Repeat" in head
                assert marked == ("Possible repeat" in text)
                found.append((head["X-Ewarn-Key"], marked, "" if marked else text.rstrip()))
        return found

    def approved(self) -> set[str]:
        with self.house.db.read() as con:
            stored = [p for alert in self.alerts for p in alert_store.payloads(con, alert, 1)]
        mails = [json.loads(p.body)["text"] for p in stored if p.format == "email"]
        return {text.rstrip() for text in mails + [p.body.decode() for p in stored if p.format == "slack"]}

    def over(self) -> None:
        for hook in self.hooks.values():
            hook.shutdown()
            hook.server_close()


@dataclass
class Proof:
    """What became of all messages of one home, or of several together."""

    kills: Counter[str] = field(default_factory=Counter)
    alerts: int = 0
    due: int = 0
    never: int = 0
    unapproved: int = 0
    other_words: int = 0
    again: int = 0
    unmarked: int = 0
    marked_once: int = 0

    def __add__(self, other: Proof) -> Proof:
        return Proof(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(Proof)))

    def __str__(self) -> str:
        return (
            f"{self.kills.total()} killed {dict(self.kills)}, {self.alerts} alerts, {self.due} messages due: "
            f"{self.never} never sent, {self.unapproved} sent and never approved, {self.other_words} in other words, "
            f"{self.again} more than once ({1000 * self.again / max(1, self.due):.0f} in 1,000), {self.unmarked} of "
            f"them unmarked, {self.marked_once} marked and arrived once"
        )


def proof(made: Slaughter) -> Proof:
    """What arrived beside what was approved. The team's Slack server keeps no keys and is left out."""
    ours, arrived, texts = made.deliveries(), made.arrived(), made.approved()
    assert len(ours) == len(made.alerts) * (made.partners + 2) and {d.state.value for d in ours} == {"sent"}
    keys = {f"{d.alert} v{d.version} {d.id}" for d in ours if d.destination != "slack"}
    marks: dict[str, list[bool]] = {}
    for key, marked, _ in arrived:
        marks.setdefault(key, []).append(marked)
    more = [said for said in marks.values() if len(said) > 1]
    return Proof(
        kills=made.kills,
        alerts=len(made.alerts),
        due=len(keys),
        never=len(keys - set(marks)),
        unapproved=len(set(marks) - keys) + sum(key.startswith(f"{made.draft.id} ") for key in marks),
        other_words=len({text for _, _, text in arrived} - {""} - texts),
        again=len(more),
        unmarked=sum(said.count(False) > 1 or not all(said[1:]) for said in more),
        marked_once=sum(said == [True] for said in marks.values()),
    )


def killed(house_of: Any, prepared: Path, kills: int, seed: int, partners: int = 6, portion: int = 100) -> Proof:
    """Kill at random moments, then let a few senders end. What is said must hold for every message.

    In: `portion` kills to a home; then a fresh copy of it is taken, or the store would grow slow.
    """
    began, minutes, whole = time.monotonic(), float(os.environ.get("EWARN_KILL_MINUTES", "600")), Proof()
    forks = Forks()
    try:
        while whole.kills.total() < kills and time.monotonic() < began + 60 * minutes:
            if whole.kills:
                house_of = another(house_of, prepared)
            made = Slaughter(house_of, seed, partners, forks)
            try:
                made.run(min(portion, kills - whole.kills.total()), began + 60 * minutes)
                whole, seed = whole + proof(made), seed + 1
            finally:
                made.over()
            print(f"\n{whole}; {time.monotonic() - began:.0f} s", flush=True)
    finally:
        forks.over()
    found = (whole.never, whole.unapproved, whole.other_words, whole.unmarked)
    assert found == (0, 0, 0, 0), f"never sent, never approved, other words, a repeat that is not marked: {found}"
    assert whole.kills.total() > 0
    return whole


def another(corridor: Corridor, prepared: Path) -> Corridor:
    """A fresh copy of the prepared home beside the one that was; the servers stay, and forget what they have."""
    before = corridor.home
    corridor.home = before.with_name(f"{before.name}-next")
    ours = ("smtp", "webhook", "duty", "ewarn.toml")
    shutil.copytree(prepared, corridor.home, ignore=shutil.ignore_patterns("*.lock", *ours))
    for name in ours:
        shutil.copy(before / name, corridor.home / name)
    shutil.rmtree(before)
    corridor.mailbox.messages.clear()
    return corridor


def test_killed_approvers_and_senders_lose_nothing_and_mark_every_repeat(house_of: Any, prepared: Path) -> None:
    killed(house_of, prepared, kills=3, seed=3, partners=4)


@pytest.mark.slow
def test_a_thousand_killed_approvers_and_senders_lose_nothing_and_mark_every_repeat(
    house_of: Any, prepared: Path
) -> None:
    kills, seed = (int(os.environ.get(f"EWARN_{name}", usual)) for name, usual in (("KILLS", 1000), ("SEED", 7)))
    killed(house_of, prepared, kills, seed, partners=10)
