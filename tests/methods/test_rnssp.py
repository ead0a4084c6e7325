"""Daily detectors: what holds beyond equality with the reference."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from ewarn.methods.rnssp import LEVELS, Rnssp, ewma, judge, judge_frame, regression, switch
from ewarn.methods.verdicts import Reason

DAYS = 120


def made(seed: int = 1, series: int = 5) -> np.ndarray:
    week = np.array([8, 6, 6, 6, 7, 12, 14.0])
    mean = np.tile(week, DAYS // 7 + 1)[:DAYS] * np.linspace(0.2, 4, series)[:, None]
    return np.random.default_rng(seed).poisson(mean).astype(float)


def test_short_baselines_are_grey_and_never_clear() -> None:
    y = made()
    assert (ewma(y).level[:, :9] == 0).all() and (ewma(y).level[:, 9:] > 0).all()
    assert np.isnan(regression(y, 0).score[:, :13]).all() and np.isfinite(regression(y, 0).score[:, 13:]).all()
    found = judge(y, 0)
    assert (found.reason[:, :9] == Reason.TOO_SHORT).all() and (found.outcome[:, :9] == "not evaluable").all()


@pytest.mark.parametrize("kind", ["ewma", "regression", "switch"])
def test_a_count_above_the_bound_is_red_and_one_below_is_not(kind: str) -> None:
    y = made(2)
    upper = judge(y, 3, kind=kind).upper[:, -1]  # type: ignore[arg-type]
    above, below = y.copy(), y.copy()
    above[:, -1], below[:, -1] = np.floor(upper) + 1, np.ceil(upper) - 1
    assert judge(above, 3, kind=kind).signal[:, -1].all()  # type: ignore[arg-type]
    assert not judge(below, 3, kind=kind).signal[:, -1].any()  # type: ignore[arg-type]


def test_series_do_not_touch_one_another() -> None:
    y = made(3)
    together, alone = switch(y, 2), switch(y[[3]], 2)
    np.testing.assert_allclose(together.p_value[3], alone.p_value[0], rtol=1e-9)
    assert set(np.unique(together.level)) <= set(range(len(LEVELS)))


def test_gaps_are_not_evaluable_and_the_days_after_recover() -> None:
    y = made(4)
    y[0, 80] = np.nan
    found = judge(y, 0)
    assert found.reason[0, 80] == Reason.MISSING_RECENT and found.reason[0, 85] == Reason.MISSING_BASELINE
    assert found.reason[0, 81] == Reason.NONE and found.reason[0, 115] == Reason.NONE


def test_series_without_a_report_are_clear_and_shares_are_judged_on_their_own_scale() -> None:
    assert (judge(np.zeros((1, 60)), 0, kind="ewma").outcome[0, 9:] == "clear").all()
    share = made(5)[[4]] / 1000
    share[0, -1] = 0.2
    assert judge(share, 0, kind="ewma").signal[0, -1]


def test_frames_know_their_weekdays() -> None:
    y = made(6, 2)
    first = date(2024, 5, 1)
    rows = [
        {"stratum": i, "period": first + timedelta(days=day), "observed": y[i, day]}
        for i in range(2)
        for day in range(DAYS)
    ]
    found = judge_frame(pl.DataFrame(rows), last=1).sort("stratum")
    assert found["p_value"].to_numpy() == pytest.approx(judge(y, first.weekday()).p_value[:, -1])


def test_baselines_of_part_weeks_are_refused() -> None:
    with pytest.raises(ValueError):
        Rnssp(baseline=30)
