"""Made series with known outbreaks: Noufaily's 42 scenarios.

In: a scenario, a number of replicates, a random generator. Out: weekly counts (replicates x 624) and which of the
judged weeks lie within an outbreak. Never anything of this deployment: every count is drawn.

Weeks are numbered from 1. The mean is exp(theta + beta t + sum over j = 1..m of gamma1 cos(2 pi j t/52) + gamma2
sin(2 pi j t/52)); counts are negative binomial with variance phi times the mean, Poisson at phi = 1. An outbreak starts
in a week drawn at random, brings a Poisson number of cases with mean k standard deviations of that week's count, and
each case comes floor(X) weeks after the start, log X normal with mean 0 and deviation 0.5. Four past outbreaks start in
weeks 313-575, k drawn from 2, 3, 5, 10; one current outbreak starts in weeks 576-624, k drawn from 1-10. Cases that
fall after the last week of their stretch are left out.

A week of the current stretch is an outbreak week from the current outbreak's first week with a case to its last, weeks
between included. A current outbreak without a case within the stretch is none.

Source: Noufaily et al. 2013, Statistics in Medicine 32:1206-1222 (the 42 scenarios).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
WEEKS = 624
PAST = (313, 575)
CURRENT = (576, 624)
PAST_SIZES = (2, 3, 5, 10)
CURRENT_SIZES = tuple(range(1, 11))
PAST_OUTBREAKS = 4
SPREAD = 0.5
YEAR = 52
JUDGED = slice(CURRENT[0] - 1, CURRENT[1])


@dataclass(frozen=True)
class Scenario:
    number: int
    theta: float
    phi: float
    beta: float
    gamma1: float
    gamma2: float
    harmonics: int

    def mean(self, weeks: Array) -> Array:
        """Expected count of each week without an outbreak."""
        season = np.zeros_like(weeks)
        for j in range(1, self.harmonics + 1):
            angle = 2 * np.pi * j * weeks / YEAR
            season += self.gamma1 * np.cos(angle) + self.gamma2 * np.sin(angle)
        return np.asarray(np.exp(self.theta + self.beta * weeks + season))


# theta, phi, beta where there is a trend, gamma1 and gamma2 where there is a season
KINDS = (
    (0.1, 1.5, 0.0025, 0.6, 0.6),
    (-2.0, 2.0, 0.005, 0.1, 0.3),
    (1.5, 1.0, 0.003, 0.2, -0.4),
    (0.5, 5.0, 0.002, 0.5, 0.5),
    (2.5, 3.0, 0.001, 1.0, 0.1),
    (3.75, 1.1, 0.001, 0.1, -0.1),
    (5.0, 1.2, 0.0001, 0.05, 0.01),
)


def scenarios() -> tuple[Scenario, ...]:
    """All 42: seven kinds, without and with a trend, with no, one and two seasonal waves a year."""
    return tuple(
        Scenario(
            kind * 6 + trend * 3 + waves + 1,
            theta,
            phi,
            beta if trend else 0.0,
            gamma1 if waves else 0.0,
            gamma2 if waves else 0.0,
            waves,
        )
        for kind, (theta, phi, beta, gamma1, gamma2) in enumerate(KINDS)
        for trend in (0, 1)
        for waves in (0, 1, 2)
    )


@dataclass(frozen=True, eq=False)
class Drawn:
    """Counts of all weeks, what of the judged weeks is outbreak, and the size k of the current outbreak; per series."""

    counts: Array
    outbreak: NDArray[np.bool_]
    size: NDArray[np.int64]
    scenario: NDArray[np.int64]


def drawn(
    scenario: Scenario, replicates: int, rng: np.random.Generator, *, past: bool = True, share: float = 1.0
) -> Drawn:
    """Replicates of one scenario. `share` of the series have a current outbreak; without `past` none has a past one."""
    mean = scenario.mean(np.arange(1.0, WEEKS + 1))
    counts = _counts(mean, scenario.phi, replicates, rng)
    for _ in range(PAST_OUTBREAKS if past else 0):
        counts += _outbreak(mean, scenario.phi, rng.choice(PAST_SIZES, replicates), PAST, rng)
    size = rng.choice(CURRENT_SIZES, replicates) * (rng.random(replicates) < share)
    current = _outbreak(mean, scenario.phi, size, CURRENT, rng)
    cases = current[:, JUDGED] > 0
    begun = np.logical_or.accumulate(cases, axis=1)
    over = ~np.logical_or.accumulate(cases[:, ::-1], axis=1)[:, ::-1]
    return Drawn(counts + current, begun & ~over, size, np.full(replicates, scenario.number))


def drawn_all(replicates: int, seed: int, *, share: float = 1.0) -> Drawn:
    """Replicates of all 42 scenarios, one stream of random numbers a scenario."""
    streams = np.random.default_rng(seed).spawn(len(KINDS) * 6)
    parts = [drawn(s, replicates, rng, share=share) for s, rng in zip(scenarios(), streams, strict=True)]
    return Drawn(
        np.concatenate([part.counts for part in parts]),
        np.concatenate([part.outbreak for part in parts]),
        np.concatenate([part.size for part in parts]),
        np.concatenate([part.scenario for part in parts]),
    )


def _counts(mean: Array, phi: float, replicates: int, rng: np.random.Generator) -> Array:
    shape = (replicates, mean.size)
    if phi <= 1.0:
        return rng.poisson(mean, shape).astype(np.float64)
    return rng.negative_binomial(mean / (phi - 1.0), 1.0 / phi, shape).astype(np.float64)


def _outbreak(
    mean: Array, phi: float, size: NDArray[np.int64], stretch: tuple[int, int], rng: np.random.Generator
) -> Array:
    """Cases of one outbreak per series, in the weeks they fall in."""
    start = rng.integers(stretch[0] - 1, stretch[1], size.size)
    number = rng.poisson(size * np.sqrt(phi * mean[start]))
    series = np.repeat(np.arange(size.size), number)
    week = np.repeat(start, number) + np.floor(rng.lognormal(0.0, SPREAD, series.size)).astype(np.int64)
    inside = week < stretch[1]
    cases: Array = np.zeros((size.size, mean.size))
    np.add.at(cases, (series[inside], week[inside]), 1.0)
    return cases
