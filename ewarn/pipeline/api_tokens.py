"""Personal tokens: by them a partner's system reads what its holder may read, and nothing else.

In: a house, a holder's proof, `now`. Out: a token, shown once; or who holds one. It is good for reading alone: no verb
that changes anything takes it. The holder's roles are those of the moment it is used.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from ewarn.errors import UsageFault
from ewarn.pipeline import identity, sessions
from ewarn.pipeline.house import House
from ewarn.pipeline.reports import Actor
from ewarn.pipeline.sessions import Visitor
from ewarn.store import api_tokens, people
from ewarn.terms import Frozen

PREFIX = "ewarn_"
LONGEST_DAYS = 365
LONGEST_NAME = 80
MOST = 10


class Held(Frozen):
    """One token as its holder sees it: what it is for and until when, never the token."""

    id: str
    name: str
    made_at: datetime
    ends_at: datetime
    seen_at: datetime | None


class Made(Frozen):
    """A new token; it stands here once, and nowhere else ever."""

    token: str
    name: str
    ends_at: datetime


def make(house: House, name: str, days: int, actor: Actor, now: datetime) -> Made:
    """A new token for the person who asks. Raises: Refused, UsageFault naming the field."""
    name = " ".join(name.split())
    if not 3 <= len(name) <= LONGEST_NAME:
        raise UsageFault("the token has no name", where="token_name",
                         next_step=f"Say what reads with it, in 3 to {LONGEST_NAME} letters.")  # fmt: skip
    if not 1 <= days <= LONGEST_DAYS:
        raise UsageFault("that is no number of days for a token", where="token_days",
                         next_step=f"Give 1 to {LONGEST_DAYS}.")  # fmt: skip
    token, ends_at = PREFIX + sessions.new_token(), now + timedelta(days=days)
    with house.db.write("token") as tx:
        person = identity.proved(tx, actor)
        if len(api_tokens.open_of(tx, person.id, now)) >= MOST:
            raise UsageFault(f"you hold {MOST} tokens already", where="token_name", next_step="End one of them first.")
        api_tokens.make(tx, token, person.id, name, now, ends_at)
    return Made(token=token, name=name, ends_at=ends_at)


def end(house: House, token_id: str, actor: Actor, now: datetime) -> None:
    """End one of the tokens of the person who asks. Raises: Refused, UsageFault."""
    with house.db.write("token") as tx:
        person = identity.proved(tx, actor)
        if not api_tokens.end(tx, person.id, now, person.id, token_id):
            raise UsageFault("you hold no such token", next_step="Take one from the list on your account.")


def listed(house: House, person: str, now: datetime) -> tuple[Held, ...]:
    """The tokens of a person that still open something."""
    with house.db.read() as con:
        rows = api_tokens.open_of(con, person, now)
    return tuple(Held(**{key: row[key] for key in Held.model_fields}) for row in rows)


def holder(house: House, token: str, now: datetime) -> Visitor | None:
    """Who reads with this token, with the roles they hold now; None where it opens nothing (any more)."""
    if not token.startswith(PREFIX):
        return None
    with house.db.read() as con:
        row = api_tokens.load(con, token)
        if row is None or row["ended_at"] is not None or now >= row["ends_at"]:
            return None
        person = people.load(con, row["person"])
        return None if person is None or not person.active else _visitor(con, person, row, now)


def used(house: House, token_id: str, now: datetime) -> None:
    """Put on record that a token is in use."""
    with house.db.write("token") as tx:
        api_tokens.used(tx, token_id, now)


def _visitor(con: Any, person: Any, row: dict[str, Any], now: datetime) -> Visitor:
    """A visitor without a session: acting is refused, because there is nothing that proves an act."""
    held, granted = sessions.with_grants(con, person, now)
    return Visitor(person=held, token="", mark=row["id"], how="token", began_at=row["made_at"],
                   seen_at=row["seen_at"] or row["made_at"], ends_at=row["ends_at"], granted=granted)  # fmt: skip
