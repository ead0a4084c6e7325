"""ASSESS: what people do with cases and texts. Every act names a registered person, proved by a personal token.

In: a house, an actor, `now`. Out: the case or alert as it stands afterwards. Nothing formal leaves from here: an
approval writes the deliveries in its own transaction, and `respond.send` sends them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ewarn.assess import cases as casebook
from ewarn.assess import decide, facts, grade, lifecycle, lint
from ewarn.assess import draft as drafting
from ewarn.dispatch import page as paging
from ewarn.dispatch import render
from ewarn.errors import Refused, UsageFault
from ewarn.pipeline import casework, counting_once, exercise_home, handling, officers, texts
from ewarn.pipeline.house import House
from ewarn.pipeline.identity import proved, registered
from ewarn.pipeline.reports import Actor, AlertReport, CaseReport
from ewarn.store import alerts, answers, cases, decisions, lines, outbox, pages, releases, test_requests
from ewarn.terms import (
    Alert,
    AlertStatus,
    CaseFile,
    ClosedAs,
    Decision,
    Payload,
    Person,
    PersonRole,
    Product,
)

DESK = (PersonRole.DUTY, PersonRole.PANEL, PersonRole.COORDINATOR)
GRADING = (PersonRole.PANEL, PersonRole.DUTY)


def list_cases(house: House, status: str | None = None) -> list[CaseFile]:
    """Cases as they stand, those due first."""
    with house.db.read() as con:
        return cases.all(con, status)


def show_case(house: House, ref: str) -> CaseReport:
    """A case with its history, texts and pages. Raises: UsageFault."""
    with house.db.read() as con:
        case = case_of(con, ref)
        ids = {record for joined in case.signals for record in joined.signal.records}
        marking, conditions = handling.of_records(house, con, ids)
        return CaseReport(
            marking=marking,
            conditions=conditions,
            case=case,
            history=tuple(cases.history(con, ref)),
            alerts=tuple(a for a in alerts.all(con) if a.case in (ref, *case.merged_from)),
            pages=tuple(pages.all(con, ref)),
            tests=tuple(t for one in (ref, *case.merged_from) for t in test_requests.all(con, one)),
        )


def grade_case(
    house: House, ref: str, grade_id: str, answers: Mapping[str, str], actor: Actor, now: datetime
) -> CaseFile:
    """A panel member answers the grading questions and gives the grade."""
    with house.db.write("grade") as tx:
        case = case_of(tx, ref)
        person = proved(tx, actor)
        may(house, person, case.lead_area, "grade this case", GRADING)
        graded = grade.apply(case, grade_id, answers, house.catalogue.grading, now)
        said = "; ".join(f"{question}: {answer}" for question, answer in graded.grade_answers.items())
        return _keep(tx, graded, "graded", person, now, f"graded {grade_id}. {said}")


def assign_case(
    house: House,
    ref: str,
    *,
    actor: Actor,
    now: datetime,
    owner: str | None = None,
    next_action: str | None = None,
    due_at: datetime | None = None,
) -> CaseFile:
    """Give a case another owner (somebody registered for its area, or 'duty'), next action or due time."""
    with house.db.write("assign") as tx:
        case = case_of(tx, ref)
        person = proved(tx, actor)
        may(house, person, case.lead_area, "assign this case")
        if owner and owner != "duty":
            may(house, registered(tx, owner), case.lead_area, "own this case")
        kept = casebook.assign(case, owner=owner, next_action=next_action, due_at=due_at)
        words = f"owner {kept.owner}; next: {kept.next_action}; due {paging.london(kept.due_at)}"
        return _keep(tx, kept, "assigned", person, now, words)


def link_signal(house: House, ref: str, signal: str, why: str, actor: Actor, now: datetime) -> CaseFile:
    """Join a signal that was only suggested for linking, because a named person says that it is one event."""
    with house.db.write("link") as tx:
        case = case_of(tx, ref)
        person = proved(tx, actor)
        may(house, person, case.lead_area, "link this signal")
        linked = casebook.link(case, signal, person.id, why, now)
        known = lines.as_known(tx, casework.ages(house), until=now)
        linked = casework.verified(house, linked, known)
        return _keep(tx, linked, "linked", person, now, f"signal {signal} linked: {why.strip()}")


def verify_case(
    house: House,
    ref: str,
    *,
    actor: Actor,
    now: datetime,
    event: str | None = None,
    substance: str | None = None,
    link: str | None = None,
) -> CaseFile:
    """A person says how sure we are, apart for the event, the substance and the link; it then stands until changed."""
    said = {"event": event, "substance": substance, "link": link}
    levels = {part: level for part, level in said.items() if level}
    with house.db.write("verify") as tx:
        case = case_of(tx, ref)
        person = proved(tx, actor)
        may(house, person, case.lead_area, "verify this case")
        words = ", ".join(f"{part} {level}" for part, level in levels.items())
        return _keep(tx, casebook.said_of(case, levels), "verified", person, now, words)


def close_case(house: House, ref: str, closed_as: str, note: str, actor: Actor, now: datetime) -> CaseFile:
    """Close a case with what it turned out to be and what was done."""
    with house.db.write("close") as tx:
        case = case_of(tx, ref)
        person = proved(tx, actor)
        may(house, person, case.lead_area, "close this case")
        closed = casebook.close(case, ClosedAs(closed_as), note, now)
        return _keep(tx, closed, "closed", person, now, f"closed as {closed_as}: {note}")


def may(house: House, person: Person, area: str, what: str, roles: Sequence[PersonRole] = DESK) -> None:
    """Raises: Refused unless the person holds one of the roles for the area, or for this house's part of it."""
    decide.demand(person, roles, house.own(area), house.catalogue, what)


