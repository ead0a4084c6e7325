"""How soon an outbreak is seen when results take weeks.

In: runs and a seed. Out: figures with their 95 % intervals (D5). Never a report of this deployment.

One run is one laboratory with 20 strata of mean 1 result a week (Poisson). Each result is known a geometric number of
whole weeks after its event week, 4 weeks on average (a fifth within its own week). The lag is learnt each week from
what is known by then. In two of the strata an outbreak starts in one week: 8 results more, each floor(X) weeks after
the start, log X normal with mean 0 and deviation 0.5, with the same lag. The full expectation, 1 a week, is held to be
known.

*Caught within w weeks*: the share of outbreaks with a signal at the close of the starting week or of one of the w weeks
after it. *Naive*: the newest event week alone at alpha .005, against what is usually known of a week that new.
*Without an outbreak*: the other 18 strata in the same weeks; a *new* signal has none in the four weeks before it.
Intervals are by drawing whole runs again.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ewarn.methods.delay import COHORTS, LONGEST, learnt_shares, thinned
from ewarn.methods.lagged import ALPHA, EVENT_WEEKS, arrivals_tail, judge, scan_event_weeks
from ewarn.methods.tails import upper_tail
from ewarn.review.figures import Figure, framed, ratios

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
STUDY = "laboratory lag of 4 weeks, mean 1 a week (D5)"
STRATA, OUTBREAKS, CASES, SPREAD = 20, 2, 8, 0.5
MEAN, LAG_WEEKS, NAIVE_ALPHA = 1.0, 4.0, 0.005
HISTORY, WITHIN, SOON, QUIET_WEEKS = COHORTS + LONGEST, 16, 4, 4


def study(runs: int = 500, seed: int = 1, alpha: float = ALPHA) -> pl.DataFrame:
    """Caught within 16 and 4 weeks, by the scan over event weeks with the test by report week, and naively."""
    reports = _drawn(runs, np.random.default_rng(seed))
    weeks = [_judged(reports, HISTORY + week, alpha) for week in range(-QUIET_WEEKS, WITHIN + 1)]
    signal, naive = (np.stack([week[i] for week in weeks], axis=2) for i in (0, 1))
    new = _new(signal)
    signal, naive = signal[..., QUIET_WEEKS:], naive[..., QUIET_WEEKS:]
    quiet = [x[:, OUTBREAKS:].sum(axis=(1, 2)) for x in (signal, new[..., QUIET_WEEKS:])]
    tried = [np.full(runs, float(x)) for x in ((STRATA - OUTBREAKS) * (WITHIN + 1), OUTBREAKS)]
    caught = [_caught(x, last) for x in (signal, naive) for last in (WITHIN, SOON)]
    tops, (weeks_line, outbreaks_line) = np.eye(8)[:6], np.eye(8)[6:]
    bottoms = np.array([outbreaks_line] * 4 + [weeks_line] * 2)
    found = ratios(np.column_stack([*caught, *quiet, *tried]).astype(np.float64), tops, bottoms, seed)
    wanted = (
        Figure(f"caught within {WITHIN} weeks", *found[0], floor=0.80),
        Figure(f"caught within {SOON} weeks", *found[1], floor=0.55),
        Figure(f"naive: caught within {WITHIN} weeks", *found[2]),
        Figure(f"naive: caught within {SOON} weeks", *found[3]),
        Figure("signals a week without an outbreak", *found[4], note=f"alpha {alpha:g}"),
        Figure("new signals a week without an outbreak", *found[5], note=f"alpha {alpha:g}"),
    )
    return framed(STUDY, wanted, seed, runs)


def _drawn(runs: int, rng: np.random.Generator) -> Array:
    """Results by run, stratum, event week and lag."""
    weeks = HISTORY + WITHIN + 1
    lags = 1 / (1 + LAG_WEEKS) * (1 - 1 / (1 + LAG_WEEKS)) ** np.arange(LONGEST + 1)
    chance = np.r_[lags, 1 - lags.sum()]  # the last: later than anything looked at
    events = rng.poisson(MEAN, (runs, STRATA, weeks))
    start = np.floor(rng.lognormal(0.0, SPREAD, (runs, OUTBREAKS, CASES))).astype(np.int64)
    for stratum in range(OUTBREAKS):
        week = np.minimum(HISTORY + start[:, stratum], weeks - 1)
        np.add.at(events[:, stratum], (np.repeat(np.arange(runs), CASES), week.ravel()), 1)
    return rng.multinomial(events, chance)[..., :-1].astype(np.float64)


def _judged(reports: Array, now: int, alpha: float) -> tuple[Flags, Flags]:
    """Signals of the method and of the naive test at the close of week `now`; runs x strata."""
    runs, strata, _, lags = reports.shape
    ages = np.arange(COHORTS)
    seen = np.where(ages[:, None] >= np.arange(lags), reports[:, :, now - ages], 0.0)
    share, _ = learnt_shares(seen.sum(axis=1), prior_reports=0.0)
    event = np.arange(EVENT_WEEKS)[::-1]
    known = seen[:, :, event].sum(axis=3).reshape(-1, EVENT_WEEKS)
    mean, phi = thinned(MEAN, 1.0, np.repeat(share[:, event], strata, axis=0))
    scanned = scan_event_weeks(known, mean, phi, alpha)
    back = np.arange(lags)[::-1]
    arrived = reports[:, :, now - back, back].sum(axis=2).ravel()
    now_known = np.repeat(np.diff(share, axis=1, prepend=0.0)[:, back], strata, axis=0)
    full = np.full(now_known.shape, MEAN)
    p_report, _, _ = arrivals_tail(arrived, full, np.ones_like(full), now_known)
    p, _ = judge(scanned, p_report, alpha)
    naive = upper_tail(known[:, -1], mean[:, -1], phi[:, -1]) <= NAIVE_ALPHA
    return (p <= alpha).reshape(runs, strata), naive.reshape(runs, strata)


def _caught(signal: Flags, last: int) -> Array:
    """Per run: outbreaks with a signal in weeks 0 to `last`."""
    return np.asarray(signal[:, :OUTBREAKS, : last + 1].any(axis=2).sum(axis=1), dtype=np.float64)


def _new(signal: Flags) -> Flags:
    """Signals with none in the weeks before them."""
    before = np.zeros_like(signal)
    for back in range(1, QUIET_WEEKS + 1):
        before[..., back:] |= signal[..., :-back]
    return signal & ~before
