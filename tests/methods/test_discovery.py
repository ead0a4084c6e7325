"""Benjamini-Hochberg per run and tier: what a plain loop gives, and what it must never do."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ewarn.methods.discovery import discoveries, discrete_q_values, mid_p, q_values
from ewarn.methods.tails import upper_tail

SHARES = st.lists(st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1e-300, 0.01, 0.05, 1.0])), min_size=1, max_size=25)


def by_a_plain_loop(p: list[float], level: float) -> list[bool]:
    """Benjamini and Hochberg's own words: the largest k with p(k) <= k level / m; accept the k smallest."""
    ranked = sorted(p)
    largest = max((k for k in range(1, len(p) + 1) if ranked[k - 1] <= k * level / len(p)), default=0)
    return [largest > 0 and x <= ranked[largest - 1] for x in p]


@settings(max_examples=60, deadline=None)
@given(SHARES, st.sampled_from([0.01, 0.05, 0.2, 0.5]))
def test_it_accepts_what_a_plain_loop_accepts(p: list[float], level: float) -> None:
    # a hair above the level, because p m / k <= level and p <= k level / m round differently
    found = discoveries(pl.DataFrame({"p_value": p}), level=level * (1 + 1e-12), by=())
    assert found["accepted"].to_list() == by_a_plain_loop(p, level * (1 + 1e-12)) or near_the_edge(p, level)


def near_the_edge(p: list[float], level: float) -> bool:
    ranked = sorted(p)
    return any(abs(x - k * level / len(p)) < 1e-9 for k, x in enumerate(ranked, 1))


@settings(max_examples=40, deadline=None)
@given(SHARES)
def test_a_smaller_p_never_has_a_larger_q(p: list[float]) -> None:
    q = q_values(np.array(p))
    assert np.all(np.diff(q[np.argsort(p, kind="stable")]) >= 0)
    assert np.all(q >= np.array(p) * (1 - 1e-12)) and np.all(q <= 1)


@settings(max_examples=25, deadline=None)
@given(SHARES, st.integers(0, 2**31))
def test_the_order_of_rows_is_irrelevant_and_tiers_do_not_mix(p: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    tested = pl.DataFrame({"stratum": range(len(p)), "run": 1, "tier": rng.integers(0, 3, len(p)), "p_value": p})
    there = discoveries(tested)
    mixed = discoveries(tested.sample(fraction=1, shuffle=True, seed=1)).sort("stratum")
    assert there.equals(mixed)
    for tier in range(3):
        alone = tested.filter(pl.col("tier") == tier)
        expected = q_values(alone["p_value"].to_numpy())
        np.testing.assert_allclose(there.filter(pl.col("tier") == tier)["q_value"].to_numpy(), expected)


def test_what_was_not_tested_is_neither_counted_nor_rejected() -> None:
    tested = pl.DataFrame({"run": 1, "tier": "borough", "p_value": [0.03, None, float("nan"), 0.9]})
    found = discoveries(tested, level=0.06)
    assert found["tests"].to_list() == [2, 2, 2, 2]
    assert found["accepted"].to_list() == [True, None, None, False]
    assert found["q_value"].to_list() == [0.06, None, None, 0.9]


def test_an_empty_run_gives_an_empty_answer() -> None:
    empty = pl.DataFrame(schema={"run": pl.Int64, "tier": pl.String, "p_value": pl.Float64})
    assert discoveries(empty).columns == ["run", "tier", "p_value", "tests", "q_value", "accepted"]
    assert discoveries(empty).is_empty()


def test_rows_of_a_matrix_are_runs_of_their_own() -> None:
    p = np.array([[0.01, 0.02, np.nan], [0.5, 0.01, 0.04]])
    together = q_values(p)
    np.testing.assert_allclose(together[0], [0.02, 0.02, np.nan])
    np.testing.assert_allclose(together[1], q_values(p[1]))


def attained_by_a_plain_loop(p: np.ndarray, mean: np.ndarray, phi: np.ndarray) -> np.ndarray:
    def largest(threshold: float, m: float, ratio: float) -> float:
        return next(t for c in range(999) if (t := float(upper_tail(c, m, ratio))) <= threshold * (1 + 1e-12))

    ranked = np.argsort(p, kind="stable")
    sums = [sum(largest(p[k], m, r) for m, r in zip(mean, phi, strict=True)) for k in ranked]
    q = np.empty(p.size)
    q[ranked] = np.minimum.accumulate((np.array(sums) / np.arange(1, p.size + 1))[::-1])[::-1]
    return np.minimum(q, 1.0)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_discrete_step_up_sums_what_each_stratum_can_attain(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mean, phi = rng.gamma(1, 2, 30), 1 + rng.choice([0.0, 1.0], 30)
    p = upper_tail(rng.poisson(mean + 1).astype(float), mean, phi)
    found = discrete_q_values(p, mean, phi, ceiling=1.0)
    np.testing.assert_allclose(found, attained_by_a_plain_loop(p, mean, phi), rtol=1e-9)
    assert np.all(found <= q_values(p) + 1e-12)


def test_the_discrete_step_up_accepts_more_where_most_strata_cannot_reach_the_threshold() -> None:
    mixed = np.r_[0.5, np.full(199, 0.0001)]
    p = upper_tail(np.r_[4.0, np.zeros(199)], mixed)
    assert discrete_q_values(p, mixed, np.ones(200))[0] < q_values(p)[0] / 10


def test_the_share_of_false_discoveries_stays_under_the_level() -> None:
    """200 runs of 400 strata, one in ten with three times its expectation, seed 5: at most the level on average."""
    rng = np.random.default_rng(5)
    mean = rng.gamma(2, 2, (200, 400))
    raised = rng.random(mean.shape) < 0.1
    y = rng.poisson(np.where(raised, 3 * mean, mean)).astype(float)
    accepted = q_values(upper_tail(y, mean)) <= 0.1
    false = (accepted & ~raised).sum(axis=1) / np.maximum(accepted.sum(axis=1), 1)
    assert accepted.sum() > 2000
    assert false.mean() < 0.1


def test_mid_p_is_the_tail_less_half_the_count_itself() -> None:
    y, mean, phi = np.array([3.0]), np.array([1.2]), np.array([1.5])
    itself = upper_tail(y, mean, phi) - upper_tail(y + 1, mean, phi)
    np.testing.assert_allclose(mid_p(y, mean, phi), upper_tail(y, mean, phi) - itself / 2)
