"""Signing in through somebody else: an OpenID provider that the settings name."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from ewarn.desk.pages.signing import SESSION_SECONDS
from ewarn.desk.visit import SESSION, VISIT, Desk, Visit, inside, scheme
from ewarn.errors import Refused
from ewarn.pipeline import onetime, openid, signin

router = APIRouter(prefix="/sign-in/openid")
ATTEMPT = "ewarn-openid"
ATTEMPT_SECONDS = 600


@router.get("")
def go(desk: Visit) -> Response:
    try:
        address, attempt = openid.begin(desk.house, _back(desk), inside(desk.asked("after", "/")))
    except Refused as error:
        return desk.go("/sign-in", f"{error.what[:1].upper()}{error.what[1:]}. {error.next_step}")
    answer = RedirectResponse(address, 303)
    desk.keep(answer, ATTEMPT, onetime.seal(desk.house, "openid", attempt.model_dump()), ATTEMPT_SECONDS)
    return answer


@router.get("/back")
def back(desk: Visit) -> Response:
    """The browser comes back: a session for reading, where somebody registered is named."""
    held = onetime.unseal(desk.house, "openid", desk.request.cookies.get(ATTEMPT, ""), ATTEMPT_SECONDS)
    try:
        if not isinstance(held, dict):
            raise Refused("that took too long", next_step="Begin again.")
        attempt = openid.Attempt(**held)
        code, state = desk.request.query_params.get("code", ""), desk.request.query_params.get("state", "")
        person = openid.end(desk.house, _back(desk), attempt, code, state, desk.now)
        begun = signin.through(desk.house, person, "openid", desk.now)
    except Refused as error:
        return desk.go("/sign-in", f"{error.what[:1].upper()}{error.what[1:]}. {error.next_step}")
    answer = desk.go(attempt.after)
    answer.delete_cookie(ATTEMPT)
    answer.delete_cookie(VISIT)
    desk.keep(answer, SESSION, begun.token, SESSION_SECONDS)
    return answer


def _back(desk: Desk) -> str:
    """Where the provider sends the browser back to: the name it asked for, which the desk answers to."""
    return f"{scheme(desk.request)}://{desk.request.headers['host']}/sign-in/openid/back"
