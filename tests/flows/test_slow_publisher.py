"""Asking a feed over the network happens outside the write lock, so that a slow publisher delays nobody's page."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from pytest_httpserver import HTTPServer

from ewarn.pipeline.house import House, open_house
from ewarn.pipeline.polling import ask, take_answer
from flows.surroundings import ROOT

NOW = datetime(2025, 3, 3, 9, tzinfo=UTC)
FEED = """title = "Slow"
publisher = "Test"
licence = "None"
cadence = "Daily"
personal_data = "none"
url = "{0}"
"""
ATOM = """<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Notices</title>
<id>urn:test</id><updated>2025-03-03T09:00:00Z</updated><entry><id>urn:test:1</id><title>Nitazenes in Camden</title>
<updated>2025-03-03T09:00:00Z</updated><link href="https://example.org/1"/></entry></feed>"""


def house_with(feed_url: str, home: Path) -> House:
    overlay = home / "content" / "sources" / "feeds"
    overlay.mkdir(parents=True)
    (overlay / "slow.toml").write_text(FEED.format(feed_url))
    return open_house(
        home, ROOT, {"EWARN_STANDING": "test", "EWARN_ALLOW_LOOPBACK_SOURCES": "1"}, clock=lambda settings: NOW
    )


def test_a_feed_is_asked_while_somebody_else_writes(tmp_path: Path, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/slow").respond_with_data(ATOM, content_type="application/atom+xml")
    house = house_with(httpserver.url_for("/slow"), tmp_path)
    with house.db.locked("somebody else"):
        answer = ask(house, "slow", NOW)
    assert take_answer(house, answer, NOW).new == 1


def test_a_feed_that_fails_is_written_down_only_in_its_turn(tmp_path: Path, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/slow").respond_with_data("no", status=500)
    house = house_with(httpserver.url_for("/slow"), tmp_path)
    with house.db.locked("somebody else"):
        answer = ask(house, "slow", NOW)
    report = take_answer(house, answer, NOW)
    assert report.outcome == "failed" and report.retryable
