"""What was to be expected: rates from a stratum's own history, and exact upper tails.

In: counts and lengths of time. Out: expected numbers, p-values, critical counts. It never says 'nothing': without
enough history the answer is None, and the rule decides on its minimum count alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ewarn.methods.tails import upper_tail

DAY_US = 86_400_000_000
MOST = 100_000


@dataclass(frozen=True)
class Expectation:
    """Mean and variance-to-mean ratio of the count in one window."""

    mean: float
    dispersion: float

    def tail(self, observed: float) -> float:
        """P(count >= observed): exact Poisson, or negative binomial with variance dispersion x mean."""
        return float(upper_tail(observed, self.mean, self.dispersion))

    def critical(self, alpha: float) -> int:
        """Smallest count whose upper tail is at most alpha."""
        low, high = 0, 1
        while self.tail(high) > alpha and high < MOST:
            low, high = high, high * 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.tail(middle) > alpha else (low, middle)
        return high


def from_history(
    times: NDArray[np.int64], persons: NDArray[np.float64], start: int, end: int, window: float, ordinary: float
) -> Expectation:
    """Expectation of one window from the events in [start, end) (microseconds).

    An outbreak of the past is not what is usual: of consecutive windows each counts as the greater of `ordinary` and
    twice what nine in ten of them do not exceed, at most. Half an event is added so that an empty history does not make
    any event impossible. The dispersion is the variance-to-mean ratio of these windows, at least 1; fewer than 8
    windows count as Poisson.
    """
    length = end - start
    windows = int(length // window)
    if windows < 8 or not times.size:
        return Expectation((float(persons.sum()) + 0.5) * window / length, 1.0)
    bins = ((end - times) // int(window)).astype(np.int64)
    counts = np.bincount(bins, weights=persons, minlength=windows)
    usual = float(np.quantile(counts[:windows], 0.9, method="lower"))
    counts = np.minimum(counts, max(ordinary, 2 * usual))
    mean = (float(counts.sum()) + 0.5) * window / length
    whole = counts[:windows]
    average = whole.mean()
    return Expectation(mean, max(1.0, float(whole.var(ddof=1) / average)) if average > 0 else 1.0)
