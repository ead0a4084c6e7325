"""One entry as a notice: clean text, clocks, what it says, and what is left out where its source names people.

In: an entry {id, title, summary, link, published, updated} of a feed, a paste or an e-mail, its definition and the
vocabulary. Out: Notice, and `staged`: the frames the store takes. Of a source that holds personal names, and of every
coroner's report whatever its source, no name leaves the raw bytes: not in title, summary, link, key, reject or remark.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import polars as pl

from ewarn.catalogue.definitions import FeedDefinition, NoticeDefinition
from ewarn.frames import shaped
from ewarn.intake import notice_facts, notice_places
from ewarn.intake.notice_facts import Facts
from ewarn.intake.plaintext import plain
from ewarn.intake.staged import Staged
from ewarn.intake.vocabulary import Vocabulary
from ewarn.terms import RecordKind, Role, canonical, digest, london_day

Definition = FeedDefinition | NoticeDefinition
OWN_REFERENCE = re.compile(r"N-[0-9a-f]{10}")
_MOST_TITLE, _MOST_SUMMARY, MOST_SEARCHED = 500, 5_000, 100_000
_UNREAD = Facts("background", (), (), (), ())
_REPORT = re.compile(r"prevention of future deaths? report|regulation 28 report|\bPFD report", re.IGNORECASE)
_CORONER = re.compile(
    r"prevention of future deaths?|regulation 28\b|\bPFD report|\binquests? (?:into|touching|concerning|on) ",
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"\b20\d\d[-/]\d{3,4}\b")
_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_DIED = re.compile(
    rf"\b(?:died|death|deceased)\b[^.]{{0,40}}?\b(\d{{1,2}})(?:st|nd|rd|th)? ({_MONTHS}),? (20\d\d)\b", re.I
)


@dataclass(frozen=True)
class Notice:
    """A notice ready to stage. `facts` were read from the whole text, which is not kept."""

    entry_id: str
    title: str
    summary: str
    link: str
    facts: Facts
    reference_date: date
    known_date: date | None
    published_at: datetime | None
    basis: str
    content_hash: str
    raw: str
    publisher: str | None = None
    number: int = 0


def of(
    entry: dict[str, Any],
    definition: Definition,
    received_at: datetime,
    vocabulary: Vocabulary,
    number: int = 0,
    *,
    area: str = "",
) -> Notice:
    """The notice in an entry. `area`: the area it is about, where the one who sent it said so.

    Dates: published, else updated, else the day of receipt; the basis says which.
    """
    title, text = plain(entry["title"], _MOST_TITLE), plain(entry["summary"], MOST_SEARCHED)
    published, updated = _moment(entry["published"]), _moment(entry["updated"])
    dated = published or updated
    notice = Notice(
        entry["id"].strip(), title, plain(entry["summary"], _MOST_SUMMARY), _web(entry["link"]), _UNREAD,
        london_day(dated or received_at), london_day(dated) if dated else None, dated, _basis(published, updated),
        digest([title, text[:_MOST_SUMMARY], entry["link"], entry["updated"]], 32), canonical(entry).decode(),
        entry.get("publisher") or None, number,
    )  # fmt: skip
    if not names_people(definition, title, text):
        found = _facts(title, text, definition, vocabulary, area, nameless=False)
        return replace(notice, facts=found)
    kept = _impersonal(notice, definition, entry, text)
    # The subject of a message says what it is, but may name somebody: it is read, and only what was found is kept.
    found = _facts(kept.title or title, text, definition, vocabulary, area, nameless=True)
    made = _title_of(found) if isinstance(definition, NoticeDefinition) else ""
    return replace(kept, facts=found, title=kept.title or made)


def _facts(
    title: str, text: str, definition: Definition, vocabulary: Vocabulary, area: str, *, nameless: bool
) -> Facts:
    abroad = isinstance(definition, FeedDefinition) and definition.abroad
    return notice_facts.read(
        title, text, vocabulary, definition.default_area, nameless=nameless, abroad=abroad, area=area
    )


def _title_of(found: Facts) -> str:
    """A title in our own words, for a notice whose own may name somebody."""
    names = [one.matched or one.as_written for one in found.named][:4]
    areas = [place.as_written for place in found.places if place.precision not in notice_places.NOWHERE][:3]
    about = f" naming {', '.join(names)}" if names else ""
    where = f" ({', '.join(areas)})" if areas else ""
    return f"{found.kind.capitalize()}{about}{where}"


def names_people(definition: Definition, title: str, text: str) -> bool:
    """Whether nothing of the words may be kept: the source is known to name people, or it is a coroner's report."""
    return definition.strip_summary or definition.strip_title or bool(_CORONER.search(f"{title}. {text[:2000]}"))


