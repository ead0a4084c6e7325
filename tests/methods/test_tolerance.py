"""Highest known: above all before and above a robust bound, and no answer with too few."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from ewarn.methods import tolerance


def amounts(*values: float | None, stratum: str = "s") -> pl.DataFrame:
    days = [date(2025, 1, 1) + timedelta(days=i) for i in range(len(values))]
    return pl.DataFrame(
        {"stratum": [stratum] * len(values), "period": days, "observed": list(values)},
        schema={"stratum": pl.String, "period": pl.Date, "observed": pl.Float64},
    )


def test_one_far_above_the_rest_is_a_signal_and_one_like_them_is_not() -> None:
    found = tolerance.highest_known(amounts(*[1.0, 2.0] * 5, 12.0, 2.5))
    assert found["outcome"].to_list()[-2:] == ["signal", "clear"]
    assert found["p_value"][10] == pytest.approx(1 / 11)
    assert set(found["outcome"][:8]) == {"not evaluable"}


def test_a_wild_value_before_does_not_hide_behind_the_bound_alone() -> None:
    assert tolerance.bound([1.0] * 9 + [50.0]).upper == 50.0
    assert tolerance.bound([1.0] * 9 + [50.0]).robust < 2


def test_missing_zero_and_empty_are_never_clear() -> None:
    found = tolerance.highest_known(amounts(*[1.0] * 9, None, 0.0))
    assert found["outcome"].to_list()[-2:] == ["not evaluable"] * 2
    assert tolerance.highest_known(amounts()).is_empty()
    assert tolerance.bound([]).upper == np.inf


def test_by_chance_few_ordinary_amounts_are_called_the_highest() -> None:
    rng = np.random.default_rng(8)
    series = [amounts(*rng.lognormal(0, 0.5, 60), stratum=f"s{i}") for i in range(60)]
    found = tolerance.highest_known(pl.concat(series))
    evaluable = found.filter(pl.col("outcome") != "not evaluable")
    assert (evaluable["outcome"] == "signal").mean() < 0.01
