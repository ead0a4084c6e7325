"""The channels, routes and templates that the project ships can be filled in, and the exercise ones really deliver."""

from __future__ import annotations

import apprise
import pytest

from ewarn import catalogue as content
from ewarn.dispatch import envelope, render, route, send, ways
from ewarn.dispatch.mail import TwoPartMail
from ewarn.terms import Delivery, DeliveryState, Page, Payload, Recipient

ACK = "Acknowledge: ewarn duty ack p1"
SECRETS = {
    "smtp_host": "smtp.partner.test:587",
    "smtp_user": "svc@partner.test",
    "smtp_password": "p@ss/w?rd&",
    "notify_key": "ewarn-12345678-1234-4234-9234-123456789012-87654321-4321-4321-8321-210987654321",
    "notify_template": "9d751e0e-f929-4891-82a1-a3e1c3c18ee3",
    "teams_webhook": "https://teams.partner.test:443/workflows/1?sp=%2Ft&sig=x",
    "slack_webhook": "T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
    "ntfy_host": "ntfy.partner.test",
    "ntfy_token": "tk_abcdef",
    "duty_webhook": "hooks.partner.test/duty",
}


@pytest.fixture(scope="module")
def shipped(root):
    return content.load(root)


def test_every_channel_leads_to_one_usable_address(shipped):
    ola = Recipient(id="ola", name="Ola", areas=("K02000001",), channel="x", address="ola@partner.test")
    for channel in shipped.channels.values():
        filled = send.fill(channel, ola, lambda name: SECRETS.get(name, "127.0.0.1:2525/x"), "ewarn@service.test")
        assert "{" not in filled.url, channel.id
        if channel.format == "email":
            mail = TwoPartMail.of(filled.url, {"text": "t"}, None)
            assert mail.targets == [(False, "ola@partner.test")] and mail.from_addr[1] == "ewarn@service.test"
        elif channel.format in ("slack", "teams", "json") or channel.id == "sms-notify":
            way = ways.Way(url=filled.url)
            payload = Payload(audience="professional", format=channel.format, subject="s", body=b"{}")
            delivery = Delivery(
                id="d", destination="ola", channel=channel.id, audience="professional", format=channel.format,
                state=DeliveryState.WAITING,
            )  # fmt: skip
            assert ways.of(way, payload, delivery, envelope.of(delivery, "a@b")), channel.id
        else:
            assert apprise.Apprise().add(filled.url), channel.id


def test_smtp_credentials_with_any_character_reach_the_mail_server_whole(shipped):
    ola = Recipient(id="ola", name="Ola", areas=("K02000001",), channel="x", address="ola@partner.test")
    filled = send.fill(shipped.channels["email"], ola, SECRETS.__getitem__, "ewarn@service.test")
    mail = TwoPartMail.of(filled.url, {"text": "t"}, None)
    assert (mail.user, mail.password, mail.port) == ("svc@partner.test", "p@ss/w?rd&", 587)
    assert mail.smtp_host == "smtp.partner.test" and mail.secure_mode == "starttls"


def test_an_exercise_page_reaches_the_exercise_rota_as_its_webhook_takes_it(shipped, httpserver, make_recipient):
    httpserver.expect_request("/duty", method="POST").respond_with_data("ok")
    hook = f"{httpserver.host}:{httpserver.port}/duty"
    called = Page(
        id="p1", case="LDN-1", at="2025-03-02T02:10:00Z", subject="EXERCISE: s", text=ACK, standing="exercise"
    )
    ola = make_recipient("ola", "exercise-duty", ("E12000007",), "duty", rota_order=1, audience="internal")
    live = make_recipient("lee", "duty-webhook", ("E12000007",), "duty", rota_order=1, audience="internal")
    routed = route.page_destinations(called, "E09000007", [ola, live], shipped)
    assert [w.destination for w in routed.withheld] == ["lee"]
    (delivery,) = routed.deliveries
    channel = shipped.channels[delivery.channel]
    payload = render.page_payload(called, channel.format, shipped)
    assert send.deliver(delivery, payload, channel, ola, lambda name: hook).ok
    wire = httpserver.log[0][0].get_json()
    assert set(wire) == {"text"} and "ewarn duty ack p1" in wire["text"]
    assert wire["text"].startswith("*** EXERCISE")


def test_an_exercise_email_is_multipart_and_watermarked(shipped, inbox, make_alert, make_recipient):
    delivery = Delivery(
        id="d9",
        destination="ola",
        channel="exercise-email",
        audience="professional",
        format="email",
        state=DeliveryState.WAITING,
        standing="exercise",
    )
    called = Page(id="p1", case="LDN-1", at="2025-03-02T02:10:00Z", subject="s", text="t", standing="exercise")
    payload = render.page_payload(called, "email", shipped)
    channel = shipped.channels["exercise-email"]
    assert send.deliver(delivery, payload, channel, make_recipient("ola"), lambda name: f"127.0.0.1:{inbox.port}").ok
    message = inbox.messages[0][1]
    assert message.get_content_type() == "multipart/alternative" and message["Subject"].startswith("EXERCISE: ")
    assert all("EXERCISE" in part.get_content() for part in message.iter_parts())
