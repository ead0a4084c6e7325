"""The small tables beside the sentences: reports by week, and which test found what."""

from __future__ import annotations

from datetime import date, timedelta

from ewarn.assess import series
from ewarn.assess.facts import Event, Facts, Origin, Sample

HERE = Origin("Ambulance", "ambulance")


def event(day: date) -> Event:
    return Event(f"r{day}", HERE, "non-fatal", 1, False, "", day, day, "Camden")


def sample(day: date) -> Sample:
    return Sample(f"s{day}", HERE, "", "", "", "", day, "Camden")


def test_reports_are_counted_by_week_and_a_week_without_one_is_none() -> None:
    monday = date(2025, 2, 3)
    days = [monday, monday + timedelta(days=6), monday + timedelta(days=21), monday + timedelta(days=28)]
    told = series.weekly(Facts(events=tuple(map(event, days))))
    assert told["weeks"] == [
        ["2025-02-03", 2], ["2025-02-10", 0], ["2025-02-17", 0], ["2025-02-24", 1], ["2025-03-03", 1],
    ]  # fmt: skip
    assert told["title"].startswith("Reports of overdoses")


def test_samples_are_shown_where_nothing_happened_and_few_weeks_are_left_to_the_sentences() -> None:
    monday = date(2025, 2, 3)
    assert series.weekly(Facts()) == {}
    assert series.weekly(Facts(samples=(sample(monday), sample(monday + timedelta(days=14))))) == {}
    long = series.weekly(Facts(samples=(sample(monday), sample(monday + timedelta(weeks=40)))))
    assert long["title"].startswith("Samples") and len(long["weeks"]) == series.MOST_WEEKS
