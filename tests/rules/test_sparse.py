"""Sparse maps as rules: near boroughs count together, nothing is known before its time, and both scans are heard."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from ewarn.catalogue import Catalogue
from ewarn.frames import Lines
from ewarn.methods import agreement, sparse_scan
from ewarn.rules import counts, evaluate, maps, signals
from ewarn.rules.prepare import prepare
from ewarn.terms import Signal, day_end, day_start

START, WEEKS = date(2023, 1, 2), 90
CAMDEN, ISLINGTON, WESTMINSTER = "E09000007", "E09000019", "E09000033"
BEXLEY, HILLINGDON = "E09000004", "E09000017"
RULE = "sparse-weekly"
Ask = Callable[..., list[Signal]]


def quiet(catalogue: Catalogue, seed: int = 1, weeks: int = WEEKS) -> list[dict[str, Any]]:
    """One nitazene in twenty weeks in every London borough."""
    areas = maps.of_region(catalogue, "E12000007", 5).areas
    drawn = np.random.default_rng(seed).poisson(0.05, (len(areas), weeks))
    return [
        {"on": START + timedelta(weeks=week, days=1), "found": "metonitazene", "area": areas[area]}
        for area, week in np.argwhere(drawn).tolist()
        for _ in range(drawn[area, week])
    ]


def newest(*areas: str, weeks: int = WEEKS) -> list[dict[str, Any]]:
    on = START + timedelta(weeks=weeks - 1, days=3)
    return [{"on": on, "found": "protonitazene", "area": area} for area in areas]


def asked(catalogue: Catalogue, lines: Lines, weeks: int = WEEKS) -> list[Signal]:
    until = day_start(START + timedelta(weeks=weeks)) + timedelta(hours=9)
    return signals.at(evaluate([catalogue.rules[RULE]], lines, until, catalogue), until)


def test_a_cluster_in_near_boroughs_is_one_signal_that_names_them(
    known: Callable[..., Lines], catalogue: Catalogue
) -> None:
    rows = quiet(catalogue) + newest(CAMDEN, CAMDEN, CAMDEN, ISLINGTON, WESTMINSTER)
    (signal,) = asked(catalogue, known(*rows))
    assert signal.area.code == CAMDEN and signal.subject.id == "nitazene"
    assert signal.observed is not None and signal.observed >= 5 and signal.record_count == signal.observed
    assert "Camden with" in signal.why and "Islington" in signal.why
    assert signal.by_chance_per_year is not None and signal.by_chance_per_year < 1


def test_the_same_number_at_opposite_ends_of_london_is_no_cluster(
    known: Callable[..., Lines], catalogue: Catalogue
) -> None:
    assert asked(catalogue, known(*quiet(catalogue), *newest(BEXLEY, HILLINGDON, CAMDEN))) == []
    assert asked(catalogue, known(*quiet(catalogue))) == []


def test_the_signal_says_what_both_scans_say(known: Callable[..., Lines], catalogue: Catalogue) -> None:
    lines = known(*quiet(catalogue), *newest(*[CAMDEN] * 6))
    (signal,) = asked(catalogue, lines)
    until = day_start(START + timedelta(weeks=WEEKS)) + timedelta(hours=9)
    series = counts.of_lines(catalogue.rules[RULE], prepare(lines, until, catalogue), 7)
    assert series is not None
    drawn = maps.of_region(catalogue, "E12000007", 5)
    matrix = series.matrix(series.last_closed(until), WEEKS)
    table = np.zeros((len(drawn.areas), WEEKS))
    for row, (_, subject, area, _) in enumerate(series.strata):
        table[drawn.areas.index(area)] += matrix[row] * (subject == "nitazene")
    assert signal.p_value == pytest.approx(float(sparse_scan.scan(table[None], drawn.zones).p_value[0]))
    assert agreement.both(table, drawn.zones).verdict == "both"
    assert "Both scans agree: neither national growth" in signal.why


def test_it_answers_in_the_first_week_and_says_that_the_other_scan_cannot(
    known: Callable[..., Lines], catalogue: Catalogue
) -> None:
    (signal,) = asked(catalogue, known(*newest(*[CAMDEN] * 5, weeks=1)), weeks=1)
    assert signal.expected is not None and 0 < signal.expected < 1
    assert "The permutation scan had no answer: fewer than 2 periods of history." in signal.why


def test_a_count_at_the_stated_bound_would_have_been_quiet(known: Callable[..., Lines], catalogue: Catalogue) -> None:
    base = quiet(catalogue, seed=4)
    (signal,) = asked(catalogue, known(*base, *newest(*[CAMDEN] * 6)))
    assert signal.upper_bound is not None and signal.upper_bound < 6
    fewer = int(signal.upper_bound)
    assert asked(catalogue, known(*base, *newest(*[CAMDEN] * fewer))) == []


def test_row_order_and_later_records_change_nothing(known: Callable[..., Lines], catalogue: Catalogue) -> None:
    rows = quiet(catalogue) + newest(CAMDEN, CAMDEN, CAMDEN, CAMDEN, ISLINGTON)
    rows = [{"id": f"r{number}", **row} for number, row in enumerate(rows)]
    late = [{"id": f"late{n}", "known": "2024-11-30", **row} for n, row in enumerate(newest(*[HILLINGDON] * 6))]
    wanted = asked(catalogue, known(*rows))
    random.Random(3).shuffle(rows)
    found = asked(catalogue, known(*rows, *late))
    assert [s.model_dump(exclude={"records"}) for s in found] == [s.model_dump(exclude={"records"}) for s in wanted]
    last = START + timedelta(weeks=WEEKS + 30)
    days = [START + timedelta(days=n) for n in range((last - START).days)]
    year = evaluate([catalogue.rules[RULE]], known(*rows, *late), day_end(last), catalogue, since=day_start(START))
    assert wanted[0].id in {s.id for s in signals.over(year, days)}
    assert pl.Series([s.area.code for s in signals.over(year, days)]).is_in([CAMDEN, HILLINGDON]).any()
