"""One feed entry as a notice: clean text, clocks, kind, and what is left out where the source names people."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from ewarn.catalogue.definitions import FeedDefinition
from ewarn.intake.plaintext import plain
from ewarn.terms import canonical, digest, london_day

_MOST_TITLE, _MOST_SUMMARY = 500, 5_000
_REPORT = re.compile(r"prevention of future deaths? report|regulation 28 report|\bPFD report", re.IGNORECASE)
_REFERENCE = re.compile(r"\b20\d\d[-/]\d{3,4}\b")
_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_DIED = re.compile(
    rf"\b(?:died|death|deceased)\b[^.]{{0,40}}?\b(\d{{1,2}})(?:st|nd|rd|th)? ({_MONTHS}),? (20\d\d)\b", re.I
)
# Bare 'withdrawal' is left out: it is mostly what people suffer, not what is done to an alert.
_KINDS = (
    ("withdrawal", re.compile(
        r"\b(?:withdrawn|withdrawal of (?:the |this |an )?(?:\w+ )?(?:alert|notice|warning)"
        r"|stood down|stand down|rescind(?:ed|s)?|cancel(?:led|s)?|retract\w*)\b", re.I)),
    ("update", re.compile(
        r"\b(?:update[ds]?|updating|revised|revision|amend(?:ed|ment)|correction|corrected)\b", re.I)),
    ("alert", re.compile(
        r"\b(?:alerts?|warn(?:s|ed|ing|ings)?|urgent(?:ly)?|advisory|recalls?|overdoses?|contaminat\w+|adulterat\w+|clusters?"
        r"|outbreaks?|hospitali[sz]ed|poisonings?|drug deaths?|do not (?:take|use))\b", re.I)),
)  # fmt: skip


@dataclass(frozen=True)
class Notice:
    """A notice ready to stage. `searched` is the text that names are looked for in; it is not kept."""

    entry_id: str
    title: str
    summary: str
    link: str
    kind: str
    reference_date: date
    known_date: date | None
    published_at: datetime | None
    basis: str
    content_hash: str
    raw: str
    searched: str
    number: int = 0


def of(entry: dict[str, Any], definition: FeedDefinition, received_at: datetime, number: int = 0) -> Notice:
    """The notice in an entry of the feed child.

    Dates: published, else updated, else the day of receipt; the basis says which.
    """
    title, summary = plain(entry["title"], _MOST_TITLE), plain(entry["summary"], _MOST_SUMMARY)
    published, updated = _moment(entry["published"]), _moment(entry["updated"])
    dated = published or updated
    content = digest([title, summary, entry["link"], entry["updated"]], 32)
    notice = Notice(
        entry["id"].strip(), title, summary, _web(entry["link"]), kind_of(title, summary),
        london_day(dated or received_at), london_day(dated) if dated else None, dated, _basis(published, updated),
        content, canonical(entry).decode(), f"{title}. {summary}", number,
    )  # fmt: skip
    return _impersonal(notice, definition, entry) if definition.strip_summary or definition.strip_title else notice


def _impersonal(notice: Notice, definition: FeedDefinition, entry: dict[str, Any]) -> Notice:
    """The notice without summary, and without title and link where they hold names; a date of death is kept."""
    died = _date_of_death(notice.summary)
    if died is not None and died <= notice.reference_date:
        basis = f"{notice.basis}; reference date is the date of death in the summary"
        notice = replace(notice, reference_date=died, basis=basis)
    kept = {"published": entry["published"], "updated": entry["updated"]}
    if definition.strip_title or _REPORT.search(notice.title):
        kept["title"] = _report_title(notice.title, definition)
        kept["link"] = _without_names(notice.entry_id, notice.link)
        kept["id"] = digest(notice.entry_id, 32) if notice.entry_id else ""
        notice = replace(notice, searched=f"{kept['title']}. {notice.summary}")
    else:
        kept |= {"id": notice.entry_id, "title": notice.title, "link": notice.link}
    return replace(
        notice, entry_id=kept["id"], title=kept["title"], link=kept["link"], summary="", raw=canonical(kept).decode()
    )


def kind_of(title: str, summary: str) -> str:
    """alert | update | withdrawal | background, by words of the title; the summary only decides for an alert."""
    for kind, words in _KINDS:
        if words.search(title):
            return kind
    return "alert" if _KINDS[2][1].search(summary) else "background"


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _basis(published: datetime | None, updated: datetime | None) -> str:
    if published:
        return "reference and known date are the entry's publication"
    return (
        "reference and known date are the entry's last update" if updated else "the entry has no date: day of receipt"
    )


def _web(link: str) -> str:
    return link.strip() if urlsplit(link.strip()).scheme in ("http", "https") else ""


def _report_title(title: str, definition: FeedDefinition) -> str:
    """'Name: Prevention of future deaths report' without the name, with its reference; else only the source's title."""
    if not title:
        return ""
    report, reference = _REPORT.search(title), _REFERENCE.search(title)
    words = report.group().capitalize() if report and not report.group().startswith("PFD") else definition.title
    return f"{words} {reference.group()}" if reference else words


def _without_names(entry_id: str, link: str) -> str:
    """An address that names nobody: the entry's number where its id is one, else the publisher's front page."""
    for address in (link, entry_id):
        if re.fullmatch(r"https?://[^/?#]+/\?(?:post_type=[a-z_-]+&)?p=\d+", address):
            return address
    parts = urlsplit(link)
    return f"{parts.scheme}://{parts.hostname}/" if parts.hostname else ""


def _date_of_death(summary: str) -> date | None:
    found = _DIED.search(summary)
    if found is None:
        return None
    month = [name.casefold() for name in _MONTHS.split("|")].index(found[2].casefold()) + 1
    try:
        return date(int(found[3]), month, int(found[1]))
    except ValueError:
        return None
