"""People of the desk as pages show them: who, which roles and areas, who is signed in, who has a device enrolled.

In: a house, `now`. Out: frozen reports. It never shows a secret, a token or a hash of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from ewarn.pipeline import held, identity, purposes
from ewarn.pipeline.house import House
from ewarn.store import audit, codes, people, sessions
from ewarn.terms import Frozen, Person

MOST_LINKS = 20_000  # a longer chain is checked by `ewarn doctor`, not while somebody waits for a page


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
    limited: bool = False


def own(house: House, person_id: str, now: datetime) -> Account:
    """One person's account. Raises: UsageFault."""
    with house.db.read() as con:
        return next(_accounts(con, house, [identity.registered(con, person_id)], now))


def everybody(house: House, now: datetime) -> list[Account]:
    """Everybody registered, the inactive too."""
    with house.db.read() as con:
        return list(_accounts(con, house, people.all(con), now))


def _accounts(con: Any, house: House, some: Iterable[Person], now: datetime) -> Iterator[Account]:
    opened, grants = sessions.open_now(con, now), sessions.grants(con, now)
    enrolled, left = codes.enrolled(con), codes.recovery_left(con)
    for person in some:
        own = (row for row in opened if row["person"] == person.id)
        taken = (row for row in grants if row["person"] == person.id)
        yield Account(
            person=person,
            areas=tuple(house.catalogue.area_ref(code).name for code in person.areas),
            enrolled=person.id in enrolled,
            recovery_left=left.get(person.id, 0),
            sessions=tuple(SessionRow(**{key: row[key] for key in SessionRow.model_fields}) for row in own),
            granted=tuple((row["role"], row["ends_at"], row["reason"]) for row in taken),
            limited=purposes.enforces(house, person),
        )


class Chain(Frozen):
    """The audit chain: how many links, the hash of the newest, and the first broken one, if any."""

    links: int
    head: str
    broken: int | None


def chain(house: House) -> Chain:
    """The audit chain as it stands. Its head leaves the house with the daily all-quiet: who rewrites it is seen."""

    def looked() -> Chain:
        with house.db.read() as con:
            links, _, head = audit.last(con)
            return Chain(links=links, head=head, broken=audit.verify(con) if links <= MOST_LINKS else None)

    return held.of(house, "chain", looked)
