"""Somebody holds the store, for a backup say, while messages leave: what was sent is entered once it is free."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from ewarn.pipeline import respond
from tests.journeys.test_dead_letters import NOON, ROW


@pytest.mark.slow
def test_what_was_sent_while_the_store_was_held_is_entered_and_not_sent_again(
    corridor: Any, httpserver: HTTPServer
) -> None:
    corridor.staff(NOON - timedelta(days=2))
    corridor.drop("test_results", [ROW], NOON)
    corridor.detect(NOON)
    toml = corridor.home / "ewarn.toml"
    toml.write_text(toml.read_text().replace("[secrets]", "lock_timeout_seconds = 0.3\n[secrets]"))
    house, has, calls, threads = corridor.house(NOON), threading.Event(), [], []

    def hold() -> None:
        with house.db.locked("backing up"):
            has.set()
            time.sleep(1.2)

    def called(request: Request) -> Response:
        calls.append(request.get_json())
        threads.append(threading.Thread(target=hold))
        threads[-1].start()
        assert has.wait(5)
        return Response("ok")

    httpserver.expect_oneshot_request("/duty").respond_with_handler(called)
    report = respond.send(house, NOON)
    for one in threads:
        one.join()
    assert (len(calls), report.sent, report.failed) == (1, 1, 0)
    later = NOON + timedelta(minutes=11)
    respond.send(corridor.house(later), later)
    assert len(calls) + len(corridor.duty_calls) == 1, "it was not sent again"
    found = respond.receipts(corridor.house(later))
    assert {(d.state.value, d.attempts) for d in found.deliveries} == {("sent", 1)} and not found.possible_repeats
