"""Today: what is new and why, by urgency; what a shift leaves behind; and the situation report."""

from __future__ import annotations

from functools import partial
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response

from ewarn.desk.access import READERS
from ewarn.desk.visit import Desk, Visit
from ewarn.pipeline import asking, handover, purposes, review
from ewarn.pipeline import today as room

router = APIRouter()


@router.get("/")
def today(desk: Visit) -> Response:
    """Today for those who work here; for partners and reporters a page of what they may do."""
    if desk.visitor is None or not desk.visitor.roles & READERS:
        return desk.page("welcome.html")
    filters = _filters(desk)
    limited = partial(purposes.may_see, desk.house) if desk.limited else None
    found = room.of(desk.house, desk.visitor.person.id, filters, desk.now, limited)
    if desk.limited:
        found = purposes.of_today(desk.house, found)

    def link(**change: object) -> str:
        """The address of this view with one filter changed, so that a view can be sent."""
        held = {name: value for name, value in (filters.model_dump() | change).items() if value}
        return "/" + (f"?{urlencode(held)}" if held else "")

    return desk.page("today.html", found=found, link=link, windows=room.WINDOWS, name_of=desk.house.catalogue.name_of)


def _filters(desk: Desk) -> room.Filters:
    """What the address asks for; areas and drugs by code, id or name. Raises: UsageFault."""
    days = desk.asked("days")
    return room.Filters(
        area=asking.area_code(desk.house, desk.asked("area") or None) or "",
        subject=asking.subject_id(desk.house, desk.asked("subject") or None) or "",
        stream=desk.asked("stream"),
        days=int(days) if days.isdigit() and len(days) < 5 else 0,
    )


@router.post("/looked")
def looked(desk: Visit) -> Response:
    """The reader has looked at everything up to now."""
    room.looked(desk.house, desk.actor.person, desk.now)
    return desk.go("/", "Noted. Today shows from here on what changed after now.")


@router.get("/handover")
def hand_over(desk: Visit) -> Response:
    return desk.page("handover.html", found=handover.of(desk.house, desk.now))


@router.get("/situation.md")
def situation(desk: Visit) -> PlainTextResponse:
    """The situation report as plain text, to be printed or handed over."""
    return PlainTextResponse(review.situation(desk.house, desk.now))
