"""The reading views as JSON for partners' systems, under /api/v1/: with a personal token, or a session of the desk.

Nothing here changes anything. The access table says who may ask, as it does for the pages.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date, timedelta
from functools import cache
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, Response, StreamingResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel

from ewarn import __version__
from ewarn.desk.visit import Desk, Visit
from ewarn.pipeline import apiview as room
from ewarn.pipeline import asking, today
from ewarn.terms import Frozen, london_day

DESCRIPTION = """What the desk shows, for reading alone. Send `Authorization: Bearer TOKEN` with a token made on your
account page; its holder's roles are those of the moment. Every answer carries its marking and the conditions of the
originators: pass it on under them or not at all. Signals are unverified indications, not alerts."""


class Fault(Frozen):
    """What went wrong, and what to do next."""

    what: str
    next_step: str


FAULTS: dict[int | str, dict[str, Any]] = {
    400: {"model": Fault, "description": "The question is not understood"},
    401: {"model": Fault, "description": "No token that holds was given"},
    403: {"model": Fault, "description": "Not for this role"},
    429: {"model": Fault, "description": "Asked too often; Retry-After says how many seconds to wait"},
    503: {"model": Fault, "description": "The store is busy or cannot be read: ask again"},
}
ONE: dict[int | str, dict[str, Any]] = {404: {"model": Fault, "description": "There is none that you may read"}}
PART = 256 * 1024
router = APIRouter(prefix="/api/v1", responses=FAULTS)
Short = Annotated[str, Query(max_length=80)]


@router.get("/openapi.json", include_in_schema=False)
def described(desk: Visit) -> JSONResponse:
    return JSONResponse(description())


@router.get("/signals", response_model=room.SignalsAnswer, summary="Signals that stand now")
def signals(
    desk: Visit, area: Short = "", subject: Short = "", stream: Short = "",
    days: Annotated[int, Query(ge=0, le=3650, description="newly known within so many days; 0 is all")] = 0,
) -> Response:  # fmt: skip
    filters = today.Filters(
        area=asking.area_code(desk.house, area or None) or "",
        subject=asking.subject_id(desk.house, subject or None) or "",
        stream=stream,
        days=days,
    )
    return _told(room.signals(desk.house, _person(desk), filters, desk.now))


@router.get("/signals/{signal}", response_model=room.SignalAnswer, summary="One signal", responses=ONE)
def signal(desk: Visit, signal: str) -> Response:
    return _told(room.signal(desk.house, signal, desk.now))


@router.get("/cases", response_model=room.CasesAnswer, summary="Cases, open and closed last")
def cases(desk: Visit) -> Response:
    parts = room.cases(desk.house, desk.now)
    said = {"Content-Length": str(sum(map(len, parts)))}
    return StreamingResponse(_in_parts(parts), media_type="application/json", headers=said)


@router.get("/cases/{ref}", response_model=room.CaseAnswer, summary="One case with its thread", responses=ONE)
def case(desk: Visit, ref: str) -> Response:
    return _told(room.case(desk.house, ref, desk.now))


@router.get("/alerts", response_model=room.AlertsAnswer, summary="Alerts in force")
def alerts(desk: Visit) -> Response:
    return _told(room.alerts(desk.house, _person(desk), desk.now))


@router.get("/alerts/{ref}/{number}", response_model=room.AlertAnswer, summary="One alert", responses=ONE)
def alert(desk: Visit, ref: str, number: str) -> Response:
    return _told(room.alert(desk.house, f"{ref}/{number}", _person(desk), desk.now))


@router.get("/sources", response_model=room.SourcesAnswer, summary="How fresh the sources are")
def sources(desk: Visit) -> Response:
    return _told(room.sources(desk.house, desk.now))


@router.get("/counts", response_model=room.CountsAnswer, summary="How many, where and when, as known now")
def counts(
    desk: Visit, area: Short = "", substance: Short = "",
    first: Annotated[date | None, Query(description="28 days ago unless given")] = None,
    last: Annotated[date | None, Query(description="today in London unless given")] = None,
    kind: Literal["sample", "incident"] = "sample", by: Literal["day", "week"] = "week",
) -> Response:  # fmt: skip
    until = last or london_day(desk.now)
    since = first or until - min(timedelta(days=28), until - date.min)
    return _told(room.counts(desk.house, desk.now, since, until, area, substance, kind, by))


@router.get("/reports", response_model=room.ReportsAnswer, summary="Partners' reports, without what was typed")
def reports(desk: Visit) -> Response:
    return _told(room.reports(desk.house, desk.now))


def _person(desk: Desk) -> Any:
    """Who reads; the access table lets nobody come here unknown."""
    assert desk.visitor is not None
    return desk.visitor.person


async def _in_parts(parts: Sequence[bytes]) -> AsyncIterator[bytes]:
    """A large answer as it can be sent: handed over whole, what is left of it would be moved after every packet."""
    for body in parts:
        for start in range(0, len(body), PART):
            yield body[start : start + PART]


def _told(answer: BaseModel) -> Response:
    return Response(answer.model_dump_json(), media_type="application/json")


@cache
def description() -> dict[str, Any]:
    """The OpenAPI description of these routes alone."""
    shown = [route for route in router.routes if isinstance(route, APIRoute) and route.include_in_schema]
    made = get_openapi(title="ewarn", version=__version__, description=DESCRIPTION, routes=shown)
    made.setdefault("components", {})["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    made["security"] = [{"token": []}]
    for path in made["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
    for gone in ("HTTPValidationError", "ValidationError"):
        made["components"].get("schemas", {}).pop(gone, None)
    return made
