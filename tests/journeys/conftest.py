"""A whole house in a temporary home, with a real mail server and a real webhook on loopback, and a scripted clock."""

from __future__ import annotations

import copy
import csv
import io
import json
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MessageHandler
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from ewarn.pipeline import assess, read, receive, respond, validate
from ewarn.pipeline.house import House, open_house
from ewarn.pipeline.reports import Actor, AlertReport, DetectReport, SourceReport
from ewarn.terms import LONDON, Person, PersonRole, Recipient, Signal

TOML = """
issuer = "LDN"
issuer_name = "ewarn journeys (exercise)"
standing = "exercise"
smtp_from = "ewarn@example.org"
allow_loopback_sources = true

[secrets]
exercise_smtp = "file:smtp"
exercise_webhook = "file:webhook"
exercise_duty_webhook = "file:duty"
"""
SECRETS = {
    "duty": "a secret for duty",
    "author": "a secret for author",
    "ann": "a secret for ann",
    "ben": "a secret for ben",
}

SERVERS = ("smtp", "webhook", "duty")  # files that hold where a test's own servers listen
_MADE: dict[object, tuple[Path, Any]] = {}


# A laboratory's confirmed nitazene in Camden: enough for a signal, a case and a text.
NITAZENE_ROW = {
    "sample_ref": "S1", "laboratory": "Laboratory (synthetic)", "stream": "drug-checking",
    "date_sampled": "2025-05-17", "date_reported": "2025-05-17", "area_code": "E09000007", "sold_as": "diazepam",
    "major": "metonitazene", "test_type": "confirmatory", "status": "",
}  # fmt: skip


def at(day: str, clock: str = "12:00") -> datetime:
    """A Europe/London time as UTC."""
    return datetime.combine(date.fromisoformat(day), time.fromisoformat(clock), LONDON).astimezone(UTC)


