"""A quiet stretch of London asks little of the people on duty, and an outbreak in it is heard all the same."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from benchmarks.made_year import Year
from ewarn.pipeline import backtest
from ewarn.pipeline.reports import BacktestStudy

FIRST = date(2023, 1, 2)


def lived(corridor: Any, seed: int, history: int, measured: int, outbreak: bool = False) -> BacktestStudy:
    """The drawn days known by their own dates; `outbreak`: six collapses in one Camden night a week before the end."""
    year = Year(seed, FIRST, history + measured)
    start, end = FIRST + timedelta(days=history), FIRST + timedelta(days=history + measured - 1)
    incidents = year.incidents()
    if outbreak:
        night = end - timedelta(days=7)
        row = dict(incidents[0]) | {
            "place": "E09000007",
            "event_date": night,
            "reported_date": night,
            "setting": "street",
        }
        incidents += [
            row | {"incident_ref": f"X{n}", "event_time": f"2{n % 4}:{n}0", "location_ref": ""} for n in range(6)
        ]
    now = corridor.at((end + timedelta(days=1)).isoformat())
    tables = {"overdose_incidents": incidents, "test_results": year.samples()}
    if not outbreak:
        tables |= {"post_mortem": year.deaths(), "overdose_counts": year.counts()}
    for source, rows in tables.items():
        report = corridor.drop(source, rows, now, backfill=True)
        assert (report.error, report.rejects) == ("", 0)
    return backtest.study(corridor.house(now), start, end)


def test_a_night_of_collapses_is_heard_above_the_background(corridor: Any) -> None:
    found = lived(corridor, seed=3, history=28, measured=10, outbreak=True)
    camden = [s for s in found.signals if s.rule == "cluster-24h-area" and s.area.code == "E09000007"]
    assert [s.first_raised_on for s in camden] == [found.end - timedelta(days=7)]
    assert next(row["pages"] for row in found.load.by_rule if row["rule"] == "cluster-24h-area") >= 1
    assert found.load.most_pages <= 4 and found.load.most_items <= 8


def test_the_made_days_are_the_same_for_the_same_seed_and_of_the_size_they_say() -> None:
    one, again, other = (Year(seed, FIRST, 364).incidents() for seed in (5, 5, 6))
    assert one == again and one != other
    told_once = {row["incident_ref"][1:] for row in one}
    assert 5 * 364 < len(told_once) < 7 * 364
    assert 0.2 < len(one) / len(told_once) - 1 < 0.3
    samples = Year(5, FIRST, 364).samples()
    assert 750 < len(samples) < 1050
    assert all(row["date_sampled"] < row["date_reported"] <= FIRST + timedelta(days=363) for row in samples)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [11, 12])
def test_a_quiet_year_keeps_the_budget(corridor: Any, seed: int) -> None:
    """Measured for other seeds in docs/evaluation.md: about 0.6 pages and 1.6 items a week."""
    load = lived(corridor, seed, history=364, measured=364).load
    assert load.kept and load.pages < 1.2 and load.items < 3
    assert load.weeks_over <= 6
