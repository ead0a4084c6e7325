"""What a shift leaves behind: who owns what, what is to be done next and by when. For the screen and for paper.

In: a house, `now`. Out: one frozen report. Writes nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ewarn import review as review_room
from ewarn.assess.judged import Judged, judged
from ewarn.pipeline import caseshelf, freshness, held, reporting, standing, today, versions
from ewarn.pipeline.house import House
from ewarn.pipeline.reports import SourceFreshness
from ewarn.store import judgements, looking, operator_notices, pages, people, records, sessions
from ewarn.terms import CaseFile, Frozen, Page, Signal


class Handover(Frozen):
    cases: tuple[CaseFile, ...]
    overdue: tuple[str, ...]
    owners: dict[str, str]
    area_names: dict[str, str]
    untouched: tuple[Signal, ...]
    aside: tuple[tuple[Signal, Judged], ...]
    pages: tuple[Page, ...]
    reports: reporting.Waiting
    alerts: tuple[versions.InForce, ...]
    failed: tuple[dict[str, Any], ...]
    waiting: int
    names_waiting: int
    late: tuple[SourceFreshness, ...]
    granted: tuple[dict[str, Any], ...]
    notices: tuple[dict[str, Any], ...]
    not_evaluable: int


def of(house: House, now: datetime) -> Handover:
    """Everything the next shift has to know of."""
    report, open_cases = standing.current(house, now), today.open_of(house)
    signals = review_room.signals_by_urgency(report.signals)
    in_case = caseshelf.of(house).signals
    with house.db.read() as con:
        said = judgements.newest(con)
        stands = [(signal, judged(signal, said.get(signal.id), now)) for signal in signals]
        return Handover(
            cases=open_cases,
            overdue=tuple(case.ref for case in open_cases if review_room.is_overdue(case, now)),
            owners={person.id: person.name for person in people.all(con)},
            area_names=today.area_names(house),
            untouched=tuple(s for s, stand in stands if not stand.aside and s.id not in in_case),
            aside=tuple((s, stand) for s, stand in stands if stand.aside),
            pages=tuple(pages.open(con)),
            reports=reporting.awaited(house, now),
            alerts=versions.in_force(house, now),
            failed=tuple(looking.failed_deliveries(con, 20)),
            waiting=looking.waiting(con)["waiting"],
            names_waiting=held.lately(house, "names", lambda: _names(house)),
            late=tuple(source for source in freshness.sources(house, now) if source.words),
            granted=tuple(sessions.grants(con, now)),
            notices=tuple(operator_notices.open(con).head(20).to_dicts()),
            not_evaluable=sum(n.strata for n in report.not_evaluable),
        )


def _names(house: House) -> int:
    with house.db.read() as con:
        return records.naming_queue(con).height
