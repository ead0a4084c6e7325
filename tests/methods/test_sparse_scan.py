"""The empirical-Bayes scan answers on sparse maps, says so when it cannot, and cries wolf as often as it says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ewarn.errors import UsageFault
from ewarn.methods import null_quantiles as null
from ewarn.methods.gamma_poisson import Prior, fitted, windows
from ewarn.methods.null_maps import drawn, simulated
from ewarn.methods.sparse_scan import scan, weights
from ewarn.methods.tails import upper_tail
from ewarn.methods.zones import Zones, alone, circles, neighbourhoods

RNG = np.random.default_rng(77)
ZONES = circles(RNG.random((12, 2)), 5)


def maps(seed: int, count: int = 1, areas: int = 12, weeks: int = 80, mean: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.poisson(rng.gamma(2, mean / 2, (count, areas, 1)), (count, areas, weeks)).astype(np.float64)


def test_the_rate_lies_between_the_areas_own_and_that_of_all() -> None:
    counts = maps(1, weeks=150)
    counts[0, 0, :142] += np.random.default_rng(0).poisson(0.5, 142)
    model = fitted(counts)
    own, everyone = counts[0, :, :142].mean(axis=1), counts[0, :, :142].mean()
    assert (
        (np.minimum(own, everyone) - 1e-9 <= model.per_week[0]) & (model.per_week[0] <= np.maximum(own, everyone))
    ).all()


def test_dispersion_is_found_where_cases_come_in_batches() -> None:
    rng = np.random.default_rng(3)
    rates = np.full((20, 12, 160), 0.3)
    assert fitted(drawn(rng, rates, 2.0).astype(float)).phi.mean() == pytest.approx(2.0, abs=0.12)
    assert fitted(drawn(rng, rates, 1.0).astype(float)).phi.mean() == pytest.approx(1.0, abs=0.06)


def test_a_window_by_hand() -> None:
    """Two areas, no trend to speak of: expectation, variance and tail as the formulas say."""
    counts = np.zeros((1, 2, 30))
    counts[0, :, ::10] = 1
    counts[0, 0, -1] = 4
    prior = Prior(mean=0.1, weeks=20)
    looked = windows(counts, alone(2), fitted(counts, prior), 2)
    shape, rate = 0.1 * 20 + 3, 20 + 22
    elsewhere = {8: 0.0, 4: 0.0}
    trend = max((elsewhere[weeks] + 2) / (weeks * shape / rate + 2) for weeks in (8, 4))
    mean = trend * shape / rate
    ratio = 1 + mean * (1 / shape + 1 / 2)
    assert looked.expected[0, 0, 0, 0] == pytest.approx(mean)
    assert looked.p_value[0, 0, 0, 0] == pytest.approx(float(upper_tail(4, mean, ratio)))


def test_cases_after_an_empty_history_always_get_an_answer() -> None:
    counts = np.zeros((1, 12, 100))
    counts[0, 4, -1] = 3
    found = scan(counts, ZONES)
    assert found.reason == (None,) and found.p_value[0] < 0.01
    assert found.windows[0][0].areas == (4,) and found.windows[0][0].observed == 3


def test_no_case_after_an_empty_history_is_clear_and_after_a_short_one_not_evaluable() -> None:
    long, short = scan(np.zeros((1, 12, 100)), ZONES), scan(np.zeros((1, 12, 15)), ZONES)
    assert long.p_value[0] > 0.5 and long.windows == ((),)
    assert np.isnan(short.p_value[0]) and short.reason == ("fewer than 20 weeks of history and no prior",)


def test_a_prior_answers_from_the_first_week() -> None:
    counts = np.zeros((1, 12, 1))
    assert scan(counts, ZONES, Prior(0.02, 26)).p_value[0] > 0.5
    counts[0, 3, 0] = 3
    assert scan(counts, ZONES, Prior(0.02, 26)).p_value[0] < 0.05
    assert scan(np.maximum(counts, 1.0), ZONES, Prior(1.0, 26)).p_value[0] > 0.05
    with pytest.raises(UsageFault):
        scan(counts, ZONES, Prior(0.0, 26))


def test_a_missing_cell_takes_out_its_windows_and_no_others() -> None:
    counts = maps(5)
    counts[0, 2, -1] = np.nan
    counts[0, 7, -1] = 5
    found = scan(counts, ZONES)
    assert np.isnan(found.area_p_value[0, 2]) and np.isfinite(np.delete(found.area_p_value[0], 2)).all()
    assert 2 not in found.windows[0][0].areas and found.p_value[0] < 0.05
    gone = counts.copy()
    gone[:, :, -1] = np.nan
    assert scan(gone, ZONES).reason == ("the newest week is missing in every area",)


def test_empty_maps_and_misfits() -> None:
    assert scan(np.zeros((0, 12, 50)), ZONES).reason == ()
    assert scan(np.zeros((2, 12, 0)), ZONES).reason == ("no weeks", "no weeks")
    with pytest.raises(UsageFault):
        scan(np.zeros((1, 3, 50)), ZONES)
    with pytest.raises(UsageFault):
        scan(np.full((1, 12, 50), -1.0), ZONES)


def test_an_areas_p_is_never_below_its_maps() -> None:
    found = scan(maps(6, count=30), ZONES)
    assert (found.area_p_value >= found.p_value[:, None] - 1e-12).all()


def test_a_second_cluster_stands_beside_the_first() -> None:
    places = np.column_stack([np.arange(12.0), np.zeros(12)])
    counts = maps(14)
    counts[0, [0, 11], -1] += (6, 5)
    found = scan(counts, circles(places, 5))
    assert {window.areas for window in found.windows[0]} == {(0,), (11,)}
    assert found.windows[0][0].p_value <= found.windows[0][1].p_value <= 0.05
    assert (found.area_p_value[0, 1:11] > 0.05).all()


def test_maps_judged_together_and_alone_are_judged_alike() -> None:
    counts = maps(8, count=6)
    together = scan(counts, ZONES)
    for number in range(6):
        assert scan(counts[number : number + 1], ZONES).p_value[0] == pytest.approx(together.p_value[number], rel=1e-12)


@pytest.mark.parametrize(("mean", "phi"), [(0.02, 1.0), (0.15, 1.0), (0.5, 1.8)])
def test_false_alarms_are_as_many_as_stated(mean: float, phi: float) -> None:
    """Between the nodes of the table: 500 maps of 20 areas without a cluster."""
    rng = np.random.default_rng(int(mean * 1000))
    rates = np.broadcast_to(rng.gamma(2, mean / 2, (500, 20, 1)), (500, 20, 90))
    found = scan(drawn(rng, rates, phi), circles(rng.random((20, 2)), 5))
    assert 0.02 <= (found.p_value <= 0.05).mean() <= 0.085


@pytest.mark.parametrize("zones", [alone(20), neighbourhoods(20, [(i, (i + 1) % 20) for i in range(20)], rings=1)])
def test_other_zones_keep_the_calibration(zones: Zones) -> None:
    found = scan(maps(11, count=500, areas=20, weeks=90), zones)
    assert 0.015 <= (found.p_value <= 0.05).mean() <= 0.085


def test_the_table_is_what_the_simulation_gives() -> None:
    found = simulated(1500, 12, 0.3, 1.5, seed=5)
    kept = null.TABLE[null.AREAS.index(12), null.MEANS.index(0.3), null.PHIS.index(1.5)]
    for level in (0.05, 0.1, 0.3):
        assert np.mean(found <= kept[null.LEVELS.index(level)]) == pytest.approx(level, rel=0.35)


def test_weights_add_up_to_one_and_favour_few_areas_and_short_windows() -> None:
    shares = weights(ZONES, 6)
    assert shares.sum() == pytest.approx(1)
    assert shares[0, 0, 0] > shares[0, 4, 0] > 0 and shares[0, 0, 0] > shares[0, 0, 5] > 0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.permutations(range(12)))
def test_the_order_of_areas_decides_nothing(seed: int, order: list[int]) -> None:
    rng = np.random.default_rng(seed)
    counts, places = maps(seed, weeks=60), rng.random((12, 2))
    counts[0, 3, -1] += 3
    one, other = scan(counts, circles(places, 5)), scan(counts[:, order], circles(places[order], 5))
    assert other.p_value[0] == pytest.approx(one.p_value[0], rel=1e-9)
    assert other.area_p_value[0] == pytest.approx(one.area_p_value[0][order], rel=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 5))
def test_one_more_case_in_a_window_never_raises_its_p(seed: int, back: int) -> None:
    counts = maps(seed, weeks=60, mean=0.3)
    zones = circles(np.random.default_rng(seed).random((12, 2)), 5)
    before = windows(counts, zones, fitted(counts))
    more = counts.copy()
    more[0, 4, -1 - back] += 1
    after = windows(more, zones, fitted(more))
    holding = np.cumsum(zones.members == 4, axis=1) > 0
    assert (after.p_value[0, holding, back:] <= before.p_value[0, holding, back:] + 1e-12).all()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 9), st.integers(0, 11))
def test_cases_out_of_nothing_are_never_left_without_an_answer(seed: int, cases: int, area: int) -> None:
    counts = np.zeros((1, 12, 20 + seed % 200))
    counts[0, area, -1] = cases
    p_value = scan(counts, ZONES).p_value[0]
    assert 0 < p_value <= 1