def table(rows: list[dict[str, Any]]) -> bytes:
    """Rows as a CSV; columns are all keys in first order."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def words_of(mail: Message) -> str:
    """The text of an e-mail for those who read no HTML."""
    part = next(part for part in mail.walk() if part.get_content_type() == "text/plain")
    return bytes(part.get_payload(decode=True)).decode()


class _Mailbox(MessageHandler):
    def __init__(self) -> None:
        super().__init__()
        self.messages: list[Message] = []

    def handle_message(self, message: Message) -> None:
        self.messages.append(message)


@dataclass
class Corridor:
    """The house, and what arrived at the other end."""

    home: Path
    content: Path | None
    mailbox: _Mailbox
    duty_calls: list[dict[str, Any]] = field(default_factory=list)
    partner_calls: list[dict[str, Any]] = field(default_factory=list)
    files: int = 0

    at = staticmethod(at)

    def house(self, now: datetime) -> House:
        return open_house(self.home, self.content, {}, clock=lambda _: now)

    def drop(self, source: str, rows: list[dict[str, Any]], now: datetime, *, backfill: bool = False) -> SourceReport:
        """A CSV file through `intake --file`."""
        self.files += 1
        path = self.home / f"file{self.files}.csv"
        path.write_bytes(table(rows))
        return receive.intake(self.house(now), now, source, path, backfill).sources[0]

    def detect(self, now: datetime, **asked: Any) -> DetectReport:
        return validate.detect(self.house(now), now, **asked)

    def signals(self, now: datetime, family: str) -> list[Signal]:
        return [s for s in self.detect(now, dry_run=True).signals if s.family == family]

    def turn(self, now: datetime) -> DetectReport:
        """What the schedules do each minute: detect, page, send."""
        report = self.detect(now)
        respond.page(self.house(now), now)
        respond.send(self.house(now), now)
        return report

    def actor(self, person: str) -> Actor:
        return Actor(person, SECRETS[person])

    def once(self, what: str, make: Callable[[], object]) -> None:
        """Make something in a new home; the next test whose home began alike gets a copy of what came of it."""
        files = {p.name: p.read_bytes() for p in sorted(self.home.rglob("*")) if p.is_file() and p.name not in SERVERS}
        key = (what, str(self.content), tuple(files.items()))
        if (self.home / "ewarn.duckdb").exists() or self.duty_calls or self.partner_calls or self.mailbox.messages:
            make()
        elif key in _MADE:
            kept, state = _MADE[key]
            shutil.copytree(kept, self.home, dirs_exist_ok=True)
            self.files, duty, partners, mails = copy.deepcopy(state)
            self.duty_calls += duty
            self.partner_calls += partners
            self.mailbox.messages += mails
        else:
            make()
            self.house(datetime.now(UTC)).db.publish()
            kept = Path(tempfile.mkdtemp(dir=self.home.parent.parent)) / "home"
            shutil.copytree(self.home, kept, ignore=shutil.ignore_patterns(*SERVERS))
            came = (self.files, self.duty_calls, self.partner_calls, self.mailbox.messages)
            _MADE[key] = kept, copy.deepcopy(came)

    def staff(self, now: datetime) -> None:
        """A duty officer, an author, two panel members; a duty rota of two; two partners."""
        self.once(f"staff since {now}", lambda: self._staff(now))

    def _staff(self, now: datetime) -> None:
        house = self.house(now)
        roles = {"duty": PersonRole.DUTY, "author": PersonRole.PANEL, "ann": PersonRole.PANEL, "ben": PersonRole.PANEL}
        for person, role in roles.items():
            made = Person(id=person, name=f"Test {person}", roles=(role,), areas=("E12000007",))
            read.add_person(house, made, SECRETS[person], now)
        rota = {"group": "duty", "audience": "internal", "areas": ("E12000007",), "channel": "exercise-duty"}
        read.add_recipient(house, Recipient(id="first", name="First on call", rota_order=1, **rota), now)
        read.add_recipient(house, Recipient(id="second", name="Back-up", rota_order=2, **rota), now)
        camden = {"areas": ("E09000007",), "group": "health"}
        mail = {"channel": "exercise-email", "address": "clinic@example.org"} | camden
        read.add_recipient(house, Recipient(id="clinic", name="Test clinic", **mail), now)
        read.add_recipient(house, Recipient(id="slack", name="Test team", channel="exercise-webhook", **camden), now)

    def issue(
        self, case: str, now: datetime, product: str = "formal alert", change: Callable[[str], object] | None = None
    ) -> AlertReport:
        """Grade, draft, submit, and let as many approve as the product asks for. In: `change` what the draft gets."""
        house = self.house(now)
        questions = {q.id: "not known" for q in house.catalogue.grading.questions}
        grade = house.catalogue.grading.grades[0].id
        assess.grade_case(house, case, grade, questions, self.actor("author"), now)
        drafted = assess.draft(house, case, product, self.actor("author"), now)
        if change:
            change(drafted.id)
        found = assess.submit(house, drafted.id, self.actor("author"), now)
        for person in ("ann", "ben")[: found.approvals_needed]:
            found = assess.approve(house, found.id, found.hash, self.actor(person), now, note="exercise")
        return found


@pytest.fixture
def corridor(tmp_path: Path, httpserver: HTTPServer) -> Iterator[Corridor]:
    home = tmp_path / "home"
    home.mkdir()
    mailbox = _Mailbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    smtp = Controller(mailbox, hostname="127.0.0.1", port=port)
    smtp.start()
    try:
        made = Corridor(home, None, mailbox)

        def keep(calls: list[dict[str, Any]]) -> Any:
            def answer(request: Request) -> Response:
                calls.append(json.loads(request.get_data(as_text=True)))
                return Response("ok")

            return answer

        httpserver.expect_request("/duty").respond_with_handler(keep(made.duty_calls))
        httpserver.expect_request("/partners").respond_with_handler(keep(made.partner_calls))
        where = f"{httpserver.host}:{httpserver.port}"
        (home / "smtp").write_text(f"127.0.0.1:{port}")
        (home / "webhook").write_text(f"{where}/partners")
        (home / "duty").write_text(f"{where}/duty")
        (home / "ewarn.toml").write_text(TOML)
        yield made
    finally:
        smtp.stop()
