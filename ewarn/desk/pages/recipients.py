"""Recipients: who is on the list and when each was confirmed; added, changed, stopped, and taken in from a file."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from ewarn.desk.visit import Desk, Visit
from ewarn.errors import UnusableInput, UsageFault
from ewarn.pipeline import distribution
from ewarn.pipeline import recipientpage as room

router = APIRouter(prefix="/recipients")
LARGEST_LIST = 400_000


@router.get("")
def every(desk: Visit) -> Response:
    return _list(desk)


@router.get("/{recipient}")
def show(desk: Visit, recipient: str) -> Response:
    found = room.of(desk.house, recipient)
    return _one(desk, found, values=found.values)


@router.post("/add")
def add(desk: Visit) -> Response:
    typed = _typed(desk)
    try:
        made = room.save(desk.house, typed, desk.actor, desk.now, new=True)
    except UsageFault as error:
        return _list(desk, 400, values=typed, errors=_wrong(error))
    return desk.go(f"/recipients/{made.id}", f"{made.name} is on the list.")


@router.post("/import")
async def take(desk: Visit) -> Response:
    """A list as CSV: first what it would change, then the same text taken in."""
    file = desk.file("file")
    body = await file.read() if file else b""
    return await run_in_threadpool(_taken, desk, body)


def _taken(desk: Desk, body: bytes) -> Response:
    """What was tried stands in the box, so that what is taken in is what was looked at."""
    try:
        rows = body.decode("utf-8-sig").replace("\r\n", "\n") if body else desk.text("rows", LARGEST_LIST)
        if len(rows) > LARGEST_LIST:
            raise UsageFault("the list is too long for this page", next_step="Use 'ewarn recipients import'.")
        if not rows.strip():
            raise UsageFault("there is no list", next_step="Choose a CSV file, or paste its rows.")
        dry = desk.text("act") != "take"
        report = distribution.take(desk.house, rows.encode(), desk.now, desk.actor, dry_run=dry)
    except UnicodeDecodeError:
        return _list(desk, 400, errors={"rows": "The list cannot be read. Save it as CSV in UTF-8."})
    except (UsageFault, UnusableInput) as error:
        return _list(desk, 400, values={"rows": desk.text("rows", LARGEST_LIST)}, errors={"rows": _said(error)})
    return _list(desk, tried=report, values={"rows": rows if dry else ""})


@router.post("/{recipient}/change")
def change(desk: Visit, recipient: str) -> Response:
    typed = _typed(desk) | {"id": recipient}
    found = room.of(desk.house, recipient)
    try:
        room.save(desk.house, typed, desk.actor, desk.now, new=False)
    except UsageFault as error:
        return _one(desk, found, 400, values=typed, errors=_wrong(error))
    return desk.go(f"/recipients/{recipient}", "Changed.")


@router.post("/{recipient}/confirm")
def confirm(desk: Visit, recipient: str) -> Response:
    distribution.confirm(desk.house, [recipient], desk.now, desk.actor)
    return desk.go("/recipients", f"{recipient} is confirmed as it stands.")


@router.post("/{recipient}/stop")
def stop(desk: Visit, recipient: str) -> Response:
    distribution.set_active(desk.house, recipient, False, desk.now, desk.actor)
    return desk.go("/recipients", f"{recipient} gets nothing from now on; what was sent stays on record.")


@router.post("/{recipient}/resume")
def resume(desk: Visit, recipient: str) -> Response:
    distribution.set_active(desk.house, recipient, True, desk.now, desk.actor)
    return desk.go("/recipients", f"{recipient} is served again.")


def _typed(desk: Desk) -> dict[str, str]:
    return {column: desk.text(column, 500) for column in room.TYPED}


def _said(error: UsageFault | UnusableInput) -> str:
    return f"{error.what[:1].upper()}{error.what[1:]}. {error.next_step}"


def _wrong(error: UsageFault) -> dict[str, str]:
    """Each fault at the column it names."""
    found: dict[str, str] = {}
    for part in error.what.split("; "):
        column, _, words = part.partition(": ")
        known = column in room.TYPED and bool(words)
        found.setdefault(column if known else "id", f"{words if known else part}. {error.next_step}")
    return found


def _choices(desk: Desk) -> dict[str, Any]:
    channels = [(c.id, c.title) for c in sorted(desk.house.catalogue.channels.values(), key=lambda c: c.title)]
    return {"channels": channels}


def _list(desk: Desk, code: int = 200, **words: Any) -> Response:
    sought = desk.asked("q")
    shown: dict[str, Any] = {"tried": None, "values": {}, "sought": sought} | _choices(desk) | words
    return desk.page("recipients.html", code, found=room.listed(desk.house, desk.now, sought), **shown)


def _one(desk: Desk, found: room.RecipientPage, code: int = 200, **words: Any) -> Response:
    return desk.page("recipient.html", code, found=found, **(_choices(desk) | words))
