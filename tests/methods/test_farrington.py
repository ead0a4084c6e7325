"""Farrington Flexible: what holds whatever the numbers are. Equality with R is in tests/review/test_conformity.py."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from polars.testing import assert_frame_equal

from ewarn.methods import farrington1996
from ewarn.methods.farrington import Farrington, judge, judge_frame
from ewarn.methods.reference import Reference
from ewarn.methods.verdicts import Reason

WEEKS = 300
ARRAYS = ("expected", "upper", "mean", "phi", "p_value", "score", "growth", "trend", "reason")
quick = settings(max_examples=12, deadline=None)
seeds = st.integers(0, 2**32 - 1)


def made(seed: int, series: int = 6, weeks: int = WEEKS) -> NDArray[np.float64]:
    """Weekly counts with seasons; rare and common series together."""
    draw = np.random.default_rng(seed)
    mean = np.exp(draw.uniform(-2, 3, series))[:, None] * np.exp(0.4 * np.cos(2 * np.pi * np.arange(weeks) / 52))
    return draw.negative_binomial(mean, 0.5).astype(float)


@quick
@given(seeds)
def test_the_order_of_series_changes_nothing(seed: int) -> None:
    counts = made(seed)
    order = np.random.default_rng(seed).permutation(len(counts))
    straight, shuffled = judge(counts), judge(counts[order])
    for name in ARRAYS:
        assert_allclose(getattr(shuffled, name), getattr(straight, name)[order], rtol=1e-9, err_msg=name)


@quick
@given(seeds, st.integers(0, 40), st.floats(0.5, 3))
def test_more_reports_in_the_newest_week_never_remove_an_exceedance(seed: int, more: int, factor: float) -> None:
    counts = made(seed)
    raised = counts.copy()
    raised[:, -1] = np.ceil(raised[:, -1] * max(1.0, factor)) + more
    for fast in (False, True):
        before, after = judge(counts, Farrington(fast=fast)), judge(raised, Farrington(fast=fast))
        assert not (before.signal & ~after.signal).any()
        assert (after.p_value <= before.p_value + 1e-12).all()


@quick
@given(seeds, st.integers(1, 30))
def test_whole_weeks_added_before_the_series_shift_the_verdicts_and_nothing_else(seed: int, weeks: int) -> None:
    counts = made(seed)
    later = np.hstack([np.full((len(counts), weeks), 7.0), counts])
    at = [WEEKS - 3, WEEKS - 1]
    straight, shifted = judge(counts, at=at), judge(later, at=[place + weeks for place in at])
    for name in ARRAYS:
        assert_allclose(getattr(shifted, name), getattr(straight, name), rtol=1e-9, err_msg=name)


@quick
@given(seeds, st.integers(1, 266))
def test_too_short_a_baseline_never_says_clear(seed: int, weeks: int) -> None:
    found = judge(made(seed, weeks=weeks), at=range(weeks))
    short = np.arange(weeks) < Reference().needed
    assert (found.outcome[:, short] == "not evaluable").all()
    assert (found.reason[:, short] == Reason.TOO_SHORT).all()
    assert np.isnan(found.upper[:, short]).all()


def test_a_range_of_weeks_gives_what_each_week_alone_gives() -> None:
    counts = made(3, series=40, weeks=330)
    at = list(range(300, 330))
    together = judge(counts, at=at)
    for i, place in enumerate(at):
        alone = judge(counts[:, : place + 1])
        for name in ARRAYS:
            assert_allclose(getattr(together, name)[:, [i]], getattr(alone, name), rtol=1e-9, err_msg=name)


def test_what_comes_later_is_not_seen() -> None:
    counts = made(4, series=20, weeks=320)
    changed = counts.copy()
    changed[:, 301:] = 999
    assert_array_equal(judge(changed, at=[300]).upper, judge(counts, at=[300]).upper)


def test_gaps_are_not_evaluable_with_their_reason() -> None:
    counts = made(5, series=4) + 5
    counts[0, -2] = np.nan
    counts[1, 100] = np.nan
    counts[3, 150] = -1
    counts[2, WEEKS - 20] = np.nan  # among the weeks that are left out: no harm
    found = judge(counts)
    assert found.reason[:, 0].tolist() == [
        Reason.MISSING_RECENT,
        Reason.MISSING_BASELINE,
        Reason.NONE,
        Reason.MISSING_BASELINE,
    ]
    assert found.outcome[0, 0] == "not evaluable" and np.isnan(found.expected[0, 0])


def test_few_reports_are_not_evaluable_but_keep_their_tail() -> None:
    counts = np.zeros((1, WEEKS))
    counts[0, ::9] = 1
    counts[0, -4:] = [0, 0, 0, 4]
    found = judge(counts)
    assert found.reason[0, 0] == Reason.FEW_REPORTS and not found.signal[0, 0]
    assert np.isnan(found.upper[0, 0]) and 0 < found.p_value[0, 0] < 0.01
    assert judge(counts, Farrington(least_reports=0)).signal[0, 0]


def test_an_all_zero_baseline_has_no_answer_in_r_and_always_one_by_the_predictive_rule() -> None:
    counts = np.zeros((3, WEEKS))
    counts[1, -1], counts[2, -1] = 1, 6
    for fast in (False, True):
        assert (judge(counts, Farrington(least_reports=0, fast=fast)).outcome == "not evaluable").all()
        found = judge(counts, Farrington(zero_baseline="predictive", fast=fast))
        assert found.outcome[:, 0].tolist() == ["clear", "signal", "signal"]
        assert (found.p_value[1:, 0] > 0).all() and found.p_value[1, 0] == pytest.approx(1 / (2 * 238), rel=0.01)


def test_a_shorter_history_can_use_fewer_years_but_not_fewer_than_three() -> None:
    counts = made(13, weeks=220) + 4
    method = Farrington()
    assert (judge(counts, method).reason == Reason.TOO_SHORT).all()
    shorter = method.shortened(219)
    assert shorter.reference.years == 4 and (judge(counts, shorter).reason == 0).all()
    assert method.shortened(600) == method
    assert (judge(counts[:, :150], method.shortened(149)).reason == Reason.TOO_SHORT).all()


def test_a_single_series_no_series_and_whole_numbers() -> None:
    counts = made(6, series=1)
    assert judge(counts[0]).upper.shape == (1, 1)
    assert_array_equal(judge(counts.astype(np.int64)).upper, judge(counts).upper)
    assert judge(np.empty((0, WEEKS))).outcome.shape == (0, 1)
    with pytest.raises(ValueError):
        judge(counts, at=[WEEKS])


def test_the_fast_way_differs_from_the_plain_one_by_little() -> None:
    counts = made(7, series=600)
    plain, fast = judge(counts), judge(counts, Farrington(fast=True))
    both = (plain.reason == 0) & (fast.reason == 0)
    assert (plain.reason == fast.reason).mean() > 0.995
    assert (plain.upper != fast.upper)[both].mean() < 0.01
    assert np.abs(plain.upper - fast.upper)[both].max() <= 1
    common = both & (plain.mean > 1)
    assert_allclose(fast.mean[common], plain.mean[common], rtol=5e-3)


def test_twice_the_exposure_doubles_what_is_expected() -> None:
    counts = made(8, series=10) + 3
    exposure = np.ones(counts.shape)
    exposure[:, -1] = 2
    method = Farrington(trend=False)
    alone, doubled = judge(counts, method), judge(counts, method, exposure=exposure)
    assert_allclose(doubled.expected, 2 * alone.expected, rtol=1e-9)
    assert_allclose(judge(counts, method, exposure=3 * np.ones(counts.shape)).upper, alone.upper, rtol=1e-9)


def test_a_past_outbreak_counts_less_when_it_is_weighted_down() -> None:
    counts = np.random.default_rng(9).poisson(5.0, (1, WEEKS)).astype(float)
    counts[0, WEEKS - 1 - 104 : WEEKS - 1 - 100] = 80
    with_, without = judge(counts), judge(counts, Farrington(reweight=False))
    assert with_.upper[0, 0] < without.upper[0, 0]


def test_dates_take_the_same_weekday_nearest_to_the_anniversary() -> None:
    monday = date(2012, 1, 2)
    dates = [monday + timedelta(weeks=week) for week in range(400)]
    counts = made(10, series=3, weeks=400)
    by_date = judge(counts, dates=dates, at=[399])
    assert (by_date.reason == judge(counts, at=[399]).reason).all()
    assert not np.array_equal(by_date.mean, judge(counts, at=[399]).mean)  # 53-week years move the season
    assert (judge(counts, dates=dates, at=[200]).reason == Reason.TOO_SHORT).all()


def test_frames_keep_their_rows_and_renamed_strata_their_verdicts() -> None:
    values = made(11, series=3)
    first = date(2018, 1, 1)
    rows = [
        {"stratum": name, "period": first + timedelta(weeks=week), "observed": int(values[i, week])}
        for i, name in enumerate(("b", "a", "c"))
        for week in range(WEEKS)
    ]
    frame = pl.DataFrame(rows).sample(fraction=1.0, shuffle=True, seed=1)
    found = judge_frame(frame, last=2)
    assert found.columns[:3] == ["stratum", "period", "observed"] and found.height == 6
    assert set(found["outcome"]) <= {"signal", "clear", "not evaluable"}
    new = judge_frame(frame.with_columns(pl.col("stratum").replace({"a": "z", "b": "y"})), last=2)
    back = new.with_columns(pl.col("stratum").replace({"z": "a", "y": "b"}))
    assert_frame_equal(back.sort("stratum", "period"), found.sort("stratum", "period"), rel_tol=1e-9)


def test_the_forerunner_needs_its_history_too() -> None:
    counts = made(12, weeks=300) + 4
    assert (farrington1996.judge(counts).reason == 0).all()
    assert (farrington1996.judge(counts[:, :200]).outcome == "not evaluable").all()
    partial = farrington1996.Farrington1996(partial=True)
    assert (farrington1996.judge(counts[:, :200], partial).reason == 0).all()
    gap = counts.copy()
    gap[:, 299 - 52] = np.nan
    assert (farrington1996.judge(gap).reason == Reason.MISSING_BASELINE).all()
