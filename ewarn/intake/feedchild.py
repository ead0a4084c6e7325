"""The feed parser, run as a program of its own: bytes on stdin, JSON on stdout, within limits of memory, processor time
and size of its answer, and without files or network.

It imports nothing of ewarn, so that it starts at once and a hostile feed can only end this process.
Arguments: most bytes of memory, most seconds of processor time, most bytes of answer, the feed's address.
Out: {"version", "broken", "remarks", "left_out", "entries"}; version is empty where the bytes are no feed, left_out
counts the entries past the most that are read. An entry: id, title, summary, link, published, updated (instants as UTC
text), undated (a date that could not be read, as written) and fault (why it cannot be used).
"""

from __future__ import annotations

import calendar
import errno
import json
import os
import re
import resource
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from urllib.parse import urljoin

MOST_ENTRIES = 5_000
MOST_TEXT = 100_000
OUT_OF_MEMORY, TOO_LARGE = 71, 72
_REFUSED = ("socket.", "subprocess.", "os.exec", "os.system", "os.posix_spawn", "os.fork", "urllib.", "http.client.")
_OPENED = re.compile(rb"<(?:\w+:)?(?:item|entry)[\s>]")
_CLOSED = re.compile(rb"</(?:\w+:)?(?:item|entry)\s*>")
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)""")


def fence() -> None:
    """From here on this process opens no file but those of Python itself, and no connection."""
    own = (sys.prefix, sys.base_prefix, sys.exec_prefix)

    def refuse(event: str, details: Any) -> None:
        if event.startswith(_REFUSED) or (event == "open" and not str(details[0]).startswith(own)):
            raise PermissionError(f"the feed's parser may not use {event}")

    sys.addaudithook(refuse)


def parsed(body: bytes, address: str = "") -> dict[str, Any]:
    """A feed as plain data."""
    if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return _json_feed(body, address)
    import feedparser

    headers, remarks = _charset(body)
    how = {"sanitize_html": False, "resolve_relative_uris": False, "response_headers": headers}
    try:
        feed = feedparser.parse(BytesIO(body), **how)
    except (MemoryError, OSError):
        raise
    except Exception as error:  # the parser's own faults over rubbish: whatever it raises, there is no feed
        return _nothing(f"the parser gave up: {type(error).__name__}")
    broken = str(feed.get("bozo_exception", "")) if feed.bozo else ""
    if "out of memory" in broken:
        raise MemoryError
    if "amplification" in broken:
        raise OSError(errno.EFBIG, "the entities it declares unpack to too much")
    entries = [_entry(entry, address) for entry in feed.entries[:MOST_ENTRIES]]
    cut_off = len(_OPENED.findall(body)) > len(_CLOSED.findall(body))
    if broken and cut_off and entries and len(feed.entries) <= MOST_ENTRIES:
        entries[-1]["fault"] = "the feed breaks off inside this entry"
    left_out = len(feed.entries) - len(entries)
    return {
        "version": feed.get("version") or "",
        "broken": broken,
        "remarks": remarks,
        "left_out": left_out,
        "entries": entries,
    }


def _charset(body: bytes) -> tuple[dict[str, str], list[str]]:
    """What is said about the encoding: bytes that can only be UTF-8 are read as UTF-8, whatever they declare."""
    declared = (_DECLARED.match(body) or [b"", b""])[1].decode().lower()
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return {}, []
    if b"\0" in body or (body.isascii() and not declared.startswith(("utf-16", "utf-32", "ucs"))):
        return {}, []
    odd = declared not in ("", "utf-8", "utf8", "us-ascii", "ascii")
    remarks = [f"the feed declares {declared} and is UTF-8: it is read as UTF-8"] if odd else []
    return {"content-type": "application/xml; charset=utf-8"}, remarks


def _entry(entry: Any, address: str) -> dict[str, str]:
    content = entry.get("content") or [{}]
    published, updated = (_moment(dict.get(entry, f"{name}_parsed"), entry, name) for name in ("published", "updated"))
    return _made(
        id=str(entry.get("id") or ""),
        title=str(entry.get("title") or ""),
        summary=str(entry.get("summary") or content[0].get("value") or ""),
        link=_absolute(address, str(entry.get("link") or "")),
        published=published,
        updated=updated,
        undated="" if published or updated else str(dict.get(entry, "published") or dict.get(entry, "updated") or ""),
    )


def _moment(parts: Any, entry: Any, name: str) -> str:
    """feedparser's UTC time tuple as text; empty where it is absent or out of range. It does not know BST."""
    try:
        seconds = calendar.timegm(parts) if parts else None
        if seconds is not None and str(dict.get(entry, name) or "").rstrip().endswith(" BST"):
            seconds -= 3600
        return _iso(datetime.fromtimestamp(seconds, UTC)) if seconds is not None else ""
    except (ValueError, OverflowError, OSError, TypeError):
        return ""


