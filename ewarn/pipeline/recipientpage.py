"""The distribution list as the desk shows it: who is on it, when each was last confirmed, and one to be changed.

In: a house, words to look for, an id, what was typed, `now`. Out: frozen reports. Addresses stand on the page of one
recipient alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from ewarn.dispatch.addressbook import COLUMNS
from ewarn.errors import UsageFault
from ewarn.pipeline import asking, distribution, today
from ewarn.pipeline.house import House
from ewarn.pipeline.reports import Actor
from ewarn.store import recipients
from ewarn.terms import Frozen, Recipient

SHOWN = 300
TYPED = tuple(column for column in COLUMNS if column not in ("active", "confirmed_on"))


class Listed(Frozen):
    """One recipient, without a way to reach it."""

    recipient: Recipient
    areas: tuple[str, ...]
    confirmation: distribution.Confirmation | None


class RecipientList(Frozen):
    rows: tuple[Listed, ...]
    total: int
    overdue: int
    stopped: int
    rejected: int


class RecipientPage(Frozen):
    recipient: Recipient
    values: dict[str, str]
    history: tuple[dict[str, Any], ...]


def listed(house: House, now: datetime, words: str = "") -> RecipientList:
    """Those longest unconfirmed first, the stopped ones last; `words` look in id, name, organisation and group."""
    with house.db.read() as con:
        every = recipients.all(con)
    due = {c.id: c for c in distribution.confirmations(house, now, 36_500)}
    place = {key: n for n, key in enumerate(due)}
    names = today.area_names(house)
    sought = words.casefold()
    found = [r for r in every if sought in f"{r.id} {r.name} {r.organisation} {r.group}".casefold()]
    found.sort(key=lambda r: (not r.active, place.get(r.id, 0), r.id))
    return RecipientList(
        rows=tuple(
            Listed(
                recipient=r.model_copy(update={"address": "", "night_address": ""}),
                areas=tuple(names.get(code, code) for code in r.areas),
                confirmation=due.get(r.id),
            )
            for r in found[:SHOWN]
        ),
        total=len(found),
        overdue=sum(c.overdue for c in due.values()),
        stopped=sum(not r.active for r in every),
        rejected=len(distribution.rejects(house)),
    )


def of(house: House, recipient_id: str) -> RecipientPage:
    """One recipient with its addresses, and who changed what. Raises: UsageFault."""
    history = distribution.history(house, recipient_id)
    with house.db.read() as con:
        held = recipients.load(con, recipient_id)
    if held is None:
        raise UsageFault(f"there is no recipient '{recipient_id}'", next_step="See the list of recipients.")
    names = today.area_names(house)
    values = {column: str(getattr(held, COLUMNS[column]) or "") for column in TYPED}
    values["areas"] = ", ".join(names.get(code, code) for code in held.areas)
    return RecipientPage(recipient=held, values=values, history=tuple(reversed(history)))


def save(house: House, typed: Mapping[str, str], actor: Actor, now: datetime, *, new: bool) -> Recipient:
    """Add one, or change one; what the form does not ask stays as it was. Raises: UsageFault, Refused."""
    with house.db.read() as con:
        before = recipients.load(con, typed["id"])
    if new and before is not None:
        raise UsageFault(f"id: '{typed['id']}' is on the list already", next_step="Open it and change it there.")
    values = {COLUMNS[column]: typed[column] for column in TYPED}
    wanted: dict[str, Any] = (before.model_dump() if before else {}) | values
    wanted |= {"areas": _areas(house, typed["areas"]), "rota_order": _order(typed["rota_order"])}
    wanted["hours"] = typed["hours"] or "always"
    try:
        made = Recipient.model_validate(wanted)
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageFault(f"{first['loc'][0]}: {first['msg']}", next_step="Correct it.") from error
    distribution.add(house, [made], now, actor)
    house.db.publish()
    return made


def _areas(house: House, typed: str) -> tuple[str, ...]:
    parts = [part.strip() for part in typed.replace(";", ",").split(",") if part.strip()]
    try:
        return tuple(code for part in parts if (code := asking.area_code(house, part)))
    except UsageFault as error:
        raise UsageFault(f"areas: {error.what}", next_step=error.next_step) from error


def _order(typed: str) -> int | None:
    if typed and not (typed.isascii() and typed.isdigit()):
        raise UsageFault("rota_order: no whole number", next_step="Write 1 for the first on call, 2 for the back-up.")
    return int(typed) if typed else None
