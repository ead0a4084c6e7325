"""Feeds: notices with their evidence, and nothing that is not one."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from ewarn.catalogue.definitions import FeedDefinition
from ewarn.errors import TerminalSourceError
from ewarn.frames import SHAPES
from ewarn.intake import Staged, feedreader

Stage = Callable[..., Staged]


def rss(*items: str) -> str:
    body = "".join(f"<item>{item}</item>" for item in items)
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>t</title>{body}</channel></rss>'


def item(
    title: str = "Alert", summary: str = "", id: str = "n1", published: str = "Mon, 03 Mar 2025 23:30:00 +0000"
) -> str:
    parts = {
        "title": title,
        "description": summary,
        "guid": id,
        "pubDate": published,
        "link": f"https://example.org/{id}",
    }
    return "".join(f"<{tag}>{text}</{tag}>" for tag, text in parts.items() if text)


def test_a_notice_carries_its_clocks_names_places_and_words(stage: Stage, feed: FeedDefinition) -> None:
    staged = stage(
        feed, rss(item("Warning: metonitazene in Camden", "Sold as heroin. Not fentanyl. A Zznitazene too."))
    )
    (record,) = staged.records.to_dicts()
    assert (record["entry_id"], record["notice_kind"], record["position"]) == ("n1", "alert", "entry 1")
    assert record["published_at"] == datetime(2025, 3, 3, 23, 30, tzinfo=UTC)
    assert record["reference_date"] == record["known_date"] == date(2025, 3, 3)
    assert staged.mentions.select("role", "mention_kind", "subject", "class_id", "as_written").rows() == [
        ("named", "substance", "metonitazene", "nitazene", "metonitazene"),
        ("named", "substance", "heroin", "opioid", "heroin"),
        ("named", "queued", None, "nitazene", "Zznitazene"),
    ]
    assert staged.places.select("area", "precision", "as_written").rows() == [("E09000007", "area name", "Camden")]
    for frame, shape in ((staged.records, "notice"), (staged.mentions, "mention"), (staged.places, "place")):
        assert frame.schema == SHAPES[f"staged_{shape}"]


def test_a_notice_that_names_no_place_lies_in_the_feeds_default_area(stage: Stage, feed: FeedDefinition) -> None:
    assert stage(feed, rss(item())).places.select("area", "precision").rows() == [("K02000001", "unplaced")]


def test_markup_and_scripts_do_not_survive(stage: Stage, feed: FeedDefinition) -> None:
    nasty = (
        "&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=1&gt;Drugs &amp;amp; &lt;b&gt;harm&lt;/b&gt;\u202e"
    )
    (record,) = stage(feed, rss(item(nasty, nasty))).records.to_dicts()
    assert record["title"] == record["summary"] == "Drugs & harm"


@pytest.mark.parametrize(
    "body",
    ["<!DOCTYPE html><html><body>Not found</body></html>", "plain words", "", "{}", "[1]", "<rss", "<a><b/></a>"],
)
def test_what_is_no_feed_is_an_error_and_never_an_empty_feed(stage: Stage, feed: FeedDefinition, body: str) -> None:
    with pytest.raises(TerminalSourceError):
        stage(feed, body)


def test_a_feed_without_entries_is_empty(stage: Stage, feed: FeedDefinition) -> None:
    staged = stage(feed, rss())
    assert staged.records.is_empty() and staged.records.schema == SHAPES["staged_notice"]


def test_gov_uk_entries_have_only_an_update(stage: Stage, feed: FeedDefinition) -> None:
    entry = "<entry><id>tag:1</id><title>Recall</title><link href='https://x.org/1'/><updated>{}</updated></entry>"
    feed_of = '<feed xmlns="http://www.w3.org/2005/Atom"><title>t</title><id>f</id>{}</feed>'.format
    first = stage(feed, feed_of(entry.format("2025-03-01T10:00:00Z"))).records.to_dicts()[0]
    edited = stage(feed, feed_of(entry.format("2025-03-05T10:00:00Z"))).records.to_dicts()[0]
    assert first["key"] == edited["key"] and first["content_hash"] != edited["content_hash"]
    assert "last update" in first["basis"] and first["reference_date"] == date(2025, 3, 1)


def test_a_json_feed_is_read(stage: Stage, feed: FeedDefinition) -> None:
    items = [{"id": "j1", "title": "Alert", "content_text": "fentanyl", "date_published": "2025-03-01T10:00:00+01:00"}]
    staged = stage(feed, json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": items}))
    assert staged.records["published_at"].to_list() == [datetime(2025, 3, 1, 9, tzinfo=UTC)]
    assert staged.mentions["subject"].to_list() == ["fentanyl"]


def test_entries_nobody_can_know_again_are_rejected(stage: Stage, feed: FeedDefinition) -> None:
    future = item(id="n3", published="Mon, 03 Mar 2026 23:30:00 +0000")
    staged = stage(feed, rss("<title>No id</title>", item(title="", summary="<b></b>", id="n2"), future, item()))
    assert staged.rejects["position"].to_list() == ["entry 1", "entry 2", "entry 3"]
    assert [
        word in reason for word, reason in zip(["no id", "no title", "future"], staged.rejects["reason"], strict=True)
    ]
    assert staged.records["position"].to_list() == ["entry 4"]


def test_a_broken_end_keeps_what_came_before_and_says_so(stage: Stage, feed: FeedDefinition) -> None:
    staged = stage(feed, rss(item(), item(id="n2"))[:-60])
    assert staged.records.height >= 1 and "not well-formed" in staged.notes[0]


COURT = (
    "Jane Q. Camden-Doe: Prevention of future deaths report 2025-0042",
    "Jane Doe, aged 34, died on 12 October 2023 after taking metonitazene in Camden.",
)


def test_no_personal_name_leaves_the_raw_bytes(stage: Stage, feed: FeedDefinition) -> None:
    stripping = feed.model_copy(update={"strip_summary": True, "strip_title": True})
    entry = item(*COURT, id="jane-doe-report")
    staged = stage(stripping, rss(entry, "<title>Jane Doe: lost</title>"))
    (record,) = staged.records.to_dicts()
    assert record["title"] == "Prevention of future deaths report 2025-0042" and record["summary"] == ""
    assert (record["reference_date"], record["known_date"]) == (date(2023, 10, 12), date(2025, 3, 3))
    assert "date of death" in record["basis"]
    assert staged.mentions["subject"].to_list() == ["metonitazene"] and staged.places["area"].to_list() == ["E09000007"]
    everything = str([f.to_dicts() for f in (staged.records, staged.mentions, staged.places, staged.rejects)])
    assert "jane" not in everything.lower() and "doe" not in everything.lower()


def test_a_bomb_ends_the_child_and_not_the_intake(stage: Stage, feed: FeedDefinition) -> None:
    entities = '<!ENTITY a0 "lol">' + "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10))
    item_of = "<rss version='2.0'><channel><item><title>&a9;</title></item></channel></rss>"
    bomb = f"<?xml version='1.0'?><!DOCTYPE r [{entities}]>{item_of}"
    start = time.monotonic()
    try:
        staged = stage(feed, bomb)
        assert staged.records.is_empty() or len(staged.records["title"][0]) <= 500
    except TerminalSourceError:
        pass
    assert time.monotonic() - start < 20


def test_too_large_a_feed_is_refused(feed: FeedDefinition, stage: Stage) -> None:
    with pytest.raises(TerminalSourceError, match="bytes"):
        stage(feed.model_copy(update={"max_bytes": 1000}), rss(item(summary="x" * 2000)))


def test_a_child_that_hangs_is_ended(feed: FeedDefinition, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sleeper = tmp_path / "sleeper.py"
    sleeper.write_text("import time; time.sleep(60)")
    monkeypatch.setattr(feedreader, "_CHILD", sleeper)
    monkeypatch.setattr(feedreader, "_CPU_SECONDS", 0.1)
    with pytest.raises(TerminalSourceError, match="its limit of time"):
        feedreader.read(feed, b"<rss/>")


def test_the_real_feed_is_read_whole(shared: Path, stage: Stage, feed: FeedDefinition) -> None:
    body = (shared / "data" / "feeds" / "mmwr_dev.rss.xml").read_bytes()
    staged = stage(feed, body, now=datetime(2026, 11, 22, tzinfo=UTC))
    assert staged.records.height == body.count(b"<item>") and staged.rejects.is_empty()
    assert staged.mentions.filter(staged.mentions["subject"] == "fentanyl").height > 0
