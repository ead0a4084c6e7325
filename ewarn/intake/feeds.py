"""Feeds: the bytes of an RSS, Atom or JSON feed in, staged notices out, with the substances and areas each one names.

The bytes are parsed in a process of its own with limits. A web page in place of a feed is an error, never an empty
feed. Of a source whose notices hold personal names (`strip_summary`) no name, summary or address is kept outside the
raw bytes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from ewarn.catalogue.definitions import FeedDefinition
from ewarn.errors import TerminalSourceError
from ewarn.frames import shaped
from ewarn.intake import notices, vocabulary
from ewarn.intake.notices import Notice
from ewarn.intake.places import unplaced
from ewarn.intake.staged import Known, Staged
from ewarn.matching import Gazetteer, Matcher, Place
from ewarn.terms import RecordKind, Role, canonical, digest, london_day

_CHILD = Path(__file__).with_name("feedchild.py")
_PATIENCE_SECONDS = 20


def read_feed(
    definition: FeedDefinition, body: bytes, known: Known, *, received_at: datetime, backfill: bool
) -> Staged:
    """Stage one feed.

    Raises: TerminalSourceError where the bytes are no feed, or too large, or not one entry is readable.
    """
    feed = _parsed(definition, body)
    kept: list[Notice] = []
    rejects: list[tuple[str, str, str]] = []
    for number, entry in enumerate(feed["entries"], 1):
        notice = notices.of(entry, definition, received_at, number)
        fault = _fault(notice, received_at)
        if fault:
            raw = (
                "withheld: the source's entries hold personal data"
                if definition.strip_summary or definition.strip_title
                else canonical(entry).decode()
            )
            rejects.append((f"entry {number}", fault, raw))
        else:
            kept.append(notice)
    mentions, places = _evidence(definition, kept, known)
    return Staged(
        RecordKind.NOTICE,
        shaped(
            "staged_notice",
            pl.DataFrame([_record(*numbered) for numbered in enumerate(kept)], infer_schema_length=None),
        ),
        shaped("staged_mention", pl.DataFrame(mentions, infer_schema_length=None)),
        shaped("staged_place", pl.DataFrame(places, infer_schema_length=None)),
        shaped("staged_reject", pl.DataFrame(rejects, schema=["position", "reason", "raw"], orient="row")),
        tuple(
            [f"the feed is not well-formed ({feed['broken'][:120]}): {len(kept)} entries could be read"]
            if feed["broken"]
            else []
        ),
        digest(definition.model_dump(mode="json")),
    )


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


def _fault(notice: Notice, received_at: datetime) -> str:
    if not notice.entry_id:
        return "the entry has no id and no link; nothing to know it by"
    if not notice.title:
        return "the entry has no title"
    if notice.reference_date > london_day(received_at) + timedelta(days=1):
        return f"the entry is dated in the future: {notice.reference_date.isoformat()}"
    return ""


def _record(row: int, notice: Notice) -> dict[str, Any]:
    return {
        "row": row, "position": f"entry {notice.number}", "key": canonical(notice.entry_id).decode(),
        "content_hash": notice.content_hash, "raw": notice.raw, "reference_date": notice.reference_date,
        "reference_at": None, "known_date": notice.known_date, "published_at": notice.published_at,
        "basis": notice.basis,
        "retracted": False, "entry_id": notice.entry_id, "title": notice.title, "summary": notice.summary,
        "link": notice.link, "notice_kind": notice.kind,
    }  # fmt: skip


def _evidence(
    definition: FeedDefinition, kept: list[Notice], known: Known
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Mentions and places of every notice, each with the words that matched."""
    _, matcher, gazetteer = vocabulary.of(known)
    mentions: list[dict[str, Any]] = []
    places: list[dict[str, Any]] = []
    for row, notice in enumerate(kept):
        mentions += [{"row": row, **one} for one in _mentioned(notice.searched, matcher)]
        for place in _placed(notice.searched, definition.default_area, gazetteer):
            places.append({"row": row, **vars(place)})
    return mentions, places


def _mentioned(text: str, matcher: Matcher) -> list[dict[str, Any]]:
    """Each substance once, in the words it first appears in."""
    first: dict[str, dict[str, Any]] = {}
    for one in matcher.mentions(text, whole=False):
        first.setdefault(
            one.subject or one.as_written.casefold(),
            {"ordinal": len(first), "role": Role.NAMED.value, "mention_kind": one.kind.value, "subject": one.subject,
             "class_id": one.class_id, "as_written": one.as_written, "matched": one.matched},
        )  # fmt: skip
    return list(first.values())


def _placed(text: str, default_area: str, gazetteer: Gazetteer) -> list[Place]:
    found = gazetteer.find(text)
    if not found:
        return [unplaced(default_area, gazetteer, "")]
    precision = {"region": "region"}
    return [
        Place(f.area, f.tier, 1 / len(found), True, precision.get(f.tier, "area name"), f.as_written) for f in found
    ]
