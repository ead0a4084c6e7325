"""Hours: when somebody reads what they are sent, in Europe/London, with weekends and bank holidays in England.

In: hours as written (`always`, `working`, `08:00-20:00 daily`, `08:00-18:00 working days`), an instant (UTC), the
working hours of alerts/grading.toml. Out: open or not, and when they open next. Pure: it must never read a clock.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple

from ewarn.terms import LONDON

ALWAYS, WORKING = "always", "working"
IN_HOURS, OUT_OF_HOURS = "working", "out of hours"
SPAN = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)(?: (daily|working days))?$")
Working = tuple[time, time]
OFFICE: Working = (time(9), time(17))


class Span(NamedTuple):
    """From when until when, every day or on working days only."""

    opens: time
    closes: time
    daily: bool


@lru_cache(maxsize=16)
def _bank_holidays(year: int) -> frozenset[date]:
    import holidays  # a fifth of a second to import, seldom needed

    return frozenset(holidays.country_holidays("GB", subdiv="ENG", years=year))


def is_working_day(day: date) -> bool:
    """Monday to Friday, bank holidays in England apart."""
    return day.weekday() < 5 and day not in _bank_holidays(day.year)


def fault(hours: str) -> str:
    """What is wrong with hours as written, in words; '' where nothing is."""
    if hours in (ALWAYS, WORKING):
        return ""
    found = SPAN.match(hours)
    if found is None:
        return "write always, working, 08:00-20:00 daily or 08:00-18:00 working days"
    return "" if found[1] + found[2] < found[3] + found[4] else "the second time must be after the first"


def read(hours: str, working: Working = OFFICE) -> Span | None:
    """The span behind hours as written; None for always, and for what cannot be read: then nobody waits for it."""
    if hours == WORKING:
        return Span(*working, False)
    found = SPAN.match(hours)
    if found is None or fault(hours):
        return None
    return Span(time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4])), found[5] != "working days")


def is_open(hours: str, now: datetime, working: Working = OFFICE) -> bool:
    """Whether an instant lies in these hours."""
    span = read(hours, working)
    if span is None:
        return True
    local = now.astimezone(LONDON)
    return (span.daily or is_working_day(local.date())) and span.opens <= local.time() < span.closes


def opens_next(hours: str, now: datetime, working: Working = OFFICE) -> datetime:
    """The instant (UTC) at which these hours next begin; now where they are open."""
    span = read(hours, working)
    if span is None or is_open(hours, now, working):
        return now
    local = now.astimezone(LONDON)
    day = local.date() if local.time() < span.opens else local.date() + timedelta(days=1)
    while not (span.daily or is_working_day(day)):
        day += timedelta(days=1)
    return datetime.combine(day, span.opens, LONDON).astimezone(UTC)


def word(now: datetime, working: Working = OFFICE) -> str:
    """'working' or 'out of hours' at an instant."""
    return IN_HOURS if is_open(WORKING, now, working) else OUT_OF_HOURS
