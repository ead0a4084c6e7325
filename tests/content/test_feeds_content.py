"""Every feed says who publishes it, under which licence, how often, how late, and what personal data it can hold."""

from __future__ import annotations

import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ewarn.catalogue.definitions import FeedDefinition

FEEDS = sorted((Path(__file__).resolve().parents[2] / "sources" / "feeds").glob("*.toml"))


def read(path: Path) -> FeedDefinition:
    return FeedDefinition.model_validate({"id": path.stem} | tomllib.loads(path.read_text()))


@pytest.mark.parametrize("path", FEEDS, ids=lambda path: path.stem)
def test_a_feed_is_fully_described(path: Path) -> None:
    feed = read(path)
    assert urlsplit(feed.url).scheme == "https"
    assert all((feed.publisher, feed.licence, feed.cadence, feed.personal_data))
    assert feed.expected_every_hours and feed.expected_every_hours >= 24, "silence is watched, without crying wolf"
    assert feed.references and feed.references[0].url


def test_the_feeds_of_the_first_release_are_there() -> None:
    hosts = {urlsplit(read(path).url).hostname for path in FEEDS}
    assert {"www.gov.uk", "www.judiciary.uk", "www.cfsre.org", "tools.cdc.gov"} <= hosts
    assert sum("www.gov.uk" in path.read_text() for path in FEEDS) >= 4


def test_no_two_feeds_have_one_address() -> None:
    assert len({read(path).url for path in FEEDS}) == len(FEEDS)


def test_coroners_reports_keep_no_text_that_names_people() -> None:
    (feed,) = [read(path) for path in FEEDS if "judiciary.uk" in path.read_text()]
    assert feed.strip_summary and feed.strip_title
    assert "Names" in feed.personal_data


def test_a_publisher_that_refuses_default_readers_gets_a_name() -> None:
    (feed,) = [read(path) for path in FEEDS if "cfsre.org" in path.read_text()]
    assert feed.user_agent.startswith("ewarn/")
