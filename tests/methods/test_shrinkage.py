"""Shrunken ratios: against numerical integration, and with spreads that are known."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from scipy.integrate import quad
from scipy.stats import gamma, poisson

from ewarn.methods import shrinkage
from ewarn.methods.shrinkage import Prior

PRIOR = Prior(0.4, 0.3, 3.0, 2.5, 0.25)


def density(x: float, prior: Prior = PRIOR) -> float:
    one = gamma.pdf(x, prior.shape, scale=1 / prior.rate)
    other = gamma.pdf(x, prior.other_shape, scale=1 / prior.other_rate)
    return float(prior.weight * one + (1 - prior.weight) * other)


@pytest.mark.parametrize(("n", "e"), [(0, 2.0), (1, 0.1), (7, 2.0), (40, 35.0)])
def test_the_posterior_agrees_with_integration(n: int, e: float) -> None:
    def weighted(x: float) -> float:
        return density(x) * float(poisson.pmf(n, x * e))

    cuts = [1e-9, 0.05, 0.5, 1, 2, 5, 15, 60, 200]
    spans = list(pairwise(cuts))
    whole = sum(quad(weighted, a, b)[0] for a, b in spans)
    log_mean = sum(quad(lambda x: np.log(x) * weighted(x), a, b)[0] for a, b in spans) / whole
    found = shrinkage.ratios([n], [e], PRIOR)
    if n:
        assert found.ebgm[0] == pytest.approx(np.exp(log_mean), rel=1e-3)
    below = [(a, min(b, found.lower[0])) for a, b in spans if a < found.lower[0]]
    assert sum(quad(weighted, a, b)[0] for a, b in below) / whole == pytest.approx(0.05, abs=2e-3)
    counts = np.arange(200)
    tail = sum(quad(lambda x: density(x) * float(poisson.sf(n - 1, x * e)), a, b)[0] for a, b in spans)
    assert n == 0 or found.tail[0] == pytest.approx(tail, rel=5e-3)
    assert counts.size


def test_the_bound_holds_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    e = rng.gamma(0.5, 6, 4000) + 0.01
    ratio = np.where(rng.random(4000) < 0.1, rng.gamma(2, 2, 4000), rng.gamma(10, 0.1, 4000))
    n = rng.poisson(ratio * e)
    prior = shrinkage.fitted(n, e)
    assert prior is not None
    assert (ratio < shrinkage.ratios(n, e, prior).lower).mean() == pytest.approx(0.05, abs=0.02)


def test_one_of_something_rare_is_pulled_back_and_many_are_not() -> None:
    rng = np.random.default_rng(6)
    e = np.full(500, 0.2)
    prior = shrinkage.fitted(rng.poisson(e), e)
    assert prior is not None
    one, many = shrinkage.ratios([1, 30], [0.01, 5.0], prior).ebgm
    assert one < 3 and many > 1


def test_too_few_pairs_and_missing_ones_have_no_answer() -> None:
    assert shrinkage.fitted([1, 2], [1.0, 2.0]) is None
    assert np.isnan(shrinkage.ratios([1.0, np.nan], [0.0, 1.0], PRIOR).ebgm).all()
    rows = pl.DataFrame(
        {
            "stratum": [f"p{i}" for i in range(41)] + ["alone"],
            "period": [date(2025, 1, 6)] * 41 + [date(2025, 1, 13)],
            "observed": [60.0, None] + [2.0, 3.0, 4.0] * 13 + [3.0],
            "expected": [6.0, 1.0] + [3.0] * 39 + [1.0],
        }
    )
    found = shrinkage.disproportions(rows)
    assert found["stratum"].to_list() == rows["stratum"].to_list()
    assert found["outcome"][0] == "signal" and found["outcome"][1] == "not evaluable"
    assert set(found["outcome"][2:41]) == {"clear"}
    assert found["outcome"][41] == "not evaluable" and found["reason"][41] == shrinkage.TOO_FEW
    assert found["upper"][0] < 60
    assert shrinkage.disproportions(rows.clear()).is_empty()
