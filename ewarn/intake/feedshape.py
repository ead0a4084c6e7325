"""What a feed's answers look like over time, and when one no longer looks like those before it.

In: how many entries an answer had and what they carried, beside the same of the answers before. Out: words for the
operator by topic, none where it looks as usual. It must never judge what entries say, nor change what is read of them:
a changed shape is told and the entries are kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from ewarn.catalogue.definitions import FeedDefinition
from ewarn.intake import feedreader

REMEMBERED = 10
USUAL_SHARE, LOST_SHARE = 0.8, 0.4
COLLAPSED_SHARE, FEWEST_TO_COLLAPSE = 0.25, 4
EMPTY = "empty"
TOPICS = (EMPTY, "drift: format", "drift: entries", "drift: ids", "drift: dates", "drift: links", "drift: titles",
          "drift: texts")  # fmt: skip
_MISSING = {
    "ids": "ids of their own", "dates": "a date", "links": "a link", "titles": "a title", "texts": "a text",
}  # fmt: skip


class Shape(NamedTuple):
    """One answer: its format, how many entries, and how many of them carried what. `ids` counts different ones."""

    format: str
    entries: int
    ids: int
    dates: int
    links: int
    titles: int
    texts: int


def of(definition: FeedDefinition, body: bytes) -> Shape:
    """The shape of an answer that could be read. Raises: TerminalSourceError where it cannot."""
    feed = feedreader.read(definition, body)
    entries = feed.entries
    return Shape(
        feed.format,
        len(entries) + feed.left_out,
        len(feed.named) + feed.left_out,
        sum(bool(entry["published"] or entry["updated"]) for entry in entries) + feed.left_out,
        sum(bool(entry["link"]) for entry in entries) + feed.left_out,
        sum(bool(entry["title"]) for entry in entries) + feed.left_out,
        sum(bool(entry["summary"]) for entry in entries) + feed.left_out,
    )


def drift(now: Shape, before: Sequence[Shape]) -> dict[str, str]:
    """How an answer differs from the usual, in words by topic. In: `before` the answers before it, newest first.

    The usual is what most of the remembered answers looked like, so a lasting change becomes the usual by itself.
    """
    if not now.entries:
        beside = f"; it usually has {median(s.entries for s in before):g}" if before else ""
        return {EMPTY: f"the feed has no entries{beside}. An empty feed is no all-clear"}
    if not before:
        return {}
    found = {}
    format, count = Counter(shape.format for shape in before).most_common(1)[0]
    if now.format != format and count * 2 > len(before):
        found["drift: format"] = f"the feed's format changed from {format} to {now.format}; it was read all the same"
    entries = median(shape.entries for shape in before)
    if entries >= FEWEST_TO_COLLAPSE and now.entries <= entries * COLLAPSED_SHARE:
        found["drift: entries"] = f"the feed has {now.entries} entries; it usually has {entries:g}"
    for part, words in _MISSING.items():
        usual = median(_share(shape, part) for shape in before)
        if usual >= USUAL_SHARE and _share(now, part) <= usual * LOST_SHARE:
            carry = getattr(now, part)
            found[f"drift: {part}"] = f"only {carry} of {now.entries} entries have {words}; nearly all used to"
    if median(_share(shape, "ids") for shape in before) <= 1 - USUAL_SHARE and _share(now, "ids") >= USUAL_SHARE:
        found["drift: ids"] = f"{now.ids} of {now.entries} entries have ids of their own and count as new; none used to"
    return found


def _share(shape: Shape, part: str) -> float:
    return float(getattr(shape, part)) / shape.entries if shape.entries else 0.0
