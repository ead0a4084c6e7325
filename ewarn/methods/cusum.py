"""CUSUM: small rises that last, added up until they are too many.

In: counts (series x periods), or tests and positives. Out: `CusumVerdicts`: the statistic after each judged period, the
count that would have raised it to its threshold, and why there is no answer where there is none. A missing period adds
nothing and is not evaluable. Never a seasonal fit: give a mean per period where there is one.

`judge` standardises counts as R surveillance's `cusum` does. `poisson`, `negative_binomial` and `bernoulli` give the
increments of likelihood-ratio CUSUMs; `add_up` adds any of them, with or without a fresh start after a signal.
Thresholds for a wanted run length: see `runlength`.

Source: Rossi et al. 1999, Stat Med 18:2111-2122 (transformations); Lucas 1985, Technometrics 27:129-144 (Poisson
reference); Hohle and Paul 2008, Comput Stat Data Anal 52:4357-4368 (negative binomial); Reynolds and Stoumbos 1999, J
Qual Technol 31:87-108 (Bernoulli).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from ewarn.methods.harmonic import seasonal_means
from ewarn.methods.series import Period, judged
from ewarn.methods.verdicts import Flags, Reason, Vector, Verdicts

Transform = Literal["standard", "rossi", "anscombe", "anscombe2nd", "pearsonNegBin", "none"]
Mean = float | Literal["baseline", "seasonal"]


@dataclass(frozen=True)
class Cusum:
    """Reference `k` and threshold `h` in standard deviations; `mean` of the baseline, seasonal over it, or a number.

    `overdispersion`: variance m + overdispersion x m squared, for `pearsonNegBin`. `year` and `first` (place in the
    year of the first period, from 1) serve the seasonal mean.
    """

    k: float = 1.04
    h: float = 2.26
    transform: Transform = "standard"
    mean: Mean = "baseline"
    overdispersion: float = 0.1
    year: int = 52
    first: int = 1
    least_baseline: int = 7
    reset: bool = False


@dataclass(frozen=True, eq=False)
class CusumVerdicts(Verdicts):
    """Verdicts whose score is the statistic divided by its threshold: a signal at 1 or more."""

    @property
    def signal(self) -> Flags:
        """The statistic has reached its threshold."""
        with np.errstate(invalid="ignore"):
            return np.asarray((self.reason == 0) & (self.score >= 1))


def add_up(increments: Vector, threshold: float, *, reset: bool = False) -> tuple[Vector, Vector]:
    """Statistic before and after each period: max(0, before + increment); from 0 again after a signal if `reset`."""
    before, after = np.empty_like(increments), np.empty_like(increments)
    now = np.zeros(len(increments))
    for period in range(increments.shape[1]):
        before[:, period] = now
        step = increments[:, period]
        now = np.maximum(0.0, now + np.where(np.isnan(step), 0.0, step))
        after[:, period] = now
        if reset:
            now = np.where(now >= threshold, 0.0, now)
    return before, after


def judge(
    counts: NDArray[np.float64] | NDArray[np.int64], method: Cusum | None = None, *, start: int | None = None
) -> CusumVerdicts:
    """Verdicts for the periods from `start` on (the last one when not given), the periods before being the baseline."""
    method = method or Cusum()
    matrix = np.atleast_2d(np.asarray(counts, dtype=np.float64))
    start = matrix.shape[1] - 1 if start is None else start
    found = CusumVerdicts.empty(len(matrix), max(0, matrix.shape[1] - start))
    if not found.reason.size or start < 0:
        return found
    y, base = matrix[:, start:], matrix[:, :start]
    found.observed[:] = y
    mean = np.broadcast_to(_mean(base, y.shape[1], method), y.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        before, after = add_up(_standardised(y, mean, method) - method.k, method.h, reset=method.reset)
        room = method.h + method.k - before
        # Where no count is small enough (the root of a negative number) the bound is 0, as in R.
        upper = np.nan_to_num(np.maximum(0.0, _count_at(room, mean, method)), nan=0.0)
    found.reason[:] = _reasons(y, base, mean, method)
    answered = found.reason == Reason.NONE
    found.expected[:] = np.where(answered, mean, np.nan)
    found.upper[:] = np.where(answered, upper, np.nan)
    found.score[:] = np.where(answered, after / method.h, np.nan)
    return found


def _mean(base: Vector, periods: int, method: Cusum) -> Vector:
    if isinstance(method.mean, float | int):
        return np.full((len(base), 1), float(method.mean))
    if base.shape[1] < method.least_baseline:
        return np.full((len(base), 1), np.nan)
    if method.mean == "baseline":
        return np.asarray(base.mean(axis=1, keepdims=True))
    return seasonal_means(base, periods, method.year, method.first)


def _reasons(y: Vector, base: Vector, mean: Vector, method: Cusum) -> NDArray[np.int64]:
    reason = np.where(mean > 0, Reason.NONE, Reason.ZERO_BASELINE)
    reason = np.where(np.isnan(mean), Reason.MISSING_BASELINE, reason)
    if not isinstance(method.mean, float | int) and base.shape[1] < method.least_baseline:
        reason = np.full_like(reason, Reason.TOO_SHORT)
    return np.where(np.isfinite(y), reason, Reason.MISSING_RECENT)


def _standardised(y: Vector, m: Vector, method: Cusum) -> Vector:
    """Counts in standard deviations from the mean."""
    formulas: dict[Transform, Callable[[], Vector]] = {
        "standard": lambda: (y - m) / np.sqrt(m),
        "rossi": lambda: (y - 3 * m + 2 * np.sqrt(y * m)) / (2 * np.sqrt(m)),
        "anscombe": lambda: 1.5 * (y ** (2 / 3) - m ** (2 / 3)) / m ** (1 / 6),
        "anscombe2nd": lambda: (y ** (2 / 3) - (m ** (2 / 3) - m ** (-1 / 3) / 9)) / (2 / 3 * m ** (1 / 6)),
        "pearsonNegBin": lambda: (y - m) / np.sqrt(m + method.overdispersion * m * m),
        "none": lambda: y,
    }
    return formulas[method.transform]()


def _count_at(room: Vector, m: Vector, method: Cusum) -> Vector:
    """The count whose standardised value is `room`."""
    deviation = np.sqrt(m + method.overdispersion * m * m)
    # R takes m^(1/3) here and m^(-1/3) above; its bound, not its signals, is a little off for this transformation.
    second = np.maximum(0.0, 2 / 3 * m ** (1 / 6) * room + m ** (2 / 3) - m ** (1 / 3) / 9)
    formulas: dict[Transform, Callable[[], Vector]] = {
        "standard": lambda: np.ceil(np.sqrt(m) * room + m),
        "rossi": lambda: 2 * np.sqrt(m) * room + 5 * m - 2 * np.sqrt(4 * m * m + 2 * m**1.5 * room),
        "anscombe": lambda: np.maximum(0.0, 2 / 3 * m ** (1 / 6) * room + m ** (2 / 3)) ** 1.5,
        "anscombe2nd": lambda: second**1.5,
        "pearsonNegBin": lambda: deviation * room + m,
        "none": lambda: room,
    }
    return formulas[method.transform]()


def poisson_reference(expected: ArrayLike, raised: ArrayLike) -> Vector:
    """The reference between two Poisson means: (l1 - l0) / ln(l1 / l0). Increments are count - reference."""
    low, high = np.asarray(expected, dtype=np.float64), np.asarray(raised, dtype=np.float64)
    return np.asarray((high - low) / np.log(high / low))


def negative_binomial(counts: Vector, expected: ArrayLike, ratio: float, phi: ArrayLike) -> Vector:
    """Log likelihood ratios of a mean `ratio` times the expected one; size expected / (phi - 1), Poisson at phi 1."""
    y, mean, spread = np.broadcast_arrays(counts, np.asarray(expected, dtype=np.float64), np.asarray(phi, dtype=float))
    with np.errstate(divide="ignore", invalid="ignore"):
        size = mean / (spread - 1.0)
        shrunk = np.where(spread > 1, np.log((size + ratio * mean) / (size + mean)), 0.0)
        constant = np.where(spread > 1, size * shrunk, (ratio - 1) * mean)
    return np.asarray(y * (np.log(ratio) - shrunk) - constant)


def bernoulli(tested: Vector, positive: Vector, p0: float, p1: float) -> Vector:
    """Log likelihood ratios of `positive` among `tested` at a share p1 against p0; single tests have `tested` 1."""
    if not 0 < p0 < p1 < 1:
        raise ValueError("needs 0 < p0 < p1 < 1")
    gain, cost = np.log(p1 * (1 - p0) / (p0 * (1 - p1))), np.log((1 - p1) / (1 - p0))
    return np.asarray(positive * gain + tested * cost)


def watch_positivity(
    tested: Vector, positive: Vector, p0: float, p1: float, threshold: float, *, reset: bool = True
) -> CusumVerdicts:
    """Bernoulli CUSUM by day or week: `tested` may move freely. `upper`: the most positives that raise no signal."""
    number, found_positive = (np.atleast_2d(np.asarray(a, dtype=np.float64)) for a in (tested, positive))
    increments = bernoulli(number, found_positive, p0, p1)
    before, after = add_up(increments, threshold, reset=reset)
    gain, cost = bernoulli(np.zeros(1), np.ones(1), p0, p1)[0], bernoulli(np.ones(1), np.zeros(1), p0, p1)[0]
    found = CusumVerdicts.empty(*number.shape)
    missing = ~np.isfinite(increments) | (found_positive > number) | (found_positive < 0)
    found.observed[:] = found_positive
    found.reason[:] = np.where(missing, Reason.MISSING_RECENT, Reason.NONE)
    found.expected[:] = np.where(missing, np.nan, number * p0)
    needed = np.ceil(np.maximum(0.0, (threshold - before - number * cost) / gain))
    found.upper[:] = np.where(missing, np.nan, np.maximum(needed - 1, 0))
    found.score[:] = np.where(missing, np.nan, after / threshold)
    return found


def judge_frame(
    counts: pl.DataFrame, method: Cusum | None = None, *, period: Period = "1w", last: int = 1
) -> pl.DataFrame:
    """Verdicts beside the rows of the `last` periods; those before are the baseline. See `series`."""

    def on(values: Vector, at: Sequence[int], _: object) -> Verdicts:
        return judge(values, method, start=at[0])

    return judged(counts, on, period, last)
