"""A time of day told in the cell of the date is a time: the windows of hours are rolled over it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from ewarn import catalogue
from ewarn.catalogue import Catalogue
from ewarn.intake import read

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
HEADER = "organisation,incident_ref,stream,date and time,event_time,place,outcome\n"


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return catalogue.load(Path(__file__).parents[2])


def staged(shipped: Catalogue, cell: str, clock: str = "") -> tuple[date, datetime | None, str]:
    body = f"{HEADER}Ambulance,1,ambulance,{cell},{clock},Camden,non-fatal\n".encode()
    found = read(shipped.drops["overdose_incidents"], body, shipped, received_at=NOW, backfill=False)
    assert found.rejects.is_empty(), found.rejects
    row = found.records.row(0, named=True)
    return row["reference_date"], row["reference_at"], row["basis"]


@pytest.mark.parametrize(
    ("cell", "day", "at"),
    [
        ("13/12/2025 22:15", date(2025, 12, 13), datetime(2025, 12, 13, 22, 15, tzinfo=UTC)),
        ("13/07/2025 00:20:31", date(2025, 7, 13), datetime(2025, 7, 12, 23, 20, 31, tzinfo=UTC)),
        ("2025-07-03 22:15:00", date(2025, 7, 3), datetime(2025, 7, 3, 21, 15, tzinfo=UTC)),
        ("2025-07-03T23:15:00Z", date(2025, 7, 4), datetime(2025, 7, 3, 23, 15, tzinfo=UTC)),
        ("2025-07-03T23:15:00+01:00", date(2025, 7, 3), datetime(2025, 7, 3, 22, 15, tzinfo=UTC)),
        ("2025-10-26T01:30:00+00:00", date(2025, 10, 26), datetime(2025, 10, 26, 1, 30, tzinfo=UTC)),
        ("03 Jul 2025 09:05", date(2025, 7, 3), datetime(2025, 7, 3, 8, 5, tzinfo=UTC)),
    ],
)
def test_the_time_is_kept(shipped: Catalogue, cell: str, day: date, at: datetime) -> None:
    assert staged(shipped, cell)[:2] == (day, at)


@pytest.mark.parametrize(
    "cell",
    ["13/12/2025", "13/12/2025 00:00", "2025-12-13T00:00:00Z", "2025-12-13T00:00:00", "2025-12-12T23:00:00-01:00"],
)
def test_a_day_alone_is_not_midnight(shipped: Catalogue, cell: str) -> None:
    assert staged(shipped, cell)[:2] == (date(2025, 12, 13), None)


def test_a_time_in_its_own_column_is_believed_first(shipped: Catalogue) -> None:
    assert staged(shipped, "13/12/2025 22:15", "21:50")[1] == datetime(2025, 12, 13, 21, 50, tzinfo=UTC)


def test_a_time_that_cannot_be_read_is_not_taken_from_elsewhere(shipped: Catalogue) -> None:
    day, at, basis = staged(shipped, "13/12/2025 22:15", "teatime")
    assert (day, at) == (date(2025, 12, 13), None) and "time unreadable, date only" in basis


def test_the_hour_that_occurs_twice_is_said_so(shipped: Catalogue) -> None:
    assert "occurs twice" in staged(shipped, "26/10/2025 01:30")[2]


def test_a_number_of_days_is_refused_with_the_way_out(shipped: Catalogue) -> None:
    body = f"{HEADER}Ambulance,1,ambulance,45731.75,,Camden,non-fatal\n".encode()
    found = read(shipped.drops["overdose_incidents"], body, shipped, received_at=NOW, backfill=False)
    assert "give the column a date format" in found.rejects["reason"][0]
