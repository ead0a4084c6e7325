"""The second proof of who acts: a session of the desk in which a one-time code was given lately.

In: an open store, a session's token, the instant. Out: the person with the roles they hold now, or Refused. A session
alone is good for reading; acts need its code to be recent. Its token is never kept, only its hash.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from ewarn.errors import Refused
from ewarn.pipeline.reports import Actor
from ewarn.store import people, sessions
from ewarn.terms import Frozen, Person, PersonRole

IDLE = timedelta(minutes=60)
LONGEST = timedelta(hours=12)
CODE_HOLDS = timedelta(minutes=60)
SIGN_IN_AGAIN = "Sign in again."


class CodeNeeded(Refused):
    """The session stands, but its one-time code is too old to act on."""


class Visitor(Frozen):
    """Somebody signed in: who, with which roles now, and how fresh the proof is."""

    person: Person
    token: str
    mark: str
    how: str
    began_at: datetime
    seen_at: datetime
    ends_at: datetime
    code_at: datetime | None = None
    granted: tuple[tuple[PersonRole, datetime], ...] = ()

    @property
    def roles(self) -> frozenset[PersonRole]:
        return frozenset(self.person.roles)

    def code_is_recent(self, now: datetime) -> bool:
        return self.code_at is not None and timedelta(0) <= now - self.code_at <= CODE_HOLDS

    def actor(self, now: datetime) -> Actor:
        """The proof that the verbs ask for."""
        return Actor(self.person.id, session=self.token, at=now)


def new_token() -> str:
    """A token that nobody can guess."""
    return secrets.token_urlsafe(32)


class Stored(Frozen):
    """What stands on record of a session: its row, the person, and every role that they took for a while."""

    row: dict[str, Any]
    person: Person
    grants: tuple[dict[str, Any], ...]


def stored(con: Any, token: str) -> Stored | None:
    """The session of a token, whatever the hour; None where it was never begun."""
    row = sessions.load(con, token) if token else None
    person = people.load(con, row["person"]) if row else None
    if row is None or person is None:
        return None
    return Stored(row=row, person=person, grants=tuple(sessions.grants_ever(con, person.id)))


def visitor(con: Any, token: str, now: datetime) -> Visitor | None:
    """Who holds this session now; None where it has ended, was never begun, or the person is no longer active."""
    return holding(stored(con, token), token, now)


def holding(found: Stored | None, token: str, now: datetime) -> Visitor | None:
    """Who holds a session by what stands on record of it."""
    if found is None or not found.person.active:
        return None
    row = found.row
    if row["ended_at"] is not None or now >= row["ends_at"] or now - row["seen_at"] > IDLE:
        return None
    now_held, granted = _granted(found.person, found.grants, now)
    held = {name: row[name] for name in ("mark", "how", "began_at", "seen_at", "ends_at", "code_at")}
    return Visitor(person=now_held, token=token, granted=granted, **held)


def with_grants(con: Any, person: Person, now: datetime) -> tuple[Person, tuple[tuple[PersonRole, datetime], ...]]:
    """The person with the roles they hold now, and those of them that were taken for a while."""
    return _granted(person, sessions.grants_ever(con, person.id), now)


def _granted(
    person: Person, ever: Iterable[dict[str, Any]], now: datetime
) -> tuple[Person, tuple[tuple[PersonRole, datetime], ...]]:
    held = (grant for grant in ever if grant["given_at"] <= now < grant["ends_at"])
    granted = tuple((PersonRole(grant["role"]), grant["ends_at"]) for grant in held)
    roles = dict.fromkeys([*person.roles, *(role for role, _ in granted)])
    return person.model_copy(update={"roles": tuple(roles)}), granted


def proved(con: Any, actor: Actor) -> Person:
    """The person behind a session whose code is recent. Raises: Refused, CodeNeeded."""
    found = visitor(con, actor.session, actor.at) if actor.at else None
    if found is None or found.person.id != actor.person or actor.at is None:
        raise Refused("this session has ended", next_step=SIGN_IN_AGAIN)
    if not found.code_is_recent(actor.at):
        raise CodeNeeded("acting needs a new one-time code", next_step="Give the code that your device shows now.")
    return found.person


def begin(tx: Any, person: str, how: str, now: datetime, code_at: datetime | None) -> str:
    """A new session. Returns its token, which is kept nowhere else."""
    token = new_token()
    sessions.begin(tx, token, person, how, now, now + LONGEST, code_at)
    return token
