"""Exact upper tails of counts: how likely a count this large or larger is.

In: counts, means and variance-to-mean ratios of any shapes that fit together. Out: P(Y >= y), NaN where any of them is
missing. Never a normal approximation: the counts that matter here are small.

Source: the Poisson tail is a regularised incomplete gamma function and the negative binomial tail a regularised
incomplete beta function (NIST Digital Library of Mathematical Functions 8.17.5 and 8.4.10).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ewarn.methods.special import betainc, gammainc

POISSON_BELOW = 1.0 + 1e-9


def upper_tail(observed: ArrayLike, mean: ArrayLike, phi: ArrayLike = 1.0) -> NDArray[np.float64]:
    """P(Y >= observed) at this mean and variance phi x mean; Poisson at phi = 1.

    A count that is no whole number is rounded up. A mean of 0 makes any count above 0 impossible.
    """
    y, mu, ratio = np.broadcast_arrays(
        np.ceil(np.asarray(observed, dtype=np.float64)),
        np.asarray(mean, dtype=np.float64),
        np.asarray(phi, dtype=np.float64),
    )
    known = np.isfinite(y) & np.isfinite(mu) & np.isfinite(ratio)
    tail = np.where(known, np.where(y <= 0, 1.0, 0.0), np.nan)
    counted = known & (y > 0) & (mu > 0)
    plain = counted & (ratio <= POISSON_BELOW)
    wide = counted & ~plain
    tail[plain] = gammainc(y[plain], mu[plain])
    tail[wide] = betainc(y[wide], mu[wide] / (ratio[wide] - 1.0), 1.0 - 1.0 / ratio[wide])
    return tail
