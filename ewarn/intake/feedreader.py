"""The bytes of a feed as plain entries, whoever publishes it: RSS 0.9 to 2.0, RDF, Atom, JSON Feed.

In: a definition and bytes. Out: `Feed`, each entry with an id that stays the same when it is edited, and a link that
leads nowhere but to the web. The parsing is done by a process of its own within limits (feedchild); reaching one is an
error that names it. A web page in place of a feed is an error, never an empty feed.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ewarn.catalogue.definitions import FeedDefinition
from ewarn.errors import TerminalSourceError
from ewarn.intake.feedchild import MOST_ENTRIES, OUT_OF_MEMORY, TOO_LARGE
from ewarn.intake.plaintext import plain, visible
from ewarn.terms import digest

_CHILD = Path(__file__).with_name("feedchild.py")
_MB = 1_000_000
_MEMORY_BYTES, _MEMORY_A_BYTE = 256 * _MB, 50
_CPU_SECONDS, _CPU_A_MB = 15, 2
_PATIENCE = 3  # a machine that is busy with other things gets so many times the processor time
_ANSWER_BYTES = 64 * _MB
_MOST_LINK, _MOST_ID, _TITLE_FROM_TEXT = 2_000, 1_000, 120


@dataclass(frozen=True)
class Feed:
    """What a feed says. An entry: id, title, summary, link, published, updated. `faults` by place in `entries`.

    named: the ids that entries have of their own; one without is known by its link.
    """

    format: str
    entries: tuple[dict[str, str], ...]
    named: frozenset[str]
    faults: dict[int, str]
    left_out: int
    remarks: tuple[str, ...]

    def numbered(self) -> Iterator[tuple[int, dict[str, str], str]]:
        """Number from 1, entry, and why it cannot be used; those past the most that are read come last and blank."""
        for place, entry in enumerate(self.entries):
            yield place + 1, entry, self.faults.get(place, "")
        blank = dict.fromkeys(("id", "title", "summary", "link", "published", "updated"), "")
        for more in range(self.left_out):
            fault = f"only the first {MOST_ENTRIES:,} entries of a feed are read"
            yield len(self.entries) + more + 1, blank, fault


def read(definition: FeedDefinition, body: bytes) -> Feed:
    """The feed in these bytes. Raises: TerminalSourceError where they are none, or reach a limit."""
    if len(body) > definition.max_bytes:
        raise TerminalSourceError(
            f"the feed has {len(body):,} bytes; the definition allows {definition.max_bytes:,}",
            where=definition.id, next_step="Look at the address; raise max_bytes if the feed is right.",
        )  # fmt: skip
    said = json.loads(_parsed(definition.id, definition.url, body))
    if not said["version"] or (said["broken"] and not said["entries"]):
        page = b"<html" in body[:2000].lower() or b"<!doctype html" in body[:2000].lower()
        what = "a web page came instead of a feed" if page else "the answer is no feed"
        raise TerminalSourceError(
            f"{what}: {said['broken'][:200]}" if said["broken"] else what,
            where=definition.url, next_step="Open the address; the publisher may have moved the feed or refused us.",
        )  # fmt: skip
    entries = tuple(_usable(entry, definition) for entry in said["entries"])
    faults = {place: entry["fault"] for place, entry in enumerate(said["entries"]) if entry["fault"]}
    named = frozenset(entry["id"] for entry in said["entries"]) - {""}
    remarks = tuple(_remarks(said, len(entries) - len(faults), definition.strip_summary or definition.strip_title))
    return Feed(said["version"], entries, named, faults, said["left_out"], remarks)


def _remarks(said: dict[str, Any], read: int, names_people: bool) -> Iterator[str]:
    """What the operator is told about a feed that could be read; of one that names people, none of its words."""
    yield from said["remarks"]
    if said["broken"]:
        yield f"the feed is not well-formed ({plain(said['broken'], 120)}): {read} entries could be read"
    undated = [entry["undated"] for entry in said["entries"] if entry["undated"]]
    if undated:
        example = "" if names_people else f", such as '{plain(undated[0], 40)}'"
        yield f"{len(undated)} entries have a date that cannot be read{example}"


def _usable(entry: dict[str, str], definition: FeedDefinition) -> dict[str, str]:
    """An entry with a lasting id, a title and a safe link."""
    kept = {name: entry[name] for name in ("title", "summary", "published", "updated")}
    names_people = definition.strip_summary or definition.strip_title
    if not plain(kept["title"], 10) and not names_people:
        kept["title"] = plain(entry["summary"], _TITLE_FROM_TEXT)
    return kept | {"id": lasting_id(entry["id"] or entry["link"]), "link": safe_link(entry["link"])}


def lasting_id(written: str) -> str:
    """An id without the instant of the last edit: GOV.UK's organisations write address#2025-03-03T10:00:00+00:00."""
    whole = visible(written).strip()
    name, mark, instant = whole.rpartition("#")
    try:
        edited = bool(mark) and datetime.fromisoformat(instant.replace("Z", "+00:00")).tzinfo is not None
    except ValueError:
        edited = False
    lasting = name if edited else whole
    return lasting if len(lasting) <= _MOST_ID else digest(lasting)


def safe_link(link: str) -> str:
    """A web address without invisible characters or a user's name; empty where it is anything else."""
    link = visible(link).strip()
    try:
        parts = urlsplit(link)
        whole = bool(parts.hostname) and parts.port != 0 and not parts.username
    except ValueError:
        return ""
    fit = parts.scheme in ("http", "https") and whole and len(link) <= _MOST_LINK
    return link if fit and not re.search(r"[\s\"'<>]", link) else ""


@lru_cache(maxsize=1)
def _parsed(source: str, address: str, body: bytes) -> bytes:
    """The child's answer; kept for the next question about the same bytes. Raises: TerminalSourceError."""
    seconds = _CPU_SECONDS + _CPU_A_MB * len(body) // _MB
    limits = [_MEMORY_BYTES + _MEMORY_A_BYTE * len(body), seconds, _ANSWER_BYTES]
    call = [sys.executable, "-I", "-W", "ignore", str(_CHILD), *map(str, limits), address]
    with tempfile.TemporaryFile() as answer:
        status = _run(call, body, answer.fileno(), seconds * _PATIENCE)
        if status == 0:
            answer.seek(0)
            return answer.read(_ANSWER_BYTES)
    reached = {
        OUT_OF_MEMORY: "memory", TOO_LARGE: "size of what it unpacks to", -signal.SIGXCPU: "processor time",
        -signal.SIGKILL: "memory or processor time", None: "time",
    }  # fmt: skip
    why = f"it reached its limit of {reached[status]}" if status in reached else f"its reader ended with {status}"
    raise TerminalSourceError(
        f"the feed could not be parsed: {why}",
        where=source, next_step="Look at the stored bytes; it may be an attack or a fault of the publisher.",
    )  # fmt: skip


def _run(call: Sequence[str], body: bytes, answer: int, patience_seconds: float) -> int | None:
    """The child's exit status; None where it was ended for taking too long. It sees nothing of our environment."""
    try:
        return subprocess.run(
            call, input=body, stdout=answer, stderr=subprocess.DEVNULL, timeout=patience_seconds, env={}, check=False
        ).returncode
    except subprocess.TimeoutExpired:
        return None
