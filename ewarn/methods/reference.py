"""Reference weeks: which past periods Farrington's methods compare the current one with, and their seasonal level.

In: the place of the current period in a series, and either the number of periods in a year or the date of every
period. Out: a `Baseline`: how far back each of its periods lies, its time, and its seasonal level. Never a count.

Weeks without dates lie `year` periods back; with dates they are the same weekday closest to the calendar anniversary,
so that a leap week moves no season. Windows of +- `half_width` periods round the anniversaries share the last level;
the rest of each year is split into `levels` - 1 near-equal blocks, the remainder to the oldest blocks; the last
`excluded` periods and the current one are left out.

Source: Noufaily et al. 2013, Statistics in Medicine 32:1206-1222; the rounding of blocks and anniversaries
as R surveillance 1.20.3 `farringtonFlexible` reports it, checked against its results.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

WEEK_DAYS = 7


@dataclass(frozen=True)
class Reference:
    """Years of baseline, half width of the windows, number of seasonal levels, periods left out, periods in a year."""

    years: int = 5
    half_width: int = 3
    levels: int = 10
    excluded: int = 26
    year: int = 52

    @property
    def needed(self) -> int:
        """Periods of history before the current one."""
        return self.years * self.year + self.half_width


@dataclass(frozen=True, eq=False)
class Baseline:
    """One element per baseline period, oldest first; time in periods, 0 at the current one; levels from 0."""

    back: NDArray[np.int64]
    time: NDArray[np.float64]
    level: NDArray[np.int64]
    levels: int
    current: int

    def key(self) -> tuple[bytes, bytes, bytes]:
        """Equal for baselines of one shape."""
        return self.back.tobytes(), self.time.tobytes(), self.level.tobytes()


@lru_cache(maxsize=256)
def by_number(reference: Reference) -> Baseline:
    """The baseline of a period when years are counted in periods."""
    anniversaries = [reference.year * i for i in range(reference.years + 1)]
    return _baseline(anniversaries, reference, None)


def by_date(reference: Reference, dates: Sequence[date], at: int) -> Baseline | None:
    """The baseline of period `at` by calendar anniversaries; None when they lie before the first date."""
    place = {day: i for i, day in enumerate(dates)}
    wanted = [anniversary(dates[at], i, reference.year) for i in range(reference.years + 1)]
    if any(day not in place for day in wanted):
        return None
    anniversaries = [at - place[day] for day in wanted]
    if anniversaries[-1] + reference.half_width > at:
        return None
    return _baseline(anniversaries, reference, [dates[i] for i in range(at + 1)])


def anniversary(day: date, years: int, per_year: int) -> date:
    """The period that starts closest to the same day `years` before; 29 February becomes 1 March."""
    try:
        then = day.replace(year=day.year - years)
    except ValueError:
        then = date(day.year - years, 3, 1)
    if per_year != 52:
        return then
    first = then - timedelta(days=(then.isoweekday() % WEEK_DAYS) - (day.isoweekday() % WEEK_DAYS))
    second = first + timedelta(days=-WEEK_DAYS if first > then else WEEK_DAYS)
    return first if abs(first - then) <= abs(second - then) else second


def _baseline(anniversaries: Sequence[int], reference: Reference, dates: Sequence[date] | None) -> Baseline:
    """Levels by periods back, then the periods that are used, oldest first."""
    level = _levels(anniversaries, reference)
    level[: reference.excluded + 1] = -1
    back = np.flatnonzero(level >= 0)[::-1].astype(np.int64)
    present, codes = np.unique(level[back], return_inverse=True)
    if not back.size or present[-1] != reference.levels - 1:
        raise ValueError("more periods are left out than leave a window of the years before")
    return Baseline(back, _time(back, dates), codes.astype(np.int64), present.size, present.size - 1)


def _levels(anniversaries: Sequence[int], reference: Reference) -> NDArray[np.int64]:
    """Level by periods back from the current one; -1 where a period belongs to none."""
    half, last = reference.half_width, reference.levels - 1
    level = np.full(anniversaries[-1] + half + 1, -1, dtype=np.int64)
    level[: half + 1] = last
    for newer, older in pairwise(anniversaries):
        level[older - half : older + half + 1] = last
        if last:
            _fill(level, older - half - 1, (older - newer) - 2 * half - 1, last)
    return level


def _fill(level: NDArray[np.int64], oldest: int, length: int, blocks: int) -> None:
    """Split `length` periods, the oldest `oldest` back, into blocks; the remainder goes to the oldest blocks."""
    if length < blocks:
        raise ValueError("more seasonal levels than periods between the windows")
    sizes = np.full(blocks, length // blocks)
    sizes[: length % blocks] += 1
    level[oldest - length + 1 : oldest + 1] = np.repeat(np.arange(blocks), sizes)[::-1]


def _time(back: NDArray[np.int64], dates: Sequence[date] | None) -> NDArray[np.float64]:
    """Time of each period, 0 at the current one: in periods, or by the calendar in steps of the first two dates."""
    if dates is None:
        return -back.astype(np.float64)
    days = np.array([day.toordinal() for day in dates], dtype=np.float64)
    return np.asarray((days[-1 - back] - days[-1]) / (days[1] - days[0]))
