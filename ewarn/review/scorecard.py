"""An exercise's scorecard: how long each step took from the bytes on, beside its target.

In: the instant of every step, the targets. Out: one row a step, counts, and the picture as text. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import sqrt

from pydantic import Field

from ewarn.catalogue.exercising import Targets
from ewarn.terms import Frozen

STEPS = {
    "signal": "signal raised", "page": "page delivered", "taken": "page taken", "drafted": "draft written",
    "submitted": "submitted", "first_approval": "first approval", "last_approval": "last approval",
    "first_delivery": "first delivery", "last_delivery": "last delivery", "last_answer": "last acknowledgement",
}  # fmt: skip
MET, MISSED, OPEN = "met", "missed", "not yet"
WIDTH = 40


class Step(Frozen):
    """Minutes are from the bytes; empty where the step has not been taken."""

    key: str
    title: str
    at: datetime | None
    minutes: float | None
    target: float
    outcome: str = Field(description="met | missed | not yet")


class Card(Frozen):
    """One exercise."""

    at: datetime
    case: str
    title: str
    scenario: str
    standing: str
    alert: str = ""
    bytes_at: datetime
    steps: tuple[Step, ...]
    met: int
    missed: int
    open: int
    delivered: int = Field(0, description="recipients who have the alert")
    answered: int = Field(0, description="of them, who acknowledged it")


def steps(bytes_at: datetime, at: Mapping[str, datetime | None], targets: Targets, now: datetime) -> tuple[Step, ...]:
    """Every step in order. One not taken is missed once its target has passed."""
    found = []
    for key, title in STEPS.items():
        taken, target = at.get(key), float(getattr(targets, key))
        minutes = round((taken - bytes_at).total_seconds() / 60, 2) if taken else None
        waited = (now - bytes_at).total_seconds() / 60
        late = (waited if minutes is None else minutes) > target
        outcome = MISSED if late else OPEN if minutes is None else MET
        found.append(Step(key=key, title=title, at=taken, minutes=minutes, target=target, outcome=outcome))
    return tuple(found)


def count(rows: Sequence[Step], outcome: str) -> int:
    return sum(row.outcome == outcome for row in rows)


def picture(rows: Sequence[Step]) -> str:
    """Bars of '=' with the target as '|', one row a step, for a terminal; square roots, so that all are seen."""
    most = max([*(r.minutes or 0 for r in rows), *(r.target for r in rows)], default=1) or 1
    lines = []
    for row in rows:
        cells = ["=" if row.minutes is not None and n <= _at(row.minutes, most) else " " for n in range(WIDTH + 1)]
        cells[_at(row.target, most)] = "|"
        lines.append(f"{row.title:<21} {''.join(cells)} {said(row)}")
    return "\n".join(lines)


def said(row: Step) -> str:
    """A step's figure in words: 12 min of 20, MISSED."""
    done = "-" if row.minutes is None else f"{row.minutes:.1f}" if row.minutes < 10 else f"{row.minutes:.0f}"
    return f"{done} of {row.target:g} min, {row.outcome.upper() if row.outcome == MISSED else row.outcome}"


def _at(minutes: float, most: float) -> int:
    return min(WIDTH, round(WIDTH * sqrt(max(0.0, minutes) / most)))
