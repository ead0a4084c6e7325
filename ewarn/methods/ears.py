"""EARS C1, C2 and C3: the newest periods against the few just before them.

In: counts (series x periods, NaN where a cell is suppressed or missing). Out: `Verdicts`: expected (baseline mean),
upper bound, score (distance from the mean in baseline standard deviations; for C3 the sum over three periods). Meant
for histories that are too short for seasons. Never a clear verdict from a baseline that is short or has gaps; it has no
p-value, since a bound in standard deviations is no probability at low counts.

C1 looks at the `baseline` periods just before, C2 leaves out two between, C3 adds what C2's score exceeded 1 by in the
two periods before. `least_sigma` guards a baseline that hardly varies. R's C3 puts the observed count where the formula
has the mean, so that its verdict is about the two periods before alone: `as_in_r=True` does the same, for comparison.

Source: Hutwagner et al. 2003, J Urban Health 80:i89-i96; Fricker et al. 2008, Stat Med 27:3407-3429; results compared
with R surveillance 1.20.3 `earsC`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ewarn.methods.series import Period, judged
from ewarn.methods.special import ndtri
from ewarn.methods.verdicts import Reason, Vector, Verdicts

GUARD = {"C1": 0, "C2": 2, "C3": 2}
SUMMED_BEFORE = 2
ALPHA = {"C1": 0.001, "C2": 0.001, "C3": 0.025}
CELLS = 4_000_000


@dataclass(frozen=True)
class Ears:
    """Numbers of the method. The bound's distance is `z` standard deviations, or the normal quantile of `alpha`."""

    kind: Literal["C1", "C2", "C3"] = "C2"
    baseline: int = 7
    least_sigma: float = 0.0
    alpha: float | None = None
    z: float | None = None
    as_in_r: bool = False

    def __post_init__(self) -> None:
        if self.baseline < 3 or self.least_sigma < 0:
            raise ValueError("EARS needs a baseline of at least 3 periods and a least deviation of at least 0")

    @property
    def distance(self) -> float:
        if self.z is not None:
            return self.z
        return float(ndtri(1 - (ALPHA[self.kind] if self.alpha is None else self.alpha)))

    @property
    def needed(self) -> int:
        """Periods before the judged one."""
        return self.baseline + GUARD[self.kind] + (SUMMED_BEFORE if self.kind == "C3" else 0)


def judge(
    counts: NDArray[np.float64] | NDArray[np.int64], method: Ears | None = None, *, at: Iterable[int] | None = None
) -> Verdicts:
    """Verdicts for the periods `at` (places in the series; the last one when not given)."""
    method = method or Ears()
    matrix = np.atleast_2d(np.asarray(counts, dtype=np.float64))
    places = np.asarray([matrix.shape[1] - 1] if at is None else list(at), dtype=np.int64)
    found = Verdicts.empty(len(matrix), places.size)
    if not found.reason.size:
        return found
    if places.min() < 0 or places.max() >= matrix.shape[1]:
        raise ValueError("a period to judge lies outside the series")
    found.observed[:] = matrix[:, places]
    long_enough = np.flatnonzero(places >= method.needed)
    if long_enough.size:
        step = max(1, CELLS // (long_enough.size * method.baseline))
        for first in range(0, len(matrix), step):
            part = slice(first, first + step)
            _judge(matrix[part], places[long_enough], method, found, part, long_enough)
    return found


def _judge(
    matrix: Vector, at: NDArray[np.int64], method: Ears, found: Verdicts, part: slice, columns: NDArray[np.int64]
) -> None:
    mean, sigma = _baseline(matrix, at, method)
    y = matrix[:, at]
    with np.errstate(divide="ignore", invalid="ignore"):
        score = (y - mean) / sigma
        if method.kind == "C3":
            before = np.zeros_like(score)
            for lag in range(1, SUMMED_BEFORE + 1):
                earlier, spread = _baseline(matrix, at - lag, method)
                before += np.maximum(0.0, (matrix[:, at - lag] - earlier) / spread - 1)
            upper = np.maximum(0.0, (y if method.as_in_r else mean) + sigma * (method.distance - before))
            score = score + before
        else:
            upper = mean + method.distance * sigma
    gaps = ~np.isfinite(mean)
    reason = np.where(np.isfinite(upper), Reason.NONE, np.where(gaps, Reason.MISSING_BASELINE, Reason.NO_SPREAD))
    if method.kind == "C3":
        recent = np.stack([matrix[:, at - lag] for lag in range(1, SUMMED_BEFORE + 1)])
        reason = np.where(np.isfinite(recent).all(axis=0) | (reason == 0), reason, Reason.MISSING_RECENT)
    reason = np.where(np.isfinite(y), reason, Reason.MISSING_RECENT)
    answered = reason == Reason.NONE
    found.reason[part, columns] = reason
    found.expected[part, columns] = np.where(answered, mean, np.nan)
    found.upper[part, columns] = np.where(answered, upper, np.nan)
    found.score[part, columns] = score


def _baseline(matrix: Vector, at: NDArray[np.int64], method: Ears) -> tuple[Vector, Vector]:
    """Mean and standard deviation of the periods before `at`."""
    windows = sliding_window_view(matrix, method.baseline, axis=1)
    used = windows[:, at - GUARD[method.kind] - method.baseline]
    return used.mean(axis=2), np.maximum(used.std(axis=2, ddof=1), method.least_sigma)


def judge_frame(
    counts: pl.DataFrame, method: Ears | None = None, *, period: Period = "1w", last: int | None = None
) -> pl.DataFrame:
    """Verdicts beside the rows of the `last` periods (all when not given). See `series`."""
    return judged(counts, lambda values, at, _: judge(values, method, at=at), period, last)
