"""Upper bounds of counts: exact quantiles of the Poisson and the negative binomial, many at once.

In: means, variance-to-mean ratios, a probability. Out: the smallest count whose distribution function reaches it. Small
means by adding up the distribution, large ones from a corrected normal guess that is then walked to the exact count;
never the guess itself.

Source: NIST Digital Library of Mathematical Functions 8.17.5, 8.4.10; Johnson, Kemp and Kotz 2005, Univariate Discrete
Distributions, 5.8 (the Cornish-Fisher guess).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ewarn.methods.special import ndtri
from ewarn.methods.tails import upper_tail

Vector = NDArray[np.float64]
SUMMED_BELOW = 30.0
FUZZ = 1 - 64 * np.finfo(np.float64).eps
MOST = 1e300


def quantile(probability: float, mean: Vector, phi: Vector) -> Vector:
    """Smallest count with P(Y <= count) >= `probability`, at variance phi x mean; NaN where the mean is not finite."""
    found = np.full(mean.shape, np.nan)
    found[mean == 0] = 0.0
    known = np.isfinite(mean) & np.isfinite(phi) & (mean > 0)
    spread = mean + 4 * np.sqrt(mean * phi) + 4 * phi
    small = known & (mean < SUMMED_BELOW) & (spread < 4 * SUMMED_BELOW)
    found[small] = _summed(probability * FUZZ, mean[small], phi[small])
    large = known & ~small
    found[large] = _walked(probability, mean[large], phi[large])
    return found


def _summed(wanted: float, mean: Vector, phi: Vector) -> Vector:
    """Add the probabilities of 0, 1, 2, ... until `wanted` is reached."""
    failure = 1.0 - 1.0 / phi
    wide = phi > 1
    size = np.divide(mean, phi - 1.0, out=np.zeros_like(mean), where=wide)
    term = np.exp(np.where(wide, -size * np.log(phi), -mean))
    found = np.zeros_like(mean)
    rows = np.arange(mean.size)
    total = term.copy()
    count = 0
    step = np.where(wide, size * failure, mean)
    growth = np.where(wide, failure, 0.0)
    while True:
        open_ = total < wanted
        if not open_.any():
            return found
        if open_.sum() < 0.7 * rows.size:
            rows, total, term, step, growth = rows[open_], total[open_], term[open_], step[open_], growth[open_]
            open_ = np.ones(rows.size, dtype=bool)
        term = term * (step + growth * count) / (count + 1)
        count += 1
        found[rows[open_]] = count
        total = total + term
        if count > 100_000:  # the sum has stopped below `wanted` through rounding
            return found


def _walked(probability: float, mean: Vector, phi: Vector) -> Vector:
    """From a corrected normal guess to the exact count, by doubling steps and then halving them."""
    z = float(ndtri(probability))
    skew = (2 * phi - 1) / np.sqrt(mean * phi)
    guess = np.floor(mean + np.sqrt(mean * phi) * (z + skew * (z * z - 1) / 6))
    low, high = _bracket(probability, np.clip(guess, 0, MOST), mean, phi)
    while True:
        wide = np.flatnonzero(high - low > np.maximum(1.0, 2 * np.spacing(high)))
        if not wide.size:
            return high
        middle = np.floor((low[wide] + high[wide]) / 2)
        reached = _reached(probability, middle, mean[wide], phi[wide])
        high[wide[reached]] = middle[reached]
        low[wide[~reached]] = middle[~reached]


def _bracket(probability: float, guess: Vector, mean: Vector, phi: Vector) -> tuple[Vector, Vector]:
    """A count that does not reach `probability` (-1 at the least) and one that does."""
    reached = _reached(probability, guess, mean, phi)
    low, high = np.where(reached, -1.0, guess), np.where(reached, guess, np.inf)
    step = np.ones_like(guess)
    while True:
        open_ = np.flatnonzero(np.where(reached, (low < 0) & (high > 0), ~np.isfinite(high)) & (step < MOST))
        if not open_.size:
            return low, np.where(np.isfinite(high), high, MOST)
        tried = np.maximum(np.where(reached[open_], high[open_] - step[open_], low[open_] + step[open_]), -1)
        enough = _reached(probability, tried, mean[open_], phi[open_])
        high[open_[enough]] = tried[enough]
        low[open_[~enough]] = tried[~enough]
        done = open_[np.where(reached[open_], ~enough, enough)]
        step[open_] *= 2
        step[done] = MOST


def _reached(probability: float, count: Vector, mean: Vector, phi: Vector) -> NDArray[np.bool_]:
    """Whether P(Y <= count) is at least `probability`."""
    reached: NDArray[np.bool_] = (count >= 0) & (1.0 - upper_tail(count + 1, mean, phi) >= probability * FUZZ)
    return reached
