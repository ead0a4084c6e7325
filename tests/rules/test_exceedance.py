"""EARS and Farrington: close to the reference, never clear without a baseline, and the same from any day asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from ewarn.catalogue import Catalogue
from ewarn.frames import Lines
from ewarn.methods import scan_weeks
from ewarn.rules import counts, evaluate, exceedance, judging, signals
from ewarn.rules.prepare import prepare
from ewarn.terms import Signal, Tier, day_end, day_start

CAMDEN = "E09000007"
Ask = Callable[..., list[Signal]]


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
    assert [n.reason for n in evaluation.not_evaluable] == ["suppressed or missing cells in the baseline"]
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
    rows = [{"on": date(2024, 1, 1) + timedelta(days=3 * d), "outcome": "n", "area": CAMDEN} for d in range(60)]
    ground = prepare(known(*rows), day_end(date(2025, 1, 1)), catalogue)
    series = counts.of_lines(catalogue.rules["ears-incidents"], ground, 7)
    assert series is not None
    newest = series.last_closed(ground.until)
    started = series.started(newest)
    assert started is not None
    weekly: dict[int, int] = {}
    for row in rows:
        weekly[counts.period_of(row["on"], 7)] = weekly.get(counts.period_of(row["on"], 7), 0) + 1
    borough = [s[2] for s in series.strata].index(CAMDEN)
    matrix = series.matrix(newest, newest - started + 1)[borough]
    assert {started + i: int(v) for i, v in enumerate(matrix) if v} == weekly


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
    assert [n.reason for n in evaluation.not_evaluable] == ["too short a history"]


def test_a_baseline_of_zeros_then_cases_has_an_answer(standing: Ask) -> None:
    (signal,) = standing(daily({day: 0.0 for day in range(20)} | {19: 7.0}), _instant(2025, 1, 21, 8))
    said = "Naloxone: 7 in Camden, 20 January 2025: 0 expected, upper bound 1.54."
    rough = "The bound is a rule of thumb; if such counts are Poisson: Chance of so many or more about 1 in 9,447,386."
    assert signal.why.startswith(f"{said} {rough}") and signal.p_value == pytest.approx(1.0585e-7, rel=1e-3)
    assert signal.by_chance_per_year is not None and "such a signal less than once in 100 years." in signal.why


LONDON_REGION, YEARS = "E12000007", 6


def weekly(counts: np.ndarray, start: date, **words: Any) -> list[dict[str, Any]]:
    """One incident row per case, on the Wednesday of its week."""
    return [
        {"on": start + timedelta(weeks=week, days=2), "outcome": "non-fatal", **words}
        for week, number in enumerate(counts.astype(int).tolist())
        for _ in range(number)
    ]


def rule_with(catalogue: Catalogue, rule: str, tiers: tuple[Tier, ...], **numbers: Any) -> Any:
    found = catalogue.rules[rule]
    return found.model_copy(update={"tiers": tiers, "numbers": {**found.numbers, **numbers}})


def test_a_rule_says_what_the_scan_of_weeks_says_of_the_same_counts(
    known: Callable[..., Lines], catalogue: Catalogue
) -> None:
    rng, start = np.random.default_rng(11), date(2019, 1, 7)
    counts = rng.poisson(2 + np.sin(np.arange(52 * YEARS) / 52 * 6.28), 52 * YEARS)
    counts[-2:] += 6
    rule = rule_with(catalogue, "farrington-incidents", (Tier.REGION,), alpha=0.01)
    until = day_end(start + timedelta(weeks=len(counts)))
    (spell,) = (
        evaluate([rule], known(*weekly(counts, start)), until, catalogue)
        .spells.filter(pl.col("fires_to") > until)
        .iter_rows(named=True)
    )
    wanted = scan_weeks.judge(counts[None, -287:].astype(float))
    assert spell["observed"] == wanted.observed[0, 0] and len(spell["records"]) == spell["observed"]
    assert spell["p_value"] == pytest.approx(wanted.p_value[0, 0], rel=1e-9)
    assert spell["period_end"] == start + timedelta(weeks=len(counts), days=-1)
    assert (spell["period_end"] - spell["period_start"]).days == 7 * wanted.window[0, 0] - 1
    assert spell["by_chance_per_year"] == pytest.approx(spell["p_value"] * 365.25 / 7, rel=1e-9)
    assert "tested together, chance brings such a signal" in spell["why"]


def test_one_case_in_a_season_that_was_always_empty_is_not_all_but_impossible() -> None:
    weeks = np.arange(52 * YEARS + 3)
    summer = np.where(((weeks % 52) > 10) & ((weeks % 52) < 40), 6, 0).astype(float)
    summer[-1] = 1
    found = judging.by_scan(summer[None], 0.0048)
    assert found.reason == [""] and 0.005 < found.p_value[0] < 0.2 and not found.raised[0]


def test_with_a_false_discovery_level_fewer_of_many_strata_speak(
    known: Callable[..., Lines], catalogue: Catalogue
) -> None:
    rng, start, weeks = np.random.default_rng(3), date(2019, 1, 7), 52 * YEARS
    boroughs = catalogue.areas.filter((pl.col("parent") == LONDON_REGION) & (pl.col("tier") == "borough"))["code"]
    rows = []
    for code in boroughs.to_list():
        counts = rng.poisson(1.0, weeks)
        counts[-1] += 12 if code == CAMDEN else 0
        rows += weekly(counts[-280:], start + timedelta(weeks=weeks - 280), area=code)
    lines, until = known(*rows), day_end(start + timedelta(weeks=weeks))
    found = {}
    for q in (None, 0.05):
        rule = rule_with(catalogue, "farrington-incidents", (Tier.BOROUGH,), alpha=0.2, min_observed=1, q=q)
        rule = rule.model_copy(update={"numbers": {n: v for n, v in rule.numbers.items() if v is not None}})
        spells = evaluate([rule], lines, until, catalogue).spells.filter(pl.col("fires_to") > until)
        found[q] = spells
    assert found[None].height > found[0.05].height >= 1
    passed = found[0.05].filter(pl.col("area") == CAMDEN).row(0, named=True)
    assert passed["q_value"] <= 0.05 and "Over 33 strata" in passed["why"] and "q " in passed["why"]


def test_areas_that_send_and_never_found_it_are_tests_too(known: Callable[..., Lines], catalogue: Catalogue) -> None:
    rows = [{"on": date(2025, 1, 1), "found": "metonitazene"}]
    rows += [{"on": date(2025, 1, 1), "area": area} for area in ("E09000019", "E09000033")]
    rule = catalogue.rules["ears-detections"].model_copy(update={"tiers": (Tier.BOROUGH, Tier.UK)})
    series = counts.of_lines(rule, prepare(known(*rows), day_end(date(2025, 2, 1)), catalogue), 7)
    assert series is not None and series.tests(series.last_closed(day_end(date(2025, 2, 1)))) == {"borough": 3, "uk": 1}
    assert series.tests(counts.period_of(date(2024, 12, 1), 7)) == {"borough": 0, "uk": 0}


def test_an_old_record_that_comes_late_is_no_history_in_hindsight(
    known: Callable[..., Lines], catalogue: Catalogue
) -> None:
    rows = [{"on": date(2025, 1, 8), "outcome": "n"}, {"on": date(2024, 1, 10), "known": "2025-03-03", "outcome": "n"}]
    ground = prepare(known(*rows), day_end(date(2025, 4, 1)), catalogue)
    series = counts.of_lines(catalogue.rules["ears-incidents"], ground, 7)
    assert series is not None
    before, after = (counts.period_of(day, 7) for day in (date(2025, 2, 10), date(2025, 3, 10)))
    assert series.started(before) == counts.period_of(date(2025, 1, 8), 7)
    assert series.started(after) == counts.period_of(date(2024, 1, 10), 7)


def test_the_ladder_judges_each_stratum_by_what_its_history_can_carry(catalogue: Catalogue) -> None:
    rule = rule_with(catalogue, "farrington-incidents", (Tier.REGION,)).model_copy(update={"method": "ladder"})
    judge = judging.method_of(rule).judge
    rng = np.random.default_rng(2)
    steady = np.append(rng.poisson(3, 300), 40).astype(float)
    for length, has_tail in ((300, True), (100, False), (20, False)):
        found = judge(np.stack([steady[-length:], np.append(np.zeros(length - 1), 9)]))
        assert found.reason[0] == "" and found.raised[0]
        assert np.isfinite(found.p_value[0]) == has_tail
        assert found.raised[1] and np.isfinite(found.p_value[1])
    sparse = np.zeros((1, 100))
    sparse[0, ::20] = 1
    assert judge(sparse).reason == [judging.SPARSE]


def test_with_ears_a_false_discovery_level_cannot_be_had(catalogue: Catalogue, known: Callable[..., Lines]) -> None:
    rule = rule_with(catalogue, "ears-incidents", (Tier.REGION,), q=0.05)
    found = evaluate([rule], known({"on": date(2025, 1, 1), "outcome": "n"}), day_end(date(2025, 2, 1)), catalogue)
    assert "EARS has none" in found.not_evaluable[0].reason
