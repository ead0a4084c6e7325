"""Cases as the desk shows them: one with its whole thread, and the list.

In: a house, a reference, `now`. Out: frozen reports. Writes nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ewarn.catalogue.definitions import GradeRow, GradingQuestion
from ewarn.pipeline import assess, caseshelf, reporting, today
from ewarn.pipeline.caseload import DUE_HOURS
from ewarn.pipeline.house import House
from ewarn.pipeline.reports import CaseReport
from ewarn.report import Report
from ewarn.store import answers, people, recipients
from ewarn.terms import CaseFile, ClosedAs, Frozen, Outcome, Product, Verification

SHOWN_CLOSED = 100


class Heard(Frozen):
    """What one recipient answered to a text of the case: to a question, an alert or a note."""

    alert: str
    version: int
    product: str
    recipient: str
    at: datetime
    said: str
    text: str


class CasePage(Frozen):
    """One case, and what its forms offer."""

    report: CaseReport
    area_name: str
    overdue: bool
    grade: GradeRow | None
    questions: tuple[GradingQuestion, ...]
    grades: tuple[GradeRow, ...]
    owners: dict[str, str]
    others: tuple[CaseFile, ...]
    reports: tuple[Report, ...]
    loose_reports: tuple[Report, ...]
    heard: tuple[Heard, ...]
    levels: tuple[str, ...] = tuple(level.value for level in Verification)
    outcomes: tuple[str, ...] = tuple(outcome.value for outcome in Outcome)
    endings: tuple[str, ...] = tuple(ending.value for ending in ClosedAs)
    products: tuple[str, ...] = (Product.FORMAL_ALERT.value, Product.SHARE.value, Product.CORROBORATE.value)
    urgencies: dict[str, int] = DUE_HOURS


class CaseList(Frozen):
    open: tuple[CaseFile, ...]
    closed: tuple[CaseFile, ...]
    more_closed: int
    area_names: dict[str, str]
    overdue: tuple[str, ...]


def of(house: House, ref: str, now: datetime) -> CasePage:
    """One case. Raises: UsageFault."""
    report = assess.show_case(house, ref)
    case = report.case
    with house.db.read() as con:
        known = people.all(con)
        heard = _heard(con, report)
    told = reporting.listed(house)
    grading = house.catalogue.grading
    covering = {case.lead_area, *(area.code for area in house.catalogue.ancestors(case.lead_area))}
    owners = {p.id: p.name for p in known if p.active and covering & set(p.areas)}
    return CasePage(
        report=report,
        area_name=house.catalogue.area_ref(case.lead_area).name,
        overdue=case.status == "open" and case.due_at < now,
        grade=next((row for row in grading.grades if row.id == case.grade), None),
        questions=grading.questions,
        grades=grading.grades,
        owners={"duty": "Whoever is on duty"} | owners,
        others=tuple(c for c in today.open_of(house) if c.ref != ref and c.standing is case.standing),
        reports=tuple(r for r in told if r.case in (ref, *case.merged_from)),
        heard=heard,
        loose_reports=tuple(r for r in told if not r.case and r.state != "hoax" and r.standing is case.standing),
    )


def _heard(con: Any, report: CaseReport) -> tuple[Heard, ...]:
    """Answers to the case's texts, the newest first; nobody's name, but the recipient's."""
    products = {alert.id: alert.product.value for alert in report.alerts}
    rows = [row for alert in products for row in answers.all(con, alert)]
    names = {r.id: r.name for r in recipients.of(con, sorted({row["destination"] for row in rows}))} if rows else {}
    found = [
        Heard(
            alert=row["alert"],
            version=row["version"],
            product=products[row["alert"]],
            at=row["answered_at"],
            recipient=names.get(row["destination"], row["destination"]),
            said=answers.SAID[row["act"]],
            text=row["text"],
        )
        for row in rows
    ]
    return tuple(sorted(found, key=lambda one: one.at, reverse=True))


def listed(house: House, now: datetime) -> CaseList:
    """Open cases by urgency, and those closed last."""
    every = caseshelf.of(house)
    opened, closed = every.open, every.closed
    return CaseList(
        open=opened,
        closed=closed[:SHOWN_CLOSED],
        more_closed=max(0, len(closed) - SHOWN_CLOSED),
        area_names=today.area_names(house),
        overdue=tuple(case.ref for case in opened if case.due_at < now),
    )
