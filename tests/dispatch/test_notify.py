"""GOV.UK Notify gets the stored text once, with the delivery's key as reference, and says what became of it."""

from __future__ import annotations

import socket

import pytest

from ewarn.dispatch import envelope, send
from ewarn.terms import Payload

KEY = "ewarn_test-12345678-1234-4234-9234-123456789012-87654321-4321-4321-8321-210987654321"
TEMPLATE = "9d751e0e-f929-4891-82a1-a3e1c3c18ee3"
TEXT = "TLP:AMBER Drug alert £ [x]: call 999"
PREVIEW, SMS = f"/v2/template/{TEMPLATE}/preview", "/v2/notifications/sms"


@pytest.fixture
def channel(catalogue, httpserver):
    url = f"govnotify://{httpserver.host}:{httpserver.port}/{{secret:template}}/{{address}}?key={{secret:key}}"
    return catalogue.channels["chat"].model_copy(update={"url": url, "format": "sms"})


@pytest.fixture
def whom(make_recipient):
    return make_recipient("anna", address="+447700900001")


SECRETS = {"key": KEY, "template": TEMPLATE}


@pytest.fixture
def text(channel, whom, make_delivery):
    def run(repeat=False, url=""):
        used = channel.model_copy(update={"url": url}) if url else channel
        delivery = make_delivery(format="sms")
        payload = Payload(audience="professional", format="sms", subject="s", body=TEXT.encode())
        around = envelope.of(delivery, "a@b.test", repeat=repeat)
        return send.deliver(delivery, payload, used, whom, SECRETS.__getitem__, "a@b.test", around)

    return run


def preview(httpserver, body=TEXT):
    httpserver.expect_request(PREVIEW, method="POST").respond_with_json({"id": TEMPLATE, "type": "sms", "body": body})


def test_the_stored_text_goes_to_one_number_with_the_deliverys_key(text, httpserver):
    preview(httpserver)
    httpserver.expect_request(SMS, method="POST").respond_with_json({"id": "n-1", "content": {"body": TEXT}}, 201)
    assert text() == send.Outcome(True, remote="n-1")
    assert httpserver.log[1][0].get_json() == {
        "phone_number": "+447700900001",
        "template_id": TEMPLATE,
        "personalisation": {"message": TEXT},
        "reference": "LDN-2025-0001/A1 v1 d1",
    }
    assert httpserver.log[1][0].headers["Authorization"].startswith("Bearer ey")


def test_a_notify_template_that_adds_words_is_found_before_anything_leaves(text, httpserver):
    preview(httpserver, f"Council: {TEXT}")
    outcome = text()
    assert (outcome.ok, outcome.retry) == (False, False) and "((message))" in outcome.error
    assert [request.path for request, _ in httpserver.log] == [PREVIEW]


@pytest.mark.parametrize(
    ("status", "error", "retry", "blocked"),
    [(400, "BadRequestError", False, False), (403, "AuthError", True, True), (429, "RateLimitError", True, True),
     (500, "Exception", True, False)],
)  # fmt: skip
def test_what_an_answer_means(text, httpserver, status, error, retry, blocked):
    preview(httpserver)
    said = {"status_code": status, "errors": [{"error": error, "message": "phone_number +447700900001 is wrong"}]}
    httpserver.expect_request(SMS).respond_with_json(said, status)
    outcome = text()
    assert (outcome.ok, outcome.retry, outcome.blocked, outcome.unknown) == (False, retry, blocked, False)
    assert f"HTTP {status}" in outcome.error and "7700900001" not in outcome.error and KEY not in outcome.error


def test_a_possible_repeat_that_notify_knows_is_not_sent_again(text, httpserver):
    known = {"notifications": [{"id": "n-0", "status": "temporary-failure"}, {"id": "n-1", "status": "sending"}]}
    query = {"reference": "LDN-2025-0001/A1 v1 d1"}
    httpserver.expect_request("/v2/notifications", query_string=query).respond_with_json(known)
    assert text(repeat=True) == send.Outcome(True, remote="n-1")
    assert len(httpserver.log) == 1


def test_a_service_that_is_not_there_has_nothing(text):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    outcome = text(url=f"govnotify://127.0.0.1:{port}/{{secret:template}}/{{address}}?key={{secret:key}}")
    assert (outcome.retry, outcome.silent, outcome.unknown) == (True, True, False)


@pytest.mark.parametrize(
    ("status", "final", "delivered", "retry"),
    [("created", False, False, False), ("sending", False, False, False), ("delivered", True, True, False),
     ("permanent-failure", True, False, False), ("temporary-failure", True, False, True),
     ("technical-failure", True, False, True)],
)  # fmt: skip
def test_what_became_of_a_message(channel, whom, httpserver, status, final, delivered, retry):
    httpserver.expect_request("/v2/notifications/n-1").respond_with_json({"id": "n-1", "status": status})
    found = send.arrival(channel, whom, SECRETS.__getitem__, "n-1")
    assert (found.status, found.final, found.delivered, found.retry) == (status, final, delivered, retry)


def test_a_service_that_cannot_be_asked_leaves_it_open(channel, whom, httpserver):
    httpserver.expect_request("/v2/notifications/n-1").respond_with_data("no", status=500)
    assert send.arrival(channel, whom, SECRETS.__getitem__, "n-1") is None


@pytest.mark.parametrize("said", ["[]", "null", '"x"', "{", '{"status": "\\ud800"}', '{"status": {"a": 1}}'])
def test_an_answer_that_is_none_leaves_it_open(channel, whom, httpserver, said):
    httpserver.expect_request("/v2/notifications/n-1").respond_with_data(said, content_type="application/json")
    found = send.arrival(channel, whom, SECRETS.__getitem__, "n-1")
    assert found is None or (not found.final and found.status.isprintable())
