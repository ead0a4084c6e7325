"""Cases: the list, and one with its thread and everything people do with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from fastapi import APIRouter
from fastapi.responses import Response

from ewarn.desk.visit import Desk, Visit
from ewarn.errors import UsageFault
from ewarn.pipeline import assess, caseload, reporting
from ewarn.pipeline import casepage as room
from ewarn.terms import LONDON

router = APIRouter(prefix="/cases")
Act = Callable[[Desk, str], str]


@router.get("")
def every(desk: Visit) -> Response:
    return desk.page("cases.html", found=room.listed(desk.house, desk.now))


@router.get("/{ref}")
def show(desk: Visit, ref: str) -> Response:
    return desk.page("case.html", found=room.of(desk.house, ref, desk.now))


def _act(name: str) -> Callable[[Act], Act]:
    """A form of the case page: what it does, and the sentence shown when it is done."""

    def register(act: Act) -> Act:
        def answer(desk: Visit, ref: str) -> Response:
            try:
                done = act(desk, ref)
            except UsageFault as error:
                return _again(desk, ref, name, error)
            return desk.go(done if done.startswith("/") else f"/cases/{ref}", "" if done.startswith("/") else done)

        router.post(f"/{{ref}}/{name}", name=name)(answer)
        return act

    return register


def _again(desk: Desk, ref: str, act: str, error: UsageFault) -> Response:
    """The page once more with what was typed, and what is wrong with it."""
    typed = {f"{act}-{name}": value for name, value in desk.form.multi_items() if isinstance(value, str)}
    words = {f"{act}-why": f"{error.what[:1].upper()}{error.what[1:]}. {error.next_step}"}
    found = room.of(desk.house, ref, desk.now)
    return desk.page("case.html", 400, found=found, values=typed, errors=words, tried=act)


@_act("grade")
def grade(desk: Desk, ref: str) -> str:
    questions = desk.house.catalogue.grading.questions
    said = {question.id: desk.text(f"answer-{question.id}", 2000) for question in questions}
    graded = assess.grade_case(desk.house, ref, desk.text("grade", 40), said, desk.actor, desk.now)
    return f"Graded: {graded.grade}."


@_act("verify")
def verify(desk: Desk, ref: str) -> str:
    said = {part: desk.text(part, 20) for part in ("event", "substance", "link")}
    chosen = {part: level for part, level in said.items() if level}
    if not chosen:
        raise UsageFault("nothing was chosen", next_step="Choose a level for the event, the drug or the link.")
    assess.verify_case(desk.house, ref, actor=desk.actor, now=desk.now, **chosen)
    return "How sure we are is on record."


@_act("assign")
def assign(desk: Desk, ref: str) -> str:
    kept = assess.assign_case(
        desk.house, ref, actor=desk.actor, now=desk.now, owner=desk.text("owner", 80) or None,
        next_action=desk.text("next", 300) or None, due_at=_instant(desk.text("due", 40)),
    )  # fmt: skip
    return f"{kept.owner} has it next."


def _instant(typed: str) -> datetime | None:
    """A time in London as a form gives it. Raises: UsageFault."""
    if not typed:
        return None
    try:
        return datetime.fromisoformat(typed).replace(tzinfo=LONDON).astimezone(UTC)
    except ValueError:
        raise UsageFault("that is no day and time", next_step="Write it as 2025-03-04 14:30.") from None


@_act("link")
def link(desk: Desk, ref: str) -> str:
    assess.link_signal(desk.house, ref, desk.text("signal", 80), desk.text("why", 1000), desk.actor, desk.now)
    return "The signal belongs to this case now."


@_act("outcome")
def outcome(desk: Desk, ref: str) -> str:
    decided = desk.text("outcome", 40)
    if not decided:
        raise UsageFault("no outcome was chosen", next_step="Choose what the panel decided.")
    caseload.outcome(desk.house, ref, decided, desk.text("why", 1000), desk.actor, desk.now)
    return f"Outcome on record: {decided}."


@_act("note")
def note(desk: Desk, ref: str) -> str:
    caseload.remark(desk.house, ref, desk.text("why", 2000), desk.actor, desk.now)
    return "Noted."


@_act("merge")
def merge(desk: Desk, ref: str) -> str:
    caseload.merge(desk.house, ref, desk.text("case", 40), desk.text("why", 1000), desk.actor, desk.now)
    return "The two cases go on as this one."


@_act("split")
def split(desk: Desk, ref: str) -> str:
    signals = [str(value) for value in desk.form.getlist("signal")]
    fresh = caseload.split(desk.house, ref, signals, desk.text("why", 1000), desk.actor, desk.now)
    return f"/cases/{fresh.ref}"


@_act("move")
def move(desk: Desk, ref: str) -> str:
    to = desk.text("case", 40)
    caseload.move(desk.house, ref, desk.text("signal", 80), to, desk.text("why", 1000), desk.actor, desk.now)
    return f"The signal belongs to {to} now."


@_act("lead")
def lead(desk: Desk, ref: str) -> str:
    caseload.lead(desk.house, ref, desk.text("area", 80), desk.text("why", 1000), desk.actor, desk.now)
    return "Another area leads now."


@_act("ask-laboratory")
def ask_laboratory(desk: Desk, ref: str) -> str:
    asked = caseload.ask_laboratory(
        desk.house, ref, desk.text("sample", 300), desk.text("laboratory", 120), desk.text("urgency", 20), desk.actor,
        desk.now,
    )  # fmt: skip
    return f"{asked.id} is on record."


@_act("laboratory-answered")
def laboratory_answered(desk: Desk, ref: str) -> str:
    told = caseload.laboratory_answered(
        desk.house, desk.text("test", 40), desk.text("why", 1000), desk.actor, desk.now,
        cancelled=desk.text("cancelled") == "yes",
    )  # fmt: skip
    return f"{told.id} is {told.status}."


@_act("join-report")
def join_report(desk: Desk, ref: str) -> str:
    reporting.join(desk.house, desk.text("report", 20), ref, desk.text("why", 1000), desk.actor, desk.now)
    return "The report belongs to this case now."


@_act("draft")
def draft(desk: Desk, ref: str) -> str:
    drafted = assess.draft(desk.house, ref, desk.text("product", 40), desk.actor, desk.now)
    return f"/alerts/{drafted.id}"


@_act("close")
def close(desk: Desk, ref: str) -> str:
    ending = desk.text("as", 20)
    if not ending:
        raise UsageFault("no ending was chosen", next_step="Choose what it turned out to be.")
    assess.close_case(desk.house, ref, ending, desk.text("why", 1000), desk.actor, desk.now)
    return "The case is closed."
