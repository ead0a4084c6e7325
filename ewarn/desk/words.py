"""How values are written on the pages: times in London with their offset, numbers, days. Plain filters, no state."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache

from ewarn.report import Report
from ewarn.terms import LONDON, CaseFile, CaseSignal


@lru_cache(maxsize=4096)
def london(instant: datetime | None) -> str:
    """Day and time in London with the offset from UTC: 3 March 2025, 21:05 GMT+00:00."""
    if instant is None:
        return "never"
    there = instant.astimezone(LONDON)
    return f"{there:%-d %B %Y, %H:%M} {_offset(there)}"


@lru_cache(maxsize=4096)
def clock(instant: datetime | None) -> str:
    """The same without the year: 3 Mar 21:05 GMT+00:00."""
    if instant is None:
        return "never"
    there = instant.astimezone(LONDON)
    return f"{there:%-d %b %H:%M} {_offset(there)}"


def _offset(there: datetime) -> str:
    """'GMT+00:00' or 'BST+01:00'."""
    offset = there.strftime("%z")
    return f"{there.tzname()}{offset[:3]}:{offset[3:]}"


def day(value: date | str | None) -> str:
    """A day in words; what is no day as it was written."""
    try:
        found = date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return str(value)
    return f"{found:%-d %B %Y}" if found else "not said"


def number(value: float | None) -> str:
    """A count as people write it; unknown numbers say so."""
    return "not known" if value is None else f"{value:,.4g}" if value < 10_000 else f"{value:,.0f}"


def ago(instant: datetime | None, now: datetime) -> str:
    """'5 minutes ago', 'in 3 hours', 'never'."""
    if instant is None:
        return "never"
    apart = now - instant
    words = span(abs(apart))
    return f"{words} ago" if apart >= timedelta(0) else f"in {words}"


def span(length: timedelta) -> str:
    """A length of time in one unit."""
    minutes = int(length.total_seconds() // 60)
    for size, unit in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size * (2 if unit == "day" else 1):
            return plural(minutes // size, unit)
    return "less than a minute"


def plural(count: int, one: str, many: str = "") -> str:
    """'1 signal', '2 signals'."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def pair(word: str) -> tuple[str, str]:
    """A value that is its own words, as a choice."""
    return word, word


def signal_pair(held: CaseSignal) -> tuple[str, str]:
    """A case's signal as a choice."""
    signal = held.signal
    return signal.id, f"{signal.subject.name or signal.family.value}, {signal.area.name} ({signal.id[:8]})"


def case_pair(case: CaseFile) -> tuple[str, str]:
    return case.ref, f"{case.ref}: {case.title}"


def report_pair(report: Report) -> tuple[str, str]:
    return report.ref, f"{report.ref}: {report.harm.value}, {report.redacted or 'not redacted yet'}"


def urgent(hours: Mapping[str, int]) -> list[tuple[str, str]]:
    """Urgencies with the time each gives."""
    return [(name, f"{name}: {plural(length, 'hour')}") for name, length in hours.items()]
