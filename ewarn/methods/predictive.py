"""Two plain comparisons with the same weeks of past years: a predictive quantile, and a confidence limit.

In: counts (series x periods). Out: `Verdicts`. `bayes`: the 1 - alpha quantile of the negative binomial that Jeffreys'
prior and the reference periods give; `rki`: the mean of the reference periods with an upper 95 % limit, Poisson to 20,
twice the standard deviation above. Never a trend or a season.

Source: Riebler 2004 and Salmon et al. 2016, J Stat Softw 70(10) (both rules); Crow and Gardner 1959,
Biometrika 46:441-453, table 1 (limits of a Poisson mean).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ewarn.methods.quantiles import quantile
from ewarn.methods.tails import upper_tail
from ewarn.methods.verdicts import Reason, Vector, Verdicts

LOW = (3.285, 5.323, 6.686, 8.102, 9.598, 11.177, 12.817, 13.765, 14.921, 16.768, 17.633)
HIGH = (19.050, 20.335, 21.364, 22.945, 23.762, 25.400, 26.306, 27.735, 28.966, 30.017)
LIMITS = np.array([*LOW, *HIGH])
TABLE_TO = 20


@dataclass(frozen=True)
class Windows:
    """`half_width` periods round the same period of each of `years`, and those just before if `recent`."""

    years: int
    half_width: int
    recent: bool
    year: int = 52

    def back(self) -> NDArray[np.int64]:
        """Periods back of every reference period."""
        near = np.arange(1, self.half_width + 1) if self.recent else np.empty(0, dtype=np.int64)
        far = [np.arange(-self.half_width, self.half_width + 1) + i * self.year for i in range(1, self.years + 1)]
        return np.concatenate([near, *far]).astype(np.int64)


def bayes(counts: Vector, windows: Windows, alpha: float = 0.05, *, at: Iterable[int] | None = None) -> Verdicts:
    """Signals above the predictive quantile; gaps in the reference periods are left out."""
    found, past, rows = _prepared(counts, windows, at)
    known = np.isfinite(past)
    length, total = known.sum(axis=2), np.where(known, past, 0.0).sum(axis=2)
    usable = rows & (length > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean, phi = (total + 0.5) / length, 1 + 1 / length
    expected, upper = np.where(usable, mean, np.nan), quantile(1 - alpha, np.where(usable, mean, np.nan), phi)
    return _filled(found, usable, expected, upper, upper_tail(found.observed, expected, phi))


def rki(counts: Vector, windows: Windows, *, at: Iterable[int] | None = None) -> Verdicts:
    """Signals above the upper limit of the reference mean."""
    found, past, rows = _prepared(counts, windows, at)
    mean = past.mean(axis=2)
    usable = rows & np.isfinite(mean)
    whole = np.clip(np.nan_to_num(np.floor(mean)), 0, TABLE_TO).astype(np.int64)
    upper = np.where(mean > TABLE_TO, mean + 2 * past.std(axis=2, ddof=1), LIMITS[whole])
    expected = np.where(usable, np.where(mean > TABLE_TO, mean, whole), np.nan)
    return _filled(found, usable, expected, upper, np.full(mean.shape, np.nan))


def _prepared(counts: Vector, windows: Windows, at: Iterable[int] | None) -> tuple[Verdicts, Vector, NDArray[np.bool_]]:
    """Verdicts to fill, reference counts (series x periods x reference), and where there are any."""
    matrix = np.atleast_2d(np.asarray(counts, dtype=np.float64))
    places = np.asarray([matrix.shape[1] - 1] if at is None else list(at), dtype=np.int64)
    found = Verdicts.empty(len(matrix), places.size)
    found.observed[:] = matrix[:, places]
    back = windows.back()
    reached = places >= back.max(initial=0) if back.size else np.zeros(places.size, dtype=bool)
    past = matrix[:, np.maximum(places[:, None] - back, 0)]
    found.reason[:, reached] = np.where(np.isfinite(found.observed[:, reached]), Reason.NONE, Reason.MISSING_RECENT)
    return found, past, np.asarray((found.reason == Reason.NONE) & reached)


def _filled(found: Verdicts, usable: NDArray[np.bool_], expected: Vector, upper: Vector, p_value: Vector) -> Verdicts:
    found.reason[(found.reason == Reason.NONE) & ~usable] = Reason.MISSING_BASELINE
    found.expected[:], found.upper[:] = expected, np.where(usable, upper, np.nan)
    found.p_value[:] = np.where(usable, p_value, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        found.score[:] = (found.observed - found.expected) / (found.upper - found.expected)
    return found
