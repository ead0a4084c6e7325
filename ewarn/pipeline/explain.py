"""RESPOND, explained: who gets an alert by which channel, in which format and why; who does not, and why not.

In: a house, an alert, an instant. Out: a report with one line for every recipient; nothing is written. Of a draft it
says what would happen if it were approved now; of a version that went out, what did.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from ewarn.assess import decide, grade
from ewarn.dispatch import concern, enforcement, occasion, render, route
from ewarn.dispatch.lines import DELIVERED, NOT_CONCERNED, WITHHELD, Line
from ewarn.dispatch.occasion import Occasion
from ewarn.errors import ContentFault, Refused
from ewarn.pipeline import texts
from ewarn.pipeline.house import House
from ewarn.store import alerts, cases, decisions, outbox, recipients
from ewarn.terms import Alert, Delivery, Frozen, Payload, Recipient


class Explained(Frozen):
    """One recipient: what it gets, or why it gets nothing. Never an address."""

    recipient: str
    name: str
    group: str
    areas: tuple[str, ...]
    outcome: str = Field(description="delivered | withheld | not concerned")
    why: str
    route: str = ""
    channel: str = ""
    format: str = ""
    contact: str = Field("", description="'out of hours' where that contact is used")
    attachments: tuple[str, ...] = ()
    state: str = Field("", description="of the delivery on record; empty where none is written yet")


class BareArea(Frozen):
    """An area the alert concerns that nobody who gets it covers by itself."""

    code: str
    name: str
    relation: str = Field(description="own | beside")
    words: str


class ExplainReport(Frozen):
    """Who gets what. `sent`: deliveries are on record, and the lines say what became of them."""

    alert: str
    version: int
    product: str
    status: str
    standing: str
    area: str
    at: datetime
    hour: str = Field(description="working | out of hours")
    severity: str
    marking: str
    conditions: tuple[str, ...] = ()
    approvals: str
    sent: bool = False
    lines: tuple[Explained, ...] = ()
    by_group: tuple[dict[str, Any], ...] = ()
    by_area: tuple[dict[str, Any], ...] = ()
    bare_areas: tuple[BareArea, ...] = ()
    notes: tuple[str, ...] = ()

    def of(self, outcome: str) -> list[Explained]:
        return [line for line in self.lines if line.outcome == outcome]


def explain(
    house: House, alert_id: str, now: datetime, version: int | None = None, at: datetime | None = None
) -> ExplainReport:
    """Who gets this version and who does not. In: `at` another instant to ask for. Raises: UsageFault."""
    with house.db.read() as con:
        alert = texts.found(con, alert_id, version)
        payloads, notes = _payloads(con, house, alert)
        known, earlier = recipients.all(con), texts.has_earlier(con, alert)
        case, decided = cases.load(con, alert.case), decisions.of_alert(con, alert.id)
        sent = (
            {}
            if at
            else {d.destination: d for d in outbox.all(con, alert.id) if d.version == alert.version and not d.nudge}
        )
        agreed = [d.at for d in decide.approvals(alert, decided)] if sent else []
        moment = at or max(agreed, default=now)  # what was decided at approval is what was sent
        when = texts.occasion_of(con, house, alert, moment)
        approved = decide.audiences(alert, decided, house.catalogue)
        allowed = approved or decide.EVERYBODY
        found = route.lines(alert, known, house.catalogue, payloads, allowed, earlier, when)
        notes += [
            f"{name}: has an earlier version and is no longer on the list" for name in route.missing(known, earlier)
        ]
    severity = grade.severity(case, house.catalogue.grading).words if case else "no case"
    lines = tuple(_explained(line, sent.get(line.recipient), bool(sent)) for line in found)
    return ExplainReport(
        alert=alert.id,
        version=alert.version,
        product=alert.product.value,
        status=alert.status.value,
        standing=alert.standing.value,
        area=house.catalogue.area_ref(alert.area).name,
        at=moment,
        hour=occasion.hour_word(when, house.catalogue),
        severity=severity,
        marking=str(alert.content.get("marking", "")),
        conditions=enforcement.conditions(alert),
        approvals=f"approved for {', '.join(approved)}" if approved else "as if it were approved now",
        sent=bool(sent),
        lines=lines,
        by_group=_counts(lines, lambda line: [line.group or "no group"]),
        by_area=_counts(lines, lambda line: [_area_name(house, code) for code in line.areas]),
        bare_areas=bare_areas(house, alert, lines, known, when),
        notes=tuple(notes),
    )


def _payloads(con: Any, house: House, alert: Alert) -> tuple[Sequence[Payload], list[str]]:
    """The stored bytes; a draft is rendered, and said where it cannot be."""
    stored = alerts.payloads(con, alert.id, alert.version)
    if stored:
        return stored, []
    try:
        return render.payloads(alert, house.catalogue, photo=texts.photo_shown(con, alert)), []
    except (Refused, ContentFault) as fault:
        return [], [f"this draft cannot be rendered now: {fault}"]


def _explained(line: Line, stored: Delivery | None, sent: bool) -> Explained:
    """A line as it is shown; a delivery on record says what became of it, whatever the list would say now."""
    shown = stored or (None if sent else line.delivery)
    outcome, why = line.outcome, line.reason
    if stored is not None:
        outcome, why = DELIVERED, stored.why
    elif sent and line.outcome == DELIVERED:
        outcome, why = WITHHELD, "not on the list, or not allowed, when the deliveries were written"
    return Explained(
        recipient=line.recipient,
        name=line.name,
        group=line.group,
        areas=line.areas,
        outcome=outcome,
        why=why,
        route=line.route,
        channel=shown.channel if shown else "",
        format=shown.format if shown else "",
        contact=shown.contact if shown else "",
        attachments=shown.attachments if shown else (),
        state=stored.state.value if stored else "",
    )


def _counts(lines: Sequence[Explained], keys: Any) -> tuple[dict[str, Any], ...]:
    """How many get it, do not, and are not concerned, by key; what is delivered most first."""
    counted: dict[str, Counter[str]] = {}
    for line in lines:
        for key in keys(line):
            counted.setdefault(key, Counter())[line.outcome] += 1
    rows = [{"name": k, **{o: c[o] for o in (DELIVERED, WITHHELD, NOT_CONCERNED)}} for k, c in counted.items()]
    return tuple(sorted(rows, key=lambda row: (-int(row[DELIVERED]), -int(row[WITHHELD]), str(row["name"]))))


def bare_areas(
    house: House, alert: Alert, lines: Sequence[Explained], known: Sequence[Recipient], when: Occasion
) -> tuple[BareArea, ...]:
    """Areas that the alert concerns and that nobody who gets it covers by itself; worse where nobody does at all."""
    catalogue = house.catalogue
    served = [r for r in known if r.id in {line.recipient for line in lines if line.outcome == DELIVERED}]
    own = concern.boroughs(alert.area, catalogue)
    wanted = {code: "own" for code in own} | {
        c: "beside" for c in concern.beside(alert.area, catalogue) if c not in own
    }
    found = []
    for code, relation in wanted.items():
        if any(code in r.areas for r in served):
            continue
        wider = [r.id for r in served if concern.covers(r, code, catalogue)]
        words = f"only by {', '.join(wider[:3])}, for a wider area" if wider else "NOBODY who covers it gets this"
        found.append(BareArea(code=code, name=_area_name(house, code), relation=relation, words=words))
    return tuple(sorted(found, key=lambda a: (a.relation != "own", "NOBODY" not in a.words, a.name)))


def _area_name(house: House, code: str) -> str:
    return house.catalogue.area_ref(code).name
