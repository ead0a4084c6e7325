"""Signing in and out: id and secret first, then a one-time code; a first device is enrolled on the way.

What was proved in the first half travels in a sealed cookie for ten minutes. Nothing here tells a guesser which part
was wrong.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from ewarn import __version__
from ewarn.desk.visit import HALF, KNOWN, SESSION, VISIT, Desk, Visit, address, inside
from ewarn.errors import Refused
from ewarn.pipeline import onetime, signin
from ewarn.terms import digest

router = APIRouter()
HALF_SECONDS = 600
SESSION_SECONDS = 12 * 3600
KNOWN_SECONDS = 90 * 86400
TELL_AT = 10


@router.get("/health")
def health() -> JSONResponse:
    """Whether this process can answer at all; it looks at nothing and names nothing."""
    return JSONResponse({"status": "ok", "version": __version__})


@router.get("/sign-in")
def sign_in(desk: Visit) -> Response:
    return desk.page("sign_in.html", anybody=signin.anybody(desk.house), after=inside(desk.asked("after", "/")))


@router.post("/sign-in")
def take_secret(desk: Visit) -> Response:
    """The first half. A registered person without a device is asked to enrol one next."""
    person, after = desk.text("person", 80).lower(), inside(desk.text("after", 400) or "/")
    keys = _keys(desk, person)
    try:
        _wait(desk, keys)
        found = signin.with_secret(desk.house, person, desk.text("secret", 400))
    except Refused as error:
        if error.what == signin.WRONG:
            _failed(desk, person, keys)
        shown: dict[str, Any] = {"anybody": True, "after": after, "values": {"person": person}}
        return desk.page("sign_in.html", 403, errors={"person": _sentence(error)}, **shown)
    enrolled = signin.has_codes(desk.house, found.id)
    half = {"person": found.id, "after": after, "secret": "" if enrolled else onetime.enrolment(desk.house, "").secret}
    answer = desk.go("/sign-in/code" if enrolled else "/sign-in/device")
    desk.keep(answer, HALF, onetime.seal(desk.house, "half", half), HALF_SECONDS)
    return answer


@router.get("/sign-in/code")
def ask_code(desk: Visit) -> Response:
    return desk.page("sign_in_code.html") if _half(desk) else desk.go("/sign-in")


@router.post("/sign-in/code")
def take_code(desk: Visit) -> Response:
    """The second half: a session begins, under a new token."""
    half = _half(desk)
    if not half:
        return desk.go("/sign-in", "That took more than ten minutes: begin again.")
    keys = _keys(desk, half["person"])
    try:
        _wait(desk, keys)
        begun = signin.with_code(desk.house, half["person"], desk.text("code", 40), desk.now)
    except Refused as error:
        if error.what == signin.WRONG:
            _failed(desk, half["person"], keys)
        return desk.page("sign_in_code.html", 403, errors={"code": _sentence(error)})
    return _signed_in(desk, half, begun)


@router.get("/sign-in/device")
def show_device(desk: Visit) -> Response:
    half = _half(desk)
    if not half or not half["secret"]:
        return desk.go("/sign-in")
    return desk.page("device.html", enrolment=onetime.enrolment(desk.house, half["person"], half["secret"]))


@router.post("/sign-in/device")
def enrol_device(desk: Visit) -> Response:
    """The first code of a new device; the recovery codes are shown this once."""
    half = _half(desk)
    if not half or not half["secret"]:
        return desk.go("/sign-in", "That took more than ten minutes: begin again.")
    try:
        _wait(desk, _keys(desk, half["person"]))
        begun = signin.enrol(desk.house, half["person"], half["secret"], desk.text("code", 40), desk.now)
    except Refused as error:
        _failed(desk, half["person"], _keys(desk, half["person"]))
        shown = onetime.enrolment(desk.house, half["person"], half["secret"])
        return desk.page("device.html", 403, enrolment=shown, errors={"code": _sentence(error)})
    return _begun(desk, half["person"], begun, desk.page("recovery.html", codes=begun.recovery, after=half["after"]))


@router.post("/sign-out")
def sign_out(desk: Visit) -> Response:
    if desk.visitor is not None:
        signin.sign_out(desk.house, desk.visitor, desk.now)
    answer = desk.go("/sign-in", "You are signed out.")
    answer.delete_cookie(SESSION)
    return answer


def _signed_in(desk: Desk, half: dict[str, Any], begun: signin.SignedIn) -> Response:
    return _begun(desk, half["person"], begun, desk.go(half["after"]))


def _begun(desk: Desk, person: str, begun: signin.SignedIn, answer: Response) -> Response:
    """The cookies of a session, and of a browser that is known from now on."""
    desk.shop.slowing.passed(_keys(desk, person))
    for name in (HALF, VISIT):
        answer.delete_cookie(name)
    desk.keep(answer, SESSION, begun.token, SESSION_SECONDS)
    desk.keep(
        answer, KNOWN, onetime.seal(desk.house, "known", {"person": person, "mark": begun.token[:16]}), KNOWN_SECONDS
    )
    return answer


def _half(desk: Desk) -> dict[str, Any]:
    found = onetime.unseal(desk.house, "half", desk.request.cookies.get(HALF, ""), HALF_SECONDS)
    return found if isinstance(found, dict) else {}


def _keys(desk: Desk, person: str) -> list[tuple[str, str]]:
    """What failures are counted under. A browser this person signed in with before is counted by itself."""
    known = onetime.unseal(desk.house, "known", desk.request.cookies.get(KNOWN, ""), KNOWN_SECONDS)
    if isinstance(known, dict) and known.get("person") == person:
        return [("known", digest([person, known.get("mark")], 16))]
    where = address(desk.request)
    return [("both", f"{person} {where}"), ("account", person), ("address", where)]


def _wait(desk: Desk, keys: list[tuple[str, str]]) -> None:
    if wait := desk.shop.slowing.wait(keys, desk.now):
        raise Refused(f"too many tries: wait {max(1, round(wait))} seconds", next_step="Then try again.")


def _failed(desk: Desk, person: str, keys: list[tuple[str, str]]) -> None:
    tries = desk.shop.slowing.failed(keys, desk.now)
    if tries and tries % TELL_AT == 0:
        signin.trouble(desk.house, person, tries, desk.now)


def _sentence(error: Refused) -> str:
    return f"{error.what[:1].upper()}{error.what[1:]}. {error.next_step}"
