"""Detections whose results come in late: judged against what can be known by now; the signal says how much is in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np

from ewarn.catalogue import Catalogue
from ewarn.catalogue.definitions import RuleDefinition
from ewarn.frames import Lines
from ewarn.rules import evaluate, signals
from ewarn.terms import Signal, Tier, day_end

START, WEEKS, OUTBREAK = date(2019, 1, 7), 300, 295
LONDON = "E12000007"


def results(seed: int, lag_weeks: float, extra: int = 0) -> list[dict[str, Any]]:
    """Two laboratories, about one and a half results a week together, half of them in after `lag_weeks`; from the
    outbreak week on `extra` more a week."""
    rng = np.random.default_rng(seed)
    rows = []
    for week in range(WEEKS):
        for lab, mean in (("quick", 0.5), ("slow", 1.0)):
            number = rng.poisson(mean) + (rng.poisson(extra) if week >= OUTBREAK and lab == "slow" else 0)
            for _ in range(number):
                on = START + timedelta(weeks=week, days=int(rng.integers(7)))
                wait = 1 if lab == "quick" else 1 + int(rng.exponential(lag_weeks * 7 / 0.7))
                rows.append({"on": on, "known": on + timedelta(days=wait), "source": lab, "found": "metonitazene"})
    return rows


def rule(catalogue: Catalogue, lag: bool, alpha: float = 0.01) -> RuleDefinition:
    found = catalogue.rules["farrington-detections"]
    numbers = {**found.numbers, "lag": lag, "alpha": alpha, "min_observed": 3}
    numbers.pop("q")
    return found.model_copy(update={"tiers": (Tier.REGION,), "numbers": numbers})


def raised(catalogue: Catalogue, lines: Lines, asked: RuleDefinition, week: int) -> list[Signal]:
    instant = day_end(START + timedelta(weeks=week))
    return signals.at(evaluate([asked], lines, instant, catalogue), instant)


def test_a_rise_is_seen_while_most_of_its_results_are_still_out(
    known: Callable[..., Lines], catalogue: Catalogue
) -> None:
    lagged = plain = 0
    for seed in range(6):
        lines = known(*results(seed, 4.0, extra=7))
        found = [raised(catalogue, lines, rule(catalogue, lag), OUTBREAK + 5) for lag in (True, False)]
        lagged, plain = lagged + bool(found[0]), plain + bool(found[1])
        assert all("expected results are in." in s.why for s in found[0])
        assert all("results are in" not in s.why for s in found[1])
    assert lagged >= 4 and lagged > plain


def test_without_a_rise_late_results_raise_nothing(known: Callable[..., Lines], catalogue: Catalogue) -> None:
    said = [s for seed in range(8) for s in raised(catalogue, known(*results(seed, 4.0)), rule(catalogue, True), WEEKS)]
    assert len(said) <= 1


def test_what_is_counted_was_known_at_the_close(known: Callable[..., Lines], catalogue: Catalogue) -> None:
    rows = [{"id": f"r{n}", **row} for n, row in enumerate(results(1, 4.0, extra=6))]
    when = {row["id"]: row["known"] for row in rows}
    lines = known(*rows)
    (signal,) = raised(catalogue, lines, rule(catalogue, True), OUTBREAK + 5)
    close = START + timedelta(weeks=OUTBREAK + 5)
    assert signal.observed == signal.record_count
    assert all(when[record] < close for record in signal.records)
    later, since = day_end(close + timedelta(weeks=3)), day_end(close - timedelta(weeks=8))
    year = evaluate([rule(catalogue, True)], lines, later, catalogue, since=since)
    days = [close + timedelta(days=n) for n in range(-40, 20)]
    assert signal.id in {s.id for s in signals.over(year, days)}


def test_a_source_without_lag_is_judged_on_all_its_results(known: Callable[..., Lines], catalogue: Catalogue) -> None:
    rows = [row | {"known": row["on"]} for row in results(2, 4.0, extra=8)]
    (signal,) = raised(catalogue, known(*rows), rule(catalogue, True), OUTBREAK + 3)
    assert "All of about" in signal.why


def test_too_short_a_history_stays_not_evaluable_with_its_reason(
    known: Callable[..., Lines], catalogue: Catalogue
) -> None:
    rows = [row for row in results(3, 2.0) if row["on"] >= START + timedelta(weeks=WEEKS - 100)]
    until = day_end(START + timedelta(weeks=WEEKS))
    found = evaluate([rule(catalogue, True)], known(*rows), until, catalogue)
    assert found.spells.is_empty() and [n.reason for n in found.not_evaluable] == ["too short a history"]


def test_lag_needs_weeks(catalogue: Catalogue, known: Callable[..., Lines]) -> None:
    daily = catalogue.rules["ears-detections"].model_copy(
        update={"numbers": {"period": "day", "lag": True, "z": 3.09, "min_observed": 3}}
    )
    found = evaluate([daily], known(*results(3, 2.0)), day_end(START + timedelta(weeks=30)), catalogue)
    assert "lag is learnt by week" in found.not_evaluable[0].reason
