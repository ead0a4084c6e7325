"""Feeds: the bytes of an RSS, Atom or JSON feed in, staged notices out, with the substances and areas each one names.

Every entry of the feed becomes a notice or a reject with its reason. Of a source whose notices hold personal names
(`strip_summary`) no name, summary or address is kept outside the raw bytes.
"""

from __future__ import annotations

from datetime import datetime

from ewarn.catalogue.definitions import FeedDefinition
from ewarn.intake import feedreader, notices, vocabulary
from ewarn.intake.notices import Notice
from ewarn.intake.staged import Known, Staged
from ewarn.terms import canonical


def read_feed(
    definition: FeedDefinition, body: bytes, known: Known, *, received_at: datetime, backfill: bool
) -> Staged:
    """Stage one feed. Raises: TerminalSourceError where the bytes are no feed, or reach a limit."""
    feed = feedreader.read(definition, body)
    words = vocabulary.of(known)
    kept: list[Notice] = []
    rejects: list[tuple[str, str, str]] = []
    for number, entry, unusable in feed.numbered():
        notice = notices.of(entry, definition, received_at, words, number)
        fault = unusable or notices.fault(notice, received_at)
        if fault:
            held = notices.names_people(definition, entry["title"], entry["summary"])
            raw = "withheld: the source's entries hold personal data" if held else canonical(entry).decode()
            rejects.append((f"entry {number}", fault, raw))
        else:
            kept.append(notice)
    return notices.staged(kept, rejects, feed.remarks, definition)
