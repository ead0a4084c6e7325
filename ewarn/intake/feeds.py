"""Feeds: the bytes of an RSS, Atom or JSON feed in, staged notices out, with the substances and areas each one names.

The bytes are parsed in a process of its own with limits. A web page in place of a feed is an error, never an empty
feed. Of a source whose notices hold personal names (`strip_summary`) no name, summary or address is kept outside the
raw bytes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from ewarn.catalogue.definitions import FeedDefinition
from ewarn.errors import TerminalSourceError
from ewarn.intake import notices, vocabulary
from ewarn.intake.notices import Notice
from ewarn.intake.staged import Known, Staged
from ewarn.terms import canonical

_CHILD = Path(__file__).with_name("feedchild.py")
_PATIENCE_SECONDS = 20


def read_feed(
    definition: FeedDefinition, body: bytes, known: Known, *, received_at: datetime, backfill: bool
) -> Staged:
    """Stage one feed.

    Raises: TerminalSourceError where the bytes are no feed, or too large, or not one entry is readable.
    """
    feed = _parsed(definition, body)
    words = vocabulary.of(known)
    kept: list[Notice] = []
    rejects: list[tuple[str, str, str]] = []
    for number, entry in enumerate(feed["entries"], 1):
        notice = notices.of(entry, definition, received_at, words, number)
        fault = notices.fault(notice, received_at)
        if fault:
            held = notices.names_people(definition, entry["title"], entry["summary"])
            raw = "withheld: the source's entries hold personal data" if held else canonical(entry).decode()
            rejects.append((f"entry {number}", fault, raw))
        else:
            kept.append(notice)
    broken = feed["broken"][:120]
    notes = [f"the feed is not well-formed ({broken}): {len(kept)} entries could be read"] if broken else []
    return notices.staged(kept, rejects, notes, definition)


def _parsed(definition: FeedDefinition, body: bytes) -> dict[str, Any]:
    if len(body) > definition.max_bytes:
        raise TerminalSourceError(
            f"the feed has {len(body):,} bytes; the definition allows {definition.max_bytes:,}",
            where=definition.id, next_step="Look at the address; raise max_bytes if the feed is right.",
        )  # fmt: skip
    feed = _in_child(definition, body)
    if not feed["version"] or (feed["broken"] and not feed["entries"]):
        page = b"<html" in body[:2000].lower() or b"<!doctype html" in body[:2000].lower()
        what = "a web page came instead of a feed" if page else "the answer is no feed"
        raise TerminalSourceError(
            f"{what}: {feed['broken']}" if feed["broken"] else what,
            where=definition.url, next_step="Open the address; the publisher may have moved the feed or refused us.",
        )  # fmt: skip
    return feed


def _in_child(definition: FeedDefinition, body: bytes) -> dict[str, Any]:
    """Parse in a separate process; its end by a limit is a fault of the feed."""
    try:
        child = subprocess.run(
            [sys.executable, "-I", str(_CHILD)], input=body, capture_output=True, timeout=_PATIENCE_SECONDS
        )
    except subprocess.TimeoutExpired:
        child = None
    if child is None or child.returncode != 0:
        raise TerminalSourceError(
            "the feed could not be parsed within the limits of time and memory",
            where=definition.id, next_step="Look at the stored bytes; it may be an attack or a fault of the publisher.",
        )  # fmt: skip
    feed: dict[str, Any] = json.loads(child.stdout)
    return feed
