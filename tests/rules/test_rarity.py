"""How unlikely a signal of single records is, and how often its rule brings one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pytest

from ewarn.terms import Signal

Ask = Callable[..., list[Signal]]
CAMDEN, HACKNEY, ISLINGTON, LEEDS = "E09000007", "E09000012", "E09000019", "E08000035"
FOUND = ("2024-03-01", "2025-01-05", "2025-01-15")
BOROUGHS = [f"E09{number:06d}" for number in range(1, 34)]


def checked(area: str, count: int, first: date = date(2024, 2, 1), found: str = "cocaine") -> list[dict[str, object]]:
    days = [first + timedelta(days=int(day)) for day in np.linspace(0, 300, count)]
    return [{"on": day, "area": area, "found": found} for day in days]


def test_a_first_is_held_against_what_the_other_areas_hold(raised: Ask) -> None:
    rows = [*checked(CAMDEN, 20), *checked(HACKNEY, 97), *checked(ISLINGTON, 3, found="metonitazene")]
    rows += [{"on": "2025-01-10", "area": CAMDEN, "found": "metonitazene"}]
    signals = raised(rows, "2025-01-01", "2025-12-31", "first-in-area")
    signal = next(s for s in signals if s.area.code == CAMDEN)
    expected = 3.5 / 101 * 20
    assert signal.expected == pytest.approx(expected, abs=1e-4)
    assert signal.p_value == pytest.approx(1 - np.exp(-expected), abs=1e-4)
    assert "3 of 100 records" in signal.why and "20 of Camden" in signal.why


def test_records_that_become_known_later_change_nothing_said_before(raised: Ask) -> None:
    rows = [*checked(CAMDEN, 20), *checked(HACKNEY, 97), {"on": "2025-01-10", "area": CAMDEN, "found": "metonitazene"}]
    late = [{"on": "2024-06-01", "known": "2025-02-01", "area": HACKNEY, "found": "metonitazene"} for _ in range(9)]
    before = raised(rows, "2025-01-01", "2025-01-31", "first-in-area")
    assert [s.why for s in raised(rows + late, "2025-01-01", "2025-01-31", "first-in-area")] == [s.why for s in before]


def test_without_anything_to_compare_with_there_is_no_number(raised: Ask) -> None:
    rows = [*checked(CAMDEN, 20), {"on": "2025-01-10", "area": CAMDEN, "found": "metonitazene"}]
    (signal,) = raised(rows, "2025-01-01", "2025-12-31", "first-in-area")
    assert (signal.expected, signal.p_value) == (None, None)


def test_chance_alone_brings_as_many_firsts_as_said(raised: Ask) -> None:
    """Ten drawn years of boroughs that all hold the drug alike: firsts a year as the signals of that year say."""
    rng, said, brought = np.random.default_rng(4), [], 0
    day = date(2023, 1, 1)
    for _ in range(10):
        rows: list[dict[str, object]] = []
        for area in BOROUGHS:
            for number in range(rng.poisson(30)):
                hit = rng.random() < 0.03
                on = day + timedelta(days=int(rng.integers(0, 730)))
                rows.append(
                    {"on": on, "area": area, "found": "metonitazene" if hit else "cocaine", "id": f"{area}{number}"}
                )
        signals = [s for s in raised(rows, "2024-01-01", "2024-12-31", "first-in-area") if s.area.code in BOROUGHS]
        brought += len(signals)
        said += [s.by_chance_per_year for s in signals if s.by_chance_per_year is not None]
    assert brought / 10 == pytest.approx(np.mean(said), rel=0.25)


def test_a_rule_says_how_often_it_spoke_before(raised: Ask) -> None:
    days = ["2023-01-01", "2024-03-10", "2024-06-10", "2024-09-10", "2025-01-10"]
    rows = [{"on": d, "found": "metonitazene", "sold_as": "diazepam", "sold_as_subject": "diazepam"} for d in days]
    signals = raised(rows, "2025-01-01", "2025-12-31", "mis-sold")
    (last,) = signals
    assert last.by_chance_per_year == pytest.approx(3 * 365.25 / 365)
    assert "3 such signals in the 12 months before" in last.why


def test_a_short_history_says_nothing_about_how_often(raised: Ask) -> None:
    rows = [{"on": d, "found": "metonitazene", "sold_as": "blue ones"} for d in ("2025-01-01", "2025-01-20")]
    assert {s.by_chance_per_year for s in raised(rows, "2025-01-01", "2025-12-31", "mis-sold")} == {None}


def test_two_records_in_four_weeks_say_how_unlikely_they_are_and_how_often_chance_brings_them(raised: Ask) -> None:
    rows = [*checked(CAMDEN, 40), *({"on": day, "area": CAMDEN, "found": "metonitazene"} for day in FOUND)]
    (signal,) = raised(rows, "2025-01-01", "2025-12-31", "repeat-28d")
    # One record and a half event in the 340 days before the window; of two in 28 days the exact Poisson tail.
    mean = 1.5 * 29 / 338
    assert signal.expected == pytest.approx(mean, rel=0.05) and signal.upper_bound is None
    assert signal.p_value == pytest.approx(1 - (1 + mean) * np.exp(-mean), rel=0.1)
    assert "chance brings such a window about" in signal.why


def test_a_single_find_says_that_no_chance_is_reckoned_rather_than_nothing(raised: Ask) -> None:
    row = {"on": "2025-01-10", "area": CAMDEN, "found": "metonitazene", "sold_as": "diazepam"}
    (signal,) = raised([row], "2025-01-01", "2025-12-31", "mis-sold")
    assert signal.p_value is None and "No chance is reckoned: this is no count." in signal.why
