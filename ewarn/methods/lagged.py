"""Signals while results are still coming in: the last event weeks against thinned expectations.

In: what is known of each of the last 8 event weeks, what was expected in each in full, and the share known by now. Out:
for each stratum the unlikeliest window of event weeks, a jointly calibrated p, the test by report week beside it, and
which of the two speaks. Never an inflated count, and never a week judged as if it were complete.

Two tests share alpha. The scan takes windows of 2, 3, 4 and 6 neighbouring event weeks of the last 8, each with the
exact negative-binomial tail of its thinned expectation; the least p over windows is set against the least p of weeks
drawn from the same expectations (fixed seed), so that its share of alpha holds for all windows together. The test by
report week compares what became known in the newest week, of whatever event week, with what should have.

Source: Hoehle and an der Heiden 2014, Biometrics 70:993-1002 (delay-adjusted surveillance); Salmon et al. 2015,
Biometrical Journal 57:1051-1067 (outbreak detection with reporting delays); Kulldorff 2001, JRSS A 164:61-72
(prospective scan: windows that end today and recent ones); thinning and F: see `delay`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ewarn.methods.tails import upper_tail

Array = NDArray[np.float64]
Whole = NDArray[np.int64]
EVENT_WEEKS = 8
LENGTHS = (2, 3, 4, 6)
SCAN_SHARE, REPORT_SHARE = 0.9, 0.1
ALPHA = 0.01  # a week; the same evidence is seen again the week after, so new false signals are less than half as many
DRAWS = 9_999
SEED = 20_130_001


@dataclass(frozen=True)
class Scanned:
    """One row per stratum. Weeks count from the oldest of the weeks given; `last` is within the window."""

    p_window: Array
    p_scan: Array
    first: Whole
    last: Whole
    observed: Array
    expected: Array
    phi: Array


def windows(weeks: int, lengths: tuple[int, ...] = LENGTHS) -> list[tuple[int, int]]:
    """First week and week after the last of every window looked at."""
    found = [(end - length, end) for length in lengths for end in range(length, weeks + 1)]
    return found or [(0, weeks)]


def scan_event_weeks(
    known: Array,
    mean: Array,
    phi: Array,
    alpha: float = ALPHA,
    lengths: tuple[int, ...] = LENGTHS,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Scanned:
    """The unlikeliest window of event weeks and its joint p.

    In: strata x event weeks, oldest first: counts known by now, thinned means and variance-to-mean ratios (see
    `delay.thinned`). A week with a missing figure counts in no window. Out: p_scan is exact up to the draws where it
    could be at most `alpha`, elsewhere windows x p, which is not below it; NaN where no window could be judged.
    """
    spans = windows(known.shape[1], lengths)
    observed, expected, spread = _sums(known, mean, phi, spans)
    tails = upper_tail(observed, expected, spread)
    usable = np.isfinite(tails)
    best = np.where(usable, tails, np.inf).argmin(axis=1)
    rows = np.arange(known.shape[0])
    least = np.where(usable.any(axis=1), tails[rows, best], np.nan)
    joint = np.minimum(least * np.maximum(usable.sum(axis=1), 1), 1.0)
    close = np.flatnonzero(least <= alpha)
    joint[close] = _calibrated(least[close], mean[close], phi[close], spans, draws, seed)
    first, after = np.array(spans).T
    return Scanned(
        least, joint, first[best], after[best] - 1, observed[rows, best], expected[rows, best], spread[rows, best]
    )


def judge(scanned: Scanned, p_report: Array, alpha: float = ALPHA) -> tuple[Array, NDArray[np.bool_]]:
    """One p for both tests, each at its share of alpha, and whether the test by report week is the one that speaks."""
    scan, report = scanned.p_scan / SCAN_SHARE, p_report / REPORT_SHARE
    both = np.fmin(scan, report)
    return np.minimum(both, 1.0), np.fmin(report, np.inf) < np.where(np.isnan(scan), np.inf, scan)


def arrivals_tail(arrived: Array, mean: Array, phi: Array, share_at_lag: Array) -> tuple[Array, Array, Array]:
    """Test by report week: p, expected and variance-to-mean ratio of what became known in the newest week.

    In: number that became known per stratum; full means and ratios of the event weeks (strata x weeks, oldest first);
    the share of each of these weeks that becomes known in the newest week, f = F(lag) - F(lag - 1).
    """
    part = mean * share_at_lag
    expected = part.sum(axis=1)
    variance = (part * (1.0 + (phi - 1.0) * share_at_lag)).sum(axis=1)
    ratio = np.divide(variance, expected, out=np.ones_like(expected), where=expected > 0)
    return upper_tail(arrived, expected, ratio), expected, ratio


def _sums(known: Array, mean: Array, phi: Array, spans: list[tuple[int, int]]) -> tuple[Array, Array, Array]:
    """Observed, expected and variance-to-mean ratio of every window; a window with a missing week is missing."""
    inside = np.zeros((known.shape[1], len(spans)))
    for column, (first, after) in enumerate(spans):
        inside[first:after, column] = 1.0
    bad = ~(np.isfinite(known) & np.isfinite(mean) & np.isfinite(phi))
    missing = (bad @ inside) > 0
    y, m, v = (np.where(bad, 0.0, x) @ inside for x in (known, mean, mean * phi))
    ratio = np.divide(v, m, out=np.ones_like(m), where=m > 0)
    return np.where(missing, np.nan, y), m, np.maximum(ratio, 1.0)


def _calibrated(least: Array, mean: Array, phi: Array, spans: list[tuple[int, int]], draws: int, seed: int) -> Array:
    """Share of draws without an outbreak whose least tail is as small: (1 + number) / (1 + draws).

    Strata with the same expectations are drawn for once. Every draw starts from the same seed, so that an answer
    does not depend on which other strata are asked about.
    """
    found = np.empty(least.size)
    kinds, which = np.unique(np.hstack([mean, phi]), axis=0, return_inverse=True)
    weeks = mean.shape[1]
    for kind, row in enumerate(kinds):
        drawn = _least_of_draws(row[:weeks], row[weeks:], spans, draws, np.random.default_rng(seed))
        mine = which.ravel() == kind
        found[mine] = (1 + np.searchsorted(drawn, least[mine] * (1 + 1e-12), side="right")) / (1 + draws)
    return found


def _least_of_draws(
    mean: Array, phi: Array, spans: list[tuple[int, int]], draws: int, rng: np.random.Generator
) -> Array:
    """Least tail over windows for weeks drawn from the expectations, ascending."""
    bad = ~(np.isfinite(mean) & np.isfinite(phi))
    m, ratio = np.where(bad, 0.0, mean), np.where(bad, 1.0, phi)
    rates = np.tile(m, (draws, 1))
    wide = ratio > 1.0 + 1e-9
    rates[:, wide] = rng.gamma(m[wide] / (ratio[wide] - 1.0), ratio[wide] - 1.0, (draws, int(wide.sum())))
    counts = rng.poisson(rates)
    running = np.concatenate([np.zeros((draws, 1), dtype=np.int64), counts.cumsum(axis=1)], axis=1)
    least: Array = np.ones(draws)
    for first, after in spans:
        expected = float(m[first:after].sum())
        if bad[first:after].any() or expected <= 0:
            continue
        spread = max(float((m * ratio)[first:after].sum()) / expected, 1.0)
        seen = running[:, after] - running[:, first]
        table = upper_tail(np.arange(int(seen.max()) + 1), expected, spread)
        least = np.minimum(least, table[seen])
    return np.sort(least)
