"""One signal: why it fired, its rows down to the file, and the few things a person can do with it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from ewarn.desk.visit import Desk, Visit
from ewarn.errors import UsageFault
from ewarn.pipeline import judging, purposes, rawtext
from ewarn.pipeline import signalpage as room

router = APIRouter(prefix="/signals/{signal}")


@router.get("")
def show(desk: Visit, signal: str) -> Response:
    return _page(desk, signal)


@router.post("/rows")
def rows(desk: Visit, signal: str) -> Response:
    """The rows with their text as it came. Who looked, and where, is on the audit chain."""
    found = room.of(desk.house, signal, desk.now)
    told = rawtext.shown(desk.house, found.rows, desk.now, desk.actor)
    return desk.page("signal.html", found=found.model_copy(update={"rows": tuple(told)}), raw=True)


@router.post("/dismiss")
def dismiss(desk: Visit, signal: str) -> Response:
    try:
        done = judging.dismiss(desk.house, signal, desk.text("why", 1000), desk.actor, desk.now)
    except UsageFault as error:
        return _again(desk, signal, error, "dismiss")
    return desk.go("/", f"Dismissed: {_name(done)}. More evidence raises it again.")


@router.post("/hold")
def hold(desk: Visit, signal: str) -> Response:
    days = desk.text("days", 3)
    try:
        whole = int(days) if days.isdigit() else 0
        done = judging.hold(desk.house, signal, desk.text("why", 1000), whole, desk.actor, desk.now)
    except UsageFault as error:
        return _again(desk, signal, error, "hold")
    return desk.go("/", f"Held: {_name(done)}. It comes back by itself, or with more evidence.")


@router.post("/take-up")
def take_up(desk: Visit, signal: str) -> Response:
    try:
        done = judging.take_up(desk.house, signal, desk.text("why", 1000), desk.actor, desk.now)
    except UsageFault as error:
        return _again(desk, signal, error, "take-up")
    return desk.go(f"/signals/{signal}", f"Taken up: {_name(done)}.")


@router.post("/join")
def join(desk: Visit, signal: str) -> Response:
    try:
        case = judging.join(desk.house, signal, desk.text("case", 40), desk.text("why", 1000), desk.actor, desk.now)
    except UsageFault as error:
        return _again(desk, signal, error, "join")
    return desk.go(f"/signals/{signal}", f"Joined to {case.ref}.")


def _page(desk: Desk, signal: str, code: int = 200, **words: Any) -> Response:
    found: room.SignalPage | None = room.of(desk.house, signal, desk.now)
    if desk.limited and found is not None:
        found = purposes.of_signal(desk.house, found)
    if found is None:
        raise UsageFault(f"there is no signal '{signal}'", next_step="Open it from Today, or from its case.")
    return desk.page("signal.html", code, found=found, **({"raw": False} | words))


def _again(desk: Desk, signal: str, error: UsageFault, act: str) -> Response:
    """The page once more with what was typed and what is wrong: fields of each act carry its name."""
    field = f"{act}-{error.where if error.where in ('why', 'days', 'case') else 'why'}"
    values = {f"{act}-{name}": desk.text(name) for name in ("why", "days", "case")}
    return _page(desk, signal, 400, errors={field: f"{error.what[:1].upper()}{error.what[1:]}. {error.next_step}"},
                 values=values)  # fmt: skip


def _name(signal: Any) -> str:
    return f"{signal.subject.name or signal.family.value} in {signal.area.name}"
