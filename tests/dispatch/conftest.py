"""An alert, templates, channels and recipients small enough to read; a mail server on loopback that is real."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import polars as pl
import pytest
from aiosmtpd.controller import Controller

from ewarn.catalogue import Catalogue
from ewarn.catalogue.definitions import ChannelDefinition, RoutesDefinition, TemplateDefinition
from ewarn.frames import shaped
from ewarn.terms import Alert, AlertStatus, Delivery, DeliveryState, Product, Recipient, Standing

CAMDEN, ISLINGTON, CROYDON = "E09000007", "E09000019", "E09000008"
LONDON, UK = "E12000007", "K02000001"
AREAS = {
    CAMDEN: ("Camden", "borough", LONDON),
    ISLINGTON: ("Islington", "borough", LONDON),
    CROYDON: ("Croydon", "borough", LONDON),
    LONDON: ("London", "region", UK),
    UK: ("United Kingdom", "uk", None),
}
NOW = datetime(2025, 3, 3, 14, tzinfo=UTC)


class Inbox:
    """What the loopback mail server took; `answer` is what it says to the next message."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.messages: list[tuple[list[str], EmailMessage]] = []
        self.answer = "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.answer.startswith("250"):
            parsed = message_from_bytes(envelope.content, policy=policy.default)
            self.messages.append((envelope.rcpt_tos, parsed))  # type: ignore[arg-type]
        return self.answer


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    taken = Inbox(port)
    server = Controller(taken, hostname="127.0.0.1", port=port)
    server.start()
    yield taken
    server.stop()


def template(
    template_id: str,
    form: str,
    body: str,
    subject: str = "{{ content.headline }}",
    audience="professional",
    product="formal alert",
):
    return TemplateDefinition.model_validate(
        {
            "id": template_id,
            "version": 1,
            "product": product,
            "format": form,
            "audience": audience,
            "subject": subject,
            "body": body,
        }
    )


def channel(
    channel_id: str, url: str, form: str, live: bool = True, internal: bool = False, seconds: float = 2
) -> ChannelDefinition:
    return ChannelDefinition.model_validate(
        {
            "id": channel_id,
            "title": channel_id,
            "url": url,
            "format": form,
            "live": live,
            "internal": internal,
            "timeout_seconds": seconds,
        }
    )


@pytest.fixture(scope="session")
def make_catalogue():
    def make(**more) -> Catalogue:
        text = "{{ content.headline }}\n{% for s in content.what_happened %}{{ s }}\n{% endfor %}"
        text += "\n\n\n{{ content.advice[0].text }}"
        page = "{{ content.headline }}<ul>{% for s in content.what_happened %}<li>{{ s }}</li>{% endfor %}</ul>"
        templates = [
            template("formal-text", "text", text),
            template("formal-html", "html", f"<html><body class='a'>{page}</body></html>"),
            template("formal-chat", "chat", "# {{ content.headline }}\nWhat:: {{ content.what_happened[0] }}"),
            template("public-text", "text", "{{ content.what_happened | join(' ') }}", audience="public"),
        ]
        channels = [
            channel("mail", "mailto://{secret:smtp}?from={from}&to={address}", "email"),
            channel("chat", "http://{secret:hook}", "slack"),
            channel("drill", "mailto://{secret:smtp}?from={from}&to={address}", "email", live=False),
            channel("board", "json://{secret:hook}", "text"),
            channel("duty", "json://{secret:hook}", "text", internal=True),
            channel("duty-drill", "json://{secret:hook}", "text", live=False, internal=True),
        ]
        routes = {
            "route": [
                {"audience": "professional", "channels": ["mail", "chat", "drill"], "groups": ["health", "council"]},
                {"audience": "professional", "channels": ["mail"], "groups": ["police"], "neighbours": False},
                {"audience": "public", "channels": ["board"]},
            ],
        }
        values = {
            "areas": shaped(
                "areas",
                pl.DataFrame([{"code": c, "name": n, "tier": t, "parent": p} for c, (n, t, p) in AREAS.items()]),
            ),
            "neighbours": pl.DataFrame({"code": [CAMDEN, ISLINGTON], "neighbour": [ISLINGTON, CAMDEN]}),
            "templates": {t.id: t for t in templates},
            "channels": {c.id: c for c in channels},
            "routes": RoutesDefinition.model_validate(routes),
        }
        return Catalogue(**(values | more))

    return make


@pytest.fixture(scope="session")
def catalogue(make_catalogue) -> Catalogue:
    return make_catalogue()


@pytest.fixture
def make_alert():
    def make(standing: str = "actual", version: int = 1, **content) -> Alert:
        values = {
            "reference": "LDN-2025-0001",
            "alert_id": "LDN-2025-0001/A1",
            "version": version,
            "headline": "Harm in Camden",
            "what_happened": ["On 3 March 2025, 12 people were ill.", "3 people died."],
            "what_happened_public": ["On 3 March 2025, about 10 people were ill."],
            "figures": [{"label": "died", "value": 3, "signal": "s", "records": ["r"]}],
            "advice": [{"id": "a", "version": 1, "title": "A", "html": "<p>Stay</p>", "text": "Stay – naïve £"}],
            "marking": "TLP:AMBER",
            "handling": {"marking": "TLP:AMBER"},
            "watermark": "" if standing == "actual" else f"{standing.upper()}: not a real event",
            "standing": standing,
        }
        return Alert(
            id="LDN-2025-0001/A1",
            case="LDN-2025-0001",
            version=version,
            product=Product.FORMAL_ALERT,
            status=AlertStatus.REVIEW,
            standing=Standing(standing),
            area=CAMDEN,
            author="ann",
            template_versions={t: 1 for t in ("formal-text", "formal-html", "formal-chat", "public-text")},
            advice_versions={"a": 1},
            content=values | content,
            created_at=NOW,
        )

    return make


@pytest.fixture(scope="session")
def make_recipient():
    def make(
        name: str, channel: str = "mail", areas: tuple[str, ...] = (CAMDEN,), group: str = "health", **more
    ) -> Recipient:
        return Recipient(
            id=name,
            name=name.title(),
            channel=channel,
            areas=areas,
            group=group,
            **{"address": f"{name}@partner.test", **more},
        )

    return make


@pytest.fixture
def make_delivery():
    def make(**more) -> Delivery:
        values = {
            "id": "d1",
            "alert": "LDN-2025-0001/A1",
            "version": 1,
            "destination": "anna",
            "channel": "mail",
            "audience": "professional",
            "format": "email",
            "state": DeliveryState.WAITING,
        }
        return Delivery.model_validate(values | more)

    return make
