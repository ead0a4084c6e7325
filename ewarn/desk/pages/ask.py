"""Ask: is there anything new in Camden this week? And: what would the rules say of these rows, without storing them?"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from ewarn.desk.visit import Desk, Visit
from ewarn.errors import UnusableInput, UsageFault
from ewarn.pipeline import askpage as room
from ewarn.pipeline import today, whatif

router = APIRouter(prefix="/ask")
FIELDS = ("area", "subject", "first", "last", "as_of")


@router.get("")
def ask(desk: Visit) -> Response:
    """The question stands in the address, so that an answer can be sent."""
    values = {name: desk.asked(name) for name in FIELDS}
    if not any(values.values()) and "area" not in desk.request.query_params:
        return _page(desk)
    try:
        asked = room.question(desk.house, values, desk.now)
    except UsageFault as error:
        return _page(desk, 400, values=values, errors=_wrong(error, "area"))
    return _page(desk, values=values, answer=room.answer(desk.house, asked, desk.now))


@router.post("/rows")
async def rows(desk: Visit) -> Response:
    """Rows that were pasted or uploaded: what would stand if they had come. Nothing is stored."""
    from starlette.concurrency import run_in_threadpool

    file = desk.file("file")
    body = await file.read() if file else desk.text("rows", 500_000).encode()
    return await run_in_threadpool(_tried, desk, body)


def _tried(desk: Desk, body: bytes) -> Response:
    source = desk.text("source", 80)
    values = {"rows": desk.text("rows", 500_000), "source": source}
    try:
        found = whatif.answer(desk.house, body, source, desk.now)
    except (UsageFault, UnusableInput) as error:
        return _page(desk, 400, values=values, errors=_wrong(error, "rows"))
    return _page(desk, values=values, tried=found)


@router.post("/save")
def save(desk: Visit) -> Response:
    """The answer as a note on a case."""
    values = {name: desk.text(name, 200) for name in FIELDS}
    asked = room.question(desk.house, values, desk.now)
    case = room.save(desk.house, desk.text("case", 40), asked, desk.text("remark", 1000), desk.actor, desk.now)
    return desk.go("/ask", f"The answer stands on {case.ref}.")


def _wrong(error: UsageFault | UnusableInput, default: str) -> dict[str, str]:
    field = error.where if error.where in (*FIELDS, "rows", "source") else default
    return {field: f"{error.what[:1].upper()}{error.what[1:]}. {error.next_step}"}


def _page(desk: Desk, code: int = 200, **words: Any) -> Response:
    catalogue = desk.house.catalogue
    drops = [(drop.id, drop.title) for drop in sorted(catalogue.drops.values(), key=lambda d: d.title)]
    shown: dict[str, Any] = {"answer": None, "tried": None, "values": {}} | words
    shown |= {"drops": [("", "tell by the columns"), *drops], "cases": today.open_of(desk.house)}
    return desk.page("ask.html", code, names=sorted(today.area_names(desk.house).values()), **shown)
