"""Partners' reports: the list with its clock, and one report: read, redacted, joined, marked as a hoax, answered."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from ewarn.desk.visit import Desk, Visit
from ewarn.errors import UsageFault
from ewarn.pipeline import reporting
from ewarn.pipeline import reportpage as room

router = APIRouter(prefix="/reports")
Act = Callable[[Desk, str], str]


@router.get("")
def every(desk: Visit) -> Response:
    return desk.page("reports.html", found=room.listed(desk.house, desk.now))


@router.get("/{report}")
def show(desk: Visit, report: str) -> Response:
    return _page(desk, report)


@router.post("/{report}/words")
def words(desk: Visit, report: str) -> Response:
    """What was typed, beside the box for what others may read. That somebody looked is on record."""
    return _page(desk, report, typed=room.typed(desk.house, report, "words", desk.actor, desk.now))


@router.post("/{report}/contact")
def contact(desk: Visit, report: str) -> Response:
    """How to reach the reporter, and the photograph, each where there is one. That somebody looked is on record."""
    held = reporting.found(desk.house, report)
    photo = reporting.words_of(desk.house, report, "photo", desk.actor, desk.now) if held.has_photo else None
    picture = f"data:image/jpeg;base64,{base64.b64encode(photo).decode()}" if photo else ""
    reached = room.typed(desk.house, report, "contact", desk.actor, desk.now)
    return _page(desk, report, reached=reached, picture=picture)


@router.post("/{report}/redact")
def redact(desk: Visit, report: str) -> Response:
    """The words for others; where they still hold what may say who somebody is, a person looks twice."""
    try:
        text = desk.text("text", 5000)
        left = room.left_in(desk.house, report, text)
        if left and desk.text("checked") != "yes":
            said = f"Take out, or say that it may stay: {'; '.join(left)}"
            return _again(desk, report, "redact-text", said, "text", left=left)
        reporting.redact(desk.house, report, text, desk.actor, desk.now)
    except UsageFault as error:
        return _again(desk, report, "redact-text", _said(error), "text")
    return desk.go(f"/reports/{report}", "Others may read these words now.")


def _act(name: str, field: str) -> Callable[[Act], Act]:
    """A form of the page: what it does, its field, and the sentence shown when it is done."""

    def register(act: Act) -> Act:
        def answer(desk: Visit, report: str) -> Response:
            try:
                done = act(desk, report)
            except UsageFault as error:
                return _again(desk, report, f"{name}-{field}", _said(error), field)
            return desk.go(f"/reports/{report}", done)

        router.post(f"/{{report}}/{name}", name=f"report {name}")(answer)
        return act

    return register


@_act("hoax", "why")
def hoax(desk: Desk, report: str) -> str:
    reporting.hoax(desk.house, report, desk.text("why", 1000), desk.actor, desk.now)
    return "Marked as a hoax. It stays on record."


@_act("join", "why")
def join(desk: Desk, report: str) -> str:
    chosen = desk.text("case", 40)
    if not chosen:
        raise UsageFault("no case is chosen", next_step="Choose one, or a new one.")
    told = reporting.join(desk.house, report, chosen, desk.text("why", 1000), desk.actor, desk.now)
    return f"The report belongs to {told.case}."


@_act("answer", "told")
def answer(desk: Desk, report: str) -> str:
    reporting.answered(desk.house, report, desk.text("told", 2000), desk.actor, desk.now)
    return "What the reporter was told is on record."


def _said(error: UsageFault) -> str:
    return f"{error.what[:1].upper()}{error.what[1:]}. {error.next_step}"


def _again(desk: Desk, report: str, field: str, said: str, own: str, **more: Any) -> Response:
    """The page once more with what was typed; the reporter's words too, where they stood beside it."""
    act = field.split("-")[0]
    values = {f"{act}-{name}": value for name, value in desk.form.multi_items() if isinstance(value, str)}
    if desk.text("beside") == "yes":
        more["typed"] = room.typed(desk.house, report, "words", desk.actor, desk.now)
    return _page(desk, report, 400, values=values, errors={field: said}, tried=act, **more)


def _page(desk: Desk, report: str, code: int = 200, **more: Any) -> Response:
    shown: dict[str, Any] = {"typed": None, "reached": None, "picture": "", "tried": "", "left": ()}
    return desk.page("report.html", code, found=room.of(desk.house, report, desk.now), **(shown | more))
