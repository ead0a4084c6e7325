"""People: who is registered, who is signed in, who holds a role for a while; and the head of the audit chain."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import ValidationError

from ewarn.desk.visit import Desk, Visit
from ewarn.errors import Refused, UsageFault
from ewarn.pipeline import accounts, asking, read, signin
from ewarn.terms import Person, PersonRole, Purpose

router = APIRouter(prefix="/people")


@router.get("")
def people(desk: Visit) -> Response:
    return _page(desk)


@router.post("/add")
def add(desk: Visit) -> Response:
    """Register a person; their secret is made here and shown this once."""
    values = {name: desk.text(name, 200) for name in ("id", "name", "areas")}
    roles = tuple(role for role in PersonRole if desk.form.get(f"role-{role.value}"))
    try:
        made = read.add_person(desk.house, _person(desk, values, roles), None, desk.now, desk.actor)
    except UsageFault as error:
        field = error.where if error.where in ("id", "name", "areas", "role-duty") else "areas"
        return _page(desk, 400, values=values, errors={field: f"{error.what}. {error.next_step}"})
    except Refused as error:
        if "registered already" not in error.what:
            raise
        return _page(desk, 400, values=values, errors={"id": f"{error.what}. {error.next_step}"})
    return _page(desk, made=made)


def _person(desk: Desk, values: dict[str, str], roles: tuple[PersonRole, ...]) -> Person:
    """Raises: UsageFault naming the field."""
    if not roles:
        raise UsageFault("no role is chosen", where="role-duty", next_step="Choose at least one.")
    if not values["name"]:
        raise UsageFault("the name is missing", where="name", next_step="Give the full name.")
    said = [part.strip() for part in values["areas"].split(",") if part.strip()]
    areas = tuple(code for part in said if (code := asking.area_code(desk.house, part)))
    if not areas:
        raise UsageFault("no area is given", where="areas", next_step="Give names such as Camden, apart by commas.")
    purpose = Purpose.ENFORCEMENT if desk.form.get("purpose") else Purpose.CARE
    try:
        return Person(id=values["id"].lower(), name=values["name"], roles=roles, areas=areas, purpose=purpose)
    except ValidationError as error:
        raise UsageFault(
            "the id is not usable", where="id", next_step="Use small letters, digits, dots and hyphens."
        ) from error


@router.post("/{person}/sign-out")
def sign_out(desk: Visit, person: str) -> Response:
    ended = signin.revoke(desk.house, person, desk.now, desk.actor)
    return desk.go("/people", f"{person}: {ended} sessions ended.")


@router.post("/{person}/forget-device")
def forget_device(desk: Visit, person: str) -> Response:
    signin.revoke(desk.house, person, desk.now, desk.actor, forget_device=True)
    return desk.go("/people", f"{person} enrols a device anew at the next sign-in.")


@router.post("/{person}/deactivate")
def deactivate(desk: Visit, person: str) -> Response:
    read.deactivate_person(desk.house, person, desk.now, desk.actor)
    return desk.go("/people", f"{person} is no longer active; what they decided stays on record.")


def _page(desk: Desk, code: int = 200, **words: Any) -> Response:
    shown: dict[str, Any] = {"made": None, "values": {}} | words
    return desk.page(
        "people.html", code, found=accounts.everybody(desk.house, desk.now), chain=accounts.chain(desk.house), **shown
    )
