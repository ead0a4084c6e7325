"""The space-time permutation scan finds what a slow, literal one finds, and its p is that of shuffling."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ewarn.errors import UsageFault
from ewarn.methods.permutation import Settings, scan
from ewarn.methods.zones import Zones, alone, circles, neighbourhoods

QUICK = Settings(most_periods=5, replicates=99, secondary=True)


def drawn(seed: int, areas: int = 8, days: int = 40, mean: float = 0.2) -> tuple[np.ndarray, Zones]:
    rng = np.random.default_rng(seed)
    return rng.poisson(mean, (areas, days)), circles(rng.random((areas, 2)))


def literal(counts: np.ndarray, zones: Zones, most_periods: int) -> float:
    """The largest log likelihood ratio, window by window, as the paper writes it."""
    total, best = counts.sum(), 0.0
    for chain in range(len(zones.members)):
        for step in range(zones.members.shape[1]):
            areas = list(zones.zone(chain, step))
            if not zones.closes[chain, step] or counts[areas].sum() > total / 2:
                continue
            for periods in range(1, most_periods + 1):
                c = counts[areas, -periods:].sum()
                mu = counts[areas].sum() * counts[:, -periods:].sum() / total
                if c >= 2 and c > mu:
                    ratio = c * np.log(c / mu)
                    ratio += (total - c) * np.log((total - c) / (total - mu)) if c < total else 0
                    best = max(best, ratio)
    return best


def shuffled_literally(counts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    areas, days = np.repeat(np.argwhere(counts), counts[counts > 0], axis=0).T
    table = np.zeros_like(counts)
    np.add.at(table, (areas, rng.permutation(days)), 1)
    return table


@pytest.mark.parametrize("seed", range(6))
def test_the_strongest_window_is_the_literal_one(seed: int) -> None:
    counts, zones = drawn(seed)
    top = scan(counts, zones, QUICK).windows[0]
    assert top.log_ratio == pytest.approx(literal(counts, zones, 5), rel=1e-12)
    assert top.observed == counts[list(top.areas), -top.periods :].sum()


def test_p_is_that_of_shuffling_dates_literally() -> None:
    counts, zones = drawn(3, mean=0.15)
    top = scan(counts, zones, replace(QUICK, replicates=4999)).windows[0]
    rng = np.random.default_rng(0)
    reached = sum(literal(shuffled_literally(counts, rng), zones, 5) >= top.log_ratio - 1e-9 for _ in range(300))
    assert top.p_value == pytest.approx(reached / 300, abs=0.09)


def test_p_of_many_maps_without_clusters_is_even() -> None:
    p_values = [scan(*drawn(seed, mean=0.4), replace(QUICK, secondary=False)).windows[0].p_value for seed in range(200)]
    assert 0.35 < np.median(p_values) < 0.65
    assert 0 < np.mean(np.array(p_values) <= 0.1) < 0.18


def test_weaker_windows_share_no_area_with_stronger_ones() -> None:
    counts, zones = drawn(1, areas=20)
    counts[0, -1] += 6
    counts[7, -2:] += 3
    windows = scan(counts, zones, QUICK).windows
    areas = [area for window in windows for area in window.areas]
    assert len(windows) >= 2 and len(areas) == len(set(areas))
    assert [w.log_ratio for w in windows] == sorted((w.log_ratio for w in windows), reverse=True)
    assert [w.p_value for w in windows][:2] == sorted(w.p_value for w in windows)[:2]


def test_a_rise_of_the_whole_country_is_no_cluster() -> None:
    rng = np.random.default_rng(5)
    counts = rng.poisson(np.where(np.arange(60) >= 53, 3.0, 0.5), (12, 60))
    assert scan(counts, circles(rng.random((12, 2))), QUICK).windows[0].p_value > 0.05


def test_the_same_seed_gives_the_same_p_and_recurrence_is_its_inverse() -> None:
    counts, zones = drawn(2)
    one, other = scan(counts, zones, QUICK), scan(counts, zones, QUICK)
    assert one == other
    assert all(window.recurrence == 1 / window.p_value for window in one.windows)


def test_neighbours_serve_in_place_of_positions() -> None:
    counts = np.zeros((6, 30), dtype=np.int64)
    counts[:, ::3] = 1
    counts[[1, 2], -2:] += 3
    zones = neighbourhoods(6, [(0, 1), (1, 2), (3, 4), (4, 5)])
    assert set(scan(counts, zones, QUICK).windows[0].areas) == {1, 2}


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        (np.zeros((3, 20)), "fewer than 2 cases"),
        (np.ones((3, 1)), "fewer than 2 periods"),
        (np.where(np.eye(3, 20) > 0, np.nan, 1.0), "suppressed or missing"),
    ],
)
def test_what_cannot_be_scanned_says_why(counts: np.ndarray, reason: str) -> None:
    found = scan(counts, alone(3))
    assert found.windows == () and found.reason is not None and reason in found.reason


def test_one_area_has_nothing_to_be_compared_with() -> None:
    assert scan(np.ones((1, 20)), alone(1)).reason == "fewer than 2 areas to compare"


def test_counts_that_are_no_counts_are_refused() -> None:
    with pytest.raises(UsageFault):
        scan(np.full((2, 5), 0.5), alone(2))
    with pytest.raises(UsageFault):
        scan(np.ones((3, 5)), alone(2))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.permutations(range(8)))
def test_the_order_of_areas_decides_nothing(seed: int, order: list[int]) -> None:
    rng = np.random.default_rng(seed)
    counts, places = rng.poisson(0.2, (8, 30)), rng.random((8, 2))
    quick = replace(QUICK, replicates=9, secondary=False)
    one, other = scan(counts, circles(places), quick), scan(counts[order], circles(places[order]), quick)
    assert len(one.windows) == len(other.windows)
    for a, b in zip(one.windows, other.windows, strict=True):
        assert a.log_ratio == pytest.approx(b.log_ratio) and (a.observed, a.expected) == pytest.approx(
            (b.observed, b.expected)
        )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 60))
def test_p_is_never_below_one_over_the_number_of_maps(seed: int, replicates: int) -> None:
    counts, zones = drawn(seed, areas=5, days=20)
    counts[0, -1] += 9
    for window in scan(counts, zones, replace(QUICK, replicates=replicates)).windows:
        assert 1 / (1 + replicates) <= window.p_value <= 1


def test_areas_at_one_distance_enter_together() -> None:
    zones = circles(np.array([[0.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [0.0, 5.0]]))
    assert zones.closes[0].tolist() == [True, False, True, True]


def test_an_area_without_a_position_stands_alone() -> None:
    zones = circles(np.array([[0.0, 0.0], [1.0, 0.0], [np.nan, np.nan]]))
    assert zones.closes[2].tolist() == [True, False, False]
    assert not (zones.members[:2] == 2).any()


def test_many_cases_and_a_short_history_are_dealt_out_exactly() -> None:
    rng = np.random.default_rng(9)
    counts, zones = rng.poisson(30, (5, 6)), circles(rng.random((5, 2)))
    assert 0.01 < scan(counts, zones, QUICK).windows[0].p_value <= 1
