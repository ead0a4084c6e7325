"""RECEIVE, from people: the reporting form, without an account; and what the desk does with a report.

In: a house, what was told, an actor, `now`. Out: the report as it stands. Free words reach nobody but the desk before a
person has rewritten them; how to reach the reporter is kept apart, encrypted, with an end of its own.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from ewarn.assess import caseload, due
from ewarn.assess.cases import still_open
from ewarn.dispatch import page as paging
from ewarn.errors import Refused, UsageFault
from ewarn.personal.told import new_reference as new_reference
from ewarn.pipeline import assess, casework, held
from ewarn.pipeline.asking import area_code
from ewarn.pipeline.house import House
from ewarn.pipeline.identity import proved
from ewarn.pipeline.pictures import cleaned as cleaned
from ewarn.pipeline.reports import Actor
from ewarn.report import Harm, Report, ReportState, Told
from ewarn.store import audit, cases, decisions, pages, partner_reports
from ewarn.terms import CaseFile, Decision, Frozen, Person, digest, london_day

CONTACT_DAYS = 1_826  # five years, the longest that LDIS privacy notices give
URGENT = (Harm.DEATH, Harm.OVERDOSE)


def receive(
    house: House, told: Told, now: datetime, photo: bytes = b"", ref: str = "", sent_at: datetime | None = None
) -> Report:
    """Keep a report and call the rota where somebody was harmed. The same reference again changes nothing.

    In: `sent_at` where it was sent earlier than it is taken in. Raises: UsageFault for a photograph that is none.
    """
    ref, picture = ref or new_reference(), cleaned(photo) if photo else b""
    with house.db.read() as con:
        if (known := partner_reports.load(con, ref)) is not None:
            return known
    try:
        area = area_code(house, told.area.strip() or None) or ""
    except UsageFault:
        area = ""
    came_at = min(sent_at or now, now)
    report = Report(
        ref=ref,
        received_at=came_at,
        standing=house.settings.standing,
        area=area,
        happened_on=told.happened_on,
        origin=told.origin,
        harm=told.harm,
        persons=told.persons,
        has_contact=bool(told.contact.strip()),
        has_photo=bool(picture),
        answer_by=due.answer_by(came_at, house.catalogue.grading),
        contact_until=london_day(came_at) + timedelta(days=CONTACT_DAYS) if told.contact.strip() else None,
    )
    words = told.model_dump_json(exclude={"contact", "organisation"})
    partner_reports.seal(house.settings, ref, "words", words.encode())
    if report.has_contact or told.organisation.strip():
        contact = told.model_dump_json(include={"contact", "organisation"})
        partner_reports.seal(house.settings, ref, "contact", contact.encode())
    if picture:
        partner_reports.seal(house.settings, ref, "photo", picture)
    with house.db.write("report") as tx:
        if (known := partner_reports.load(tx, ref)) is not None:
            return known
        partner_reports.save(tx, report, now, "ewarn", "received")
        if report.harm in URGENT:
            _call(tx, house, report, now)
    house.db.publish()
    return report


def listed(house: House, *, case: str | None = None, waiting: bool = False) -> list[Report]:
    """Reports as they stand, those longest without an answer first."""
    with house.db.read() as con:
        return partner_reports.all(con, case=case, waiting=waiting)


class Waiting(Frozen):
    """Reports without an answer, the one due first at the front; which nobody has read, and which are overdue."""

    reports: tuple[Report, ...]
    unread: tuple[str, ...]
    late: tuple[str, ...]


def awaited(house: House, now: datetime) -> Waiting:
    """The partners' reports that wait for somebody."""
    told = held.of(house, "awaited reports", lambda: tuple(listed(house, waiting=True)))
    return Waiting(
        reports=told,
        unread=tuple(r.ref for r in told if r.state is ReportState.NEW),
        late=tuple(r.ref for r in told if r.answer_by < now),
    )


def found(house: House, ref: str) -> Report:
    """One report. Raises: UsageFault."""
    with house.db.read() as con:
        return _loaded(con, ref)


def words_of(house: House, ref: str, part: partner_reports.Part, actor: Actor, now: datetime) -> bytes | None:
    """What was typed, the contact, or the photograph, to somebody of the desk; that they looked is put on record."""
    with house.db.write("read report") as tx:
        report = _loaded(tx, ref)
        person = _by(tx, house, report, actor, "read this report")
        audit.append(tx, now, person.id, f"read report {part}", ref)
    return partner_reports.opened(house.settings, ref, part)


def redact(house: House, ref: str, text: str, actor: Actor, now: datetime) -> Report:
    """The words that others may read, written by a person who has read the report."""
    if not text.strip():
        raise UsageFault("there are no words", where=ref, next_step="Write what others may read, without any person.")
    with house.db.write("redact") as tx:
        report = _loaded(tx, ref)
        person = _by(tx, house, report, actor, "redact this report")
        _not_hoax(report)
        told = report.model_copy(update={"redacted": text.strip(), "state": ReportState.REDACTED})
        return _kept(tx, told, person, now, "redacted", "")


