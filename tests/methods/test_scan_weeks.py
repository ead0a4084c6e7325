"""One, two and three weeks together: what fires, what has no answer, and what the scan must never take away."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ewarn.methods import farrington
from ewarn.methods.dispersion import averaged_bound, averaged_tail, relative_error
from ewarn.methods.scan_weeks import ALPHA, SHARES, WeekScan, judge, on_frame, scanned
from ewarn.methods.tails import upper_tail
from ewarn.methods.verdicts import Reason


@cache
def series(rows: int = 40, weeks: int = 300, seed: int = 8) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mean = rng.gamma(1.0, 4.0, (rows, 1)) * (1 + 0.4 * np.sin(2 * np.pi * np.arange(weeks) / 52))
    return rng.negative_binomial(mean / 0.6, 1 / 1.6).astype(np.float64)


CELLS = st.tuples(st.integers(0, 40), st.floats(0.01, 30), st.floats(1, 5))


@settings(max_examples=60, deadline=None)
@given(st.lists(CELLS, min_size=3, max_size=3), st.floats(0.0005, 0.2), st.booleans())
def test_the_scan_never_removes_a_one_week_exceedance_at_its_share(
    cells: list[tuple[int, float, float]], alpha: float, sure: bool
) -> None:
    observed, mean, phi = (np.array(x, dtype=float)[None, None, :] for x in zip(*cells, strict=True))
    scan = WeekScan(alpha=alpha, shares=(0.5, 0.3, 0.2), sure_of_dispersion=sure)
    found = scanned(observed, mean, phi, scan)
    week = [x[0, 0, :1] for x in (observed, mean, phi)]
    error = np.zeros(1) if sure else relative_error(week[1], week[2], scan.baseline_weeks)
    alone = averaged_tail(*week, error)[0]
    if alone <= alpha * 0.5 and observed[0, 0, 0] > 0:
        assert found.signal[0, 0] and found.fired[0, 0, 0]
    assert found.signal[0, 0] == (found.p_value[0, 0] <= alpha) == found.fired[0, 0].any()


@settings(max_examples=40, deadline=None)
@given(st.lists(CELLS, min_size=3, max_size=3), st.integers(1, 20))
def test_an_extra_report_never_removes_a_signal(cells: list[tuple[int, float, float]], more: int) -> None:
    observed, mean, phi = (np.array(x, dtype=float)[None, None, :] for x in zip(*cells, strict=True))
    before = scanned(observed, mean, phi, WeekScan())
    observed[0, 0, 0] += more
    after = scanned(observed, mean, phi, WeekScan())
    assert after.p_value[0, 0] <= before.p_value[0, 0]
    assert after.signal[0, 0] >= before.signal[0, 0]


def test_windows_are_sums_of_each_weeks_own_expectation() -> None:
    values, scan = series(), WeekScan(sure_of_dispersion=True)
    found = judge(values, scan)
    fits = farrington.judge(values, scan.expectation, at=[297, 298, 299])
    for row in range(len(values)):
        parts = []
        for length, share in enumerate(SHARES, 1):
            y, m = values[row, -length:].sum(), fits.mean[row, -length:].sum()
            ratio = (fits.mean * fits.phi)[row, -length:].sum() / m
            parts.append(min(float(upper_tail(y, m, ratio)) / share, 1.0))
        if values[row, -1] == 0:
            parts = [1.0]
        assert found.p_value[row, 0] == pytest.approx(min(parts))


def test_many_weeks_at_once_are_judged_as_each_alone() -> None:
    values = series(rows=6)
    together = judge(values, at=range(290, 300))
    for place in (290, 295, 299):
        alone = judge(values[:, : place + 1])
        for name in ("observed", "expected", "upper", "p_value", "window"):
            np.testing.assert_allclose(getattr(together, name)[:, place - 290], getattr(alone, name)[:, 0], rtol=1e-9)


def test_an_outbreak_over_three_weeks_fires_where_no_week_alone_does() -> None:
    values = np.tile([3.0, 5.0, 4.0, 2.0, 6.0], 60)[None, :].copy()
    values[0, -3:] = 9
    found = judge(values)
    assert found.signal[0, 0] and found.window[0, 0] == 3 and not found.fired[0, 0, 0]
    assert found.observed[0, 0] == 27 > found.upper[0, 0]


def test_a_week_without_a_report_never_fires() -> None:
    values = series(rows=3).copy()
    values[:, -3:-1], values[:, -1] = 60, 0
    found = judge(values)
    assert not found.signal.any() and (found.p_value == 1).all()


def test_a_missing_week_is_in_no_window() -> None:
    values = series(rows=3).copy()
    values[:, -2] = np.nan
    found = judge(values)
    assert (found.window == 1).all() and (found.reason == Reason.NONE).all()
    values[:, -1] = np.nan
    gone = judge(values)
    assert (gone.reason == Reason.MISSING_RECENT).all() and not gone.signal.any()


@pytest.mark.parametrize("weeks", [2, 5, 40, 300, 700])
def test_zeros_and_then_cases_always_have_an_answer(weeks: int) -> None:
    values = np.zeros((3, weeks))
    values[0, -1], values[1, -1], values[2, -1] = 1, 5, 50
    found = judge(values)
    assert np.isfinite(found.p_value).all() and (found.p_value > 0).all()
    assert found.signal[2, 0] and found.signal[1, 0] == (weeks > 2)


def test_too_short_a_history_never_says_clear() -> None:
    assert (judge(np.zeros((2, 10))).reason == Reason.TOO_SHORT).all()
    short = judge(series()[:, :100])
    assert (short.reason == Reason.TOO_SHORT).all()
    few_zeros = np.zeros((1, 12))
    few_zeros[0, -1] = 1
    assert judge(few_zeros).outcome[0, 0] == "not evaluable"
    assert judge(np.zeros((0, 300))).p_value.shape == (0, 1)


def test_four_years_of_history_are_enough() -> None:
    found = judge(series()[:, :212])
    assert (found.reason == Reason.NONE).all() and np.isfinite(found.upper).all()
    assert (judge(series()[:, :211]).reason == Reason.TOO_SHORT).all()


def test_on_frames_rows_keep_their_order_and_say_which_window() -> None:
    values = series(rows=3, weeks=290).copy()
    values[1, -2:] += 25
    start = date(2018, 1, 1)
    frame = pl.DataFrame(
        {
            "stratum": np.repeat(["a", "b", "c"], 290),
            "period": [start + timedelta(weeks=w) for w in range(290)] * 3,
            "observed": values.ravel(),
        }
    ).sample(fraction=1, shuffle=True, seed=2)
    found = on_frame(frame, last=4)
    assert (
        found.height == 12 and found.sort("stratum", "period")["observed"].to_list() == values[:, -4:].ravel().tolist()
    )
    newest = found.filter(pl.col("period") == start + timedelta(weeks=289))
    row = newest.filter(pl.col("stratum") == "b").row(0, named=True)
    assert row["outcome"] == "signal" and row["window_weeks"] in (2, 3)
    assert row["window_observed"] > row["upper"] > row["expected"] and row["p_value"] <= ALPHA
    assert on_frame(frame.clear()).is_empty()


def test_averaged_tails_own_up_to_a_dispersion_that_may_be_larger() -> None:
    y, mean, phi = np.arange(4.0, 30), np.full(26, 3.0), np.full(26, 1.5)
    plain, averaged = upper_tail(y, mean, phi), averaged_tail(y, mean, phi, np.full(26, 0.3))
    assert (averaged[4:] > plain[4:]).all()
    np.testing.assert_allclose(averaged_tail(y, mean, phi, np.zeros(26)), plain)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.001, 200), st.floats(1, 8), st.floats(0, 1.5), st.sampled_from([0.1, 0.005, 0.00125]))
def test_the_bound_is_the_largest_count_that_is_no_exceedance(
    mean: float, phi: float, error: float, alpha: float
) -> None:
    cell = [np.array([x]) for x in (mean, phi, error)]
    bound = averaged_bound(np.array([alpha]), *cell)
    assert averaged_tail(bound + 1, *cell)[0] <= alpha < averaged_tail(bound, *cell)[0]


def test_the_estimated_dispersion_varies_as_much_as_said() -> None:
    """20,000 histories of 237 weeks, mean .8, ratio 2, seed 9: within a tenth of the formula."""
    rng = np.random.default_rng(9)
    y = rng.negative_binomial(0.8, 0.5, (20_000, 237))
    estimates = ((y - 0.8) ** 2 / 0.8).mean(axis=1)
    said = relative_error(np.array([0.8]), np.array([2.0]), 237)[0]
    assert estimates.std() / 2.0 == pytest.approx(said, rel=0.1)
