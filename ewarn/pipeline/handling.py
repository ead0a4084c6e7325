"""Handling conditions of the originators, carried by whatever is shown and exported.

In: a house and signals, cases, records or rows. Out: the strictest marking of what lies behind them, and every
condition once. Nothing is ever given a laxer marking than one of its records has.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import polars as pl

from ewarn.catalogue.definitions import Handling
from ewarn.disclosure.release import Release
from ewarn.frames import Lines
from ewarn.pipeline import counting_once, held
from ewarn.pipeline.house import House
from ewarn.store import cases, records, releases
from ewarn.terms import Alert, CaseFile, Signal, strictest

MOST_SOURCES = 500_000
_SOURCE_OF: dict[tuple[str, str], str] = {}


def on_signals(house: House, signals: Sequence[Signal], known: Lines) -> list[Signal]:
    """The signals, each and those beneath it with the marking and conditions of the records behind it."""
    wanted = sorted({record for signal in signals for one in (signal, *signal.beneath) for record in one.records})
    source_of: dict[str, str] = {}
    for frame in (known.lines, known.counts):
        of = frame.select("record_id", "source").filter(pl.col("record_id").is_in(wanted)).unique()
        source_of |= dict(of.iter_rows())

    def marked(signal: Signal) -> Signal:
        sources = {source_of[record] for record in signal.records if record in source_of}
        marking, conditions = house.catalogue.handling(sources)
        beneath = tuple(marked(one) for one in signal.beneath)
        return signal.model_copy(update={"marking": marking, "conditions": conditions, "beneath": beneath})

    return [marked(signal) for signal in signals]


def of_records(house: House, con: Any, ids: Iterable[str]) -> tuple[str, tuple[str, ...]]:
    """Marking and conditions of stored records."""
    return house.catalogue.handling(sources(house, con, ids))


def sources(house: House, con: Any, ids: Iterable[str]) -> set[str]:
    """The sources of stored records. A record's source never changes, so each is looked up once in this process."""
    home, wanted = str(house.settings.home), set(ids)
    known = {record: source for record in wanted if (source := _SOURCE_OF.get((home, record)))}
    missing = sorted(wanted - known.keys())
    found = records.source_of(con, missing) if missing else {}
    if len(_SOURCE_OF) + len(found) > MOST_SOURCES:
        _SOURCE_OF.clear()
    _SOURCE_OF.update({(home, record): source for record, source in found.items()})
    return {*known.values(), *found.values()}


def together(marked: Iterable[Signal]) -> tuple[str, tuple[str, ...]]:
    """The strictest marking of several signals, and their conditions once each."""
    signals = list(marked)
    conditions = dict.fromkeys(condition for signal in signals for condition in signal.conditions)
    return strictest(signal.marking for signal in signals), tuple(conditions)


def of_cases(house: House, some: Iterable[CaseFile]) -> tuple[str, tuple[str, ...]]:
    """Marking and conditions of the records behind some cases."""
    ids = {record for case in some for joined in case.signals for record in joined.signal.records}
    with house.db.read() as con:
        return of_records(house, con, ids)


def of_listed(house: House, some: Sequence[CaseFile]) -> tuple[str, tuple[str, ...]]:
    """The same, looked up once for as long as they are the same cases."""
    mark = (house.catalogue.content_hash, tuple(map(id, some)))
    _, found = held.while_same(house, "handling of cases", mark, lambda: (some, of_cases(house, some)))
    return found


def of_rows(house: House, rows: Iterable[dict[str, Any]], *columns: str) -> tuple[str, tuple[str, ...]]:
    """Marking and conditions of rows that name their sources in these columns."""
    return house.catalogue.handling({row[column] for row in rows for column in columns if row.get(column)})


def on_rows(house: House, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with the marking and conditions of their source beside them."""
    told = {}
    for source in {row["source"] for row in rows}:
        marking, conditions = house.catalogue.handling([source])
        told[source] = {"marking": marking, "conditions": " ".join(conditions)}
    return [row | told[row["source"]] for row in rows]


class Held(NamedTuple):
    """What may be said of a case's records now, and the originators' releases that it rests on."""

    marking: str
    conditions: tuple[str, ...]
    classification: str
    releases: tuple[Release, ...] = ()


def of_case(con: Any, house: House, case: CaseFile, alert: str = "") -> Held:
    """The strictest of a case's records, with the releases for it and for one of its texts."""
    behind = sources(house, con, (r for joined in case.signals for r in joined.signal.records))
    made = [r for ref in (case.ref, *case.merged_from) for r in releases.of_case(con, ref)]
    newest = {r.source: r for r in made if r.alert in ("", alert) and r.source in behind}
    allowed = {source: _allowed(house, release) for source, release in newest.items()}
    marking, conditions = house.catalogue.handling(behind, allowed)
    return Held(marking, conditions, house.catalogue.classification(behind, allowed), tuple(newest.values()))


def _allowed(house: House, release: Release) -> Handling:
    known = house.catalogue.sources.get(release.source)
    own = known.handling.words if known else ""
    return Handling.model_validate(
        {
            "marking": release.marking,
            "classification": release.classification,
            "conditions": own if release.conditions is None else release.conditions,
        }
    )


def on_text(con: Any, house: House, alert: Alert, *, afresh: bool = False) -> Alert:
    """A text with what its case's records allow now written into it; `afresh` takes the marking from there too."""
    case = cases.going_on(con, alert.case) or cases.load(con, alert.case)
    if case is None:
        return alert
    held = of_case(con, house, case, alert.id)
    inside = {
        "marking": held.marking or "TLP:AMBER",
        "conditions": list(held.conditions),
        "classification": held.classification,
        "released": [release.words for release in held.releases],
    }
    said: dict[str, Any] = {"handling": inside}
    if held.classification or "classification" in alert.content:
        said["classification"] = held.classification
    said |= {"marking": inside["marking"]} if afresh else {}
    return counting_once.on_text(con, house, alert.model_copy(update={"content": alert.content | said}))


def release_withdrawn(con: Any, house: House, alert: Alert) -> str:
    """Why a text must not leave because a release it was written under no longer stands, in words; '' where it may."""
    written = set((alert.content.get("handling") or {}).get("released") or [])
    if not written:
        return ""
    case = cases.going_on(con, alert.case) or cases.load(con, alert.case)
    stand = {release.words for release in of_case(con, house, case, alert.id).releases} if case else set()
    return "it was written under an originator's release that no longer stands" if written - stand else ""