def _impersonal(notice: Notice, definition: Definition, entry: dict[str, Any], text: str) -> Notice:
    """The notice without summary, and without title and link where they hold names; a date of death is kept."""
    died = _date_of_death(text)
    if died is not None and died <= notice.reference_date:
        basis = f"{notice.basis}; reference date is the date of death in the summary"
        notice = replace(notice, reference_date=died, basis=basis)
    kept = {"published": entry["published"], "updated": entry["updated"]}
    coroner = bool(_CORONER.search(f"{notice.title}. {text[:2000]}"))
    if definition.strip_title or coroner:
        given = bool(entry.get("title_given")) and not coroner
        kept["title"] = notice.title if given else _report_title(notice.title, definition, coroner)
        kept["link"] = _without_names(notice.entry_id, notice.link)
        own = OWN_REFERENCE.fullmatch(notice.entry_id)
        kept["id"] = notice.entry_id if own or not notice.entry_id else digest(notice.entry_id, 32)
    else:
        kept |= {"id": notice.entry_id, "title": notice.title, "link": notice.link}
    return replace(
        notice, entry_id=kept["id"], title=kept["title"], link=kept["link"], summary="", raw=canonical(kept).decode()
    )


def staged(
    kept: Sequence[Notice], rejects: Sequence[tuple[str, str, str]], notes: Sequence[str], definition: Definition
) -> Staged:
    """Notices as the frames the store takes, with mentions and places joined by row."""
    mentions = [one for row, notice in enumerate(kept) for one in _mentions(row, notice)]
    places = [{"row": row, **vars(place)} for row, notice in enumerate(kept) for place in notice.facts.places]
    return Staged(
        RecordKind.NOTICE,
        shaped("staged_notice", _frame(_record(*numbered) for numbered in enumerate(kept))),
        shaped("staged_mention", _frame(mentions)),
        shaped("staged_place", _frame(places)),
        shaped("staged_reject", pl.DataFrame(rejects, schema=["position", "reason", "raw"], orient="row")),
        tuple(notes),
        digest(definition.model_dump(mode="json")),
    )


def fault(notice: Notice, received_at: datetime) -> str:
    """Why an entry cannot be used, without a word of it; empty where it can."""
    if not notice.entry_id:
        return "the entry has no id and no link; nothing to know it by"
    if not notice.title:
        return "the entry has no title"
    if notice.reference_date > london_day(received_at) + timedelta(days=1):
        return f"the entry is dated in the future: {notice.reference_date.isoformat()}"
    return ""


def _frame(rows: Iterable[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), infer_schema_length=None)


def _record(row: int, notice: Notice) -> dict[str, Any]:
    return {
        "row": row, "position": f"entry {notice.number}", "key": canonical(notice.entry_id).decode(),
        "content_hash": notice.content_hash, "raw": notice.raw, "reference_date": notice.reference_date,
        "reference_at": None, "known_date": notice.known_date, "published_at": notice.published_at,
        "basis": notice.basis, "retracted": False, "entry_id": notice.entry_id, "title": notice.title,
        "summary": notice.summary, "link": notice.link, "notice_kind": notice.facts.kind,
        "publisher": notice.publisher, "sold_as": "|".join(notice.facts.sold_as) or None,
        "evidence": notice.facts.evidence_text(),
    }  # fmt: skip


def _mentions(row: int, notice: Notice) -> Iterator[dict[str, Any]]:
    for ordinal, one in enumerate(notice.facts.named):
        yield {
            "row": row, "ordinal": ordinal, "role": Role.NAMED.value, "mention_kind": one.kind.value,
            "subject": one.subject, "class_id": one.class_id, "as_written": one.as_written, "matched": one.matched,
        }  # fmt: skip


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


def _report_title(title: str, definition: Definition, coroner: bool) -> str:
    """'Name: Prevention of future deaths report' without the name, with its reference; else only the source's title.

    Empty for a notice without a feed that is no coroner's: its title is made from what was found in it.
    """
    if not title or (isinstance(definition, NoticeDefinition) and not coroner):
        return ""
    report, reference = _REPORT.search(title), _REFERENCE.search(title)
    words = definition.title if isinstance(definition, FeedDefinition) else "Coroner's report"
    if report and not report.group().startswith("PFD"):
        words = report.group().capitalize()
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
