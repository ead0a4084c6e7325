"""Every recipient has a link and code of their own; with those put back, what was sent is what was approved."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from ewarn.personal import placeholders
from ewarn.personal.placeholders import Personal
from ewarn.pipeline import assess, read, respond
from ewarn.store import alerts, operator_notices, outbox
from ewarn.terms import Payload, Recipient, canonical, digest
from tests.journeys.test_desk_and_sending import CASE, laboratory_hit

SERVICE = "https://answer.example.org"
LINK = re.compile(rf"{SERVICE}/r/([0-9a-f]{{16}})\.(\d{{8}})\.[\w-]{{43}}")
CODE = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}\b")


@pytest.fixture
def now(corridor: Any) -> datetime:
    return begun(corridor, corridor.at("2025-05-18", "02:10"))


def begun(corridor: Any, night: datetime) -> datetime:
    """A home with an answer service, five partners, and a case since this instant."""
    config = corridor.home / "ewarn.toml"
    config.write_text(f'public_url = "{SERVICE}"\n{config.read_text()}')
    corridor.once(f"begun {night}", lambda: _begin(corridor, night))
    return night


def _begin(corridor: Any, night: datetime) -> None:
    corridor.staff(night - timedelta(days=1))
    camden = {"areas": ("E09000007",), "group": "health", "channel": "exercise-email"}
    for n in range(3):
        partner = Recipient(id=f"team{n}", name=f"Team {n}", address=f"team{n}@example.org", **camden)
        read.add_recipient(corridor.house(night), partner, night)
    day = (night - timedelta(days=1)).date().isoformat()
    laboratory_hit(corridor, night, date_sampled=day, date_reported=day)


def own(text: str) -> Personal:
    """The link and code of a message, which holds one of each."""
    links, codes = {m.group() for m in LINK.finditer(text)}, set(CODE.findall(text))
    assert len(links) == 1 and len(codes) <= 1
    return Personal(link=links.pop(), code=codes.pop() if codes else "-no code-")


def mail(message: Any, stored: bytes) -> bytes:
    """An e-mail that arrived, in the spelling of the stored one."""
    parts = {part.get_content_type(): part.get_payload(decode=True).decode() for part in message.walk()
             if part.get_content_maintype() == "text"}  # fmt: skip
    text, html = (parts[kind].replace("\r\n", "\n").removesuffix("\n") for kind in ("text/plain", "text/html"))
    subject = str(message["Subject"]).replace("\r\n", "").replace("\n", "")
    return placeholders.canonical(json.loads(stored) | {"text": text, "html": html, "subject": subject})


def test_sent_bytes_with_the_personal_part_put_back_are_the_approved_bytes(corridor: Any, now: Any) -> None:
    approved = corridor.issue(CASE, now)
    house = corridor.house(now)
    assert respond.send(house, now).sent == 5
    with house.db.read() as con:
        stored = {p.format: p for p in alerts.payloads(con, approved.id, 1) if p.audience == "professional"}
        ids = {d.id for d in outbox.all(con, approved.id)}
    seen = []
    for message in corridor.mailbox.messages:
        sent = Payload(audience="professional", format="email", subject="", body=mail(message, stored["email"].body))
        personal = own(sent.body.decode())
        assert digest(personal.out_of(sent).body) == digest(stored["email"].body)
        assert not {personal.link, personal.code} & set(str(message["Subject"]).split())
        seen.append(personal)
    text = canonical(corridor.partner_calls[0]).decode()
    sent = Payload(audience="professional", format="slack", subject="", body=text.encode())
    seen.append(own(text))
    assert digest(seen[-1].out_of(sent).body) == digest(stored["slack"].body)
    assert len({personal.link for personal in seen}) == 5
    assert {LINK.fullmatch(personal.link)[1] for personal in seen} == ids


def test_a_message_sent_again_carries_the_same_link(corridor: Any, now: Any, httpserver: HTTPServer) -> None:
    refused: list[str] = []

    def busy(request: Request) -> Response:
        refused.append(request.get_data(as_text=True))
        return Response("busy", status=503)

    httpserver.expect_oneshot_request("/partners").respond_with_handler(busy)
    approved = corridor.issue(CASE, now)
    respond.send(corridor.house(now), now)
    later = now + timedelta(minutes=3)
    assert respond.send(corridor.house(later), later).sent == 1
    assert refused and [canonical(call).decode() for call in corridor.partner_calls] == refused
    with corridor.house(later).db.read() as con:
        stored = next(p for p in alerts.payloads(con, approved.id, 1) if p.format == "slack")
    sent = Payload(audience="professional", format="slack", subject="", body=refused[0].encode())
    assert digest(own(refused[0]).out_of(sent).body) == digest(stored.body)


def test_a_public_copy_has_no_personal_part(corridor: Any, now: Any) -> None:
    approved = corridor.issue(CASE, now)
    with corridor.house(now).db.read() as con:
        public = [p for p in alerts.payloads(con, approved.id, 1) if p.audience == "public"]
    assert public and not any(placeholders.holds(p) for p in public)
    assert f"{SERVICE}/v/{CASE}".encode() in next(p for p in public if p.format == "text").body


def test_a_warning_leaves_without_links_where_there_is_no_key_and_the_operator_is_told(corridor: Any, now: Any) -> None:
    corridor.issue(CASE, now)
    config = corridor.home / "ewarn.toml"
    config.write_text(f'answer_keys = ["env:NOT_THERE"]\n{config.read_text()}')
    house = corridor.house(now)
    assert respond.send(house, now).sent == 5
    assert placeholders.LINK in str(corridor.partner_calls[0])
    with house.db.read() as con:
        assert "without personal links" in " ".join(operator_notices.open(con)["text"])


@pytest.mark.slow
def test_a_text_written_before_there_was_a_service_takes_it_up_with_its_next_version(corridor: Any, now: Any) -> None:
    config = corridor.home / "ewarn.toml"
    told = config.read_text()
    config.write_text(told.replace(SERVICE, ""))
    drafted = assess.draft(corridor.house(now), CASE, "formal alert", corridor.actor("author"), now)
    assert "answer.invalid" not in drafted.text
    config.write_text(told)
    edited = assess.edit(corridor.house(now), drafted.id, {"headline": "Harm"}, corridor.actor("author"), now)
    assert placeholders.LINK in edited.text and f"{SERVICE}/v/{CASE}" in edited.text
