"""EARS: bounds by hand, gaps, short histories."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ewarn.methods.ears import Ears, judge
from ewarn.methods.verdicts import Reason


def test_c1_and_c2_bounds_are_mean_and_deviation_of_their_baselines() -> None:
    y = np.array([3, 1, 4, 1, 5, 9, 2, 6, 5, 30.0])
    c1 = judge(y, Ears("C1", z=3.09))
    assert c1.upper[0, 0] == pytest.approx(y[2:9].mean() + 3.09 * y[2:9].std(ddof=1))
    c2 = judge(y, Ears("C2", z=3.09))
    assert c2.upper[0, 0] == pytest.approx(y[:7].mean() + 3.09 * y[:7].std(ddof=1))
    assert c2.signal[0, 0] and c2.score[0, 0] == pytest.approx((30 - y[:7].mean()) / y[:7].std(ddof=1))


def test_c3_remembers_two_periods_and_r_looks_at_those_alone() -> None:
    y = np.array([2, 3, 2, 3, 2, 3, 2, 3, 2, 4, 4, 4.0])
    assert not judge(y, Ears("C2")).signal[0, 0]
    assert judge(y, Ears("C3")).signal[0, 0]
    y[-1] = 0
    assert not judge(y, Ears("C3")).signal[0, 0]
    assert judge(y, Ears("C3", as_in_r=True)).upper[0, 0] <= 0


def test_gaps_and_a_baseline_that_does_not_vary_are_not_evaluable() -> None:
    y = np.tile([1.0, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 5], (4, 1))
    y[0, 5], y[1, -1], y[2, -2] = np.nan, np.nan, np.nan
    found = judge(y, Ears("C3"))
    assert found.reason[:, 0].tolist()[:3] == [Reason.MISSING_BASELINE, Reason.MISSING_RECENT, Reason.MISSING_RECENT]
    assert found.reason[3, 0] == Reason.NONE
    flat = judge(np.ones((1, 12)), Ears("C3"))
    assert flat.reason[0, 0] == Reason.NO_SPREAD and flat.outcome[0, 0] == "not evaluable"
    assert judge(np.ones((1, 12)), Ears("C3", least_sigma=0.5)).outcome[0, 0] == "clear"


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["C1", "C2", "C3"]), st.integers(0, 9))
def test_short_histories_never_say_clear_and_more_reports_remove_no_signal(seed: int, kind: str, more: int) -> None:
    y = np.random.default_rng(seed).poisson(2.0, (5, 30)).astype(float)
    method = Ears(kind, least_sigma=0.5)  # type: ignore[arg-type]
    found = judge(y, method, at=range(30))
    assert (found.reason[:, : method.needed] == Reason.TOO_SHORT).all()
    assert (found.reason[:, method.needed :] == Reason.NONE).all()
    raised = y.copy()
    raised[:, -1] += more
    assert not (judge(y, method).signal & ~judge(raised, method).signal).any()


def test_nonsense_parameters_are_refused() -> None:
    with pytest.raises(ValueError):
        Ears(baseline=2)
    with pytest.raises(ValueError):
        judge(np.ones((1, 20)), at=[20])
