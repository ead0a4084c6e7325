"""What is posted to a web address is what was stored, signed where asked, and every answer means something."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket

import pytest

from ewarn.dispatch import envelope, exact, render, send
from ewarn.terms import DeliveryState

KEY = "whsec_" + base64.b64encode(b"a key of a partner").decode()


@pytest.fixture
def post(make_alert, catalogue, make_delivery, make_recipient, httpserver):
    def run(form="json", path="/in", url="http://{address}", repeat=False, where="", seconds=2.0, **changes):
        payload = next(p for p in render.payloads(make_alert(), catalogue) if p.format == form)
        channel = catalogue.channels["chat"].model_copy(
            update={"url": url, "format": form, "timeout_seconds": seconds, **changes}
        )
        delivery = make_delivery(format=form, state=DeliveryState.SENDING)
        around = envelope.of(delivery, "a@b.test", repeat=repeat)
        address = where or f"{httpserver.host}:{httpserver.port}{path}"
        whom = make_recipient("anna", address=address)
        return payload, send.deliver(delivery, payload, channel, whom, {"key": KEY}.__getitem__, "a@b.test", around)

    return run


def test_the_stored_json_arrives_byte_for_byte_and_its_signature_can_be_checked(post, httpserver):
    httpserver.expect_request("/in", method="POST").respond_with_data("ok", status=202)
    payload, outcome = post(sign="{secret:key}")
    assert outcome == send.Outcome(True)
    request = httpserver.log[0][0]
    assert request.get_data() == payload.body
    head, at = request.headers, request.headers["webhook-timestamp"]
    said = f"{head['webhook-id']}.{at}.".encode() + request.get_data()
    expected = base64.b64encode(hmac.new(b"a key of a partner", said, hashlib.sha256).digest()).decode()
    assert head["webhook-signature"] == f"v1,{expected}" and head["webhook-id"] == "d1"
    assert head["X-Ewarn-Key"] == "LDN-2025-0001/A1 v1 d1" and "X-Ewarn-Possible-Repeat" not in head


def test_the_published_example_of_the_signature_standard_gives_the_same_signature():
    found = exact.signed(
        b'{"test": 2432232314}', "msg_p5jXN8AQM9LWM0D4loKWxJek", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1614265330
    )
    assert found["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("form", ["slack", "teams"])
def test_a_possible_repeat_stands_above_the_stored_message(post, httpserver, form):
    httpserver.expect_request("/in", method="POST").respond_with_data("ok")
    payload, outcome = post(form, repeat=True)
    assert outcome.ok
    sent, stored = httpserver.log[0][0].get_json(), json.loads(payload.body)
    if form == "slack":
        assert sent["blocks"][1:] == stored["blocks"] and "Possible repeat" in str(sent["blocks"][0])
    else:
        bodies = [m["attachments"][0]["content"]["body"] for m in (sent, stored)]
        assert bodies[0][1:] == bodies[1] and "Possible repeat" in str(bodies[0][0])


def test_the_json_of_a_possible_repeat_says_so_in_a_header_alone(post, httpserver):
    httpserver.expect_request("/in", method="POST").respond_with_data("ok")
    payload, _ = post(repeat=True)
    request = httpserver.log[0][0]
    assert request.get_data() == payload.body and request.headers["X-Ewarn-Possible-Repeat"] == "yes"


@pytest.mark.parametrize(
    ("status", "retry", "unknown"),
    [(400, False, False), (404, False, False), (429, True, False), (500, True, False), (502, True, True),
     (504, True, True), (302, False, False)],
)  # fmt: skip
def test_what_an_answer_means(post, httpserver, status, retry, unknown):
    httpserver.expect_request("/in").respond_with_data("no", status=status, headers={"Location": "/elsewhere"})
    _, outcome = post()
    assert (outcome.ok, outcome.retry, outcome.unknown, outcome.silent) == (False, retry, unknown, False)
    assert f"HTTP {status}" in outcome.error and len(httpserver.log) == 1


@pytest.mark.parametrize(("said", "seconds"), [("7", 7), ("soon", 0), ("", 0)])
def test_a_server_that_names_a_wait_is_given_it(post, httpserver, said, seconds):
    httpserver.expect_request("/in").respond_with_data("slow down", status=429, headers={"Retry-After": said})
    assert post()[1].wait_seconds == seconds


def test_a_server_that_is_not_there_has_nothing_and_one_that_falls_silent_may_have_it(post):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{probe.getsockname()[1]}/in"
    _, refused = post(where=nobody)
    assert (refused.retry, refused.silent, refused.unknown) == (True, True, False)
    with socket.create_server(("127.0.0.1", 0)) as still:
        _, slow = post(where=f"127.0.0.1:{still.getsockname()[1]}/in", seconds=0.3)
    assert (slow.retry, slow.silent, slow.unknown) == (True, True, True)


@pytest.mark.parametrize("address", ["partner.test/in", "192.0.2.1:80/in"])
def test_nothing_goes_unencrypted_to_another_machine(post, address):
    _, outcome = post(where=address)
    assert (outcome.ok, outcome.retry) == (False, False) and "write https" in outcome.error


def test_the_way_to_check_a_signature_that_the_documentation_shows_works(root):
    text = (root / "docs/how-to/add-a-channel.md").read_text(encoding="utf-8")
    shown: dict = {}
    exec(text.split("```python\n")[1].split("```")[0], shown)
    body = b'{"alert":1}'
    assert shown["genuine"](exact.signed(body, "d1", KEY), body, KEY)
    assert not shown["genuine"](exact.signed(body, "d1", KEY), body + b" ", KEY)
    assert not shown["genuine"](exact.signed(body, "d1", KEY, at=1), body, KEY)
