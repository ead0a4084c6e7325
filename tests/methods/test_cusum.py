"""CUSUMs and their thresholds; run lengths are checked by simulation with a fixed seed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import nbinom, poisson

from ewarn.methods.cusum import (
    Cusum,
    add_up,
    bernoulli,
    judge,
    negative_binomial,
    poisson_reference,
    watch_positivity,
)
from ewarn.methods.runlength import count_design, run_length, test_design
from ewarn.methods.verdicts import Reason


def test_sums_never_fall_below_zero_and_start_again_when_asked() -> None:
    steps = np.array([[1.0, -5, 2, 2, np.nan, -1]])
    before, after = add_up(steps, 3.5)
    assert after[0].tolist() == [1, 0, 2, 4, 4, 3] and before[0].tolist() == [0, 1, 0, 2, 4, 4]
    assert add_up(steps, 3.5, reset=True)[1][0].tolist() == [1, 0, 2, 4, 0, 0]


def test_counts_against_their_baseline() -> None:
    y = np.array([[4.0] * 20 + [4, 12, 12], [0.0] * 23, [4.0] * 22 + [np.nan], [np.nan] + [4.0] * 22])
    found = judge(y, start=20)
    assert found.outcome[0].tolist() == ["clear", "signal", "signal"]
    assert (found.reason[1] == Reason.ZERO_BASELINE).all()
    assert found.reason[2].tolist() == [Reason.NONE, Reason.NONE, Reason.MISSING_RECENT]
    assert (found.reason[3] == Reason.MISSING_BASELINE).all()
    assert (judge(y[:, :3], start=2).reason == Reason.TOO_SHORT).all()
    assert judge(y[:, :3], Cusum(mean=4.0), start=2).outcome[0, 0] == "clear"


def test_the_bound_is_where_the_signal_begins() -> None:
    base = np.full((1, 20), 6.0)
    for transform in ("standard", "rossi", "anscombe", "pearsonNegBin"):
        method = Cusum(transform=transform)
        upper = judge(np.hstack([base, [[6.0]]]), method).upper[0, 0]
        at = judge(np.hstack([base, [[np.ceil(upper + 1e-9)]]]), method)
        below = judge(np.hstack([base, [[np.ceil(upper) - 1]]]), method)
        assert at.signal[0, 0] and not below.signal[0, 0]


def test_a_seasonal_mean_follows_the_season() -> None:
    week = np.arange(208)
    y = np.rint(20 + 10 * np.cos(2 * np.pi * week / 52))[None, :]
    found = judge(y, Cusum(mean="seasonal"), start=156)
    assert np.abs(found.expected - y[:, 156:]).max() < 2


def test_likelihood_ratios_are_those_of_the_distributions() -> None:
    y = np.arange(8.0)
    size = 3.0 / (2.5 - 1)
    ratio = nbinom.logpmf(y, size, size / (size + 6)) - nbinom.logpmf(y, size, size / (size + 3))
    assert negative_binomial(y, 3.0, 2.0, 2.5) == pytest.approx(ratio)
    assert negative_binomial(y, 3.0, 2.0, 1.0) == pytest.approx(poisson.logpmf(y, 6) - poisson.logpmf(y, 3))
    assert bernoulli(np.ones(2), np.array([1.0, 0]), 0.1, 0.3) == pytest.approx([np.log(3), np.log(0.7 / 0.9)])
    assert float(poisson_reference(2.0, 4.0)) == pytest.approx(2 / np.log(2))


def test_tests_by_day_add_up_to_tests_one_by_one() -> None:
    draw = np.random.default_rng(2)
    single = (draw.random(60) < 0.2).astype(float)
    one = bernoulli(np.ones((1, 60)), single[None, :], 0.05, 0.2).sum()
    days = single.reshape(6, 10).sum(axis=1)
    assert bernoulli(np.full((1, 6), 10.0), days[None, :], 0.05, 0.2).sum() == pytest.approx(one)


def test_positivity_is_judged_where_the_number_tested_moves() -> None:
    tested, positive = np.array([10.0, 100, 10, 0, np.nan]), np.array([1.0, 10, 6, 0, 0])
    found = watch_positivity(tested, positive, 0.1, 0.3, 3.0)
    assert found.outcome[0].tolist() == ["clear", "clear", "signal", "clear", "not evaluable"]
    assert found.upper[0, 2] < 6 and found.expected[0, 1] == pytest.approx(10)
    assert watch_positivity(np.array([3.0]), np.array([4.0]), 0.1, 0.3, 3.0).outcome[0, 0] == "not evaluable"


def test_a_threshold_gives_the_run_length_it_promises() -> None:
    design = count_design(2.0, 4.0, 200)
    assert design.run_length >= 200
    draw = np.random.default_rng(3)
    runs = [_run(draw.poisson(2.0, 4000) - design.reference, design.threshold) for _ in range(600)]
    assert np.mean(runs) == pytest.approx(design.run_length, rel=0.15)
    wide = count_design(2.0, 4.0, 200, phi=2.0)
    assert wide.threshold > design.threshold


def test_a_threshold_for_tests_gives_the_run_length_it_promises() -> None:
    draw = np.random.default_rng(4)
    for p0, p1, tested in ((0.05, 0.15, 1), (0.3, 0.5, 1), (0.05, 0.15, 20)):
        design = test_design(p0, p1, 1000, tested)
        assert design.run_length >= 1000 and design.p1 == pytest.approx(p1, rel=0.1)
        gain, cost = bernoulli(np.ones(2), np.array([1.0, 0.0]), design.p0, design.p1)
        positive = draw.binomial(tested, p0, (300, 20000 // tested))
        runs = [_run(row * (gain - cost) + tested * cost, design.threshold) * tested for row in positive]
        assert np.mean(runs) == pytest.approx(design.run_length, rel=0.15)


def _run(steps: np.ndarray, threshold: float) -> int:
    total = 0.0
    for count, step in enumerate(steps, start=1):
        total = max(0.0, total + float(step))
        if total >= threshold - 1e-9:
            return count
    return len(steps)


def test_run_lengths_by_hand() -> None:
    # Heads one up, tails one down, a signal at 1: the first head ends it.
    assert run_length(np.array([1, -1]), np.array([0.25, 0.75]), 1) == pytest.approx(4.0)


def test_designs_that_cannot_be_are_refused() -> None:
    for wrong in ((4.0, 2.0), (0.0, 1.0)):
        with pytest.raises(ValueError):
            count_design(*wrong, 100)
    with pytest.raises(ValueError):
        test_design(0.3, 0.2, 100)
    with pytest.raises(ValueError):
        bernoulli(np.ones(1), np.ones(1), 0.2, 0.1)
