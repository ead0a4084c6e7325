"""What one audience may see, as an Atom feed and a JSON Feed.

In: entries with their approved texts. Out: the bytes of both files, the same for the same entries. One entry an alert,
under one id for life: an update, an end or an expiry changes it. It must never hold words that were not approved, save
its own marks, nor a link that is one recipient's own.
Source: RFC 4287 (Atom), RFC 4151 (tag URIs), JSON Feed 1.1.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from html import escape
from typing import Any

from lxml import etree

from ewarn.dispatch import cap
from ewarn.dispatch.inert import one_line, plain
from ewarn.personal.placeholders import CODE, LINK
from ewarn.terms import Frozen

ATOM = "http://www.w3.org/2005/Atom"
JSON_FEED = "https://jsonfeed.org/version/1.1"


class Entry(Frozen):
    """One alert as an audience may see it now."""

    id: str
    title: str
    text: str
    updated: datetime
    published: datetime
    issuer: str
    page: str = ""
    cap: str = ""
    tags: tuple[str, ...] = ()


class Feed(Frozen):
    """One audience's feed. `base` is where the files are reached from outside; '' where that is not known."""

    id: str
    title: str
    issuer: str
    updated: datetime
    base: str = ""
    entries: tuple[Entry, ...] = ()


def tag(sender: str, year: int | str, what: str) -> str:
    """A name that stays: of who held an address in a year, and what they named."""
    domain = re.sub(r"[^a-z0-9.-]", "", sender.rpartition("@")[2].lower()) or "ewarn.invalid"
    return f"tag:{domain},{year}:{re.sub(r'[^A-Za-z0-9./_-]', '-', what)}"


def for_everybody(text: str) -> str:
    """An approved text without the lines that are for one recipient alone."""
    lines = plain(text).split("\n")
    return "\n".join(line for line in lines if LINK not in line and CODE not in line)


def paragraphs(text: str) -> str:
    """The text as HTML: its own words escaped, its paragraphs and lines kept."""
    blocks = [block.strip("\n") for block in re.split(r"\n\s*\n", text) if block.strip()]
    return "".join(f"<p>{'<br>'.join(escape(line) for line in block.split(chr(10)))}</p>" for block in blocks)


def atom(feed: Feed) -> bytes:
    root = etree.Element(_tag("feed"), nsmap={None: ATOM})
    root.set("{http://www.w3.org/XML/1998/namespace}lang", "en-GB")
    _add(root, "id", feed.id)
    _add(root, "title", one_line(feed.title))
    _add(root, "updated", stamp(feed.updated))
    _add(etree.SubElement(root, _tag("author")), "name", one_line(feed.issuer))
    _add(root, "generator", "ewarn")
    if feed.base:
        _link(root, "self", "application/atom+xml", f"{feed.base}/alerts.atom")
    for entry in feed.entries:
        _entry(etree.SubElement(root, _tag("entry")), entry)
    etree.indent(root)
    body: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return body + b"\n"


def _entry(made: Any, entry: Entry) -> None:
    _add(made, "id", entry.id)
    _add(made, "title", one_line(entry.title))
    _add(made, "updated", stamp(entry.updated))
    _add(made, "published", stamp(entry.published))
    _add(etree.SubElement(made, _tag("author")), "name", one_line(entry.issuer))
    if entry.page:
        _link(made, "alternate", "text/html", entry.page)
    if entry.cap:
        _link(made, "alternate", cap.MEDIA_TYPE, entry.cap)
    for word in entry.tags:
        etree.SubElement(made, _tag("category")).set("term", one_line(word))
    _add(made, "content", paragraphs(for_everybody(entry.text)), type="html")


def json_feed(feed: Feed) -> bytes:
    document: dict[str, Any] = {
        "version": JSON_FEED,
        "title": one_line(feed.title),
        "authors": [{"name": one_line(feed.issuer)}],
        "language": "en-GB",
        "items": [_item(entry) for entry in feed.entries],
    }
    if feed.base:
        document["feed_url"] = f"{feed.base}/alerts.json"
        document["home_page_url"] = f"{feed.base}/"
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def _item(entry: Entry) -> dict[str, Any]:
    text = for_everybody(entry.text)
    item: dict[str, Any] = {
        "id": entry.id,
        "title": one_line(entry.title),
        "content_text": text,
        "content_html": paragraphs(text),
        "date_published": stamp(entry.published),
        "date_modified": stamp(entry.updated),
        "authors": [{"name": one_line(entry.issuer)}],
        "tags": [one_line(word) for word in entry.tags],
    }
    if entry.page:
        item["url"] = entry.page
    if entry.cap:
        item["attachments"] = [{"url": entry.cap, "mime_type": cap.MEDIA_TYPE}]
    return item


def stamp(instant: datetime) -> str:
    """RFC 3339 with an upper-case T and Z."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _link(parent: Any, rel: str, kind: str, address: str) -> None:
    made = etree.SubElement(parent, _tag("link"))
    for name, value in (("rel", rel), ("type", kind), ("href", address)):
        made.set(name, value)


def _add(parent: Any, name: str, words: str, **attributes: str) -> None:
    made = etree.SubElement(parent, _tag(name), attributes)
    made.text = words


def _tag(name: str) -> str:
    return f"{{{ATOM}}}{name}"
