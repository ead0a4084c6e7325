"""Today: what is new and why, by urgency; and the situation report."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response

from ewarn.desk.access import READERS
from ewarn.desk.visit import Visit
from ewarn.pipeline import review

router = APIRouter()


@router.get("/")
def today(desk: Visit) -> Response:
    """Today for those who work here; for partners and reporters a page of what they may do."""
    if desk.visitor is None or not desk.visitor.roles & READERS:
        return desk.page("welcome.html")
    found = review.overview(desk.house, desk.now)
    return desk.page("today.html", found=found, today=found.today, status=found.today.status)


@router.get("/situation.md")
def situation(desk: Visit) -> PlainTextResponse:
    """The situation report as plain text, to be printed or handed over."""
    return PlainTextResponse(review.situation(desk.house, desk.now))
