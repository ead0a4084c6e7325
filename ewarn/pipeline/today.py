"""Today as the desk shows it: signals by urgency with what was said of them, cases, the map, what changed.

In: a house, who looks, the filters of the address, `now`. Out: one frozen report. Signals come from the answer that is
kept ready; cases and what people said are read anew, so that an act is seen in the next view. Writes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from ewarn import review as review_room
from ewarn.assess.judged import Judged, Stand, judged
from ewarn.charts import Cell, cartogram, weekly_bars
from ewarn.pipeline import caseshelf, held, reporting, standing, tallied, versions
from ewarn.pipeline.house import House
from ewarn.pipeline.reports import DetectReport
from ewarn.store import judgements, looking, operator_notices, pages, sessions
from ewarn.terms import CaseFile, Frozen, Page, Signal, SubjectKind, london_day

WINDOWS = (7, 28, 91, 365)
MOST_CARDS = 60
MOST_ACTS = 20


class Filters(Frozen):
    """What the address asks for; empty is everything."""

    area: str = ""
    subject: str = Field("", description="substance or class id")
    stream: str = ""
    days: int = Field(0, description="newly known within so many days; 0 is all that stands")


class Card(Frozen):
    """One signal, or several that rest on the very same records."""

    signal: Signal
    also: tuple[Signal, ...] = ()
    judged: Judged = Judged()
    cases: tuple[str, ...] = ()
    change: str = Field("", description="new or grown since the reader last looked")


class AreaRow(Frozen):
    code: str
    name: str
    signals: int


class Choice(Frozen):
    """One value of a filter with how many signals it leaves."""

    id: str
    name: str
    signals: int


class Today(Frozen):
    as_of: datetime
    filters: Filters
    cards: tuple[Card, ...]
    hidden: int = Field(0, description="cards beyond the first few, not shown")
    aside: tuple[Card, ...]
    total: int
    subjects: tuple[Choice, ...]
    classes: tuple[Choice, ...]
    streams: tuple[Choice, ...]
    cases: tuple[CaseFile, ...]
    overdue: tuple[str, ...]
    alerts: tuple[versions.InForce, ...]
    open_pages: tuple[Page, ...]
    reports: reporting.Waiting
    area_names: dict[str, str]
    map_svg: str
    map_rows: tuple[AreaRow, ...]
    wider: int
    weekly_svg: str
    weekly_rows: tuple[tuple[str, int], ...]
    not_evaluable: tuple[tuple[str, int, str], ...]
    not_evaluable_strata: int
    looked_at: datetime | None
    acts: tuple[dict[str, Any], ...]
    waiting: int
    failed: int
    notices: tuple[dict[str, Any], ...]
    marking: str
    conditions: tuple[str, ...]


def of(
    house: House, person: str, filters: Filters, now: datetime, may_see: Callable[[Signal], bool] | None = None
) -> Today:
    """Today for one reader; `may_see`: which signals are for them. Raises: UsageFault."""
    report = standing.current(house, now)
    with house.db.read() as con:
        stream_of = _streams_kept(house, con, report, now)
    every = tuple(s for s in review_room.signals_by_urgency(report.signals) if may_see is None or may_see(s))
    chosen = tuple(s for s in every if _matches(house, s, filters, stream_of, now))
    every_case = caseshelf.of(house)
    open_cases = every_case.open
    with house.db.read() as con:
        said, looked_at = judgements.newest(con), sessions.last_look(con, person)
        changes = looking.signals_since(con, looked_at) if looked_at else {}
        acts = tuple(looking.acts_since(con, looked_at, MOST_ACTS)) if looked_at else ()
        open_pages, counts = tuple(pages.open(con)), looking.waiting(con)
        notices = tuple(operator_notices.open(con).head(20).to_dicts())
    cards = _cards(chosen, said, every_case.holding, changes, now)
    shown = tuple(card for card in cards if not card.judged.aside)
    rows, map_svg = boroughs(house, [card.signal for card in shown])
    weeks = review_room.raised_per_week([card.signal for card in shown], london_day(now))
    return Today(
        as_of=report.as_of,
        filters=filters,
        cards=shown[:MOST_CARDS],
        hidden=max(0, len(shown) - MOST_CARDS),
        aside=tuple(card for card in cards if card.judged.aside),
        total=len(every),
        subjects=_choices(house, every, SubjectKind.SUBSTANCE),
        classes=_choices(house, every, SubjectKind.CLASS),
        streams=_by_stream(every, stream_of),
        cases=open_cases,
        overdue=tuple(case.ref for case in open_cases if review_room.is_overdue(case, now)),
        alerts=held.of(house, "in force", lambda: versions.in_force(house, now), f"{now:%Y%m%d%H}"),
        open_pages=open_pages,
        reports=reporting.awaited(house, now),
        area_names=area_names(house),
        map_svg=map_svg,
        map_rows=rows,
        wider=len(shown) - sum(row.signals for row in rows),
        weekly_svg=weekly_bars(
            list(weeks),
            title="Signals that stand, by the week they were first raised",
            description="; ".join(f"week of {day:%-d %B}: {count}" for day, count in weeks),
        ),
        weekly_rows=tuple((f"{day:%-d %B %Y}", count) for day, count in weeks),
        not_evaluable=tuple((n.rule, n.strata, n.reason) for n in report.not_evaluable),
        not_evaluable_strata=sum(n.strata for n in report.not_evaluable),
        looked_at=looked_at,
        acts=acts,
        waiting=counts["waiting"],
        failed=counts["failed"],
        notices=notices,
        marking=report.marking,
        conditions=report.conditions,
    )


def looked(house: House, person: str, now: datetime) -> None:
    """A person has looked at everything up to now."""
    with house.db.write("looked") as tx:
        sessions.looked(tx, person, now)


def open_of(house: House) -> tuple[CaseFile, ...]:
    """Open cases, those due first."""
    return caseshelf.of(house).open


def area_names(house: House) -> dict[str, str]:
    return dict(house.catalogue.area_names)


def boroughs(house: House, signals: Sequence[Signal]) -> tuple[tuple[AreaRow, ...], str]:
    """The areas that have a place on the cartogram, by name, with how many signals name each first; and the picture."""
    return map_of(house, review_room.signals_by_area(signals), "Signals by borough")


def map_of(house: House, counts: Mapping[str, int], title: str) -> tuple[tuple[AreaRow, ...], str]:
    """A number for each area that has a place on the cartogram, and the picture of it."""
    placed = house.catalogue.drawn
    rows = tuple(AreaRow(code=code, name=name, signals=counts.get(code, 0)) for code, name, _, _ in placed)
    cells = [Cell(name=name, column=x, row=y, value=counts.get(code, 0)) for code, name, x, y in placed]
    named = ", ".join(f"{row.name} {row.signals}" for row in rows if row.signals) or "no borough"
    words = f"One cell a borough. Some in: {named}. The same numbers stand in the table beside it."
    return rows, cartogram(cells, title=title, description=words)


def _streams_kept(house: House, con: Any, report: DetectReport, now: datetime) -> dict[str, frozenset[str]]:
    """The same as `_streams`, kept until one of these records is said anew, whatever else lands."""
    known = tallied.of(house, con, now)

    def states() -> tuple[int, ...]:
        return tuple(known.states_of(sorted({record for s in report.signals for record in s.records})))

    asked = (report.as_of, len(report.signals))
    mark = held.while_same(house, "states", (known.mark, asked), states)
    return held.while_same(house, "streams", (mark, asked), lambda: _streams(house, report.signals))


def _streams(house: House, signals: Sequence[Signal]) -> dict[str, frozenset[str]]:
    """Signal -> the streams its records arose in."""
    with house.db.read() as con:
        of_record = looking.streams(con, sorted({record for s in signals for record in s.records}))
    return {s.id: frozenset(of_record[r] for r in s.records if r in of_record) for s in signals}


def _matches(
    house: House, signal: Signal, filters: Filters, stream_of: dict[str, frozenset[str]], now: datetime
) -> bool:
    catalogue = house.catalogue
    inside = {signal.area.code, *(a.code for a in signal.also_possible)}
    if filters.area and filters.area not in inside | {a.code for a in catalogue.ancestors(signal.area.code)}:
        return False
    subjects = _subjects(signal)
    if filters.subject and filters.subject not in subjects | {catalogue.class_of.get(s, "") for s in subjects}:
        return False
    if filters.stream and filters.stream not in stream_of.get(signal.id, ()):
        return False
    return not filters.days or signal.known_on > london_day(now) - timedelta(days=filters.days)


def _subjects(signal: Signal) -> set[str]:
    return {one.subject.id for one in (signal, *signal.beneath) if one.subject.id}


def _cards(
    signals: Sequence[Signal],
    said: dict[str, dict[str, Any]],
    holding: Mapping[str, Sequence[str]],
    changes: dict[str, str],
    now: datetime,
) -> list[Card]:
    """One card for what rests on the same records in the same area; what was raised again or is new comes first."""
    grouped: dict[Any, list[Signal]] = {}
    for signal in signals:
        together = (signal.area.code, signal.records) if signal.records else signal.id
        grouped.setdefault(together, []).append(signal)
    found = [
        Card(
            signal=first,
            also=tuple(rest),
            judged=judged(first, said.get(first.id), now),
            cases=tuple(dict.fromkeys(ref for s in (first, *rest) for ref in holding.get(s.id, []))),
            change=next((changes[s.id] for s in (first, *rest) if s.id in changes), ""),
        )
        for first, *rest in grouped.values()
    ]
    return sorted(found, key=lambda card: card.judged.stand is not Stand.RAISED_AGAIN)


def _choices(house: House, signals: Sequence[Signal], kind: SubjectKind) -> tuple[Choice, ...]:
    """The substances or classes named by what stands, most signals first."""
    class_of, counted = house.catalogue.class_of, Counter[str]()
    known = house.catalogue.classes if kind is SubjectKind.CLASS else house.catalogue.substances
    for signal in signals:
        subjects = _subjects(signal)
        if kind is SubjectKind.CLASS:
            subjects = {class_of.get(s, s) for s in subjects}
        counted.update(subject for subject in subjects if subject in known)
    names = {subject: house.catalogue.name_of(subject) or subject for subject in counted}
    ordered = sorted(counted.items(), key=lambda item: (-item[1], names[item[0]]))
    return tuple(Choice(id=subject, name=names[subject], signals=count) for subject, count in ordered[:12])


def _by_stream(signals: Sequence[Signal], stream_of: dict[str, frozenset[str]]) -> tuple[Choice, ...]:
    counted = Counter(stream for signal in signals for stream in stream_of.get(signal.id, ()))
    return tuple(Choice(id=name, name=name, signals=count) for name, count in sorted(counted.items()))
