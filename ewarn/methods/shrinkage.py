"""Gamma-Poisson shrinkage: how far above expectation a count is, when there are many counts and most are small.

In: observed and expected counts of many pairs. Out: per pair the shrunken ratio (EBGM), a lower bound of the ratio
(EB05) and the exact upper tail of the count under the fitted spread. The prior is learned from all the pairs together;
with too few of them to learn from, the answer is not evaluable, never clear.

n ~ Poisson(ratio x expected); the ratio is drawn from one gamma distribution, or from a mixture of two. The posterior
is then a mixture of gammas again: its geometric mean is the EBGM, its 5 % quantile the EB05.

Source: DuMouchel W. (1999) The American Statistician 53:177-190, equations (3) to (8) and section 3.3 (fit by maximum
likelihood); single gamma as in Clayton and Kaldor (1987) Biometrics 43:671-681, equation (4).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from ewarn.methods.special import betainc, expit, gammainc, gammaln, logit, psi

Floats = NDArray[np.float64]
LEAST_PAIRS = 5
START = (0.2, 0.1, 2.0, 4.0, 1 / 3)
# Beyond these the gamma is a spike at its mean or holds no mass where ratios lie.
LIMITS = (1e-3, 1e4)
TOO_FEW = f"fewer than {LEAST_PAIRS} pairs to learn the spread of ratios from"
MISSING = "observed or expected is missing"


class Prior(NamedTuple):
    """Ratios are gamma(shape, rate): the first with probability `weight`, else the second. Single gamma: weight 1."""

    shape: float
    rate: float
    other_shape: float = 1.0
    other_rate: float = 1.0
    weight: float = 1.0


class Ratios(NamedTuple):
    """Per pair: EBGM, EB05 and the exact probability of so high a count or a higher one under the prior."""

    ebgm: Floats
    lower: Floats
    tail: Floats


def fitted(observed: ArrayLike, expected: ArrayLike, *, single: bool = False) -> Prior | None:
    """The prior by maximum likelihood over all pairs; None where fewer than LEAST_PAIRS are known.

    The mixture is kept only where it is better by more than its three further parameters (Akaike).
    """
    n, e = _usable(observed, expected)
    if n.size < LEAST_PAIRS:
        return None
    n, e, weights = _squashed(n, e)
    one = _best(n, e, weights, np.log([2.0, 2.0]))
    if single:
        return one[0]
    starts = (START, (one[0].shape, one[0].rate, 0.5, 0.1, 0.95))
    two = min((_best(n, e, weights, _unbound(start)) for start in starts), key=lambda found: found[1])
    return two[0] if two[1] + 3 < one[1] else one[0]


def _usable(observed: ArrayLike, expected: ArrayLike) -> tuple[Floats, Floats]:
    n, e = np.broadcast_arrays(np.asarray(observed, dtype=np.float64), np.asarray(expected, dtype=np.float64))
    known = np.isfinite(n) & np.isfinite(e) & (e > 0)
    return np.asarray(n[known]), np.asarray(e[known])


def _squashed(n: Floats, e: Floats) -> tuple[Floats, Floats, Floats]:
    """Pairs with the same count and, to one part in twenty, the same expectation as one, with its weight."""
    cells = np.stack([n, np.round(np.log(e) * 20)], axis=1)
    kinds, at, number = np.unique(cells, axis=0, return_inverse=True, return_counts=True)
    middle = np.bincount(at.ravel(), weights=e) / number
    return kinds[:, 0], middle, number.astype(np.float64)


def _unbound(values: tuple[float, ...]) -> Floats:
    return np.append(np.log(values[:4]), logit(values[4]))


def _prior(theta: Floats) -> Prior:
    gammas = [float(g) for g in np.clip(np.exp(theta[:4]), *LIMITS)]
    if theta.size < 5:
        return Prior(gammas[0], gammas[1])
    return Prior(gammas[0], gammas[1], gammas[2], gammas[3], float(expit(theta[4])))


def _best(n: Floats, e: Floats, weights: Floats, start: Floats) -> tuple[Prior, float]:
    """The prior and its negative log-likelihood."""
    from scipy.optimize import minimize  # half a second to import, seldom needed

    def lost(theta: Floats) -> float:
        return -float((weights * _log_marginal(n, e, _prior(theta))).sum())

    low, high = np.log(LIMITS)
    bounds = [(low, high)] * min(start.size, 4) + [(-6.0, 6.0)] * (start.size == 5)
    found = minimize(lost, start, method="L-BFGS-B", bounds=bounds, options={"maxiter": 60, "ftol": 1e-7})
    return _prior(found.x), float(found.fun)


def _log_negative_binomial(n: Floats, e: Floats, shape: float, rate: float) -> Floats:
    """log P(n), the ratio integrated out (DuMouchel, equation 4)."""
    ways = gammaln(shape + n) - gammaln(shape) - gammaln(n + 1)
    return np.asarray(ways - n * np.log1p(rate / e) - shape * np.log1p(e / rate))


def _parts(n: Floats, e: Floats, prior: Prior) -> tuple[Floats, Floats]:
    first = _log_negative_binomial(n, e, prior.shape, prior.rate) + np.log(prior.weight)
    if prior.weight >= 1:
        return first, np.full(n.shape, -np.inf)
    second = _log_negative_binomial(n, e, prior.other_shape, prior.other_rate) + np.log1p(-prior.weight)
    return first, second


def _log_marginal(n: Floats, e: Floats, prior: Prior) -> Floats:
    return np.asarray(np.logaddexp(*_parts(n, e, prior)))


def ratios(observed: ArrayLike, expected: ArrayLike, prior: Prior, level: float = 0.05) -> Ratios:
    """Shrunken ratio, its lower bound at `level`, and the upper tail. Not a number where a count is missing."""
    n, e = np.broadcast_arrays(np.asarray(observed, dtype=np.float64), np.asarray(expected, dtype=np.float64))
    known = np.isfinite(n) & np.isfinite(e) & (e > 0)
    n, e = np.where(known, n, 1.0), np.where(known, e, 1.0)
    first, second = _parts(n, e, prior)
    own = np.exp(first - np.logaddexp(first, second))
    shapes, rates = (prior.shape + n, prior.other_shape + n), (prior.rate + e, prior.other_rate + e)
    mean_log = own * (psi(shapes[0]) - np.log(rates[0])) + (1 - own) * (psi(shapes[1]) - np.log(rates[1]))
    lower = _quantile(level, own, shapes, rates)
    tail = prior.weight * _tail(n, e, prior.shape, prior.rate)
    tail = tail + (1 - prior.weight) * _tail(n, e, prior.other_shape, prior.other_rate)
    return Ratios(*(np.where(known, a, np.nan) for a in (np.exp(mean_log), lower, tail)))


def _quantile(level: float, own: Floats, shapes: tuple[Floats, Floats], rates: tuple[Floats, Floats]) -> Floats:
    """Quantile of the posterior mixture, halving the interval of its logarithm for all pairs together."""
    low, high = np.full(own.shape, -30.0), np.full(own.shape, 30.0)
    for _ in range(60):
        middle = (low + high) / 2
        at = np.exp(middle)
        below = own * gammainc(shapes[0], rates[0] * at) + (1 - own) * gammainc(shapes[1], rates[1] * at)
        low, high = np.where(below < level, middle, low), np.where(below < level, high, middle)
    return np.asarray(np.exp((low + high) / 2))


def _tail(n: Floats, e: Floats, shape: float, rate: float) -> Floats:
    """P(count >= n) under a gamma(shape, rate) ratio: a negative binomial."""
    return np.asarray(np.where(n > 0, betainc(np.maximum(n, 1), shape, e / (rate + e)), 1.0))


def disproportions(counts: pl.DataFrame, level: float = 0.05, *, single: bool = False) -> pl.DataFrame:
    """The same on frames, the prior learned anew in every period.

    In: one row per stratum (a pair) and period: `stratum`, `period`, `observed`, `expected`. Out: the same rows with
    `score` (EBGM), `lower` (EB05), `upper` (largest count whose lower bound is no higher than 1), `p_value`,
    `outcome` (signal where the lower bound is above 1) and `reason`.
    """
    rows = counts.with_row_index("_row")
    schema = {"_row": pl.UInt32, "score": pl.Float64, "lower": pl.Float64, "upper": pl.Float64,
              "p_value": pl.Float64, "outcome": pl.String, "reason": pl.String}  # fmt: skip
    found = [_of_period(part, level, single) for part in rows.partition_by("period", maintain_order=True)]
    answers = pl.concat(found).cast(schema) if found else pl.DataFrame(schema=schema)  # type: ignore[arg-type]
    return rows.join(answers, on="_row", how="left", maintain_order="left").drop("_row")


def _of_period(rows: pl.DataFrame, level: float, single: bool) -> pl.DataFrame:
    n, e = (rows[c].cast(pl.Float64).fill_null(np.nan).to_numpy() for c in ("observed", "expected"))
    prior = fitted(n, e, single=single)
    answer = rows.select("_row")
    if prior is None:
        nothing = [pl.lit(None, pl.Float64).alias(c) for c in ("score", "lower", "upper", "p_value")]
        return answer.with_columns(*nothing, outcome=pl.lit("not evaluable"), reason=pl.lit(TOO_FEW))
    found = ratios(n, e, prior, level)
    known = np.isfinite(found.ebgm)
    outcome = np.where(~known, "not evaluable", np.where(found.lower > 1, "signal", "clear"))
    return answer.with_columns(
        score=pl.Series(found.ebgm).fill_nan(None),
        lower=pl.Series(found.lower).fill_nan(None),
        upper=pl.Series(largest_clear(e, prior, level)).fill_nan(None),
        p_value=pl.Series(found.tail).fill_nan(None),
        outcome=pl.Series(outcome.tolist(), dtype=pl.String),
        reason=pl.Series(np.where(known, "", MISSING).tolist(), dtype=pl.String),
    )


def largest_clear(expected: ArrayLike, prior: Prior, level: float = 0.05) -> Floats:
    """The largest count whose lower bound is at most 1, by halving; the bound grows with the count."""
    e = np.asarray(expected, dtype=np.float64)
    known = np.isfinite(e) & (e > 0)
    usable = np.where(known, e, 1.0)
    low, high = np.full(e.shape, -1.0), 20 + usable * 50
    while bool(((high - low) > 1).any()):
        middle = np.floor((low + high) / 2)
        clear = ratios(middle, usable, prior, level).lower <= 1
        low, high = np.where(clear, middle, low), np.where(clear, high, middle)
    return np.where(known, np.maximum(low, 0.0), np.nan)
