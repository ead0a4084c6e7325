"""How sure a dispersion is, and tails that own up to it.

In: counts, means, estimated variance-to-mean ratios and the number of baseline weeks they came from. Out: upper tails
averaged over what the ratio may be, and the bounds that go with them. Never a mean estimated here.

A tail at the estimated ratio is too small where the ratio was estimated too low, and with sparse, clumped counts that
is often. The Pearson estimate of the ratio from n weeks has a relative variance of about (2 + k)/n, where
k = 6(phi - 1)/m + 1/(phi m) is the excess kurtosis of the negative binomial with mean m and variance phi m. The tail is
averaged over a log-normal ratio with that variance, by Gauss and Hermite's rule of three points.

Source: the variance of a mean of squares from the fourth moment (any textbook), taken at the true means, and checked by
simulation; three-point rule, NIST Digital Library of Mathematical Functions 3.5(v).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ewarn.methods.quantiles import quantile
from ewarn.methods.tails import upper_tail

Vector = NDArray[np.float64]
NODES = ((-np.sqrt(3.0), 1 / 6), (0.0, 2 / 3), (np.sqrt(3.0), 1 / 6))


def relative_error(mean: Vector, phi: Vector, weeks: float) -> Vector:
    """Standard error of an estimated variance-to-mean ratio, as a share of it; `mean` is per week."""
    with np.errstate(divide="ignore", invalid="ignore"):
        kurtosis = 6 * (phi - 1) / mean + 1 / (phi * mean)
        return np.asarray(np.sqrt((2 + kurtosis) / weeks))


def candidates(phi: Vector, error: Vector) -> list[tuple[Vector, float]]:
    """The ratios averaged over, each with its weight; none below 1."""
    spread = np.sqrt(np.log1p(error**2))
    return [(np.maximum(phi * np.exp(node * spread), 1.0), weight) for node, weight in NODES]


def averaged_tail(observed: Vector, mean: Vector, phi: Vector, error: Vector) -> Vector:
    """P(Y >= observed), averaged over the ratio; the plain tail where `error` is 0."""
    if not np.any(error > 0):
        return upper_tail(observed, mean, phi)
    parts = [weight * upper_tail(observed, mean, ratio) for ratio, weight in candidates(phi, error)]
    return np.asarray(sum(parts))


def averaged_bound(alpha: Vector, mean: Vector, phi: Vector, error: Vector) -> Vector:
    """Largest count that is no exceedance: the averaged tail of the next count is at most `alpha`.

    `alpha` may differ from element to element. Found between the bounds at the smallest and the largest ratio.
    """
    found = np.full(mean.shape, np.nan)
    for level in np.unique(alpha[np.isfinite(alpha)]):
        mine = np.flatnonzero((alpha == level) & np.isfinite(mean) & np.isfinite(phi) & np.isfinite(error))
        found.flat[mine] = _between(float(level), *(x.ravel()[mine] for x in (mean, phi, error)))
    return found


def _between(alpha: float, mean: Vector, phi: Vector, error: Vector) -> Vector:
    """Bisection: the tail above `low` is over alpha, the tail above `high` is not."""
    ratios = [ratio for ratio, _ in candidates(phi, error)]
    low = quantile(1 - alpha, mean, ratios[0]) - 1
    high = np.maximum(quantile(1 - alpha, mean, ratios[-1]), low + 1)
    middle_one = quantile(1 - alpha, mean, ratios[1])
    high, low = np.fmax(high, middle_one), np.fmin(low, middle_one - 1)
    for _ in range(64):
        wide = np.flatnonzero(high - low > 1)
        if not wide.size:
            break
        middle = np.floor((low[wide] + high[wide]) / 2)
        over = averaged_tail(middle + 1, mean[wide], phi[wide], error[wide]) > alpha
        low[wide] = np.where(over, middle, low[wide])
        high[wide] = np.where(over, high[wide], middle)
    return high
