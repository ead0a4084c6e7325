"""People of the desk as pages show them: who, which roles and areas, who is signed in, who has a device enrolled.

In: a house, `now`. Out: frozen reports. It never shows a secret, a token or a hash of one.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ewarn.pipeline import identity
from ewarn.pipeline.house import House
from ewarn.store import codes, people, sessions
from ewarn.terms import Frozen, Person


class SessionRow(Frozen):
    how: str
    began_at: datetime
    seen_at: datetime
    ends_at: datetime


class Account(Frozen):
    """One person with what they hold now."""

    person: Person
    areas: tuple[str, ...]
    enrolled: bool
    recovery_left: int
    sessions: tuple[SessionRow, ...]
    granted: tuple[tuple[str, datetime, str], ...] = ()


def own(house: House, person_id: str, now: datetime) -> Account:
    """One person's account. Raises: UsageFault."""
    with house.db.read() as con:
        return _account(con, house, identity.registered(con, person_id), now)


def everybody(house: House, now: datetime) -> list[Account]:
    """Everybody registered, the inactive too."""
    with house.db.read() as con:
        return [_account(con, house, person, now) for person in people.all(con)]


def _account(con: Any, house: House, person: Person, now: datetime) -> Account:
    held = sessions.open_of(con, person.id, now)
    grants = sessions.grants(con, now, person.id)
    return Account(
        person=person,
        areas=tuple(house.catalogue.area_ref(code).name for code in person.areas),
        enrolled=codes.load(con, person.id) is not None,
        recovery_left=codes.recovery_left(con, person.id),
        sessions=tuple(SessionRow(**{key: row[key] for key in SessionRow.model_fields}) for row in held),
        granted=tuple((row["role"], row["ends_at"], row["reason"]) for row in grants),
    )