def _keep(tx: Any, case: CaseFile, act: str, person: Person, now: datetime, why: str) -> CaseFile:
    cases.save(tx, case, now, person.id)
    cases.act(tx, case.ref, now, act, person.id, why)
    decisions.append(tx, Decision(act=act, person=person.id, at=now, case=case.ref, note=why))
    return case


def draft(house: House, case_ref: str, product: str, actor: Actor, now: datetime) -> AlertReport:
    """A first version of a text from the case's facts as they are known now."""
    with house.db.read() as con:
        case = case_of(con, case_ref)
        held = exercise_home.records_of(house, con, case_ref, now)
    with held.db.read() as con:
        known = lines.as_known(con, casework.ages(house), until=now)
    found = facts.gather(known, casebook.records_of(case), house.catalogue)
    with house.db.write("draft") as tx:
        person = proved(tx, actor)
        may(house, person, case.lead_area, "draft for this case")
        case = _watched(tx, case_of(tx, case_ref), person, now)
        alert = drafting.write(
            case,
            house.catalogue,
            Product(product),
            person.id,
            now,
            found,
            alert_id=alerts.next_id(tx, case_ref),
            issuer_name=house.settings.issuer_name,
            origin=held.settings.origin,
            public_url=house.settings.public_url,
            sender=house.settings.smtp_from,
        ).model_copy(update={"area": house.own(case.lead_area)})
        alert = handling.on_text(tx, house, alert, afresh=True)
        alerts.save(tx, alert, at=now, by=person.id)
        texts.on_record(tx, "drafted", alert, person, now)
        return texts.report(tx, house, alert)


def _watched(tx: Any, case: CaseFile, person: Person, now: datetime) -> CaseFile:
    """The case a text is written for; a closed one opens again. Raises: UsageFault where it was merged."""
    held = casebook.with_text(case, now)
    if held is not case:
        _keep(tx, held, "reopened", person, now, "a text is drafted for it")
    return held


def edit(house: House, alert_id: str, changes: Mapping[str, Any], actor: Actor, now: datetime) -> AlertReport:
    """The next version with some parts changed; approvals of earlier versions do not count for it."""
    with house.db.write("edit") as tx:
        alert = texts.found(tx, alert_id)
        person = proved(tx, actor)
        may(house, person, alert.area, "edit this text")
        versions, had = texts.step(tx, lifecycle.Step.EDIT, alert_id)
        edited = drafting.edit(alert, changes, person.id, now, house.catalogue)
        edited = handling.on_text(tx, house, drafting.answerable(edited, house.settings.public_url))
        texts.overtake(tx, versions, had, now, person.id)
        alerts.save(tx, edited, at=now, by=person.id)
        texts.on_record(tx, "drafted", edited, person, now, ", ".join(sorted(changes)))
        return texts.report(tx, house, edited)


def submit(house: House, alert_id: str, actor: Actor, now: datetime) -> AlertReport:
    """Fix the bytes of every audience and format and put them, with their hash, before the panel."""
    with house.db.write("submit") as tx:
        alert = texts.found(tx, alert_id)
        person = proved(tx, actor)
        may(house, person, alert.area, "submit this text")
        if alert.status is not AlertStatus.DRAFT:
            raise Refused(
                f"version {alert.version} is {alert.status.value}, not a draft",
                where=alert.id,
                next_step="Edit it to make the next version.",
            )
        texts.replaces_what_people_have(tx, alert)
        alert = counting_once.on_text(tx, house, alert)
        never = [f for f in texts.findings(tx, house, alert) if f.code in lint.NEVER_OVERRIDDEN and f.blocking]
        if never:
            raise Refused(f"{never[0].where}: {never[0].what}", where=alert.id, next_step=never[0].instead)
        payloads = render.payloads(alert, house.catalogue, photo=texts.photo_of(tx, alert))
        status = lifecycle.moved(alert, lifecycle.Act.SUBMIT)
        fixed = alert.model_copy(update={"status": status, "hash": render.bundle_hash(alert, payloads)})
        alerts.save(tx, fixed, payloads, at=now, by=person.id)
        texts.on_record(tx, "submitted", fixed, person, now)
        texts.tell_unset(tx, house, fixed, payloads, now)
        return texts.report(tx, house, fixed, payloads)


