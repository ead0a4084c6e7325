"""Thresholds for CUSUMs: how long they run, on average, before a false signal.

In: the distribution of the increment while nothing happens, and the run length wanted. Out: a threshold and the run
length it gives, exactly for increments on a lattice. Never a simulation.

A CUSUM whose increments are whole numbers of one unit is a Markov chain on 0, 1, ..., H - 1 with a signal at H or more;
its mean run length from 0 solves one linear system. Poisson and negative-binomial references are rounded to 1/`parts`
of a count, and the rounded reference is returned, so that the answer holds for what is used. For tests the raised
share is moved slightly, so that positives and negatives weigh whole numbers of one unit; the share used is returned.

Source: Brook and Evans 1972, Biometrika 59:539-549; Reynolds and Stoumbos 1999, J Qual Technol 31:87-108.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve
from scipy.optimize import brentq
from scipy.stats import binom, nbinom, poisson

from ewarn.methods.cusum import poisson_reference

PARTS = 10
MOST_STATES = 4000
TAIL = 1e-15
LEAST_WEIGHT = 10


@dataclass(frozen=True)
class CountDesign:
    """Add count - reference; a signal at `threshold` or more. `run_length`: periods to a false signal, on average."""

    reference: float
    threshold: float
    run_length: float


@dataclass(frozen=True)
class TestDesign:
    """Log-likelihood CUSUM of single tests at shares p0 and p1 with its threshold; run length in tests."""

    __test__ = False

    p0: float
    p1: float
    threshold: float
    run_length: float


def run_length(steps: NDArray[np.int64], chances: NDArray[np.float64], states: int) -> float:
    """Mean periods to the first signal from 0, of a CUSUM with a signal at `states` units or more."""
    moves = np.zeros((states, states))
    start = np.arange(states)
    for step, chance in zip(steps, chances, strict=True):
        end = np.maximum(start + step, 0)
        inside = end < states
        np.add.at(moves, (start[inside], end[inside]), chance)
    return float(solve(np.eye(states) - moves, np.ones(states))[0])


def count_design(expected: float, raised: float, wanted: float, *, phi: float = 1.0, parts: int = PARTS) -> CountDesign:
    """Smallest threshold of a count CUSUM whose run length, while nothing happens, is at least `wanted` periods.

    Poisson at `phi` 1, else negative binomial with variance phi x mean.
    """
    if not 0 < expected < raised:
        raise ValueError("needs 0 < expected < raised")
    reference = max(1, round(float(poisson_reference(expected, raised)) * parts))
    law = poisson(expected) if phi <= 1 else nbinom(expected / (phi - 1), 1 / phi)
    counts = np.arange(int(law.isf(TAIL)) + 2)
    states, length = _smallest(counts * parts - reference, law.pmf(counts), wanted)
    return CountDesign(reference / parts, states / parts, length)


def test_design(p0: float, p1: float, wanted: float, tested: int = 1) -> TestDesign:
    """Smallest threshold of a Bernoulli CUSUM whose run length, while nothing happens, is at least `wanted` tests.

    `tested`: tests between two looks. A rise that falls back between looks raises nothing, so that a threshold for
    single tests runs several times as long when it is looked at every 20.
    """
    if not 0 < p0 < p1 < 1:
        raise ValueError("needs 0 < p0 < p1 < 1")
    exact = _weight(p0, p1)
    parts = max(1, math.ceil(LEAST_WEIGHT / exact))
    gain = max(1, round(exact * parts))
    near = _share(p0, gain / parts)
    unit = -float(np.log((1 - near) / (1 - p0))) / parts
    positive = np.arange(tested + 1)
    steps = positive * gain - (tested - positive) * parts
    states, looks = _smallest(steps, binom(tested, p0).pmf(positive), wanted / tested)
    return TestDesign(p0, near, states * unit, looks * tested)


test_design.__test__ = False  # type: ignore[attr-defined]


def _weight(p0: float, p1: float) -> float:
    """How many negatives one positive weighs."""
    return float(np.log(p1 / p0) / -np.log((1 - p1) / (1 - p0)))


def _share(p0: float, ratio: float) -> float:
    """The raised share at which one positive weighs `ratio` negatives."""
    low, high = p0 * (1 + 1e-6), 1 - 1e-12
    if not _weight(p0, high) < ratio < _weight(p0, low):
        raise ValueError("the raised share is too far from, or too close to, the expected one for a whole weight")
    return float(brentq(lambda share: _weight(p0, share) - ratio, low, high, xtol=1e-15))


def _smallest(steps: NDArray[np.int64], chances: NDArray[np.float64], wanted: float) -> tuple[int, float]:
    """Fewest units of threshold that give the run length wanted: doubling, then halving the interval."""
    low, high = 0, 1
    length = run_length(steps, chances, high)
    while length < wanted:
        if high >= MOST_STATES:
            raise ValueError(f"no threshold up to {MOST_STATES} units gives a run of {wanted:g}")
        low, high = high, min(high * 2, MOST_STATES)
        length = run_length(steps, chances, high)
    while high - low > 1:
        middle = (low + high) // 2
        tried = run_length(steps, chances, middle)
        if tried >= wanted:
            high, length = middle, tried
        else:
            low = middle
    return high, length
