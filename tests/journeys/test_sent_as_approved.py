"""Over every kind of channel and at every attempt: with the personal part put back, what was sent is what was approved.

The channel files are the ones that are shipped, pointed at servers on loopback. Each server loses its first answer to
every message, so that each message comes a second time and is marked. Marks and personal parts are taken off here by
other code than puts them on.
"""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from apprise.plugins.slack import NotifySlack
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from ewarn.personal import placeholders
from ewarn.pipeline import answering, photos, read, respond
from ewarn.store import alerts, outbox
from ewarn.terms import Recipient, canonical, digest
from tests.journeys.test_desk_and_sending import CASE
from tests.journeys.test_personal_links import begun
from tests.journeys.test_photographs import photograph

ROOT = Path(__file__).resolve().parent.parent.parent
NOTIFY_KEY = "ewarn_test-12345678-1234-4234-9234-123456789012-87654321-4321-4321-8321-210987654321"
TEMPLATE = "9d751e0e-f929-4891-82a1-a3e1c3c18ee3"
# The shipped channel, what in its address gives way to loopback, and the addresses of two recipients.
KINDS = {
    "email": ("exercise-email", {}, ("a@example.org", "b@example.org")),
    "slack": ("slack", {}, ("", "")),
    "slack bot": ("slack-bot", {"slack.com": "{host}"}, ("C01", "C02")),
    "teams": ("teams", {}, ("", "")),
    "json": ("partner-webhook", {"https:": "http:"}, ("{host}/a", "{host}/b")),
    "sms gateway": ("sms-http", {"jsons:": "json:"}, ("+447700900001", "+447700900002")),
    "notify": ("sms-notify", {"api.notifications.service.gov.uk": "{host}"}, ("+447700900003", "+447700900004")),
}
Taken = dict[str, list[tuple[str, Any]]]


@pytest.fixture
def taken() -> Taken:
    """By delivery, what came: the kind of server, and what it was given."""
    return {}


@pytest.fixture
def losing_mail(taken: Taken) -> Iterator[int]:
    class Losing:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            message = message_from_bytes(envelope.content, policy=policy.default)
            came = taken.setdefault(str(message["X-Ewarn-Key"]).split()[-1], [])
            came.append(("email", message))
            if len(came) == 1 and envelope.rcpt_tos[0] in KINDS["email"][2]:  # three in a row would close its queue
                server.transport.abort()
            return "250 OK"

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Controller(Losing(), hostname="127.0.0.1", port=port)
    server.start()
    yield port
    server.stop()


def losing(taken: Taken, httpserver: HTTPServer) -> None:
    """Web servers of every kind, at one port."""

    def kept(kind: str, name: str, what: Any, lost: Response, well: Response) -> Response:
        came = taken.setdefault(name.split()[-1], [])
        came.append((kind, what))
        return lost if len(came) == 1 else well

    def posted(kind: str) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            name, bad = request.headers["X-Ewarn-Delivery"], Response("lost", status=502)
            return kept(kind, name, (request.get_data(), dict(request.headers)), bad, Response("ok"))

        return answer

    def bot(request: Request) -> Response:
        said = request.get_json()
        lost, well = ({"ok": False, "error": "fatal_error"}, {"ok": True, "channel": said["channel"], "ts": "1.2"})
        name = said["metadata"]["event_payload"]["key"]
        return kept(
            "slack bot", name, said, *(Response(json.dumps(s), mimetype="application/json") for s in (lost, well))
        )

    def notify(request: Request) -> Response:
        said = request.get_json()
        well = Response(json.dumps({"id": "n", "content": {"body": said["personalisation"]["message"]}}), 201)
        return kept("notify", said["reference"], said, Response("lost", status=502), well)

    def preview(request: Request) -> Response:
        return Response(
            json.dumps({"id": TEMPLATE, "type": "sms", "body": request.get_json()["personalisation"]["message"]})
        )

    httpserver.expect_request("/services/T1/B1/x").respond_with_handler(posted("slack"))
    httpserver.expect_request("/teams").respond_with_handler(posted("teams"))
    for path in ("/a", "/b"):
        httpserver.expect_request(path).respond_with_handler(posted("json"))
    httpserver.expect_request("/sms").respond_with_handler(posted("sms gateway"))
    httpserver.expect_request("/api/chat.postMessage").respond_with_handler(bot)
    httpserver.expect_request(f"/v2/template/{TEMPLATE}/preview").respond_with_handler(preview)
    httpserver.expect_request("/v2/notifications/sms").respond_with_handler(notify)
    httpserver.expect_request("/v2/notifications", method="GET").respond_with_json({"notifications": []})


