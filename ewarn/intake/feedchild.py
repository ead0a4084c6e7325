"""The feed parser, run as a program of its own with limits on memory and processor time: bytes on stdin, JSON on
stdout.

It imports nothing of ewarn, so that it starts at once and a hostile feed can only end this process.
Out: {"version", "broken", "entries": [{"id", "title", "summary", "link", "published", "updated"}]}; instants as UTC
text.
"""

from __future__ import annotations

import calendar
import json
import resource
import sys
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

MOST_MEMORY = 1_000_000_000
MOST_SECONDS = 15
MOST_ENTRIES = 5_000
MOST_TEXT = 100_000


def parsed(body: bytes) -> dict[str, Any]:
    """A feed as plain data; version is empty where the body is no feed."""
    if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return _json_feed(body)
    import feedparser

    feed = feedparser.parse(BytesIO(body), sanitize_html=False, resolve_relative_uris=False)
    entries = [_entry(entry) for entry in feed.entries[:MOST_ENTRIES]]
    return {
        "version": feed.version,
        "broken": str(feed.get("bozo_exception", "")) if feed.bozo else "",
        "entries": entries,
    }


def _entry(entry: Any) -> dict[str, str]:
    content = entry.get("content") or [{}]
    return {
        "id": str(entry.get("id") or entry.get("link") or ""),
        "title": str(entry.get("title") or "")[:MOST_TEXT],
        "summary": str(entry.get("summary") or content[0].get("value") or "")[:MOST_TEXT],
        "link": str(entry.get("link") or ""),
        "published": _moment(entry.get("published_parsed")),
        "updated": _moment(entry.get("updated_parsed")),
    }


def _moment(parts: Any) -> str:
    """feedparser's UTC time tuple as text; empty where it is absent or out of range."""
    try:
        return datetime.fromtimestamp(calendar.timegm(parts), UTC).isoformat() if parts else ""
    except (ValueError, OverflowError, OSError):
        return ""


def _json_feed(body: bytes) -> dict[str, Any]:
    try:
        feed = json.loads(body)
    except ValueError as error:
        return {"version": "", "broken": str(error), "entries": []}
    if not isinstance(feed, dict) or "jsonfeed.org/version" not in str(feed.get("version", "")):
        return {"version": "", "broken": "JSON, but no JSON Feed", "entries": []}
    items = [item for item in feed.get("items") or [] if isinstance(item, dict)]
    return {"version": "json", "broken": "", "entries": [_json_entry(item) for item in items[:MOST_ENTRIES]]}


def _json_entry(item: dict[str, Any]) -> dict[str, str]:
    summary = item.get("summary") or item.get("content_text") or item.get("content_html") or ""
    return {
        "id": str(item.get("id") or item.get("url") or ""),
        "title": str(item.get("title") or "")[:MOST_TEXT],
        "summary": str(summary)[:MOST_TEXT],
        "link": str(item.get("url") or ""),
        "published": _iso(item.get("date_published")),
        "updated": _iso(item.get("date_modified")),
    }


def _iso(text: Any) -> str:
    try:
        moment = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return ""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    sys.stdout.buffer.write(json.dumps(parsed(sys.stdin.buffer.read())).encode())
