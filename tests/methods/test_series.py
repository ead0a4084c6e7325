"""Frames and matrices: nothing is made up on the way."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from ewarn.methods import ears, farrington, predictive
from ewarn.methods.series import matrix

MONDAYS = [date(2024, 1, 1), date(2024, 1, 8), date(2024, 1, 15)]


def test_absent_and_null_cells_are_missing_and_never_zero() -> None:
    frame = pl.DataFrame(
        {"stratum": ["a", "a", "b"], "period": [MONDAYS[0], MONDAYS[2], MONDAYS[2]], "observed": [1, None, 3]}
    )
    held = matrix(frame)
    assert held.periods == MONDAYS and held.strata.to_list() == ["a", "b"]
    np.testing.assert_array_equal(held.values, [[1, np.nan, np.nan], [np.nan, np.nan, 3]])


def test_two_rows_for_one_cell_and_dates_off_the_grid_are_refused() -> None:
    with pytest.raises(ValueError, match="two rows"):
        matrix(pl.DataFrame({"stratum": ["a", "a"], "period": [MONDAYS[0]] * 2, "observed": [1, 2]}))
    with pytest.raises(ValueError, match="1w apart"):
        matrix(pl.DataFrame({"stratum": ["a"] * 3, "period": [*MONDAYS[:2], date(2024, 1, 10)], "observed": [1, 2, 3]}))


def test_empty_frames_give_empty_frames() -> None:
    empty = pl.DataFrame(schema={"stratum": pl.String, "period": pl.Date, "observed": pl.Int64})
    for judge in (farrington.judge_frame, ears.judge_frame):
        found = judge(empty)
        assert found.height == 0 and {"expected", "upper", "p_value", "score", "outcome", "reason"} <= set(
            found.columns
        )


def test_months_are_a_grid_of_their_own() -> None:
    months = [date(2024, month, 1) for month in (1, 2, 4)]
    held = matrix(pl.DataFrame({"stratum": ["a"] * 3, "period": months, "observed": [1, 2, 3]}), "1mo")
    assert held.values.shape == (1, 4) and np.isnan(held.values[0, 2])


def test_plain_comparisons_need_their_reference_weeks() -> None:
    y = np.ones((1, 80))
    windows = predictive.Windows(2, 3, recent=True)
    assert predictive.bayes(y, windows).outcome[0, 0] == "not evaluable"
    assert predictive.rki(y, windows).outcome[0, 0] == "not evaluable"
    near = predictive.Windows(1, 3, recent=True)
    y[0, -1] = 9
    assert predictive.bayes(y, near).outcome[0, 0] == "signal" and predictive.rki(y, near).signal[0, 0]
    y[0, -1 - 52] = np.nan
    assert predictive.bayes(y, near).outcome[0, 0] == "signal"
    assert predictive.rki(y, near).outcome[0, 0] == "not evaluable"
