"""Any bytes in place of a feed: no crash, no hang, no silent loss. Entries in = records + rejects, always.

Short here; `pytest -m slow tests/intake/test_fuzz_feeds.py` runs it long. Most examples are parsed in this process, for
speed; some go through the real child with its limits and its fence.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ewarn.catalogue.definitions import FeedDefinition
from ewarn.errors import TerminalSourceError
from ewarn.intake import Staged, feedchild, feedreader, read

NOW = datetime(2025, 3, 10, 12, tzinfo=UTC)
XML_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=("Cc", "Cs")), max_size=60)
HOSTILE = st.sampled_from([
    "<script>alert(1)</script>", "]]>", "<![CDATA[", "&lt;img src=x onerror=1&gt;", "&amp;amp;", "\u202emoc", "\u200b",
    "metonitazene", "&nbsp;", "<b>", "</item>", "</entry>", "Camden", "<item>", "\ufeff", "9" * 400,
])  # fmt: skip
TEXT = st.lists(st.one_of(XML_TEXT, HOSTILE), max_size=4).map("".join)
DATE = st.sampled_from(["", "2025-03-01T10:00:00Z", "Mon, 03 Mar 2025 10:00:00 GMT", "yesterday", "0001-01-01", "9999",
                        "2025-02-30", "Mon, 03 Mar 2025 10:00:00 BST", "2025-03-01T10:00:00+25:00"])  # fmt: skip
ENTRY = st.fixed_dictionaries({"id": TEXT, "title": TEXT, "link": TEXT, "text": TEXT, "date": DATE})
ENTRIES = st.lists(ENTRY, max_size=6)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)),
    max_leaves=6,
)
ITEM = st.dictionaries(
    st.sampled_from(["id", "url", "title", "summary", "content_html", "date_published", "date_modified"]), JSON
)
FEW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
MANY = settings(max_examples=5_000, deadline=None, suppress_health_check=list(HealthCheck))
THROUGH_THE_CHILD = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
LONG_THROUGH_THE_CHILD = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))


def rss(entries: list[dict[str, str]]) -> bytes:
    names = {"id": "guid", "title": "title", "link": "link", "text": "description", "date": "pubDate"}
    items = ("".join(f"<{tag}>{escape(e[key])}</{tag}>" for key, tag in names.items() if e[key]) for e in entries)
    body = "".join(f"<item>{item}</item>" for item in items)
    return f"<?xml version='1.0' encoding='utf-8'?><rss version='2.0'><channel>{body}</channel></rss>".encode()


def atom(entries: list[dict[str, str]]) -> bytes:
    names = {"id": "id", "title": "title", "text": "summary", "date": "updated"}
    made = []
    for e in entries:
        link = f'<link href="{escape(e["link"], {chr(34): "&quot;"})}"/>' if e["link"] else ""
        words = "".join(f"<{tag}>{escape(e[key])}</{tag}>" for key, tag in names.items() if e[key])
        made.append(f"<entry>{words}{link}</entry>")
    return f"<feed xmlns='http://www.w3.org/2005/Atom'><id>f</id>{''.join(made)}</feed>".encode()


def json_feed(items: list[Any]) -> bytes:
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": items}).encode()


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same parser without a process of its own."""

    def parsed(_: str, address: str, body: bytes) -> bytes:
        try:
            return json.dumps(feedchild.parsed(body, address)).encode()
        except OSError as error:
            raise TerminalSourceError(str(error)) from error

    monkeypatch.setattr(feedreader, "_parsed", parsed)


def staged(definition: FeedDefinition, body: bytes, known: Any) -> Staged | None:
    """What became of the bytes; None where they are no feed. Everything else is a fault of ours."""
    try:
        found = read(definition, body, known, received_at=NOW, backfill=False)
    except TerminalSourceError:
        return None
    said = json.loads(feedreader._parsed(definition.id, definition.url, body))
    assert found.records.height + found.rejects.height == len(said["entries"]) + said["left_out"]
    for title, summary, link in found.records.select("title", "summary", "link").iter_rows():
        assert title and len(title) <= 500 and len(summary) <= 5_000
        assert not link or link.startswith(("http://", "https://"))
        assert not any(c in "\u202e\u200b\ufeff\0" or "\x7f" <= c < "\xa0" for c in title + summary + link)
        assert "<script" not in title + summary and "<img" not in title + summary
    json.dumps([frame.to_dicts() for frame in (found.records, found.rejects, found.mentions)], default=str).encode()
    return found


def no_loss(make: Callable[[list[Any]], bytes], entries: list[Any], definition: FeedDefinition, known: Any) -> None:
    """A well-formed feed of so many entries gives so many records and rejects."""
    found = staged(definition, make(entries), known)
    assert found is not None
    assert found.records.height + found.rejects.height == len(entries)


def mutated(body: bytes, cuts: list[tuple[int, int, bytes]]) -> bytes:
    for at, length, put in cuts:
        at %= len(body) + 1
        body = body[:at] + put + body[at + length :]
    return body


CUTS = st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 40), st.binary(max_size=6)), min_size=1, max_size=4)
MAKERS = st.sampled_from([rss, atom])


@pytest.mark.usefixtures("in_process")
class TestInProcess:
    @FEW
    @given(make=MAKERS, entries=ENTRIES)
    def test_no_entry_of_a_well_formed_feed_is_lost(
        self, feed: FeedDefinition, known: Any, make: Any, entries: list[Any]
    ) -> None:
        no_loss(make, entries, feed, known)

    @FEW
    @given(items=st.lists(st.one_of(ITEM, JSON), max_size=6))
    def test_no_item_of_a_json_feed_is_lost(self, feed: FeedDefinition, known: Any, items: list[Any]) -> None:
        no_loss(json_feed, items, feed, known)

    @FEW
    @given(make=MAKERS, entries=ENTRIES, cuts=CUTS)
    def test_a_damaged_feed_ends_in_words(
        self, feed: FeedDefinition, known: Any, make: Any, entries: list[Any], cuts: Any
    ) -> None:
        staged(feed, mutated(make(entries), cuts), known)

    @FEW
    @given(body=st.binary(max_size=400))
    def test_any_bytes_end_in_words(self, feed: FeedDefinition, known: Any, body: bytes) -> None:
        staged(feed, body, known)

    @pytest.mark.slow
    @MANY
    @given(make=MAKERS, entries=ENTRIES, cuts=st.one_of(st.just([]), CUTS))
    def test_long(self, feed: FeedDefinition, known: Any, make: Any, entries: list[Any], cuts: Any) -> None:
        if cuts:
            staged(feed, mutated(make(entries), cuts), known)
        else:
            no_loss(make, entries, feed, known)

    @pytest.mark.slow
    @MANY
    @given(items=st.lists(st.one_of(ITEM, JSON), max_size=6))
    def test_long_json(self, feed: FeedDefinition, known: Any, items: list[Any]) -> None:
        no_loss(json_feed, items, feed, known)


@THROUGH_THE_CHILD
@given(make=MAKERS, entries=ENTRIES, cuts=st.one_of(st.just([]), CUTS))
def test_the_child_says_the_same(feed: FeedDefinition, known: Any, make: Any, entries: list[Any], cuts: Any) -> None:
    staged(feed, mutated(make(entries), cuts), known)


@pytest.mark.slow
@LONG_THROUGH_THE_CHILD
@given(make=MAKERS, entries=ENTRIES, cuts=st.one_of(st.just([]), CUTS))
def test_the_child_long(feed: FeedDefinition, known: Any, make: Any, entries: list[Any], cuts: Any) -> None:
    staged(feed, mutated(make(entries), cuts), known)
