"""Real sending on loopback: one address at a time, the stored bytes, no secret in any error or log."""

from __future__ import annotations

import json
import logging
import socket
import threading

import pytest
from werkzeug import Response

from ewarn.dispatch import mail, redact, render, send
from ewarn.dispatch.envelope import Envelope

SECRETS = {"user": "svc", "password": "p@ss/wörd?&", "token": "T0KENT0KEN"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def deliver(make_alert, catalogue, make_delivery, make_recipient):
    def run(
        smtp: str = "", hook: str = "", form: str = "email", channel=None, recipient="anna", alert=None, **delivery
    ):
        alert = alert or make_alert(delivery.get("standing", "actual"))
        payload = next(
            p for p in render.payloads(alert, catalogue) if p.format == form and p.audience == "professional"
        )
        names = {"email": "mail", "slack": "chat", "text": "board", "json": "board"}
        secrets = {**SECRETS, "smtp": smtp, "hook": hook}
        return send.deliver(
            make_delivery(format=form, **delivery),
            payload,
            channel or catalogue.channels[names[form]],
            make_recipient(recipient),
            secrets.__getitem__,
            "ewarn@service.test",
        )

    return run


def test_an_email_arrives_as_text_and_html_exactly_as_stored(deliver, inbox, make_alert, catalogue):
    assert deliver(smtp=f"127.0.0.1:{inbox.port}") == send.Outcome(True)
    ((to, message),) = inbox.messages
    stored = json.loads(next(p.body for p in render.payloads(make_alert(), catalogue) if p.format == "email"))
    assert message.get_content_type() == "multipart/alternative"
    text, html = message.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    sent_text, sent_html = (part.get_content().replace("\r\n", "\n").rstrip("\n") for part in (text, html))
    assert sent_text == stored["text"] and sent_html == stored["html"]
    assert "Stay – naïve £" in text.get_content()
    assert to == ["anna@partner.test"] and message["To"] == "anna@partner.test"
    assert message["From"] == "ewarn@service.test" and message["Subject"] == "[TLP:AMBER] Harm in Camden"


def test_headers_name_the_delivery_and_gather_the_thread(deliver, inbox):
    deliver(smtp=f"127.0.0.1:{inbox.port}", attempts=2)
    message = inbox.messages[0][1]
    assert message["X-Ewarn-Delivery"] == "d1" and message["X-Ewarn-Standing"] == "actual"
    assert message["References"] == "<LDN-2025-0001.thread@ewarn.invalid>" and message["In-Reply-To"] is None
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Id"] == "Local drug alerts <alerts.service.test>" and message["List-Unsubscribe"] is None
    assert message.get_all("Message-ID") == ["<d1@service.test>"]
    assert message["Bcc"] is None and message["Cc"] is None


def test_each_recipient_gets_a_message_of_their_own(deliver, inbox):
    for name in ("anna", "ben", "cleo"):
        assert deliver(smtp=f"127.0.0.1:{inbox.port}", recipient=name).ok
    assert [to for to, _ in inbox.messages] == [["anna@partner.test"], ["ben@partner.test"], ["cleo@partner.test"]]


def test_an_address_cannot_smuggle_in_a_second_one_or_another_server(deliver, inbox, catalogue, make_recipient):
    odd = make_recipient("anna", address="anna@partner.test?to=eve@evil.test&smtp=evil.test")
    filled = send.fill(catalogue.channels["mail"], odd, {"smtp": "127.0.0.1:1"}.__getitem__, "a@b.test")
    assert "eve@evil" not in filled.url and "%26smtp%3Devil" in filled.url
    two = make_recipient("anna", address="anna@partner.test,ben@partner.test")
    url = send.fill(catalogue.channels["mail"], two, {"smtp": "127.0.0.1:1"}.__getitem__, "a@b.test").url
    with pytest.raises(ValueError, match="exactly one address"):
        mail.TwoPartMail.of(url, {"text": "t"}, None, Envelope(key="k"))


@pytest.mark.parametrize(
    ("answer", "retry"),
    [("451 try later", True), ("500 broken", True), ("554 no", True), ("550 no such user anna@partner.test", False)],
)
def test_what_the_mail_server_answers_decides_about_a_retry(deliver, inbox, answer, retry):
    inbox.answer = answer
    outcome = deliver(smtp=f"127.0.0.1:{inbox.port}")
    assert (outcome.ok, outcome.retry) == (False, retry)
    assert f"SMTP {answer[:3]}" in outcome.error and "anna@" not in outcome.error


def test_a_mail_server_that_is_not_there_is_tried_again(deliver):
    outcome = deliver(smtp=f"127.0.0.1:{free_port()}")
    assert not outcome.ok and outcome.retry and "did not answer" in outcome.error


def test_a_mail_server_that_never_speaks_is_given_up_in_the_channels_time(deliver):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        outcome = deliver(smtp=f"127.0.0.1:{silent.getsockname()[1]}")
    assert not outcome.ok and outcome.retry


def hook_of(httpserver, path="/partners/T0KENT0KEN"):
    return f"{httpserver.host}:{httpserver.port}{path}"


def test_a_webhook_gets_the_stored_bytes_with_the_delivery_in_its_headers(deliver, httpserver, make_alert, catalogue):
    seen = []
    httpserver.expect_request("/partners/T0KENT0KEN", method="POST").respond_with_handler(
        lambda request: seen.append(request) or Response(status=200)
    )
    assert deliver(hook=hook_of(httpserver), form="slack", alert=None).ok
    (request,) = seen
    stored = next(p.body for p in render.payloads(make_alert(), catalogue) if p.format == "slack")
    assert request.get_data() == stored and request.headers["Content-Type"] == "application/json; charset=utf-8"
    assert request.headers["X-Ewarn-Delivery"] == "d1" and request.headers["X-Ewarn-Standing"] == "actual"


@pytest.mark.parametrize(
    ("status", "retry"), [(500, True), (503, True), (429, True), (408, True), (404, False), (401, False), (400, False)]
)
def test_a_server_fault_is_tried_again_and_a_wrong_address_is_not(deliver, httpserver, status, retry):
    httpserver.expect_request("/partners/T0KENT0KEN").respond_with_data("no", status=status)
    outcome = deliver(hook=hook_of(httpserver), form="text")
    assert (outcome.ok, outcome.retry) == (False, retry)
    assert str(status) in outcome.error and "T0KEN" not in outcome.error


def test_a_refused_and_a_slow_webhook_are_tried_again(deliver, httpserver, catalogue):
    assert deliver(hook=f"127.0.0.1:{free_port()}/x", form="text").retry
    given_up = threading.Event()
    httpserver.expect_request("/slow").respond_with_handler(lambda _: given_up.wait(30) and Response(status=200))
    hasty = catalogue.channels["board"].model_copy(update={"timeout_seconds": 0.3})
    outcome = deliver(hook=hook_of(httpserver, "/slow"), form="text", channel=hasty)
    given_up.set()
    assert not outcome.ok and outcome.retry


def test_an_exercise_is_stopped_at_the_last_step_too(deliver, inbox):
    outcome = deliver(smtp=f"127.0.0.1:{inbox.port}", standing="exercise")
    assert not outcome.ok and not outcome.retry and inbox.messages == []


def test_an_unusable_address_is_not_tried_again(deliver, catalogue):
    odd = catalogue.channels["board"].model_copy(update={"url": "nonsense://{secret:hook}"})
    outcome = deliver(hook="x", form="text", channel=odd)
    assert not outcome.ok and not outcome.retry


def test_no_log_line_at_any_level_carries_a_secret_or_an_address(deliver, httpserver, inbox, caplog):
    httpserver.expect_request("/partners/T0KENT0KEN").respond_with_data("no", status=500)
    caplog.set_level(logging.DEBUG)
    for name in redact.LOGGERS:
        caplog.set_level(logging.DEBUG, logger=name)
    deliver(hook=hook_of(httpserver), form="text")
    deliver(smtp=f"127.0.0.1:{inbox.port}")
    ours = "\n".join(r.getMessage() for r in caplog.records if r.name in redact.LOGGERS)
    assert "error=500" in ours and "T0KEN" not in ours and "anna" not in ours


def test_passwords_with_any_character_reach_the_server_whole(catalogue, make_recipient):
    url = "mailtos://smtp.partner.test?user={secret:user}&pass={secret:password}&from={from}&to={address}"
    channel = catalogue.channels["mail"].model_copy(update={"url": url})
    filled = send.fill(channel, make_recipient("anna"), SECRETS.__getitem__, "ewarn@service.test")
    made = mail.TwoPartMail.of(filled.url, {"text": "t"}, None, Envelope(key="k"))
    assert (made.user, made.password, made.targets) == ("svc", "p@ss/wörd?&", [(False, "anna@partner.test")])
    assert made.secure and SECRETS["password"] in filled.secrets


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("to anna@partner.test failed", "to *** failed"),
        ("mailtos://svc:hunter2@host/x", "mailtos://***@host/x"),
        ("POST https://hooks.slack.com/services/T/B/X failed", "POST https://hooks.slack.com/*** failed"),
        ("wrong p%40ss%2Fw%C3%B6rd%3F%26 given", "wrong *** given"),
    ],
)
def test_masks(text, masked):
    assert redact.mask(text, SECRETS.values()) == masked
