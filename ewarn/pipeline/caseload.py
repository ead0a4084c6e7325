"""ASSESS, in order: cases merged, split and handed on, their outcome, and what laboratories are asked for them.

In: a house, an actor, `now`. Out: the case as it stands afterwards, or the request. Both cases of an act get it on
record with the reason; whoever acts needs a role for the areas of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from ewarn.assess import caseload
from ewarn.assess import cases as casebook
from ewarn.errors import UsageFault
from ewarn.pipeline import assess, casework
from ewarn.pipeline.asking import area_code
from ewarn.pipeline.house import House
from ewarn.pipeline.identity import proved
from ewarn.pipeline.reports import Actor
from ewarn.store import alerts, cases, decisions, lines, test_requests
from ewarn.terms import CaseFile, Decision, Outcome, Person, TestRequest, london_day

DUE_HOURS = {"critical": 24, "urgent": 72, "routine": 24 * 14}


def merge(house: House, kept: str, gone: str, why: str, actor: Actor, now: datetime) -> CaseFile:
    """Two cases that are one event go on under the first reference. Raises: UsageFault, Refused."""
    with house.db.write("merge") as tx:
        one, other = assess.case_of(tx, kept), assess.case_of(tx, gone)
        person = _by(tx, house, actor, (one, other), "merge these cases")
        merged, ended = caseload.merge(one, other, why, now)
        _done(tx, ended, person, now, "merged", f"into {kept}: {why.strip()}")
        return _done(tx, _verified(tx, house, merged, now), person, now, "merged", f"{gone} joins: {why.strip()}")


def split(house: House, ref: str, signals: Sequence[str], why: str, actor: Actor, now: datetime) -> CaseFile:
    """Some signals become a case of their own; returns the new one. Raises: UsageFault, Refused."""
    with house.db.write("split") as tx:
        case = assess.case_of(tx, ref)
        person = _by(tx, house, actor, (case,), "split this case")
        fresh_ref = cases.next_ref(tx, house.settings.issuer, london_day(now).year)
        left, fresh = caseload.split(case, signals, fresh_ref, why, now, house.catalogue)
        _done(tx, _verified(tx, house, left, now), person, now, "split", f"into {fresh_ref}: {why.strip()}")
        return _done(tx, _verified(tx, house, fresh, now), person, now, "opened", f"split from {ref}: {why.strip()}")


def move(house: House, ref: str, signal: str, to: str, why: str, actor: Actor, now: datetime) -> CaseFile:
    """A signal goes to another open case; returns that one. Raises: UsageFault, Refused."""
    with house.db.write("move") as tx:
        here, there = assess.case_of(tx, ref), assess.case_of(tx, to)
        person = _by(tx, house, actor, (here, there), "move this signal")
        left, arrived = caseload.move(here, there, signal, why, now)
        _done(tx, _verified(tx, house, left, now), person, now, "moved", f"signal {signal} to {to}: {why.strip()}")
        words = f"signal {signal} from {ref}: {why.strip()}"
        return _done(tx, _verified(tx, house, arrived, now), person, now, "moved", words)


def lead(house: House, ref: str, area: str, why: str, actor: Actor, now: datetime) -> CaseFile:
    """Another area leads a case: its code or name. Raises: UsageFault, Refused."""
    code = area_code(house, area) or area
    with house.db.write("lead area") as tx:
        case = assess.case_of(tx, ref)
        person = _by(tx, house, actor, (case,), "change the lead area")
        before, after = (house.catalogue.area_ref(one).name for one in (case.lead_area, code))
        led = caseload.lead(case, code, why, house.catalogue)
        return _done(tx, led, person, now, "lead area", f"from {before} to {after}: {why.strip()}")


def outcome(house: House, ref: str, decided: str, why: str, actor: Actor, now: datetime) -> CaseFile:
    """What the panel decides to do about a case. Raises: UsageFault, Refused."""
    with house.db.write("outcome") as tx:
        case = assess.case_of(tx, ref)
        person = proved(tx, actor)
        assess.may(house, person, case.lead_area, "decide on this case", assess.GRADING)
        told = caseload.decide_on(case, Outcome(decided), why)
        return _done(tx, told, person, now, "outcome", f"{decided}: {why.strip()}")


def remark(house: House, ref: str, text: str, actor: Actor, now: datetime) -> CaseFile:
    """A remark of a named person on a case, open or closed. Raises: UsageFault, Refused."""
    if not text.strip():
        raise UsageFault("the remark is empty", where=ref, next_step="Say something.")
    with house.db.write("remark") as tx:
        case = assess.case_of(tx, ref)
        person = _by(tx, house, actor, (case,), "write on this case")
        cases.note(tx, ref, now, person.id, text.strip())
        return case


def ask_laboratory(
    house: House,
    ref: str,
    sample: str,
    laboratory: str,
    urgency: str,
    actor: Actor,
    now: datetime,
    due_at: datetime | None = None,
) -> TestRequest:
    """Put on record that a laboratory was asked; due as its urgency says unless told. Raises: UsageFault, Refused."""
    if urgency not in DUE_HOURS or not sample.strip() or not laboratory.strip():
        raise UsageFault(
            "a request names a sample, a laboratory and an urgency",
            where=ref,
            next_step=f"Urgency is one of {', '.join(DUE_HOURS)}.",
        )
    with house.db.write("ask laboratory") as tx:
        case = assess.case_of(tx, ref)
        casebook.still_open(case)
        person = _by(tx, house, actor, (case,), "ask a laboratory for this case")
        request = TestRequest(
            id=test_requests.next_id(tx, ref),
            case=ref,
            sample=sample.strip(),
            laboratory=laboratory.strip(),
            urgency=urgency,
            asked_at=now,
            asked_by=person.id,
            due_at=due_at or now + timedelta(hours=DUE_HOURS[urgency]),
        )
        test_requests.save(tx, request, now, person.id)
        cases.act(tx, ref, now, "test asked", person.id, f"{request.id}: {laboratory}, {urgency}: {sample.strip()}")
        return request


def laboratory_answered(
    house: House, request_id: str, result: str, actor: Actor, now: datetime, *, cancelled: bool = False
) -> TestRequest:
    """The answer of a laboratory in words, or that none is wanted any more. An answer asks the owner to look at the
    case again, and at what was issued. Raises: UsageFault, Refused."""
    with house.db.write("laboratory answered") as tx:
        request = test_requests.load(tx, request_id)
        if request is None:
            raise UsageFault(f"there is no request '{request_id}'", next_step="See 'ewarn tests list'.")
        if request.status != "asked":
            raise UsageFault(f"this request is {request.status} already", where=request_id, next_step="Ask again.")
        if not result.strip():
            raise UsageFault("there is no word of the result", where=request_id, next_step="Say what was found.")
        case = cases.going_on(tx, request.case) or assess.case_of(tx, request.case)
        person = _by(tx, house, actor, (case,), "enter this result")
        status = "cancelled" if cancelled else "answered"
        told = request.model_copy(update={"status": status, "result": result.strip(), "answered_at": now})
        test_requests.save(tx, told, now, person.id)
        if cancelled:
            cases.act(tx, case.ref, now, "test cancelled", person.id, f"{request_id}: {result.strip()}")
        else:
            _look_again(tx, house, case, told, person, now)
        return told


def requests(house: House, case: str | None = None) -> list[TestRequest]:
    """What laboratories were asked, open ones first; of one case, or all."""
    with house.db.read() as con:
        return test_requests.all(con, case)


def _look_again(tx: Any, house: House, case: CaseFile, told: TestRequest, person: Person, now: datetime) -> None:
    """The case falls due: its texts may have to say something else now."""
    issued = sorted({a.id for a in alerts.all(tx) if a.case in (case.ref, *case.merged_from)})
    action = f"Read the result {told.id}" + (f" and update {', '.join(issued)}" if issued else "")
    due_at = min(case.due_at, now + timedelta(hours=casebook.LOOK_AGAIN_HOURS)) if case.status == "open" else now
    words = f"{told.id}, {told.laboratory}: {told.result}"
    if case.status == "open":
        waiting = case.model_copy(update={"next_action": action, "due_at": due_at})
    else:
        waiting = casebook.reopened(case, action, due_at)
        cases.act(tx, case.ref, now, "reopened", "ewarn", f"a laboratory answered: {told.id}")
    _done(tx, waiting, person, now, "test answered", words)


def _by(tx: Any, house: House, actor: Actor, about: Sequence[CaseFile], what: str) -> Person:
    person = proved(tx, actor)
    for case in about:
        assess.may(house, person, case.lead_area, what)
    return person


def _verified(tx: Any, house: House, case: CaseFile, now: datetime) -> CaseFile:
    return casework.verified(house, case, lines.as_known(tx, casework.ages(house), until=now))


def _done(tx: Any, case: CaseFile, person: Person, now: datetime, act: str, why: str) -> CaseFile:
    cases.save(tx, case, now, person.id)
    cases.act(tx, case.ref, now, act, person.id, why)
    decisions.append(tx, Decision(act=act, person=person.id, at=now, case=case.ref, note=why))
    return case
