"""Dirichlet-multinomial: how improbable content is, given what like samples held before.

In: counts per key and category (how many earlier samples of a key held a thing), and what is common to all keys. Out:
the shares to expect, and the exact predictive tail of seeing so many again. It never reads as clear where nothing was
known before: without a single earlier sample the frame door says not evaluable.

The share of a category in one key is Dirichlet with mean `share` and concentration `concentration` (in samples: what
is common to all keys weighs as much as that many samples of the key itself). One category against the rest of a
Dirichlet-multinomial is a beta-binomial, so its tail is exact.

Source: Mosimann J. E. (1962) Biometrika 49:65-82, section 2 (the compound multinomial, its marginals); Minka T. P.
(2000, revised 2012) Estimating a Dirichlet distribution, section 3 (the likelihood maximised over the concentration).
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from ewarn.methods.special import betaln, gammaln

Floats = NDArray[np.float64]
NEVER_BEFORE = "no earlier sample of anything like it"
MISSING = "a count is missing or suppressed"
NOTHING_MORE = 2.0**-55
# Between a key that follows what is common at once and one that says nothing of any other.
CONCENTRATIONS = (0.05, 500.0)


def smoothed_share(held: ArrayLike, tested: ArrayLike, wider: ArrayLike, weight: float = 1.0) -> Floats:
    """The share to expect in a group: its own, drawn towards the wider group's by the weight of so many samples."""
    held, tested, wider = (np.asarray(a, dtype=np.float64) for a in (held, tested, wider))
    return np.asarray((held + weight * wider) / (tested + weight))


def predictive_tail(
    observed: ArrayLike, trials: ArrayLike, held: ArrayLike, tested: ArrayLike, share: ArrayLike, concentration: float
) -> Floats:
    """P(at least `observed` of `trials` new samples hold it | `held` of `tested` earlier ones of the key did).

    All arguments but the concentration broadcast; not a number where one is missing.
    """
    arrays = np.broadcast_arrays(*(np.asarray(a, dtype=np.float64) for a in (observed, trials, held, tested, share)))
    x, n, y, m, q = (a.ravel() for a in arrays)
    q = np.clip(q, 1e-12, 1 - 1e-12)
    alpha, beta = concentration * q + y, concentration * (1 - q) + m - y
    return np.asarray(_upper_tail(x, n, alpha, beta).reshape(arrays[0].shape))


def _upper_tail(x: Floats, n: Floats, alpha: Floats, beta: Floats) -> Floats:
    """Beta-binomial upper tail: the probability of x itself, then of one more at a time."""
    known = np.isfinite(x + n + alpha + beta)
    x, n, alpha, beta = (np.where(known, a, 1.0) for a in (np.maximum(x, 0), n, alpha, beta))
    possible = x <= n
    k = np.where(possible, x, n)
    ways = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    term = np.exp(ways + betaln(alpha + k, beta + n - k) - betaln(alpha, beta))
    rows = zip(*(a.tolist() for a in (term, k, n, alpha, beta)), strict=True)
    tail = np.where(possible, np.array([_summed(*row) for row in rows]), 0.0)
    tail = np.where(x <= 0, 1.0, np.clip(tail, 0.0, 1.0))
    return np.where(known, tail, np.nan)


def _summed(term: float, k: float, n: float, alpha: float, beta: float) -> float:
    """The probability of k and of every count above it up to n, from that of k itself.

    From where each is less than the one before, which a beta of 1 and more keeps so, the rest adds nothing once one
    did not change the sum.
    """
    tail = term
    while k < n:
        before, term = term, term * (n - k) / (k + 1) * (alpha + k) / (beta + n - k - 1)
        tail, k = tail + term, k + 1
        if beta >= 1 and term <= before and term <= tail * NOTHING_MORE:
            break
    return tail


def fitted_concentration(held: ArrayLike, tested: ArrayLike, share: ArrayLike) -> float:
    """The concentration under which the keys' counts are likeliest, given the share of each.

    In: one element per key, or a matrix keys x categories (each category a beta-binomial of its own). Keys with one
    sample say nothing about it. Without any other, the middle of the range.
    """
    arrays = np.broadcast_arrays(*(np.asarray(a, dtype=np.float64) for a in (held, tested, share)))
    y, m, q = (a.ravel() for a in arrays)
    telling = np.isfinite(y + m + q) & (m > 1)
    low, high = np.log(CONCENTRATIONS)
    if not telling.any():
        return float(np.exp((low + high) / 2))
    y, m, q = y[telling], m[telling], np.clip(q[telling], 1e-9, 1 - 1e-9)

    from scipy.optimize import minimize_scalar  # half a second to import, seldom needed

    def lost(log_c: float) -> float:
        c = np.exp(log_c)
        return -float((betaln(c * q + y, c * (1 - q) + m - y) - betaln(c * q, c * (1 - q))).sum())

    return float(np.exp(minimize_scalar(lost, bounds=(low, high), method="bounded").x))


def surprises(counts: pl.DataFrame, concentration: float, alpha: float = 0.01) -> pl.DataFrame:
    """The same on frames.

    In: one row per stratum (a key and what was found) and period: `stratum`, `period`, `observed`, `trials` (samples
    of the key in the period), `held` and `tested` (the same before it), `share` (to expect of the key's kind).
    Out: the same rows with `expected`, `upper` (largest count that is no signal), `p_value`, `score` (alpha / p),
    `outcome` and `reason`.
    """
    columns = ("observed", "trials", "held", "tested", "share")
    x, n, y, m, q = (counts[c].cast(pl.Float64).fill_null(np.nan).to_numpy() for c in columns)
    p = predictive_tail(x, n, y, m, q, concentration)
    mean = (concentration * q + y) / (concentration + m)
    known, told = np.isfinite(p), (m > 0) | (q > 0)
    reasons = np.where(~known, MISSING, np.where(told, "", NEVER_BEFORE))
    outcomes = np.where(reasons != "", "not evaluable", np.where(p < alpha, "signal", "clear"))
    answered = known & told
    return counts.with_columns(
        expected=pl.Series(np.where(answered, n * mean, np.nan)).fill_nan(None),
        upper=pl.Series(np.where(answered, _largest_clear(n, y, m, q, concentration, alpha), np.nan)).fill_nan(None),
        p_value=pl.Series(np.where(answered, p, np.nan)).fill_nan(None),
        score=pl.Series(np.where(answered, alpha / np.maximum(p, 1e-300), np.nan)).fill_nan(None),
        outcome=pl.Series(outcomes.tolist(), dtype=pl.String),
        reason=pl.Series(reasons.tolist(), dtype=pl.String),
    )


def _largest_clear(n: Floats, y: Floats, m: Floats, q: Floats, concentration: float, alpha: float) -> Floats:
    """The largest count whose tail is at least alpha, one count after another for all rows together."""
    upper = np.zeros(n.shape)
    for count in range(1, int(np.nan_to_num(n).max(initial=0)) + 1):
        fits = predictive_tail(np.minimum(count, n), n, y, m, q, concentration) >= alpha
        raised = fits & (count <= n) & (upper == count - 1)
        if not raised.any():
            break
        upper = np.where(raised, count, upper)
    return upper
