"""What professionals see beside the sentences: how the reports came week by week, and by which test a drug was found.

In: a case and its facts. Out: small tables of plain values. It must never fill a week with a guess, nor call a
quick test a confirmation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from ewarn.assess import sentences
from ewarn.assess.facts import Facts, Found
from ewarn.terms import CaseFile

FEWEST_WEEKS, MOST_WEEKS = 3, 26
QUICK, CONFIRMED, OTHER = "quick test, not confirmed", "confirmatory method", "analysed; kind of test not stated"


def weekly(facts: Facts) -> dict[str, Any]:
    """Reports of overdoses, or samples where there are none, by week; {} where three weeks or fewer say it better.

    The weeks begin on Mondays; those without a report are 0, as they were looked at; the newest 26 are kept.
    """
    if facts.events:
        title, days = "Reports of overdoses, week by week", [event.start for event in facts.events]
    else:
        title, days = "Samples, by the week they were taken", [sample.sampled for sample in facts.samples]
    counts = Counter(_monday(day) for day in days)
    if not counts:
        return {}
    first, last = min(counts), max(counts)
    weeks = [first + timedelta(weeks=n) for n in range((last - first).days // 7 + 1)]
    if len(weeks) <= FEWEST_WEEKS:
        return {}
    return {"title": title, "weeks": [[week.isoformat(), counts[week]] for week in weeks[-MOST_WEEKS:]]}


def analyses(case: CaseFile, facts: Facts) -> list[dict[str, str]]:
    """Each substance once for every method and kind of test that found it, the surest first."""
    rows = {
        (f.name, f.role, f.method or "not stated", _test(f)): None for f in _surest(sentences.analysed(case, facts))
    }
    keys = ("name", "role", "method", "test")
    return [dict(zip(keys, row, strict=True)) for row in rows][:12]


def _surest(found: Iterable[Found]) -> list[Found]:
    return sorted(found, key=lambda f: (not f.confirmatory, bool(f.presumptive), f.name, f.role, f.method))


def _test(found: Found) -> str:
    return CONFIRMED if found.confirmatory else QUICK if found.presumptive else OTHER


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
