"""A baseline without a single report, and then cases: always an answer.

In: how many weeks were counted without a report, and the count of the newest week or weeks. Out: the expected number,
an upper bound and an exact tail that is never 0 and never missing. A regression on zeros has no answer (at a rate of 0
every case is impossible); but nothing seen in n weeks leaves the rate unknown, not nil.

The rate has Jeffreys' prior, a Gamma with shape 1/2; after n weeks of zeros the count of the next w weeks is negative
binomial with mean w/2n and variance (1 + w/n) times that. One case in one week has p of about 1/2n: .0095 after a year,
.0048 after two. Before there is any week, n counts as 1, and nothing below six cases has p under .01.

Source: Gamma-Poisson predictive distribution and Jeffreys prior of a Poisson rate, Gelman et al. 2013, Bayesian Data
Analysis, 3rd edition, sections 2.6 and 2.8.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ewarn.methods.tails import upper_tail

Vector = NDArray[np.float64]
PRIOR_SHAPE = 0.5


def after_zeros(weeks: ArrayLike, window_weeks: ArrayLike = 1.0) -> tuple[Vector, Vector]:
    """Mean and variance-to-mean ratio of the count of the next `window_weeks` after `weeks` of zeros."""
    share = np.asarray(window_weeks, dtype=np.float64) / np.maximum(np.asarray(weeks, dtype=np.float64), 1.0)
    return PRIOR_SHAPE * share, 1.0 + share


def tail_after_zeros(observed: ArrayLike, weeks: ArrayLike, window_weeks: ArrayLike = 1.0) -> Vector:
    """P(Y >= observed) for the next `window_weeks` after `weeks` of zeros."""
    mean, phi = after_zeros(weeks, window_weeks)
    return upper_tail(observed, mean, phi)
