"""Hours as people write them, in London's clock, with weekends and bank holidays."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ewarn.catalogue import hours
from ewarn.terms import LONDON


def london(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON).astimezone(UTC)


@pytest.mark.parametrize(
    ("written", "at", "is_open", "opens"),
    [
        ("always", "2025-05-17T03:00", True, "2025-05-17T03:00"),
        ("working", "2025-05-16T16:59", True, "2025-05-16T16:59"),
        ("working", "2025-05-16T17:00", False, "2025-05-19T09:00"),
        ("working", "2025-05-17T03:00", False, "2025-05-19T09:00"),
        ("working", "2025-05-26T11:00", False, "2025-05-27T09:00"),  # the spring bank holiday
        ("working", "2025-12-24T18:00", False, "2025-12-29T09:00"),  # Christmas on a Thursday
        ("08:00-20:00 daily", "2025-05-17T19:59", True, "2025-05-17T19:59"),
        ("08:00-20:00 daily", "2025-05-17T20:00", False, "2025-05-18T08:00"),
        ("08:00-20:00 daily", "2025-05-17T07:00", False, "2025-05-17T08:00"),
        ("07:30-18:00 working days", "2025-05-16T18:00", False, "2025-05-19T07:30"),
        ("08:00-20:00", "2025-05-18T12:00", True, "2025-05-18T12:00"),
    ],
)
def test_hours_open_and_open_next(written: str, at: str, is_open: bool, opens: str) -> None:
    assert hours.fault(written) == ""
    assert hours.is_open(written, london(at)) is is_open
    assert hours.opens_next(written, london(at)) == london(opens)


def test_summer_time_moves_the_hours_not_the_clock() -> None:
    before, after = datetime(2025, 3, 28, 8, 30, tzinfo=UTC), datetime(2025, 3, 31, 8, 30, tzinfo=UTC)
    assert not hours.is_open("working", before) and hours.is_open("working", after)


@pytest.mark.parametrize("written", ["nine to five", "25:00-26:00", "20:00-08:00 daily", "08:00-20:00 mondays", ""])
def test_hours_that_cannot_be_read_are_a_fault_and_never_keep_anybody_waiting(written: str) -> None:
    assert hours.fault(written)
    assert hours.is_open(written, london("2025-05-17T03:00"))
