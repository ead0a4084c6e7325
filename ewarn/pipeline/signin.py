"""Signing in at the desk: a personal secret and a one-time code become a session; what ends one; roles for a while.

In: a house, what somebody typed, `now`. Out: a session's token, or Refused in words that tell a guesser nothing. A code
is taken once; an ended session proves nothing; every beginning, end and grant is on the audit chain.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from ewarn.errors import Refused, UsageFault
from ewarn.pipeline import held, identity, onetime, sessions
from ewarn.pipeline.house import House
from ewarn.pipeline.reports import Actor
from ewarn.pipeline.sessions import Visitor
from ewarn.store import api_tokens, codes, operator_notices, people
from ewarn.store import sessions as kept
from ewarn.terms import Frozen, Person, PersonRole

WRONG = "the id, the secret or the code is not right"
TRY_AGAIN = "Check them and try again; a code can be used once and changes every 30 seconds."
BREAK_GLASS = (PersonRole.DUTY, PersonRole.COORDINATOR)
MAY_BREAK_GLASS = (PersonRole.DUTY, PersonRole.PANEL, PersonRole.COORDINATOR, PersonRole.ADMINISTRATOR)
LONGEST_GRANT_HOURS = 8
SHORTEST_REASON = 15


class SignedIn(Frozen):
    """A session begun; recovery codes stand here once, when they were made."""

    token: str
    recovery: tuple[str, ...] = ()


def anybody(house: House) -> bool:
    """Whether anybody is registered who could sign in."""
    with house.db.read() as con:
        return any(person.active for person in people.all(con))


def with_secret(house: House, person_id: str, secret: str) -> Person:
    """The first half: who has this id and secret. Raises: Refused."""
    with house.db.read() as con:
        try:
            return identity.proved(con, Actor(person_id, secret or " "))
        except Refused as error:
            raise Refused(WRONG, next_step=TRY_AGAIN) from error


def has_codes(house: House, person_id: str) -> bool:
    """Whether a person has enrolled a device."""
    with house.db.read() as con:
        return codes.load(con, person_id) is not None


def enrol(house: House, person_id: str, secret: str, code: str, now: datetime) -> SignedIn:
    """A first device: its first code proves that it holds the secret. Returns a session and the recovery codes.

    Raises: Refused for a wrong code, and where a device is enrolled already.
    """
    step = onetime.step_of(secret, code, now)
    if step is None:
        raise Refused("that is not the code your device shows now", next_step=TRY_AGAIN)
    recovery = onetime.recovery_codes()
    with house.db.write("enrol") as tx:
        if codes.load(tx, person_id) is not None:
            raise Refused("a device is enrolled already", next_step="Sign in with its code.")
        sealed = onetime.seal(house, "one-time codes", secret)
        codes.enrol(tx, person_id, sealed, step, [onetime.recovery_mark(house, person_id, c) for c in recovery], now)
        token = sessions.begin(tx, person_id, "code", now, now)
    return SignedIn(token=token, recovery=tuple(recovery))


def with_code(house: House, person_id: str, code: str, now: datetime) -> SignedIn:
    """The second half: a code of the enrolled device, or a recovery code. Raises: Refused."""
    with house.db.write("sign in") as tx:
        how = _take(tx, house, person_id, code, now)
        return SignedIn(token=sessions.begin(tx, person_id, how, now, now))


def through(house: House, person_id: str, how: str, now: datetime) -> SignedIn:
    """Somebody a trusted proxy or an OpenID provider names: a session for reading; acts ask for a code of ours.

    Raises: Refused where nobody active is registered under that id.
    """
    with house.db.write("sign in") as tx:
        person = people.load(tx, person_id)
        if person is None or not person.active:
            raise Refused("nobody here is registered under the name you signed in with",
                          next_step="Ask an administrator to register you.")  # fmt: skip
        return SignedIn(token=sessions.begin(tx, person_id, how, now, None))


def confirm(house: House, visitor: Visitor, code: str, now: datetime) -> None:
    """A new code in a session that stands. Raises: Refused."""
    with house.db.write("one-time code") as tx:
        if sessions.visitor(tx, visitor.token, now) is None:
            raise Refused("this session has ended", next_step=sessions.SIGN_IN_AGAIN)
        _take(tx, house, visitor.person.id, code, now)
        kept.code_given(tx, visitor.token, visitor.person.id, now)


def _take(tx: Any, house: House, person_id: str, code: str, now: datetime) -> str:
    """Take a code, so that it is never taken again. Returns how: code or recovery code."""
    enrolled = codes.load(tx, person_id)
    if enrolled is None:
        raise Refused("no device is enrolled for one-time codes", next_step="Sign in again to enrol one.")
    secret = onetime.unseal(house, "one-time codes", enrolled["sealed"])
    step = onetime.step_of(str(secret), code, now, enrolled["last_step"]) if secret else None
    if step is not None:
        codes.taken(tx, person_id, step)
        return "code"
    mark = onetime.recovery_mark(house, person_id, code)
    if len(code) >= 12 and codes.use_recovery(tx, person_id, enrolled["version"], mark, now):
        return "recovery code"
    raise Refused(WRONG, next_step=TRY_AGAIN)


def visitor(house: House, token: str, now: datetime) -> Visitor | None:
    """Who holds this session now. What stands on record of it is looked up once for each published copy."""
    known: dict[str, sessions.Stored] = held.of(house, "sessions", dict)
    mark = kept.mark_of(token)
    found = known.get(mark)
    if found is None:
        with house.db.read() as con:
            found = sessions.stored(con, token)
        if found is not None:
            known[mark] = found
    return sessions.holding(found, token, now)


def seen(house: House, mark: str, now: datetime) -> None:
    """Put on record that a session is in use."""
    with house.db.write("session") as tx:
        kept.seen(tx, mark, now)


def sign_out(house: House, visitor: Visitor, now: datetime) -> None:
    """End one session."""
    with house.db.write("sign out") as tx:
        kept.end(tx, visitor.person.id, now, "signed out", visitor.person.id, visitor.token)


def revoke(
    house: House, person_id: str, now: datetime, actor: Actor | None = None, *, forget_device: bool = False
) -> int:
    """End every session and token of a person, and with `forget_device` their one-time codes: they enrol anew.

    People end their own sessions; an administrator anybody's. Raises: Refused, UsageFault.
    """
    with house.db.write("sign out") as tx:
        identity.registered(tx, person_id)
        own = actor is not None and actor.person == person_id and not forget_device
        if own and actor is not None:
            identity.proved(tx, actor)
        else:
            identity.demand_keeper(tx, actor, (PersonRole.ADMINISTRATOR,), "end the sessions of others")
        by = actor.person if actor else "ewarn"
        if forget_device:
            codes.end(tx, person_id, now, by)
        api_tokens.end(tx, person_id, now, by)
        return kept.end(tx, person_id, now, "revoked", by)


def break_glass(house: House, role: str, hours: int, reason: str, actor: Actor, now: datetime) -> datetime:
    """Take a role for some hours, with a reason that everybody who looks after this house is told.

    Never panel (out of hours one member may approve alone, which is told and reviewed) and never administrator.
    Returns when it ends. Raises: Refused, UsageFault.
    """
    if role not in {r.value for r in BREAK_GLASS} or not 1 <= hours <= LONGEST_GRANT_HOURS:
        raise UsageFault(
            f"'{role}' for {hours} hours cannot be taken",
            next_step=f"Take duty or coordinator, for 1 to {LONGEST_GRANT_HOURS} hours.",
        )
    if len(reason.strip()) < SHORTEST_REASON:
        raise UsageFault("the reason is too short", next_step="Say what has happened and why you need the role.")
    ends_at = now + timedelta(hours=hours)
    with house.db.write("break glass") as tx:
        person = identity.proved(tx, actor)
        if not set(MAY_BREAK_GLASS) & set(person.roles):
            raise Refused(f"{person.id} cannot take another role", next_step="Ask an administrator.")
        grant = kept.grant(tx, person.id, role, reason.strip(), now, ends_at)
        words = f"{person.name} took the {role} role for {hours} hours: {reason.strip()}"
        operator_notices.put(tx, now, "desk", words, f"break-glass {grant}")
    return ends_at


def trouble(house: House, person_id: str, tries: int, now: datetime) -> None:
    """Word to the operator that somebody keeps failing to sign in under a registered id."""
    with house.db.write("sign in") as tx:
        if people.load(tx, person_id) is not None:
            words = f"{tries} failed attempts in a row to sign in as {person_id}: ask them whether it was they"
            operator_notices.put(tx, now, "desk", words, f"sign-in {person_id}")
