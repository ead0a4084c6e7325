"""Upper bounds of Farrington's methods: from an expectation to the count that would exceed it.

In: log means now with their variance and dispersion, observed counts, alpha. Out: `Bound`: expected, upper, tail
probability, score. Never a decision about what is evaluable.

`nbPlugin`: negative-binomial quantile at the mean; `muan`: at the upper limit of the mean; Poisson at dispersion 1.
`delta`: normal after a power transformation, prediction variance included. As in R surveillance, the score of the first
two is (observed - log mean) / (upper - log mean): above 1 exactly when observed is above upper.

Source: Noufaily et al. 2013, Statistics in Medicine 32:1206-1222; Farrington et al. 1996, JRSS A 159:547-563; Salmon et
al. 2016, J Stat Softw 70(10).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ewarn.methods.arrow import Vector
from ewarn.methods.expecting import Expectation, natural
from ewarn.methods.quantiles import quantile
from ewarn.methods.special import ndtr, ndtri
from ewarn.methods.tails import upper_tail

Threshold = Literal["nbPlugin", "muan", "delta"]
Power = Literal["2/3", "1/2", "none"]
EXPONENTS: dict[Power, float] = {"2/3": 2 / 3, "1/2": 1 / 2, "none": 1.0}


@dataclass(frozen=True, eq=False)
class Bound:
    """One element per series. `mean`: the mean the bound was taken at (for `delta` R's number, which means nothing)."""

    expected: Vector
    upper: Vector
    mean: Vector
    p_value: Vector
    score: Vector


def bound(now: Expectation, observed: Vector, alpha: float, threshold: Threshold, power: Power) -> Bound:
    """Upper bounds at level `alpha` (one-sided)."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        expected = np.exp(now.log_mean)
        mean = expected
        if threshold == "muan":
            mean = np.exp(now.log_mean + ndtri(1 - alpha) * np.sqrt(now.spread_phi * now.variance))
        if threshold == "delta":
            expected = natural(now.log_mean)
            upper, p_value = transformed(expected, now, observed, float(ndtri(1 - alpha)), power)
            limit = np.exp(expected + ndtri(1 - alpha) * expected * np.sqrt(now.spread_phi * now.variance))
            return Bound(expected, upper, limit, p_value, (observed - expected) / (upper - expected))
        upper = quantile(1 - alpha, mean, now.phi)
        score = (observed - now.log_mean) / (upper - now.log_mean)
        return Bound(expected, upper, mean, upper_tail(observed, mean, now.phi), score)


def transformed(expected: Vector, now: Expectation, observed: Vector, z: float, power: Power) -> tuple[Vector, Vector]:
    """Bound and tail after a power transformation; the prediction's variance is in the bound."""
    exponent = EXPONENTS[power]
    tau = now.phi + expected * now.spread_phi * now.variance
    error = exponent * np.sqrt(expected ** (2 * exponent - 1) * tau)
    upper = (expected**exponent + z * error) ** (1 / exponent)
    return upper, ndtr(-(observed**exponent - expected**exponent) / error)
