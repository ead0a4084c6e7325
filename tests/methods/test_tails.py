"""Exact tails against sums of probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ewarn.methods.tails import upper_tail
from ewarn.methods.zeros import tail_after_zeros


@pytest.mark.parametrize(("mean", "phi"), [(0.02, 1.0), (3.0, 1.0), (0.3, 1.2), (40.0, 5.0), (7.0, 1.000001)])
def test_the_tail_is_the_sum_of_what_lies_above(mean: float, phi: float) -> None:
    counts = np.arange(60)
    if phi == 1.0:
        below = stats.poisson.cdf(counts - 1, mean)
    else:
        below = stats.nbinom.cdf(counts - 1, mean / (phi - 1), 1 / phi)
    found = upper_tail(counts, mean, phi)
    np.testing.assert_allclose(found[below < 1 - 1e-9], 1 - below[below < 1 - 1e-9], rtol=1e-6)
    assert np.all(np.diff(found) <= 0) and found[0] == 1


def test_the_edges_have_an_answer_and_what_is_missing_stays_missing() -> None:
    found = upper_tail([0.0, 1.0, np.nan, 2.0, 2.3], [0.0, 0.0, 1.0, np.nan, 1.0])
    np.testing.assert_allclose(found[[0, 1]], [1.0, 0.0])
    assert np.isnan(found[[2, 3]]).all()
    np.testing.assert_allclose(found[4], upper_tail(3, 1.0))


def test_after_any_number_of_zeros_cases_have_an_answer() -> None:
    weeks = np.array([0, 1, 13, 52, 104, 520])
    for cases in (1, 2, 5, 50):
        p = tail_after_zeros(cases, weeks)
        assert np.all((p > 0) & (p < 1)) and np.all(np.diff(p) <= 0)
    assert tail_after_zeros(1, 104) == pytest.approx(1 / 209, rel=0.01)
    assert np.all(tail_after_zeros(3, weeks[2:]) < 0.005)
    assert np.all(tail_after_zeros(2, weeks, 3) > tail_after_zeros(2, weeks, 1))
