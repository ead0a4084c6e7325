"""The desk's reading views for systems: what the pages show, without their pictures and forms.

In: a house, who reads, `now`. Out: frozen answers, each with the marking and the conditions under which it may be
passed on. Writes nothing. It must never hold what a reporter typed or how to reach one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field

from ewarn.assess.judged import Judged
from ewarn.pipeline import (
    casepage,
    caseshelf,
    counted,
    freshness,
    handling,
    partnerview,
    purposes,
    reporting,
    signalpage,
    standing,
    today,
    versions,
)
from ewarn.pipeline.house import House
from ewarn.pipeline.reports import AlertReport, SourceFreshness
from ewarn.report import Report
from ewarn.terms import CaseFile, Frozen, NotEvaluable, Person, PersonRole, Signal, TestRequest, strictest

WHOLE = frozenset({PersonRole.DUTY, PersonRole.PANEL, PersonRole.COORDINATOR, PersonRole.ADMINISTRATOR})
INTERNAL = "TLP:AMBER"  # of what this house says itself, where no record lies behind it


class Answer(Frozen):
    """What every answer says of itself."""

    at: datetime = Field(description="when it was asked")
    standing: str = Field(description="actual | exercise | test: nothing but 'actual' is real")
    marking: str = Field(description="the strictest TLP marking of what lies behind it")
    conditions: tuple[str, ...] = Field(description="what the originators ask of whoever passes it on")


class SignalsAnswer(Answer):
    """Signals that stand, by urgency; those resting on the same records share a card. Unverified indications."""

    as_of: datetime
    cards: tuple[today.Card, ...]
    hidden: int = Field(description="cards beyond the first few: narrow the question")
    aside: tuple[today.Card, ...] = Field(description="dismissed and held")
    total: int
    not_evaluable: tuple[NotEvaluable, ...] = Field(description="rules that had no answer: never 'no signal'")


class SignalAnswer(Answer):
    signal: Signal
    judged: Judged
    said: tuple[dict[str, Any], ...]
    rule_title: str
    rule_why: str
    false_alarms: tuple[str, ...]
    cases: tuple[dict[str, Any], ...]
    history: tuple[dict[str, Any], ...]
    counted: str
    weeks: tuple[signalpage.WeekRow, ...]
    rows: tuple[dict[str, Any], ...] = Field(description="each record behind it, down to file and line")
    rows_left_out: int
    neighbours: tuple[today.AreaRow, ...]
    similar: tuple[Signal, ...]


class CasesAnswer(Answer):
    open: tuple[CaseFile, ...]
    closed: tuple[CaseFile, ...]
    more_closed: int
    overdue: tuple[str, ...]


class Text(Frozen):
    """A text of a case, by name."""

    id: str
    version: int
    product: str
    status: str


class CaseAnswer(Answer):
    case: CaseFile
    area_name: str
    overdue: bool
    history: tuple[dict[str, Any], ...]
    texts: tuple[Text, ...]
    tests: tuple[TestRequest, ...]
    reports: tuple[Report, ...]


class AlertsAnswer(Answer):
    """Warnings in force. A partner sees those approved for professionals in their areas."""

    alerts: tuple[versions.InForce, ...]


class AlertAnswer(Answer):
    """One alert; `desk` is empty for partners, who read the approved text alone."""

    id: str
    version: int
    kind: str
    product: str
    status: str
    headline: str
    review_on: str
    expires_on: str
    past: str
    hash: str
    text: str
    desk: AlertReport | None = None


class SourcesAnswer(Answer):
    sources: tuple[SourceFreshness, ...]


class CountsAnswer(Answer):
    counts: counted.CountsReport


class ReportsAnswer(Answer):
    """Partners' reports as they stand. Typed words and contacts are not here."""

    reports: tuple[Report, ...]


def signals(house: House, person: Person, filters: today.Filters, now: datetime) -> SignalsAnswer:
    """Today's signals. Raises: UsageFault."""
    found = today.of(house, person.id, filters, now)
    return SignalsAnswer(
        **_about(house, now, found.marking, found.conditions),
        as_of=found.as_of,
        cards=found.cards,
        hidden=found.hidden,
        aside=found.aside,
        total=found.total,
        not_evaluable=standing.current(house, now).not_evaluable,
    )