def approve(
    house: House, alert_id: str, seen_hash: str, actor: Actor, now: datetime, out_of_hours: bool = False, note: str = ""
) -> AlertReport:
    """One approval of the exact text. The last one needed writes the deliveries in this same transaction."""
    with house.db.write("approve") as tx:
        alert = texts.found(tx, alert_id)
        person = proved(tx, actor)
        verdict = decide.approve(
            alert,
            person,
            decisions.of_alert(tx, alert_id),
            seen_hash,
            now,
            house.catalogue,
            out_of_hours=out_of_hours,
            note=note,
        )
        payloads = alerts.payloads(tx, alert.id, alert.version)
        officer = officers.demand(tx, house, alert, payloads, person)
        _overridden(tx, house, alert, person, note, now)
        if render.bundle_hash(alert, payloads) != alert.hash:
            raise Refused(
                "the stored bytes no longer have the hash that was submitted",
                where=alert.id,
                next_step="Do not send; restore from a backup and tell the administrator.",
            )
        texts.replaces_what_people_have(tx, alert)
        decisions.append(tx, verdict.decision)
        cases.act(tx, alert.case, now, verdict.decision.act, person.id, f"{alert.id} v{alert.version}: {verdict.why}")
        act = lifecycle.Act.APPROVE if verdict.audiences else lifecycle.Act.AGREE
        alert = alerts.set_status(tx, alert.id, alert.version, lifecycle.moved(alert, act), now, person.id)
        if verdict.audiences:
            _write_deliveries(tx, house, alert, payloads, verdict, now)
        report = texts.report(tx, house, alert, payloads)
        return officers.bare(report) if officer else report


def _overridden(tx: Any, house: House, alert: Alert, person: Person, note: str, now: datetime) -> None:
    """Errors stop an approval unless a named person let each of them pass, here by the note: save those that never can.

    Raises: Refused.
    """
    passed = {row["finding"] for row in releases.passed(tx, alert.id, alert.hash)}
    left = lint.blocking(texts.findings(tx, house, alert), passed)
    if not left:
        return
    if not note.strip() or any(not f.overridable for f in left):
        first = next((f for f in left if not f.overridable), left[0])
        raise Refused(
            f"{len(left)} findings stand against this text; the first: {first.where}: {first.what}",
            where=alert.id,
            next_step=f"{first.instead} Or say why it may go out so: ewarn override {alert.id}, or approve with --note."
            if first.overridable
            else first.instead,
        )
    texts.let_pass(tx, alert, left, note, person, now)


def _write_deliveries(
    tx: Any, house: House, alert: Alert, payloads: Sequence[Payload], verdict: decide.Verdict, now: datetime
) -> None:
    person = verdict.decision.person
    found = texts.routed(tx, house, alert, payloads, verdict.audiences, now)
    texts.supersede(tx, alert, range(1, alert.version), f"version {alert.version} took its place", now, person)
    outbox.put(tx, found.deliveries, now)
    answers.withhold(tx, alert.id, alert.version, [(w.destination, w.reason) for w in found.withheld])
    case = cases.going_on(tx, alert.case) or case_of(tx, alert.case)
    if verdict.second_review_by:
        casework.tell_panel(tx, house, case, alert, person, verdict.second_review_by, now)
    elif alert.product is Product.FORMAL_ALERT and case.status == "open":
        cases.save(tx, casebook.after_issue(case, alert, house.catalogue.grading), now, person)


def list_alerts(house: House, now: datetime | None = None) -> list[AlertReport]:
    """The newest version of every alert, newest first; with `now` also whether its days have come."""
    with house.db.read() as con:
        return [texts.report(con, house, alert, now=now) for alert in alerts.all(con)]


def show_alert(house: House, alert_id: str, version: int | None = None, now: datetime | None = None) -> AlertReport:
    """The exact text with its hash: what an approver reads before approving. Raises: UsageFault."""
    with house.db.read() as con:
        alert = texts.found(con, alert_id, version)
        return texts.report(con, house, alert, alerts.payloads(con, alert.id, alert.version), now)


def case_of(con: Any, ref: str) -> CaseFile:
    found = cases.load(con, ref)
    if found is None:
        raise UsageFault(f"there is no case '{ref}'", next_step="See 'ewarn cases list'.")
    return found
