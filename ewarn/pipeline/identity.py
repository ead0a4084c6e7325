"""Who acts: a registered person, proved by a personal token that is kept only as an Argon2 hash, or by a session of the
desk in which a one-time code was given lately."""

from __future__ import annotations

import contextlib
import hmac
import secrets
from collections.abc import Collection
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ewarn.errors import Refused, UsageFault
from ewarn.pipeline import sessions
from ewarn.pipeline.reports import Actor
from ewarn.store import people
from ewarn.terms import Person, PersonRole

SHORTEST_SECRET = 12
_PROCESS_KEY = secrets.token_bytes(32)
_PROVED: set[bytes] = set()
_HASHER = PasswordHasher()
# Of a random secret that was thrown away: proving an unknown id takes as long as a wrong secret does.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$SmnS5h2aYnwYvT6I8tcc+Q$n60HN+POZGVWDJCm7vKkqpGt+dUCErzVVgRcDU3mJpU"


def hashed(secret: str) -> str:
    """The Argon2 hash of a new token. Raises: UsageFault for a short one."""
    if len(secret) < SHORTEST_SECRET:
        raise UsageFault(
            f"a secret needs {SHORTEST_SECRET} characters or more", next_step="Choose a longer one, or let one be made."
        )
    return _HASHER.hash(secret)


def new_secret() -> str:
    """A token that nobody has used before."""
    return secrets.token_urlsafe(18)


def proved(con: Any, actor: Actor) -> Person:
    """The registered, active person behind an id and token; unknown ids take as long as wrong tokens.

    Raises: Refused; CodeNeeded where a session is good for reading but its one-time code is too old to act on.
    """
    if actor.session:
        return sessions.proved(con, actor)
    person, kept = people.load(con, actor.person), people.secret_hash(con, actor.person)
    right = _is_right(kept or _NOBODY, actor.secret)
    if person is None or kept is None or not right or not person.active:
        raise Refused(
            f"'{actor.person}' is not proved",
            next_step="Check the id ('ewarn people list') and the personal secret.",
        )
    return person


def _is_right(kept: str, secret: str) -> bool:
    """Whether a token has that hash. One proved before in this process is known again by a keyed digest of both."""
    mark = hmac.digest(_PROCESS_KEY, f"{kept} {secret}".encode(), "sha256")
    if mark not in _PROVED:
        with contextlib.suppress(VerificationError, InvalidHashError):
            _HASHER.verify(kept, secret)
            _PROVED.add(mark)
    return mark in _PROVED


def registered(con: Any, person_id: str) -> Person:
    """Somebody named, not proved. Raises: UsageFault where nobody is registered under that id."""
    person = people.load(con, person_id)
    if person is None:
        raise UsageFault(f"nobody is registered as '{person_id}'", next_step="See 'ewarn people list'.")
    return person


def demand_keeper(con: Any, actor: Actor | None, roles: Collection[PersonRole], what: str) -> None:
    """Who may change people and recipients: anybody while a home is set up, then only those roles.

    Set-up ends with the first active administrator. Raises: Refused.
    """
    set_up = any(p.active and PersonRole.ADMINISTRATOR in p.roles for p in people.all(con))
    if not set_up:
        return
    names = " or ".join(role.value for role in roles)
    if actor is None:
        raise Refused(f"only somebody with the {names} role can {what}", next_step="Say who you are: --as PERSON.")
    if not set(roles) & set(proved(con, actor).roles):
        raise Refused(f"{actor.person} has no {names} role and cannot {what}", next_step="Ask somebody who has.")
