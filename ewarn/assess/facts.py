"""What is known about a case's records, gathered once and read by verification and drafting.

In: the line lists as they were known, the case's record ids, the catalogue. Out: `Facts`, frozen and without frames.
It must never hold more of a person than a count, an outcome and a kind of setting.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from ewarn.catalogue import Catalogue
from ewarn.frames import SHAPES, Lines
from ewarn.matching import persons
from ewarn.terms import LONDON, MentionKind, RecordKind, Role, Tier

FIRST_HAND = ("ambulance", "emergency department", "hospital", "post-mortem", "coroner", "police")
IN_PERSONS = ("post-mortem", "hospital", "coroner", "emergency department")
ANALYSED = (Role.MAJOR, Role.MINOR, Role.TRACE, Role.CONFIRMED)


@dataclass(frozen=True)
class Origin:
    """Who says so: two origins are independent when organisation and stream both differ."""

    organisation: str
    stream: str


@dataclass(frozen=True)
class Found:
    """One substance in one record."""

    record: str
    origin: Origin
    subject: str
    class_id: str
    name: str
    role: str
    presumptive: bool | None
    method: str
    in_persons: bool
    sampled: bool = False

    @property
    def analysed(self) -> bool:
        """An analysis said so: its role is one of an analysis, or a laboratory only named it. Not a suspicion."""
        return self.role in ANALYSED or (self.sampled and self.role == Role.NAMED)

    @property
    def confirmatory(self) -> bool:
        """A confirmatory method said so: an analysis stated not to be presumptive, or a toxicology stated confirmed."""
        if self.presumptive is not None:
            return not self.presumptive and self.analysed
        return self.role == Role.CONFIRMED and self.in_persons


@dataclass(frozen=True)
class Event:
    """One overdose event or one cumulative cluster report."""

    record: str
    origin: Origin
    outcome: str
    persons: int
    cumulative: bool
    setting: str
    start: date
    end: date
    place: str
    at: datetime | None = None
    ended: date | None = None
    known: date | None = None
    premises: str = ""
    areas: str = ""


@dataclass(frozen=True)
class Sample:
    """One analysed item."""

    record: str
    origin: Origin
    sold_as: str
    form: str
    colour: str
    label: str
    sampled: date
    place: str


@dataclass(frozen=True)
class Facts:
    events: tuple[Event, ...] = ()
    samples: tuple[Sample, ...] = ()
    found: tuple[Found, ...] = ()
    notices: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    marking: str = "TLP:AMBER"
    conditions: tuple[str, ...] = ()
    said: tuple[tuple[str, str, str], ...] = ()
    versions: tuple[tuple[str, int], ...] = ()

    def persons(self, outcome: str | None = None) -> tuple[int, int]:
        """Fewest and most persons the events can be, as signals count them: one person may be told of twice."""
        rows = [_told(e) for e in self.events if outcome is None or e.outcome == outcome]
        frame = persons.told(pl.DataFrame(rows, schema=_TOLD)).sort("record_id")
        return persons.count(frame, pl.DataFrame(self.said, schema=["left", "right", "state"], orient="row"))

    @property
    def span(self) -> tuple[date, date] | None:
        """First and last day on which something happened or was sampled."""
        days = [d for e in self.events for d in (e.start, e.end)] + [s.sampled for s in self.samples]
        return (min(days), max(days)) if days else None

    @property
    def sold_as(self) -> tuple[str, ...]:
        return unique(s.sold_as for s in self.samples)

    @property
    def places(self) -> tuple[str, ...]:
        return unique([e.place for e in self.events] + [s.place for s in self.samples])

    @property
    def settings(self) -> tuple[str, ...]:
        return unique(e.setting for e in self.events)

    @property
    def fatal_records(self) -> frozenset[str]:
        return frozenset(e.record for e in self.events if e.outcome == "fatal")


_TOLD = pl.Schema(
    {name: SHAPES["lines"][name] for name in (
        "record_id", "source", "kind", "organisation", "stream", "outcome", "persons", "cumulative", "setting",
        "place_label", "reference_date", "reference_at", "reference_end",
    )} | {"day": pl.Date, "areas": pl.String}
)  # fmt: skip


def _told(event: Event) -> dict[str, Any]:
    """An event as a line that speaks of persons."""
    return {
        "record_id": event.record, "source": event.origin.organisation, "kind": RecordKind.INCIDENT.value,
        "organisation": event.origin.organisation, "stream": event.origin.stream, "outcome": event.outcome,
        "persons": event.persons, "cumulative": event.cumulative, "setting": event.setting or None,
        "place_label": event.premises or None, "reference_date": event.start, "reference_at": event.at,
        "reference_end": event.ended or (event.end if event.end > event.start else None),
        "day": event.known or event.end, "areas": event.areas,
    }  # fmt: skip


def unique(words: Iterable[str]) -> tuple[str, ...]:
    """The words once each, in first order, compared without case, blanks left out."""
    seen: dict[str, str] = {}
    for word in words:
        if word:
            seen.setdefault(word.casefold(), word)
    return tuple(seen.values())


def gather(lines: Lines, records: Collection[str], catalogue: Catalogue) -> Facts:
    """The facts of these records, from the version of each that is current in the line lists.

    In: `records` are record ids; a record that was retracted or has expired has no current version and is left out.
    """
    current = pl.col("record_id").is_in(sorted(records)) & pl.col("visible_to").is_null()
    newest = lines.lines.filter(current).sort("reference_date", "record_id")
    keys = newest.select("record_id", "version")
    boroughs = _boroughs(lines.places.join(keys, on=["record_id", "version"]))
    stands = lines.links.filter(pl.col("visible_to").is_null())
    places = _places(lines.places.join(keys, on=["record_id", "version"]), catalogue)
    rows = newest.to_dicts()
    by_record = {row["record_id"]: row for row in rows}
    mentions = lines.mentions.join(keys, on=["record_id", "version"]).sort("record_id", "ordinal").to_dicts()
    sources = unique(row["source"] for row in rows)
    counted = lines.counts.filter(pl.col("record_id").is_in(sorted(records)))["source"].unique()
    marking, conditions = catalogue.handling({*(row["source"] for row in rows), *counted})
    return Facts(
        events=tuple(_event(r, places, boroughs) for r in rows if r["kind"] == RecordKind.INCIDENT),
        samples=tuple(_sample(r, places, catalogue) for r in rows if r["kind"] == RecordKind.SAMPLE),
        found=tuple(
            _found(m, by_record[m["record_id"]], catalogue)
            for m in mentions
            if m["mention_kind"] in (MentionKind.SUBSTANCE, MentionKind.CLASS)
            and by_record[m["record_id"]]["kind"] in (RecordKind.INCIDENT, RecordKind.SAMPLE)
        ),
        notices=unique(r["title"] or "" for r in rows if r["kind"] == RecordKind.NOTICE),
        sources=sources,
        marking=marking or "TLP:AMBER",
        conditions=conditions,
        said=tuple(stands.select("left", "right", "state").iter_rows()),
        versions=tuple(keys.sort("record_id").iter_rows()),
    )


def _places(places: pl.DataFrame, catalogue: Catalogue) -> dict[str, str]:
    """Record id -> name of the area with the largest share (ties: lower code)."""
    best = places.sort(["share", "area"], descending=[True, False], nulls_last=True).unique(
        "record_id", keep="first", maintain_order=True
    )
    return {r: catalogue.area_ref(a).name for r, a in best.select("record_id", "area").iter_rows() if a}


def _boroughs(places: pl.DataFrame) -> dict[str, str]:
    """Record id -> every borough it could be in, as text set apart by spaces."""
    could = places.filter((pl.col("tier") == Tier.BOROUGH) & (pl.col("share").fill_null(1) > 0))
    return dict(could.group_by("record_id").agg(pl.col("area").unique().sort().str.join(" ")).iter_rows())


def _origin(row: dict[str, Any]) -> Origin:
    return Origin(row["organisation"] or row["source"], row["stream"] or "other")


def _event(row: dict[str, Any], places: dict[str, str], boroughs: dict[str, str]) -> Event:
    return Event(
        record=row["record_id"],
        origin=_origin(row),
        outcome=row["outcome"] or "unknown",
        persons=1 if row["persons"] is None else row["persons"],
        cumulative=bool(row["cumulative"]),
        setting=row["setting"] or "",
        start=row["reference_date"],
        end=row["reference_end"] or row["reference_date"],
        place=places.get(row["record_id"], ""),
        at=row["reference_at"],
        ended=row["reference_end"],
        known=row["visible_from"].astimezone(LONDON).date() if row["visible_from"] else None,
        premises=row["place_label"] or "",
        areas=boroughs.get(row["record_id"], ""),
    )


def _sample(row: dict[str, Any], places: dict[str, str], catalogue: Catalogue) -> Sample:
    """Sold as: the name of what the words resolve to, so that no street or seller word is printed; else the words."""
    return Sample(
        record=row["record_id"],
        origin=_origin(row),
        sold_as=catalogue.name_of(row["sold_as_subject"]) if row["sold_as_subject"] else row["sold_as"] or "",
        form=row["form"] or "",
        colour=row["colour"] or "",
        label=row["label"] or "",
        sampled=row["reference_date"],
        place=places.get(row["record_id"], ""),
    )


def _found(mention: dict[str, Any], row: dict[str, Any], catalogue: Catalogue) -> Found:
    subject = mention["subject"] or ""
    origin = _origin(row)
    return Found(
        record=row["record_id"],
        origin=origin,
        subject=subject,
        class_id=mention["class_id"] or catalogue.class_of.get(subject, ""),
        name=catalogue.name_of(subject),
        role=mention["role"] or "",
        presumptive=mention["presumptive"],
        method=mention["method"] or "",
        in_persons=row["kind"] == RecordKind.INCIDENT or origin.stream in IN_PERSONS,
        sampled=row["kind"] == RecordKind.SAMPLE,
    )
