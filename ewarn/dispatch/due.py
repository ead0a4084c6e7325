"""Why send, why not: the table for one delivery at one instant, and when to try again.

In: a delivery and an instant. Out: yes or no with the reason, or the next instant. Pure: it must never read a clock,
draw a random number or send.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from ewarn.terms import Delivery, DeliveryState

BACKOFF_MINUTES = (1, 2, 5, 15, 60)
JITTER_SHARE = 0.2
LONGEST_ASKED_SECONDS = 3600.0
LONGEST_WAIT = timedelta(hours=2)  # nothing waits longer by design: an instant beyond it was set by a wrong clock


class Verdict(NamedTuple):
    send: bool
    reason: str


def verdict(delivery: Delivery, now: datetime) -> Verdict:
    """Whether to send this delivery now. A claimed one is sent again only after its claim ran out (next_attempt_at)."""
    at = delivery.next_attempt_at
    if delivery.state is DeliveryState.SENT:
        return Verdict(False, "sent already")
    if delivery.state in (DeliveryState.SUPERSEDED, DeliveryState.WITHDRAWN):
        return Verdict(False, f"{delivery.state.value}: {delivery.last_error}")
    if delivery.state is DeliveryState.DEAD:
        return Verdict(False, f"given up after {delivery.attempts} attempts: {delivery.last_error or 'no answer'}")
    if delivery.state is DeliveryState.SENDING:
        if at is not None and at <= now:
            return Verdict(True, "an attempt was cut off before its answer was written: possible repeat")
        return Verdict(False, "another run is sending it")
    tried = delivery.state is DeliveryState.FAILED or bool(delivery.last_error)
    if at is not None and at > now and not (tried and at > now + LONGEST_WAIT):
        return Verdict(False, f"waits until {at:%Y-%m-%d %H:%M:%S} UTC after attempt {delivery.attempts}")
    if delivery.state is DeliveryState.FAILED:
        return Verdict(True, f"attempt {delivery.attempts + 1} after: {delivery.last_error or 'no answer'}")
    return Verdict(True, "not sent yet")


def next_attempt(attempts: int, now: datetime, max_attempts: int = 6, jitter: float = 0.0) -> datetime | None:
    """When to try again after so many failed attempts, or None where it is given up.

    In: `jitter` from 0 to 1 lengthens the wait by up to a fifth, so that a hundred failures do not return together.
    """
    if attempts >= max_attempts:
        return None
    minutes = BACKOFF_MINUTES[min(max(attempts, 1), len(BACKOFF_MINUTES)) - 1]
    return now + timedelta(minutes=minutes * (1 + JITTER_SHARE * min(max(jitter, 0.0), 1.0)))


def not_before(now: datetime, wait_seconds: float) -> datetime | None:
    """The instant until which a server asked to be left alone, an hour at most; None where it did not ask."""
    return now + timedelta(seconds=min(wait_seconds, LONGEST_ASKED_SECONDS)) if wait_seconds > 0 else None
