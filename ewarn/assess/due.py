"""Case clocks: working hours, the next working day in England, what is overdue.

In: instants (UTC, aware) and the grading matrix. Out: instants (UTC) and days (Europe/London). It must never read a
clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from ewarn.catalogue import hours
from ewarn.catalogue.definitions import GradingDefinition
from ewarn.catalogue.hours import is_working_day as is_working_day
from ewarn.terms import LONDON, CaseFile


def in_working_hours(now: datetime, grading: GradingDefinition) -> bool:
    """Whether the panel can be convened: a working day, between the matrix' working hours, Europe/London."""
    return hours.is_open(hours.WORKING, now, grading.working_hours)


def next_working_day(day: date) -> date:
    """The first working day after this one."""
    day += timedelta(days=1)
    while not is_working_day(day):
        day += timedelta(days=1)
    return day


def second_review_by(now: datetime, grading: GradingDefinition) -> datetime:
    """End of the next working day's hours; a working day that has not yet begun is the next one."""
    opens, closes = grading.working_hours
    local = now.astimezone(LONDON)
    begins_today = is_working_day(local.date()) and local.time() < opens
    day = local.date() if begins_today else next_working_day(local.date())
    return datetime.combine(day, closes, LONDON).astimezone(UTC)


def answer_by(received_at: datetime, grading: GradingDefinition) -> datetime:
    """When a report must be answered: so many hours, weekends and bank holidays not counted."""
    left = timedelta(hours=grading.answer_reports_within_hours)
    local = received_at.astimezone(LONDON)
    while True:
        midnight = datetime.combine(local.date() + timedelta(days=1), local.time().min, LONDON)
        if is_working_day(local.date()):
            today = midnight.astimezone(UTC) - local.astimezone(UTC)
            if left <= today:
                return local.astimezone(UTC) + left
            left -= today
        local = midnight


def overdue(cases: Sequence[CaseFile], now: datetime) -> list[CaseFile]:
    """Open cases whose next action is past its due time, the longest overdue first."""
    return sorted((c for c in cases if c.status == "open" and c.due_at < now), key=lambda c: (c.due_at, c.ref))