@pytest.fixture
def now(corridor: Any, httpserver: HTTPServer, losing_mail: int, taken: Taken, monkeypatch: Any) -> datetime:
    """A home with an answer service, and two recipients of each kind of channel."""
    host = f"{httpserver.host}:{httpserver.port}"
    corridor.content = corridor.home.parent / "content"
    for part in ("sources", "alerts"):
        shutil.copytree(ROOT / part, corridor.content / part)
    for channel, changes, _ in KINDS.values():
        file = corridor.content / "alerts" / "channels" / f"{channel}.toml"
        text = file.read_text().replace("live = true", "live = false")
        for before, after in changes.items():
            lines = [line.replace(before, after.format(host=host)) if line.startswith("url") else line
                     for line in text.splitlines()]  # fmt: skip
            text = "\n".join(lines)
        file.write_text(text)
    monkeypatch.setattr(NotifySlack, "webhook_url", f"http://{host}/services")
    losing(taken, httpserver)
    night = begun(corridor, corridor.at("2025-05-18", "02:10"))
    secrets = {
        "slack_webhook": "T1/B1/x", "slack_bot_token": "xoxb-1-a", "teams_webhook": f"http://{host}/teams",
        "partner_webhook_key": "whsec_a2V5", "sms_gateway": f"{host}/sms", "notify_template": TEMPLATE,
        "notify_key": NOTIFY_KEY,
    }  # fmt: skip
    with (corridor.home / "ewarn.toml").open("a") as config:
        for name, value in secrets.items():
            (corridor.home / name).write_text(value)
            config.write(f'{name} = "file:{name}"\n')
    (corridor.home / "smtp").write_text(f"127.0.0.1:{losing_mail}")
    for kind, (channel, _, addresses) in KINDS.items():
        for number, address in enumerate(addresses):
            name = f"{kind.replace(' ', '-')}-{number}"
            made = {"id": name, "name": name, "channel": channel, "address": address.format(host=host)}
            whom = Recipient.model_validate(made | {"areas": ("E09000007",), "group": "health"})
            read.add_recipient(corridor.house(night), whom, night)
    return night


def without(kind: str, what: Any, marked: bool, stored: bytes) -> bytes:
    """What was given to a server, without what belongs to the way it came and without the mark of a repeat."""
    if kind == "email":
        parts = {
            part.get_content_type(): part.get_content().replace("\r\n", "\n").removesuffix("\n")
            for part in what.walk()
            if part.get_content_maintype() == "text"
        }
        words = {"text": parts["text/plain"], "html": parts["text/html"], "subject": str(what["Subject"])}
        if marked:
            words["subject"] = words["subject"].removeprefix("POSSIBLE REPEAT: ")
        return canonical(json.loads(stored) | words)
    if kind == "notify":
        return str(what["personalisation"]["message"]).removeprefix("POSSIBLE REPEAT: " if marked else "").encode()
    if kind == "sms gateway":
        return str(json.loads(what[0])["text"]).removeprefix("POSSIBLE REPEAT: " if marked else "").encode()
    if kind == "slack bot":
        said = {key: value for key, value in what.items() if key not in ("channel", "metadata")}
    elif not marked or kind == "json":
        return bytes(what[0])
    else:
        said = json.loads(what[0])
    if marked:
        listed = said["attachments"][0]["content"]["body"] if kind == "teams" else said["blocks"]
        assert "Possible repeat" in str(listed.pop(0))
        if "text" in said:
            said["text"] = said["text"].partition("Nothing in it has changed. ")[2]
    return canonical(said)


def files_are_the_approved_ones(message: Any, stored: dict[tuple[str, str], Any]) -> None:
    """The picture that an e-mail shows, and what is attached to it."""
    came = [p.get_content() for p in message.walk() if not p.is_multipart() and p.get_content_maintype() != "text"]
    wanted = [stored["professional", form].body for form in ("photo", "clinical")]
    assert [digest(body) for body in came] == [digest(body) for body in wanted]


def is_marked(kind: str, what: Any) -> bool:
    if kind in ("slack bot", "notify"):
        return "possible repeat" in str(what).lower()
    return (what if kind == "email" else what[1]).get("X-Ewarn-Possible-Repeat") == "yes"


def test_every_attempt_over_every_kind_of_channel_carries_the_approved_bytes(
    corridor: Any, now: datetime, taken: Taken
) -> None:
    said = ("A round blue tablet marked D and 10", "ruler in millimetres", corridor.actor("author"), now)
    approved = corridor.issue(CASE, now, change=lambda a: photos.attach(corridor.house(now), a, photograph(), *said))
    for minutes in (0, 5):
        at = now + timedelta(minutes=minutes)
        respond.send(corridor.house(at), at)
    house = corridor.house(at)
    with house.db.read() as con:
        stored = {(p.audience, p.format): p for p in alerts.payloads(con, approved.id, approved.version)}
        ours = [d for d in outbox.all(con, approved.id) if d.destination.rpartition("-")[0].replace("-", " ") in KINDS]
        own = {d.id: answering.personal(con, house, d) for d in ours}
    assert len(ours) == 2 * len(KINDS) and {(d.state.value, d.attempts) for d in ours} == {("sent", 2)}
    links = set()
    for delivery in ours:
        kind = delivery.destination.rpartition("-")[0].replace("-", " ")
        payload, personal = stored[delivery.audience, delivery.format], own[delivery.id]
        came = taken[delivery.id]
        again = kind != "notify"  # that one is asked first, and says that it has no such message
        assert [(k, is_marked(k, what)) for k, what in came] == [(kind, False), (kind, again)]
        for (_, what), marked in zip(came, (False, again), strict=True):
            sent = without(kind, what, marked, payload.body)
            if kind == "email":
                files_are_the_approved_ones(what, stored)
            if placeholders.holds(payload):
                assert personal.link.encode() in sent or personal.code.encode() in sent, "their own, at every attempt"
                links.add(personal.link)
            back = sent.replace(personal.link.encode(), placeholders.LINK.encode())
            back = back.replace(personal.code.encode(), placeholders.CODE.encode())
            assert digest(back) == digest(payload.body), (kind, marked, back, payload.body)
    assert len(links) >= 2 * (len(KINDS) - 2), "each recipient has a link of their own"
