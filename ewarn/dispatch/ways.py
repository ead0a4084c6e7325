"""Which object carries a payload over which kind of address. The one table of the kinds of channel that are our own.

In: a filled-in address, the stored payload, what stands around it. Out: an Apprise object with one address, or None
where Apprise's own object for that address will do. It must never change the stored bytes; a possible repeat is marked
beside them.
"""

from __future__ import annotations

import json
from typing import Any

from ewarn.dispatch import blocks, cards, exact, notify, slack, slackbot
from ewarn.dispatch.envelope import REPEAT, Envelope
from ewarn.dispatch.exact import ExactPost
from ewarn.dispatch.mail import SCHEMAS as MAIL_SCHEMAS
from ewarn.dispatch.mail import TwoPartMail
from ewarn.terms import Delivery, Frozen, Payload, canonical

MARKED = {"slack": blocks.marked, "teams": cards.marked}
JSON_FORMATS = ("slack", "teams", "json")
Ours = TwoPartMail | ExactPost | slackbot.SlackBot | notify.GovNotify


class Way(Frozen):
    """A filled-in address, the seconds an answer may take, and the secret to sign with ('' = unsigned)."""

    url: str
    seconds: float = 10.0
    sign: str = ""

    @property
    def kind(self) -> str:
        return self.url.split("://", 1)[0].lower()


def of(way: Way, payload: Payload, delivery: Delivery, around: Envelope) -> Ours | None:
    """Raises: ValueError, TypeError where the address is not usable."""
    if way.kind in MAIL_SCHEMAS:
        return TwoPartMail.of(way.url, mail_parts(payload), delivery, around)
    if way.kind in exact.SCHEMAS:
        return ExactPost(_posted(way.url, way, payload, delivery, around))
    if way.kind == slack.SCHEMA:
        return ExactPost(_posted(slack.address(way.url), way, payload, delivery, around))
    if way.kind == slackbot.SCHEMA:
        return slackbot.SlackBot(way.url, body(payload, around), way.seconds, around.key, around.follows)
    if way.kind == notify.SCHEMA:
        return notify.GovNotify(way.url, payload.body.decode(), way.seconds, around.key, around.repeat)
    return None


def body(payload: Payload, around: Envelope) -> bytes:
    """The stored bytes; with a line above them where one is called for and the format has a place for it."""
    if not around.first_line() or payload.format == "json":
        return payload.body
    if payload.format in MARKED:
        return canonical(MARKED[payload.format](json.loads(payload.body), around.first_line()))
    above = f"{REPEAT}: " if payload.format == "sms" else f"{around.first_line()}\n"
    return above.encode() + payload.body


def mail_parts(payload: Payload) -> dict[str, str]:
    """Text and HTML of an e-mail as stored; another format goes out as its text alone."""
    if payload.format != "email":
        return {"text": payload.body.decode()}
    parts: dict[str, Any] = json.loads(payload.body)
    return {key: str(value) for key, value in parts.items()}


def _posted(address: str, way: Way, payload: Payload, delivery: Delivery, around: Envelope) -> exact.Posted:
    sent = body(payload, around)
    kind = "application/json" if payload.format in JSON_FORMATS else "text/plain"
    headers = {
        "Content-Type": f"{kind}; charset=utf-8",
        "User-Agent": "ewarn",
        "X-Ewarn-Delivery": delivery.id,
        "X-Ewarn-Standing": delivery.standing.value,
        **around.headers(),
    }
    if way.sign:
        headers |= exact.signed(sent, delivery.id, way.sign)
    return exact.Posted(address, sent, headers, way.seconds)
