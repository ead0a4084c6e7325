"""A Slack bot posts the stored blocks into one thread a case; every answer of Slack's means something."""

from __future__ import annotations

import json
import socket

import polars as pl
import pytest

from ewarn.dispatch import envelope, render, send

POST = "/api/chat.postMessage"


@pytest.fixture
def post(make_alert, catalogue, make_delivery, make_recipient, httpserver):
    payload = next(p for p in render.payloads(make_alert(), catalogue) if p.format == "slack")

    def run(host="", follows="", repeat=False, seconds=2.0):
        host = host or f"{httpserver.host}:{httpserver.port}"
        url = f"slackbot://{host}/{{address}}?token={{secret:token}}"
        channel = catalogue.channels["chat"].model_copy(update={"url": url, "timeout_seconds": seconds})
        delivery = make_delivery(format="slack")
        around = envelope.of(delivery, "a@b.test", repeat=repeat, follows=follows)
        whom = make_recipient("anna", address="C012345")
        secrets = {"token": "xoxb-12%3-abc"}
        return payload, send.deliver(delivery, payload, channel, whom, secrets.__getitem__, "a@b.test", around)

    return run


def answers(httpserver, *bodies, status=200, headers=None):
    for body in bodies:
        httpserver.expect_ordered_request(POST, method="POST").respond_with_json(body, status, headers)


def test_the_stored_blocks_go_to_the_channel_and_the_message_has_a_name(post, httpserver):
    answers(httpserver, {"ok": True, "channel": "C012345", "ts": "17.42"})
    payload, outcome = post()
    assert outcome == send.Outcome(True, remote="C012345/17.42")
    request = httpserver.log[0][0]
    assert request.headers["Authorization"] == "Bearer xoxb-12%3-abc"
    sent, stored = request.get_json(), json.loads(payload.body)
    assert {key: sent[key] for key in stored} == stored and sent["channel"] == "C012345"
    assert "thread_ts" not in sent and sent["metadata"]["event_payload"] == {"key": "LDN-2025-0001/A1 v1 d1"}


def test_what_follows_is_a_reply_that_the_channel_sees_too(post, httpserver):
    answers(httpserver, {"ok": True, "channel": "C012345", "ts": "18.1"})
    assert post(follows="C012345/17.42")[1].ok
    sent = httpserver.log[0][0].get_json()
    assert (sent["thread_ts"], sent["reply_broadcast"]) == ("17.42", True)


def test_a_thread_that_is_gone_does_not_stop_a_warning(post, httpserver):
    answers(httpserver, {"ok": False, "error": "thread_not_found"}, {"ok": True, "channel": "C012345", "ts": "18.1"})
    assert post(follows="C012345/17.42")[1].ok
    assert "thread_ts" not in httpserver.log[1][0].get_json()


@pytest.mark.parametrize(
    ("error", "retry", "unknown", "blocked"),
    [("channel_not_found", False, False, False), ("not_in_channel", False, False, False),
     ("invalid_auth", False, False, True), ("ratelimited", True, False, False), ("internal_error", True, True, False),
     ("fatal_error", True, True, False)],
)  # fmt: skip
def test_what_an_error_means(post, httpserver, error, retry, unknown, blocked):
    answers(httpserver, {"ok": False, "error": error})
    _, outcome = post()
    assert (outcome.ok, outcome.retry, outcome.unknown, outcome.blocked) == (False, retry, unknown, blocked)
    assert error in outcome.error and "xoxb" not in outcome.error and not outcome.silent


def test_too_many_requests_are_waited_for_and_nothing_is_repeated(post, httpserver):
    answers(httpserver, {"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": "30"})
    _, outcome = post()
    assert (outcome.retry, outcome.blocked, outcome.wait_seconds, outcome.unknown) == (True, True, 30, False)
    assert len(httpserver.log) == 1


def test_a_broken_server_is_tried_again(post, httpserver):
    httpserver.expect_request(POST).respond_with_data("<html>", status=503)
    _, outcome = post()
    assert (outcome.ok, outcome.retry, outcome.silent) == (False, True, False)


def test_silence_may_hide_a_message_and_a_closed_door_does_not(post):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{probe.getsockname()[1]}"
    _, refused = post(nobody)
    assert (refused.retry, refused.silent, refused.unknown) == (True, True, False)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        _, slow = post(f"127.0.0.1:{silent.getsockname()[1]}", seconds=0.3)
    assert (slow.retry, slow.silent, slow.unknown) == (True, True, True)


def test_a_possible_repeat_says_so_above_the_stored_blocks(post, httpserver):
    answers(httpserver, {"ok": True, "channel": "C012345", "ts": "18.1"})
    payload, _ = post(repeat=True)
    sent = httpserver.log[0][0].get_json()
    assert sent["blocks"][1:] == json.loads(payload.body)["blocks"] and "Possible repeat" in str(sent["blocks"][0])


@pytest.mark.parametrize(
    "said",
    [
        '{"ok": true, "channel": "C012345", "ts": "17\\ud800.42"}',
        '{"ok": false, "error": "\\ud800 \\u202e\\u0000gone"}',
        '{"ok": false, "error": {"a": [1]}}', "[]", "null", "{", "",
    ],
)  # fmt: skip
def test_whatever_a_server_answers_can_be_entered(post, httpserver, said):
    """What could not be stored was sent again every ten minutes."""
    httpserver.expect_request(POST).respond_with_data(said, content_type="application/json")
    outcome = post()[1]
    assert outcome.ok == ("true" in said)
    told = pl.DataFrame([(outcome.error, outcome.remote)], schema=["error", "remote"], orient="row")
    assert told["error"].item().isprintable() and told["remote"].item().isprintable()
