"""EARS and Farrington: close to the reference, never clear without a baseline, and the same from any day asked."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ewarn.catalogue import Catalogue
from ewarn.frames import Lines
from ewarn.rules import ears, evaluate, exceedance, farrington, signals
from ewarn.rules.prepare import prepare
from ewarn.terms import Signal, day_end, day_start

CAMDEN = "E09000007"
Ask = Callable[..., list[Signal]]


def reference(shared: Path, name: str, series: str) -> tuple[np.ndarray, list[dict[str, str]]]:
    with open(shared / "golden" / f"{name}.csv") as handle:
        wanted = list(csv.DictReader(handle))
    with open(shared / "golden" / f"input_{series}.csv") as handle:
        counts = np.array([float(row["observed"]) for row in csv.DictReader(handle)])
    return counts, wanted


def test_ears_c2_gives_the_bounds_of_the_reference(shared: Path) -> None:
    counts, wanted = reference(shared, "agona_ears_C2", "salmonella_agona")
    for row in wanted:
        if row["upperbound"] == "NA":
            continue
        at = int(float(row["t"]))
        found = ears.bounds(counts[None, :at], z=3.09)
        assert found.upper[0] == pytest.approx(float(row["upperbound"]), rel=1e-3, abs=1e-6)


def test_farrington_flexible_is_close_to_the_reference(shared: Path) -> None:
    counts, wanted = reference(shared, "agona_ff_noufaily_nb_a005", "salmonella_agona")
    judged = agree = 0
    for row in wanted:
        found = farrington.bound(counts[: int(float(row["t"]))], years=4, alpha=0.005)
        if row["upperbound"] == "NA":
            continue
        judged += 1
        if isinstance(found, farrington.Bound):
            close = found.upper == float(row["upperbound"])
            agree += close and found.expected == pytest.approx(float(row["mu0"]), rel=1e-5)
    assert judged > 20
    assert agree == judged


def test_farrington_says_why_it_has_no_answer() -> None:
    assert farrington.bound(np.full(100, 5.0)) == "fewer than 159 weeks of history"
    assert farrington.bound(np.zeros(300)) == "fewer than 5 reports in 4 weeks"
    gap = np.full(300, 5.0)
    gap[150] = np.nan
    assert farrington.bound(gap) == "suppressed or missing cells in the baseline"


def daily(values: dict[int, float | None]) -> list[dict[str, Any]]:
    start = date(2025, 1, 1)
    return [
        {
            "kind": "count",
            "on": start + timedelta(days=day),
            "known": start + timedelta(days=day + 1),
            "indicator": "naloxone",
            "period_days": 1,
            "value": value,
            "suppressed": value is None,
        }
        for day, value in values.items()
    ]


def test_a_suppressed_cell_is_not_evaluable_and_never_zero(known: Callable[..., Lines], catalogue: Catalogue) -> None:
    rows = daily({day: 3.0 for day in range(20)} | {15: None})
    rule = catalogue.rules["ears-counts-daily"]
    evaluation = evaluate([rule], known(*rows), day_end(date(2025, 1, 21)), catalogue)
    assert [n.reason for n in evaluation.not_evaluable] == ["suppressed or missing cells"]
    assert evaluation.spells.is_empty()


def test_a_corrected_count_ends_its_exceedance(standing: Ask) -> None:
    rows = daily({day: 3.0 for day in range(20)} | {19: 30.0})
    rows[19] |= {"id": "cell", "gone": "2025-01-21 09:00"}
    rows.append({**rows[19], "version": 2, "known": "2025-01-21 09:00", "gone": None, "value": 3.0})
    assert standing(rows, _instant(2025, 1, 21, 8), "ears-counts-daily")[0].observed == 30
    assert standing(rows, "2025-01-21", "ears-counts-daily") == []


def _instant(*parts: int) -> Any:
    return day_start(date(*parts[:3])) + timedelta(hours=parts[3])


def test_a_check_on_one_day_and_a_backtest_agree(known: Callable[..., Lines], catalogue: Catalogue) -> None:
    start = date(2024, 1, 1)
    rows = [{"on": start + timedelta(days=d), "outcome": "non-fatal"} for d in range(400)]
    rows += [{"on": start + timedelta(days=d), "outcome": "non-fatal"} for d in (300, 301, 330) for _ in range(9)]
    lines, rule = known(*rows), catalogue.rules["ears-incidents"]
    last = start + timedelta(days=360)
    year = evaluate([rule], lines, day_end(last), catalogue, since=day_start(start))
    found = signals.over(year, [start + timedelta(days=d) for d in range(361)])
    assert [(s.observed, s.first_raised_on) for s in found] == [(10, start + timedelta(days=301))]
    for day in (301, 331):
        instant = day_end(start + timedelta(days=day))
        (one,) = signals.at(evaluate([rule], lines, instant, catalogue), instant)
        assert one.id == found[0].id


def test_polars_counts_are_the_rows(known: Callable[..., Lines], catalogue: Catalogue) -> None:
    from ewarn.rules import counts

    rows = [{"on": date(2024, 1, 1) + timedelta(days=3 * d), "outcome": "n", "area": CAMDEN} for d in range(60)]
    ground = prepare(known(*rows), day_end(date(2025, 1, 1)), catalogue)
    series = counts.of_lines(catalogue.rules["ears-incidents"], ground, 7)
    assert series is not None
    newest = series.last_closed(ground.until)
    weekly: dict[int, int] = {}
    for row in rows:
        weekly[counts.period_of(row["on"], 7)] = weekly.get(counts.period_of(row["on"], 7), 0) + 1
    borough = [s[2] for s in series.strata].index(CAMDEN)
    matrix = series.matrix(newest, newest - series.first_period + 1)[borough]
    assert {series.first_period + i: int(v) for i, v in enumerate(matrix) if v} == weekly


def test_exceedance_without_lines_has_no_answer(catalogue: Catalogue, known: Callable[..., Lines]) -> None:
    ground = prepare(known(), day_end(date(2025, 1, 1)), catalogue)
    spells, missing = exceedance.spells(catalogue.rules["ears-incidents"], ground, None)
    assert spells.is_empty() and missing[0].reason == "no lines of this kind are known"


def test_on_the_first_day_no_period_has_closed(catalogue: Catalogue, known: Callable[..., Lines]) -> None:
    ground = prepare(
        known({"on": date(2025, 1, 1), "outcome": "n", "area": CAMDEN}), day_end(date(2025, 1, 1)), catalogue
    )
    spells, missing = exceedance.spells(catalogue.rules["ears-incidents"], ground, None)
    assert spells.is_empty() and missing[0].reason == "no period has closed since the first line"


def test_a_series_has_an_answer_between_two_deliveries(known: Callable[..., Lines], catalogue: Catalogue) -> None:
    rows = daily({day: 3.0 for day in range(5)})
    evaluation = evaluate([catalogue.rules["ears-counts-daily"]], known(*rows), day_end(date(2025, 2, 10)), catalogue)
    assert [n.reason for n in evaluation.not_evaluable] == ["fewer than 10 closed periods of history"]


def test_a_baseline_of_zeros_then_cases_has_an_answer(standing: Ask) -> None:
    (signal,) = standing(daily({day: 0.0 for day in range(20)} | {19: 7.0}), _instant(2025, 1, 21, 8))
    assert signal.why == "Naloxone: 7 in Camden, 20 January 2025: 0 expected, upper bound 1.54."
