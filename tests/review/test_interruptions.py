"""What is asked of people is counted by week, by kind and by rule; one matter once."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from ewarn.review import interruptions
from ewarn.review.interruptions import framed, load, weekly
from ewarn.terms import LONDON

START = date(2025, 3, 3)


def asked(day: int, kind: str = "signal", rule: str = "r", hour: int = 12) -> tuple[datetime, str, str, str, bool]:
    at = datetime(2025, 3, 3, hour, tzinfo=LONDON) + timedelta(days=day)
    return at, kind, rule, "E09000007", True


def test_weeks_without_anything_are_counted_too() -> None:
    found = framed([asked(0), asked(1, "page"), asked(15, "name"), asked(15, "operator notice")])
    weeks = weekly(found, START, START + timedelta(days=27))
    assert weeks["items"].to_list() == [1, 0, 2, 0] and weeks["page"].to_list() == [1, 0, 0, 0]
    assert weeks["week"].to_list()[1] == date(2025, 3, 10)
    told = load(found, START, START + timedelta(days=27))
    assert (told.pages, told.items, told.everything, told.most_everything) == (0.25, 0.75, 1.0, 2)
    assert told.kept and told.weeks_over == 0


def test_a_full_week_is_told_though_the_mean_is_within_the_budget() -> None:
    found = framed([asked(8, "page") for _ in range(3)])
    told = load(found, START, START + timedelta(days=27))
    assert told.kept and (told.most_pages, told.weeks_over) == (3, 1)
    assert not load(found, START, START + timedelta(days=9)).kept


def test_what_lies_outside_the_range_is_left_out_and_a_day_is_a_london_day() -> None:
    late = datetime(2025, 3, 9, 23, 30, tzinfo=LONDON)  # a Sunday night: still the first week
    found = framed([(late, "signal", "r", "", True), asked(-1), asked(14)])
    assert weekly(found, START, START + timedelta(days=13))["items"].to_list() == [1, 0]


def test_the_rule_that_asks_most_comes_first() -> None:
    found = framed([asked(0, "page", "loud"), asked(0, "signal", "loud"), asked(1, "signal", "quiet")])
    rows = interruptions.by_rule(found, START, START + timedelta(days=6)).to_dicts()
    assert [(r["rule"], r["pages"], r["items"], r["a_week"]) for r in rows] == [
        ("loud", 1, 1, 2.0),
        ("quiet", 0, 1, 1.0),
    ]


def test_nothing_asked_is_nothing_a_week() -> None:
    told = load(framed([]), START, START + timedelta(days=2))
    assert (told.pages, told.items, told.most_items, told.kept) == (0.0, 0.0, 0, True)


@given(st.lists(st.tuples(st.integers(0, 34), st.sampled_from(interruptions.KINDS)), max_size=40))
def test_the_weeks_add_up_to_everything_and_the_order_of_rows_is_irrelevant(rows: list[tuple[int, str]]) -> None:
    found = framed([asked(day, kind) for day, kind in rows])
    weeks = weekly(found, START, START + timedelta(days=34))
    assert weeks["everything"].sum() == len(rows)
    assert weeks.equals(weekly(found.reverse(), START, START + timedelta(days=34)))
    assert weeks.select(pl.sum_horizontal(interruptions.KINDS).sum()).item() == len(rows)