def hoax(house: House, ref: str, why: str, actor: Actor, now: datetime) -> Report:
    """Mark a report as made up, with the reason; it stays on record and asks for nothing more."""
    if not why.strip():
        raise UsageFault("marking a hoax needs a reason", where=ref, next_step="Say how it is known.")
    with house.db.write("hoax") as tx:
        report = _loaded(tx, ref)
        person = _by(tx, house, report, actor, "mark this report")
        told = report.model_copy(update={"state": ReportState.HOAX, "hoax_why": why.strip()})
        return _kept(tx, told, person, now, "marked as a hoax", why)


def join(house: House, ref: str, case_ref: str, why: str, actor: Actor, now: datetime) -> Report:
    """A report belongs to a case: an open one by its reference, or 'new' for one of its own."""
    with house.db.write("join report") as tx:
        report = _loaded(tx, ref)
        person = _by(tx, house, report, actor, "join this report")
        _not_hoax(report)
        case = _opened(tx, house, report, now) if case_ref == "new" else assess.case_of(tx, case_ref)
        still_open(case)
        assess.may(house, person, case.lead_area, "join a report to this case")
        if case.standing is not report.standing:
            raise Refused("the report and the case are of different standing", next_step="Keep exercises apart.")
        cases.act(tx, case.ref, now, "report joined", person.id, f"{ref}: {why.strip() or 'the same event'}")
        return _kept(tx, report.model_copy(update={"case": case.ref}), person, now, "joined", case.ref)


def answered(house: House, ref: str, words: str, actor: Actor, now: datetime) -> Report:
    """Put on record that the reporter was told, and what."""
    if not words.strip():
        raise UsageFault("there is no word of the answer", where=ref, next_step="Say what the reporter was told.")
    with house.db.write("answer report") as tx:
        report = _loaded(tx, ref)
        person = _by(tx, house, report, actor, "answer this report")
        return _kept(
            tx, report.model_copy(update={"answered_at": now, "answer": words.strip()}), person, now, "answered", ""
        )


def forget(house: House, now: datetime) -> list[str]:
    """Remove contacts past their retention. Returns the references."""
    gone: list[str] = []
    with house.db.read() as con:
        due_now = list(partner_reports.expired(con, london_day(now)))
    for report in due_now:
        with house.db.write("forget contact") as tx:
            told = report.model_copy(update={"has_contact": False})
            partner_reports.save(tx, told, now, "ewarn", "contact removed")
        partner_reports.forget(house.settings, report.ref, "contact")
        gone.append(report.ref)
    return gone


def _opened(tx: Any, house: House, report: Report, now: datetime) -> CaseFile:
    area = report.area or house.settings.home_area
    ref = cases.next_ref(tx, house.settings.issuer, london_day(now).year)
    name = house.catalogue.area_ref(area).name
    case = caseload.of_report(report, ref, area, name, house.catalogue.grading, now)
    cases.save(tx, case, now)
    cases.act(tx, ref, now, "opened", "ewarn", f"opened by a partner's report, {report.ref}")
    return case


def _call(tx: Any, house: House, report: Report, now: datetime) -> None:
    """Call the rota: who was harmed and where, and nothing that was typed."""
    area = report.area or house.settings.home_area
    name = house.catalogue.area_ref(area).name if report.area else "an area that was not named"
    page = paging.of_report(report.ref, report.harm.value, report.origin.value, name, report.standing, now)
    pages.put(tx, page)
    casework.call(tx, house, page, area, now)


def _loaded(con: Any, ref: str) -> Report:
    report = partner_reports.load(con, ref)
    if report is None:
        raise UsageFault(f"there is no report '{ref}'", next_step="See 'ewarn reports list'.")
    return report


def _by(tx: Any, house: House, report: Report, actor: Actor, what: str) -> Person:
    person = proved(tx, actor)
    assess.may(house, person, report.area or house.settings.home_area, what)
    return person


def _not_hoax(report: Report) -> None:
    if report.state is ReportState.HOAX:
        raise UsageFault("this report is marked as a hoax", where=report.ref, next_step="Redact or join another.")


def _kept(tx: Any, report: Report, person: Person, now: datetime, act: str, why: str) -> Report:
    partner_reports.save(tx, report, now, person.id, act)
    note = f"report {report.ref} {act}" + (f" (sha256 {digest([why], 12)})" if why else "")
    decisions.append(tx, Decision(act=f"report {act}", person=person.id, at=now, case=report.case, note=note))
    if report.case and act != "joined":
        cases.act(tx, report.case, now, f"report {act}", person.id, report.ref)
    return report
