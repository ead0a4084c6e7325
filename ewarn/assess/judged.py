"""What people said of a signal, and whether it still holds. Pure.

In: a signal as it stands, the newest thing said of it with the evidence of then, the instant. Out: where it stands for
the duty desk. More evidence than there was raises a dismissed or held signal again; a hold ends by itself, at the
latest after 28 days: nothing is silent for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from ewarn.errors import UsageFault
from ewarn.terms import Frozen, Signal

LONGEST_HOLD_DAYS = 28
SHORTEST_REASON = 8


class Stand(StrEnum):
    """Where a signal stands for the duty desk."""

    OPEN = "open"
    DISMISSED = "dismissed"
    HELD = "held"
    RAISED_AGAIN = "raised again"


class Judged(Frozen):
    """Where a signal stands, and what was said of it last."""

    stand: Stand = Stand.OPEN
    act: str = ""
    person: str = ""
    at: datetime | None = None
    why: str = ""
    until: datetime | None = None
    grown: tuple[str, ...] = ()

    @property
    def aside(self) -> bool:
        """Whether it is out of the duty officer's way for now."""
        return self.stand in (Stand.DISMISSED, Stand.HELD)


def judged(signal: Signal, said: Mapping[str, Any] | None, now: datetime) -> Judged:
    """Where the signal stands now."""
    if said is None or said["act"] not in (Stand.DISMISSED, Stand.HELD):
        return (
            Judged(act=str(said["act"]), person=said["person"], at=said["judged_at"], why=said["why"])
            if said
            else Judged()
        )
    grown = grown_since(signal, said)
    over = said["act"] == Stand.HELD and said["until"] is not None and now >= said["until"]
    stand = Stand.RAISED_AGAIN if grown or over else Stand(said["act"])
    words = (*grown, "the hold has ended") if over else grown
    return Judged(
        stand=stand, act=said["act"], person=said["person"], at=said["judged_at"], why=said["why"],
        until=said["until"], grown=words,
    )  # fmt: skip


def grown_since(signal: Signal, said: Mapping[str, Any]) -> tuple[str, ...]:
    """What there is now that there was not when somebody judged it, in words."""
    words = []
    new = len(set(signal.records) - set(said["records"] or ()))
    if new:
        words.append(f"{new} more record{'' if new == 1 else 's'}")
    if signal.observed is not None and said["observed"] is not None and signal.observed > said["observed"]:
        words.append(f"{signal.observed:g} observed, {said['observed']:g} then")
    if signal.persons_max is not None and said["persons_max"] is not None and signal.persons_max > said["persons_max"]:
        words.append(f"up to {signal.persons_max} persons, {said['persons_max']} then")
    return tuple(words)


def reason(why: str) -> str:
    """The reason as it is kept. Raises: UsageFault where none is given."""
    if len(why.strip()) < SHORTEST_REASON:
        raise UsageFault("a reason is needed", where="why", next_step="Say why, so that the next shift can follow it.")
    return why.strip()


def hold_until(days: int, now: datetime) -> datetime:
    """When a hold ends at the latest. Raises: UsageFault."""
    if not 1 <= days <= LONGEST_HOLD_DAYS:
        raise UsageFault(
            f"a hold of {days} days is not possible", where="days", next_step=f"Give 1 to {LONGEST_HOLD_DAYS} days."
        )
    return now + timedelta(days=days)
