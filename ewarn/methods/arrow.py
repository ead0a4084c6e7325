"""Weighted sums over a baseline, for many series at once, without looking at the baseline again.

In: a `Baseline` and, per series, the growth rate of the mean. Out: per seasonal level the sums of growth, growth x time
and growth x time squared. The design of a level factor and one trend gives normal equations in the shape of an arrow:
with these sums every step of a fit is a few operations per level. Never a count: counts enter by sums of their own.

Time is scaled to [-1, 1]. The sums are functions of the growth rate alone, so they are read from a Chebyshev series
(25 terms are exact to rounding for growth up to e^8 over the baseline); steeper rates and exposures are summed plainly.

Source: NIST Digital Library of Mathematical Functions 10.35.2 (generating function of the Bessel functions I);
Seber and Lee 2003, Linear Regression Analysis (partitioned normal equations).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ewarn.methods.reference import Baseline
from ewarn.methods.special import iv

Vector = NDArray[np.float64]
STEEPEST, TERMS = 4.0, 25
DIRECT_ROWS = 1024


@dataclass(frozen=True, eq=False)
class Design:
    """A baseline with its time scaled to [-1, 1]."""

    baseline: Baseline

    @cached_property
    def centre(self) -> float:
        time = self.baseline.time
        return float(time[0] + time[-1]) / 2

    @cached_property
    def half(self) -> float:
        """Periods per unit of scaled time."""
        time = self.baseline.time
        return max(float(time[-1] - time[0]) / 2, 1.0)

    @cached_property
    def time(self) -> Vector:
        scaled: Vector = (self.baseline.time - self.centre) / self.half
        return scaled

    @property
    def now(self) -> float:
        """Scaled time of the current period."""
        return -self.centre / self.half

    @property
    def size(self) -> int:
        return int(self.baseline.back.size)

    @cached_property
    def member(self) -> Vector:
        """Periods x levels: 1 where the period belongs to the level."""
        return np.eye(self.baseline.levels)[self.baseline.level]

    @cached_property
    def powers(self) -> Vector:
        """Periods x 3 levels: membership, times time, times time squared."""
        time = self.time[:, None]
        return np.hstack([self.member, self.member * time, self.member * time * time])

    @cached_property
    def rows(self) -> Vector:
        """(Levels + 1) x periods: coefficients @ rows is the log mean."""
        return np.vstack([self.member.T, self.time])

    @cached_property
    def ends(self) -> tuple[Vector, Vector]:
        """First and last scaled time of each level."""
        inside = self.member.T > 0
        return (
            np.where(inside, self.time, np.inf).min(axis=1),
            np.where(inside, self.time, -np.inf).max(axis=1),
        )

    @cached_property
    def series(self) -> Vector:
        """Chebyshev coefficients of the sums, for growth rates scaled by STEEPEST."""
        orders = np.arange(TERMS)[:, None]
        terms = iv(orders, STEEPEST * self.time[None, :]) * np.where(orders == 0, 1.0, 2.0)
        return np.asarray(terms @ self.powers)

    def sums(self, growth: Vector, exposure: Vector | None = None) -> Vector:
        """Rows x 3 levels: sums of e^(growth x time) x (1, time, time squared), times exposure."""
        if exposure is not None:
            return self._direct(growth, exposure)
        if not growth.any():
            return np.broadcast_to(self.powers.sum(axis=0), (growth.size, self.powers.shape[1])).copy()
        steep = np.flatnonzero(~(np.abs(growth) <= STEEPEST))
        chebyshev = np.empty((TERMS, growth.size))
        scaled = np.clip(np.nan_to_num(growth), -STEEPEST, STEEPEST) / STEEPEST
        chebyshev[0], chebyshev[1] = 1.0, scaled
        for order in range(2, TERMS):
            np.multiply(chebyshev[order - 1], 2 * scaled, out=chebyshev[order])
            chebyshev[order] -= chebyshev[order - 2]
        found = chebyshev.T @ self.series
        if steep.size:
            found[steep] = self._direct(growth[steep], None)
        return np.asarray(found)

    def _direct(self, growth: Vector, exposure: Vector | None) -> Vector:
        found = np.empty((growth.size, self.powers.shape[1]))
        for first in range(0, growth.size, DIRECT_ROWS):
            part = slice(first, first + DIRECT_ROWS)
            with np.errstate(invalid="ignore"):
                grown = np.exp(np.clip(growth[part, None] * self.time, -700, 700))
            found[part] = (grown if exposure is None else grown * exposure[part]) @ self.powers
        return found