def signal(house: House, signal_id: str, now: datetime) -> SignalAnswer:
    """One signal. Raises: UsageFault."""
    found = signalpage.of(house, signal_id, now)
    marking, conditions = handling.together([found.signal, *found.similar])
    own = set(SignalAnswer.model_fields) - set(Answer.model_fields)
    return SignalAnswer(**_about(house, now, marking, conditions), **{name: getattr(found, name) for name in own})


def cases(house: House, now: datetime) -> list[bytes]:
    """Open cases by urgency, and those closed last: a `CasesAnswer` as JSON in parts, each case written but once."""
    found = casepage.listed(house, now)
    about = _about(house, now, *handling.of_listed(house, (*found.open, *found.closed)))
    rest = CasesAnswer(**about, open=(), closed=(), more_closed=found.more_closed, overdue=found.overdue)
    head, middle, tail = rest.model_dump_json().encode().partition(b'"open":[],"closed":[]')
    assert middle
    opened, closed = caseshelf.as_json(house, found.open), caseshelf.as_json(house, found.closed)
    return [head, b'"open":', opened, b',"closed":', closed, tail]


def case(house: House, ref: str, now: datetime) -> CaseAnswer:
    """One case with its thread. Raises: UsageFault."""
    found = casepage.of(house, ref, now)
    report = found.report
    return CaseAnswer(
        **_about(house, now, report.marking, report.conditions),
        case=report.case,
        area_name=found.area_name,
        overdue=found.overdue,
        history=report.history,
        texts=tuple(
            Text(id=a.id, version=a.version, product=a.product.value, status=a.status.value) for a in report.alerts
        ),
        tests=report.tests,
        reports=found.reports,
    )


def alerts(house: House, person: Person, now: datetime) -> AlertsAnswer:
    """Warnings in force that this person may read."""
    may = partnerview.marked(house, person, whole=_whole(house, person))
    shown = [one for one in versions.in_force(house, now) if (one.id, one.version) in may]
    marking = strictest(may[one.id, one.version][0] for one in shown)
    conditions = dict.fromkeys(said for one in shown for said in may[one.id, one.version][1])
    told = [one if _whole(house, person) else one.model_copy(update={"asks": ()}) for one in shown]
    return AlertsAnswer(**_about(house, now, marking, tuple(conditions)), alerts=tuple(told))


def alert(house: House, alert_id: str, person: Person, now: datetime) -> AlertAnswer:
    """One alert. Raises: UsageFault where there is none that this person may read."""
    seen = partnerview.one(house, alert_id, person, now, whole=_whole(house, person))
    return AlertAnswer(
        **_about(house, now, seen.marking, seen.conditions),
        desk=seen.report if _whole(house, person) else None,
        text=seen.text,
        headline=seen.headline,
        **{
            name: getattr(seen.report, name)
            for name in ("id", "version", "kind", "product", "status", "review_on", "expires_on", "past", "hash")
        },
    )


def sources(house: House, now: datetime) -> SourcesAnswer:
    """How fresh every source is."""
    return SourcesAnswer(**_about(house, now, "", ()), sources=freshness.sources(house, now))


def counts(
    house: House, now: datetime, first: date, last: date, area: str, substance: str,
    kind: Literal["sample", "incident"], by: Literal["day", "week"],
) -> CountsAnswer:  # fmt: skip
    """Counts for people who ask. Raises: UsageFault."""
    found = counted.counts(house, now, first, last, area=area, substance=substance, kind=kind, by=by)
    return CountsAnswer(**_about(house, now, found.marking, found.conditions), counts=found)


def reports(house: House, now: datetime) -> ReportsAnswer:
    """Partners' reports, those waiting longest for an answer first."""
    return ReportsAnswer(**_about(house, now, "", ()), reports=tuple(reporting.listed(house)))


def _whole(house: House, person: Person) -> bool:
    """Whether somebody reads every text whole: people of the desk, unless they enforce the law."""
    return bool(WHOLE & set(person.roles)) and not purposes.enforces(house, person)


def _about(house: House, now: datetime, marking: str, conditions: Sequence[str]) -> dict[str, Any]:
    """What every answer says of itself."""
    standing = house.settings.standing.value
    return {"at": now, "standing": standing, "marking": marking or INTERNAL, "conditions": tuple(conditions)}
