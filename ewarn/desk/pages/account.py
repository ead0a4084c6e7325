"""One's own account: roles and areas, sessions, and taking a role for some hours with a reason."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from ewarn.desk.visit import SESSION, Desk, Visit
from ewarn.errors import UsageFault
from ewarn.pipeline import accounts, api_tokens, signin

router = APIRouter()


@router.get("/account")
def account(desk: Visit) -> Response:
    return _page(desk)


@router.post("/account/sign-out-everywhere")
def sign_out_everywhere(desk: Visit) -> Response:
    signin.revoke(desk.house, desk.actor.person, desk.now, desk.actor)
    answer = desk.go("/sign-in", "You are signed out everywhere.")
    answer.delete_cookie(SESSION)
    return answer


@router.post("/account/break-glass")
def break_glass(desk: Visit) -> Response:
    """A role for some hours; who looks after this house is told."""
    role, hours, reason = desk.text("role", 20), desk.text("hours", 3), desk.text("reason", 500)
    try:
        ends = signin.break_glass(desk.house, role, int(hours) if hours.isdigit() else 0, reason, desk.actor, desk.now)
    except UsageFault as error:
        field = "reason" if "reason" in error.what else "role"
        return _page(desk, 400, errors={field: f"{error.what}. {error.next_step}"}, values=dict(desk.form))
    return desk.go("/account", f"You hold the {role} role until {ends:%H:%M} UTC. The operator is told why.")


@router.post("/account/tokens")
def make_token(desk: Visit) -> Response:
    """A personal token for a system that reads; shown this once."""
    days = desk.text("token_days", 4)
    try:
        made = api_tokens.make(
            desk.house, desk.text("token_name", 200), int(days) if days.isdigit() else 0, desk.actor, desk.now
        )
    except UsageFault as error:
        said = {error.where or "token_name": f"{error.what[:1].upper()}{error.what[1:]}. {error.next_step}"}
        return _page(desk, 400, errors=said, values=dict(desk.form))
    return _page(desk, made=made)


@router.post("/account/tokens/end")
def end_token(desk: Visit) -> Response:
    api_tokens.end(desk.house, desk.text("token", 40), desk.actor, desk.now)
    return desk.go("/account", "The token is ended: nothing reads with it any more.")


def _page(desk: Desk, code: int = 200, **words: object) -> Response:
    person = desk.actor.person
    shown: dict[str, object] = {"made": None, "tokens": api_tokens.listed(desk.house, person, desk.now)} | words
    found = accounts.own(desk.house, person, desk.now)
    return desk.page("account.html", code, found=found, taken=signin.BREAK_GLASS, **shown)
