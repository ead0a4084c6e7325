"""Feeds are what RFC 4287 and JSON Feed 1.1 ask for, hold the approved words, and let nothing in them come alive."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import feedparser
import pytest
from lxml import etree

from ewarn.dispatch import syndicate
from ewarn.dispatch.inert import plain
from ewarn.personal.placeholders import CODE, LINK
from tests.dispatch.told import HOSTILE, same_as_golden

AT = datetime(2025, 7, 3, 14, 5, 6, tzinfo=UTC)
A = f"{{{syndicate.ATOM}}}"
TEXT = "TLP:CLEAR\nLocal drug alert\n\nMetonitazene & more <in> tablets\n\nCALL 999\n- Give naloxone"
STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


def entry(number: int = 1, **more: Any) -> syndicate.Entry:
    values: dict[str, Any] = {
        "id": syndicate.tag("alerts@example.org", 2025, f"ewarn/LDN-2025-000{number}/A1"),
        "title": "[TLP:CLEAR] Metonitazene in tablets sold as diazepam, Camden (LDN-2025-0001)",
        "text": TEXT,
        "updated": AT + timedelta(days=number),
        "published": AT,
        "issuer": "Test service (synthetic)",
        "page": f"https://alerts.example.org/v/LDN-2025-000{number}",
        "cap": f"https://alerts.example.org/alerts/LDN-2025-000{number}.A1.v1.public.cap.xml",
        "tags": ("alert", "formal alert", "TLP:CLEAR", "actual"),
    }
    return syndicate.Entry(**values | more)


def feed(*entries: syndicate.Entry, base: str = "https://alerts.example.org") -> syndicate.Feed:
    return syndicate.Feed(
        id="tag:example.org,2025:ewarn/LDN/actual/public",
        title="Test service (synthetic): drug alerts (public)",
        issuer="Test service (synthetic)",
        updated=AT + timedelta(days=2),
        base=base,
        entries=entries,
    )


def read(body: bytes) -> Any:
    return feedparser.parse(io.BytesIO(body), sanitize_html=False)


class _Words(HTMLParser):
    """The text of HTML, its line breaks kept; and every tag that stands in it."""

    def __init__(self) -> None:
        super().__init__()
        self.text, self.tags = "", set[str]()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags |= {tag, *(name for name, _ in attrs)}
        self.text += "\n" if tag == "br" else ""

    def handle_endtag(self, tag: str) -> None:
        self.text += "\n\n" if tag == "p" else ""

    def handle_data(self, data: str) -> None:
        self.text += data


def words(html: str) -> _Words:
    parsed = _Words()
    parsed.feed(html)
    parsed.close()
    return parsed


def test_both_feeds_are_those_people_have_read() -> None:
    both = feed(entry(2, tags=("withdrawal", "withdrawn")), entry(1, page="", cap="alerts/x.cap.xml"))
    same_as_golden(syndicate.atom(both), "alerts.atom")
    same_as_golden(syndicate.json_feed(both), "alerts-feed.json")


@pytest.mark.parametrize("made", [feed(), feed(entry()), feed(entry(2), entry(1, page="", cap=""), base="")])
def test_an_atom_feed_keeps_every_must_of_rfc_4287(made: syndicate.Feed) -> None:
    body = syndicate.atom(made)
    root = etree.fromstring(body)
    assert root.tag == f"{A}feed", "2: a feed document has the element atom:feed at its root"
    assert body.startswith(b"<?xml"), "2: well-formed XML"
    entries = root.findall(f"{A}entry")
    for name in ("id", "title", "updated"):
        assert len(root.findall(f"{A}{name}")) == 1, f"4.1.1: exactly one {name}"
    assert root.findall(f"{A}author"), "4.1.1: an author, unless every entry has one"
    for one in ("generator", "icon", "logo", "rights", "subtitle"):
        assert len(root.findall(f"{A}{one}")) <= 1, f"4.1.1: no more than one {one}"
    names = [e.findtext(f"{A}id") for e in [root, *entries]]
    assert len(set(names)) == len(names), "4.2.6: an id is one thing's for ever"
    for holder in (root, *entries):
        scheme = urlsplit(holder.findtext(f"{A}id")).scheme
        assert scheme, "4.2.6: an id is an absolute IRI"
        for date in ("updated", "published"):
            for found in holder.findall(f"{A}{date}"):
                assert re.fullmatch(STAMP, found.text), "3.3: RFC 3339 with an upper-case T and Z"
        pairs = [(e.get("type"), e.get("hreflang")) for e in holder.findall(f"{A}link") if e.get("rel") == "alternate"]
        assert len(set(pairs)) == len(pairs), "4.1.1, 4.1.2: one alternate link of a type and language"
        for link in holder.findall(f"{A}link"):
            assert link.get("href") is not None, "4.2.7: a link has an address"
            assert len(link) == 0 and "/" in link.get("type"), "4.2.7.3: a media type"
        assert all(person.findtext(f"{A}name") for person in holder.iter(f"{A}author")), "3.2: a person has a name"
        assert all(word.get("term") for word in holder.iter(f"{A}category")), "4.2.2: a category has a term"
    for one in entries:
        for name in ("id", "title", "updated"):
            assert len(one.findall(f"{A}{name}")) == 1, f"4.1.2: exactly one {name}"
        assert len(one.findall(f"{A}content")) == 1, "4.1.2: content, or an alternate link"
        content = one.find(f"{A}content")
        assert content.get("type") == "html" and len(content) == 0, "4.1.3.3: HTML is escaped and has no child elements"
        assert one.find(f"{A}title").get("type") in (None, "text") and len(one.find(f"{A}title")) == 0, "3.1.1.1"
    parsed = read(body)
    assert not parsed.bozo and len(parsed.entries) == len(entries) and parsed.version == "atom10"


def test_a_json_feed_has_the_fields_of_version_1_1() -> None:
    document = json.loads(syndicate.json_feed(feed(entry())))
    assert document["version"] == "https://jsonfeed.org/version/1.1" and document["title"] and document["language"]
    assert document["feed_url"] == "https://alerts.example.org/alerts.json" and document["authors"][0]["name"]
    (item,) = document["items"]
    assert isinstance(item["id"], str) and item["content_text"] == TEXT and item["content_html"].startswith("<p>")
    assert re.fullmatch(STAMP, item["date_published"]) and re.fullmatch(STAMP, item["date_modified"])
    assert item["attachments"] == [{"url": entry().cap, "mime_type": "application/cap+xml"}]
    assert set(item["tags"]) == set(entry().tags) and item["url"] == entry().page
    bare = json.loads(syndicate.json_feed(feed(base="")))
    assert bare["items"] == [] and "feed_url" not in bare


def test_the_words_of_an_entry_are_the_approved_ones() -> None:
    html = read(syndicate.atom(feed(entry()))).entries[0].content[0].value
    assert words(html).text.strip() == TEXT and words(html).tags == {"p", "br"}


def test_a_line_that_is_for_one_recipient_stays_out() -> None:
    text = f"First\nTell us: {LINK}\nor type {CODE}\nLast"
    for body in (syndicate.atom(feed(entry(text=text))), syndicate.json_feed(feed(entry(text=text)))):
        assert b"PERSONAL" not in body and b"ANSWER-CODE" not in body and b"First" in body and b"Last" in body


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_words_stay_words_in_every_field(hostile: str) -> None:
    one = entry(title=hostile, text=f"Before\n\n{hostile}\n\nAfter", issuer=hostile, tags=(hostile or "x",))
    made = feed(one).model_copy(update={"title": hostile, "issuer": hostile})
    body = syndicate.atom(made)
    root, usual = etree.fromstring(body), etree.fromstring(syndicate.atom(feed(entry(tags=("x",)))))
    assert [e.tag for e in root.iter()] == [e.tag for e in usual.iter()], "no element came or went"
    parsed = read(body)
    assert not parsed.bozo and len(parsed.entries) == 1
    html = words(parsed.entries[0].content[0].value)
    assert html.tags <= {"p", "br"} and html.text.startswith("Before") and html.text.strip().endswith("After")
    assert "".join(plain(hostile).split()) in "".join(html.text.split())
    item = json.loads(syndicate.json_feed(made))["items"][0]
    assert words(item["content_html"]).tags <= {"p", "br"}
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", item["content_text"])


def test_a_tag_uri_is_made_of_allowed_characters_whatever_it_is_made_from() -> None:
    assert (
        syndicate.tag("a@Example.ORG", 2025, "ewarn/LDN-2025-0001/A1") == "tag:example.org,2025:ewarn/LDN-2025-0001/A1"
    )
    for sender in (*HOSTILE, "", "nobody"):
        assert re.fullmatch(r"tag:[a-z0-9.-]+,2025:[A-Za-z0-9./_-]+", syndicate.tag(sender, 2025, f"x/{sender}"))
