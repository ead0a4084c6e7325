"""Upper bounds are the exact quantiles."""

from __future__ import annotations

import numpy as np
from scipy.stats import nbinom, poisson

from ewarn.methods.quantiles import quantile


def test_quantiles_equal_those_of_the_distributions_at_small_and_large_means() -> None:
    draw = np.random.default_rng(1)
    mean = np.exp(draw.uniform(-7, 12, 4000))
    phi = np.where(draw.random(4000) < 0.3, 1.0, 1 + np.exp(draw.uniform(-4, 4, 4000)))
    for probability in (0.5, 0.95, 0.995, 0.9999):
        size = np.where(phi > 1, mean / np.maximum(phi - 1, 1e-12), 1.0)
        wanted = np.where(phi > 1, nbinom.ppf(probability, size, 1 / phi), poisson.ppf(probability, mean))
        assert (quantile(probability, mean, phi) == wanted).all()


def test_nothing_expected_and_nothing_known() -> None:
    found = quantile(0.995, np.array([0.0, np.nan, 1e-12, np.inf]), np.ones(4))
    assert found[0] == 0 and np.isnan(found[1]) and found[2] == 0 and np.isnan(found[3])


def test_means_without_bound_still_give_an_answer() -> None:
    found = quantile(0.995, np.array([1e9, 1e17]), np.array([3.0, 1.0]))
    assert (found > np.array([1e9, 1e17])).all() and np.isfinite(found).all()
