"""Improbable content: exact tails, shares that fall back on what is common, and no answer where nothing is known."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from scipy.stats import betabinom

from ewarn.methods import dirichlet


def test_the_tail_is_the_beta_binomials() -> None:
    rng = np.random.default_rng(3)
    n = rng.integers(1, 40, 200)
    x, m = rng.integers(0, n + 1), rng.integers(0, 60, 200)
    y, q, c = rng.integers(0, m + 1), rng.uniform(0.01, 0.9, 200), 7.0
    ours = dirichlet.predictive_tail(x, n, y, m, q, c)
    theirs = betabinom.sf(x - 1, n, c * q + y, c * (1 - q) + m - y)
    assert np.allclose(ours, theirs, rtol=1e-8, atol=1e-12)


def test_one_of_one_is_the_expected_share_and_more_than_there_are_is_impossible() -> None:
    assert dirichlet.predictive_tail(1, 1, 0, 95, 0.05, 5.0) == pytest.approx(0.25 / 100)
    assert dirichlet.predictive_tail(5, 4, 0, 10, 0.2, 5.0) == 0
    assert np.isnan(dirichlet.predictive_tail(1, 1, 0, np.nan, 0.2, 5.0))


@pytest.mark.parametrize("true", [2.0, 8.0, 40.0])
def test_the_concentration_is_learned_back(true: float) -> None:
    rng = np.random.default_rng(4)
    q, m = rng.uniform(0.05, 0.5, 3000), rng.integers(1, 40, 3000)
    y = rng.binomial(m, rng.beta(true * q, true * (1 - q)))
    assert dirichlet.fitted_concentration(y, m, q) == pytest.approx(true, rel=0.2)
    assert dirichlet.fitted_concentration([0], [1], [0.2]) == pytest.approx(5.0, rel=0.01)


def test_frames_keep_their_rows_and_say_when_there_is_no_answer() -> None:
    rows = pl.DataFrame(
        {
            "stratum": ["a", "b", "c", "d"],
            "period": [date(2025, 1, 6)] * 4,
            "observed": [3, 0, None, 1],
            "trials": [3, 5, 5, 1],
            "held": [0, 1, 0, 0],
            "tested": [200, 10, 9, 0],
            "share": [0.01, 0.1, 0.1, 0.0],
        }
    )
    found = dirichlet.surprises(rows, 5.0)
    assert found["outcome"].to_list() == ["signal", "clear", "not evaluable", "not evaluable"]
    assert found["reason"].to_list()[2:] == [dirichlet.MISSING, dirichlet.NEVER_BEFORE]
    assert found["p_value"][0] < 0.01 <= found["p_value"][1]
    assert found["upper"][0] == 0 and found["p_value"][2] is None
    assert dirichlet.surprises(rows.clear(), 5.0).is_empty()
