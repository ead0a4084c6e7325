"""What to look at first, and how signals spread over areas and weeks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from ewarn.terms import CaseFile, Family, Signal

# People may be collapsing now; then what was found for the first time; then the rest.
FAMILY_ORDER = (
    Family.CLUSTER,
    Family.BATCH,
    Family.FIRST,
    Family.MISSOLD,
    Family.REPEAT,
    Family.POTENCY,
    Family.EXCEEDANCE,
    Family.COMBINATION,
    Family.UNKNOWN_NAME,
    Family.NOTICE,
    Family.SILENCE,
)


def is_overdue(case: CaseFile, now: datetime) -> bool:
    return case.status == "open" and case.due_at < now


def cases_by_urgency(cases: Iterable[CaseFile]) -> list[CaseFile]:
    """Open cases, the one that is due first at the top; ties by reference."""
    return sorted((case for case in cases if case.status == "open"), key=lambda case: (case.due_at, case.ref))


def signals_by_urgency(signals: Iterable[Signal]) -> list[Signal]:
    """The latest known day first; within a day clusters, then first detections, then the rest."""
    return sorted(signals, key=lambda s: (-s.known_on.toordinal(), FAMILY_ORDER.index(s.family), s.area.name, s.id))


def signals_by_area(signals: Iterable[Signal]) -> dict[str, int]:
    """How many signals name each area first, by GSS code; areas without one are absent."""
    return dict(Counter(signal.area.code for signal in signals))


def raised_per_week(signals: Sequence[Signal], until: date, weeks: int = 12) -> list[tuple[date, int]]:
    """Signals by the ISO week of their first raising: `weeks` rows, the last one holds `until`, empty weeks are 0."""
    last = until - timedelta(days=until.weekday())
    starts = [last - timedelta(weeks=back) for back in range(weeks - 1, -1, -1)]
    counted = Counter(s.first_raised_on - timedelta(days=s.first_raised_on.weekday()) for s in signals)
    return [(start, counted[start]) for start in starts]
