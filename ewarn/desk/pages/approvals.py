"""What waits for approval, each text whole and nothing else: the page of panel members who enforce the law."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from ewarn.desk.visit import Desk, Visit
from ewarn.errors import UsageFault
from ewarn.pipeline import assess, officers

router = APIRouter(prefix="/approvals")


@router.get("")
def waiting(desk: Visit) -> Response:
    return _page(desk)


@router.post("/approve")
def approve(desk: Visit) -> Response:
    """One approval of the bytes whose hash the form carries."""
    alert = desk.text("alert", 80)
    try:
        done = assess.approve(
            desk.house, alert, desk.text("hash", 80), desk.actor, desk.now, note=desk.text("why", 1000)
        )
    except UsageFault as error:
        return _page(desk, 400, errors={"main": f"{error.what[:1].upper()}{error.what[1:]}. {error.next_step}"})
    left = max(done.approvals_needed - len(done.approvals), 0)
    return desk.go("/approvals", f"{alert}: on record. {left or 'None'} more needed.")


def _page(desk: Desk, code: int = 200, **words: object) -> Response:
    assert desk.visitor is not None
    return desk.page("approvals.html", code, found=officers.waiting(desk.house, desk.visitor.person), **words)