def _nothing(why: str) -> dict[str, Any]:
    return {"version": "", "broken": why, "remarks": [], "left_out": 0, "entries": []}


def _json_feed(body: bytes, address: str) -> dict[str, Any]:
    try:
        feed = json.loads(body)
    except (ValueError, RecursionError) as error:
        return _nothing(f"not readable as JSON: {error}")
    if not isinstance(feed, dict) or "jsonfeed.org/version" not in str(feed.get("version", "")):
        return _nothing("JSON, but no JSON Feed")
    items = feed.get("items")
    if not isinstance(items, list):
        return _nothing("a JSON Feed without a list of items")
    entries = [_json_entry(item, address) for item in items[:MOST_ENTRIES]]
    return _nothing("") | {"version": "json", "left_out": len(items) - len(entries), "entries": entries}


def _json_entry(item: Any, address: str) -> dict[str, str]:
    if not isinstance(item, dict):
        return _made(fault=f"the item is {type(item).__name__}, not an object", summary=json.dumps(item))
    link = _word(item.get("url")) or _word(item.get("external_url"))
    texts = (_word(item.get(name)) for name in ("summary", "content_text", "content_html"))
    published, updated = _json_moment(item.get("date_published")), _json_moment(item.get("date_modified"))
    written = _word(item.get("date_published")) or _word(item.get("date_modified"))
    return _made(
        id=_word(item.get("id")),
        title=_word(item.get("title")),
        summary=next(filter(None, texts), ""),
        link=_absolute(address, link),
        published=published,
        updated=updated,
        undated="" if published or updated else written,
    )


def _word(value: Any) -> str:
    """A text or a number as text; what has another type says nothing."""
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""


def _json_moment(value: Any) -> str:
    try:
        moment = datetime.fromisoformat(value.strip().upper().replace("Z", "+00:00"))
        return _iso(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError, AttributeError):
        return ""


def _iso(moment: datetime) -> str:
    """An instant as UTC text; empty for years no notice can be of."""
    moment = moment.astimezone(UTC)
    return moment.isoformat() if 1900 <= moment.year <= 2200 else ""


def _absolute(address: str, link: str) -> str:
    try:
        return urljoin(address, link) if link else ""
    except ValueError:
        return ""


def _made(**words: str) -> dict[str, str]:
    """An entry with every key; texts cut to a length and without halves of characters."""
    names = ("id", "title", "summary", "link", "published", "updated", "undated", "fault")
    return {name: _bounded(words.get(name, "")) for name in names}


def _bounded(text: str) -> str:
    text = text if len(text) <= MOST_TEXT else text[:MOST_TEXT] + "…"
    return text.encode("utf-8", "replace").decode()


def _within(memory: int, seconds: int, answer: int, act: Callable[[], bytes]) -> int:
    """Do it within limits; the exit status says which was reached (the kernel ends us at the processor time)."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_FSIZE, (answer, answer))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        sys.stdout.buffer.write(act())
        sys.stdout.buffer.flush()
    except MemoryError:
        return OUT_OF_MEMORY
    except OSError as error:
        if error.errno == errno.EFBIG:
            return TOO_LARGE
        raise
    return 0


def _main() -> bytes:
    body = sys.stdin.buffer.read()
    fence()
    return json.dumps(parsed(body, sys.argv[4])).encode()


if __name__ == "__main__":
    memory, seconds, answer = map(int, sys.argv[1:4])
    status = _within(memory, seconds, answer, _main)
    os._exit(status)  # what could not be written is not tried again on the way out
