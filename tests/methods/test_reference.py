"""Reference weeks: windows, blocks and anniversaries."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from ewarn.methods.reference import Reference, anniversary, by_date, by_number


def test_windows_share_a_level_blocks_share_the_rest_and_the_last_weeks_are_left_out() -> None:
    found = by_number(Reference())
    assert found.back[0] == 5 * 52 + 3 and found.back[-1] == 27 and found.levels == 10
    window = set(found.back[found.level == found.current].tolist())
    assert window == {52 * year + j for year in range(1, 6) for j in range(-3, 4)}
    assert found.back.size == 263 - 26
    # 45 weeks between two windows make nine blocks of five; the newest of them are cut by the weeks left out.
    assert np.bincount(found.level)[:9].tolist() == [25] * 4 + [22] + [20] * 4


def test_without_levels_only_the_windows_are_used() -> None:
    found = by_number(Reference(levels=1, excluded=3))
    assert found.back.size == 35 and found.levels == 1


def test_a_leap_week_moves_no_season() -> None:
    assert anniversary(date(2021, 1, 4), 1, 52) == date(2020, 1, 6)
    assert anniversary(date(2024, 2, 29), 1, 365) == date(2023, 3, 1)
    assert anniversary(date(2024, 5, 1), 3, 12) == date(2021, 5, 1)


def test_anniversaries_before_the_first_date_give_no_baseline() -> None:
    dates = [date(2015, 1, 5) + timedelta(weeks=week) for week in range(300)]
    assert by_date(Reference(), dates, 200) is None
    found = by_date(Reference(years=3), dates, 299)
    assert found is not None and found.time[-1] == -27


def test_more_levels_than_weeks_is_refused() -> None:
    with pytest.raises(ValueError):
        by_number(Reference(levels=60))
    with pytest.raises(ValueError):
        by_number(Reference(years=1, excluded=55, levels=1))
