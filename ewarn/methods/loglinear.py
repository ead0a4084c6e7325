"""Quasi-Poisson regression on seasonal levels and one trend, for many series at once.

In: a `Design`, and the sums of each series over its baseline (`Totals`), with past outbreaks weighted down or not.
Out: `Fit`: level and trend coefficients, those before the last step, the weights of that step, and whether the fit
settled. Never a design matrix per series: each step uses sums per level and one Schur complement for the trend.

Two ways. `exact` starts from the counts + 0.1 and stops when the deviance changes by less than 1e-8 of itself, at most
25 steps; what is computed from the weights of the last step (dispersion, leverages, standard errors) then equals R's.
`fast` starts from the means of the levels, stops when no coefficient moves by more than 1e-4, and gives a level without
any report half an event, where `exact` walks towards minus infinity.

Source: McCullagh and Nelder 1989, Generalized Linear Models, section 2.5 (iteratively reweighted least squares).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from ewarn.methods.arrow import Design, Vector
from ewarn.methods.outbreaks import Discount

STEPS, TOLERANCE = 25, 1e-8
FAST_STEPS, FAST_TOLERANCE = 8, 1e-4
HALF_EVENT = 0.5
Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Totals:
    """Per series (rows), sums over its baseline with prior weights; what a fit needs of the counts.

    `counts` and `timed`: counts per level, and times scaled time. The rest is for the exact start only: per level
    starting weights, the same times time, starting working response; and the saturated log likelihood.
    """

    counts: Vector
    timed: Vector
    weight: Vector
    weight_time: Vector
    weight_square: Vector
    response: Vector
    response_time: Vector
    saturated: Vector

    def of(self, rows: Rows) -> Totals:
        return Totals(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True, eq=False)
class Fit:
    """Coefficients per level and of scaled time; `before`: those before the last step, whose weights R reports."""

    level: Vector
    growth: Vector
    level_before: Vector
    growth_before: Vector
    weight: Vector
    centre: Vector
    spread: Vector
    settled: NDArray[np.bool_]

    @staticmethod
    def empty(rows: int, levels: int) -> Fit:
        def wide() -> Vector:
            return np.full((rows, levels), np.nan)

        def long() -> Vector:
            return np.full(rows, np.nan)

        return Fit(wide(), long(), wide(), long(), wide(), wide(), long(), np.zeros(rows, dtype=bool))

    def put(self, rows: Rows, other: Fit) -> None:
        for field in fields(self):
            getattr(self, field.name)[rows] = getattr(other, field.name)

    def of(self, rows: Rows | NDArray[np.bool_]) -> Fit:
        return Fit(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True, eq=False)
class Problem:
    """What stays the same from step to step."""

    design: Design
    totals: Totals
    discount: Discount | None
    exposure: Vector | None
    trend: bool

    def of(self, rows: Rows) -> Problem:
        return Problem(
            self.design,
            self.totals.of(rows),
            self.discount.of(rows) if self.discount else None,
            None if self.exposure is None else self.exposure[rows],
            self.trend,
        )

    def sums(self, growth: Vector) -> tuple[Vector, Vector, Vector]:
        """Per level the weighted sums of e^(growth x time) x (1, time, time squared)."""
        found = self.design.sums(growth, self.exposure)
        if self.discount:
            found = self.discount.applied(found, growth, self.design)
        levels = self.design.baseline.levels
        return found[:, :levels], found[:, levels : 2 * levels], found[:, 2 * levels :]

    def deviance(self, level: Vector, growth: Vector, first: Vector) -> Vector:
        totals = self.totals
        likelihood = np.einsum("ij,ij->i", level + 1, totals.counts) + growth * totals.timed
        with np.errstate(over="ignore", invalid="ignore"):
            found: Vector = 2 * (totals.saturated - likelihood + np.einsum("ij,ij->i", np.exp(level), first))
        return found


def exact(problem: Problem) -> Fit:
    """Fits as R's glm does, step for step."""
    level, growth = _start(problem)
    return _iterate(problem, level, growth, STEPS, by_deviance=True)


def fast(problem: Problem, start: Fit | None = None) -> Fit:
    """Fits to 1e-4 from the level means, or from an earlier fit."""
    if start is not None:
        level, growth = start.level, start.growth
    else:
        held = problem.design.sums(np.zeros(len(problem.totals.timed)), problem.exposure)
        counts = problem.totals.counts
        level = np.log(np.where(counts > 0, counts, HALF_EVENT) / held[:, : counts.shape[1]])
        growth = np.zeros(len(counts))
    return _iterate(problem, level, growth, FAST_STEPS, by_deviance=False)


def _start(problem: Problem) -> tuple[Vector, Vector]:
    """First coefficients: weighted least squares of the working response at counts + 0.1."""
    totals = problem.totals
    centre = totals.weight_time / totals.weight
    if not problem.trend:
        return totals.response / totals.weight, np.zeros(len(totals.timed))
    spread = totals.weight_square - np.einsum("ij,ij->i", totals.weight_time, centre)
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = (totals.response_time - np.einsum("ij,ij->i", centre, totals.response)) / spread
    return (totals.response - totals.weight_time * growth[:, None]) / totals.weight, growth


def _iterate(problem: Problem, level: Vector, growth: Vector, steps: int, *, by_deviance: bool) -> Fit:
    """Steps until each series has settled; settled series leave the work."""
    fit = Fit.empty(*level.shape)
    rows = np.arange(len(level))
    sums = problem.sums(growth)
    before = problem.deviance(level, growth, sums[0]) if by_deviance else growth
    for count in range(2 if by_deviance else 1, steps + 1):
        step = _stepped(problem, level, growth, sums, keep_empty=by_deviance)
        sums = problem.sums(step.growth)
        if by_deviance:
            now = problem.deviance(step.level, step.growth, sums[0])
            with np.errstate(invalid="ignore"):
                settled = np.abs(now - before) / (np.abs(now) + 0.1) < TOLERANCE
        else:
            now = step.growth
            settled = np.maximum(np.abs(step.level - level).max(axis=1), np.abs(now - growth)) < FAST_TOLERANCE
        step.settled[:] = settled
        if settled.any() or count == steps:
            done = settled if count < steps else np.ones_like(settled)
            fit.put(rows[done], step.of(done))
            left = np.flatnonzero(~done)
            if not left.size:
                break
            rows, step, now, problem = rows[left], step.of(left), now[left], problem.of(left)
            sums = (sums[0][left], sums[1][left], sums[2][left])
        level, growth, before = step.level, step.growth, now
    return fit


def _stepped(
    problem: Problem, level: Vector, growth: Vector, sums: tuple[Vector, Vector, Vector], *, keep_empty: bool
) -> Fit:
    """One weighted least squares step: the trend by its Schur complement, then the levels."""
    first, second, third = sums
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        size = np.exp(level)
        weight, centre = size * first, second / first
        score = problem.totals.counts - weight
        spread = np.full_like(growth, np.inf)
        if problem.trend:
            spread = np.einsum("ij,ij->i", size, third - second * centre)
            slope = problem.totals.timed - np.einsum("ij,ij->i", size, second)
            change = (slope - np.einsum("ij,ij->i", centre, score)) / spread
        else:
            change = np.zeros_like(growth)
        moved = score / weight - centre * change[:, None]
    if not keep_empty:
        moved = np.where(problem.totals.counts > 0, moved, -centre * change[:, None])
    settled = np.zeros(len(growth), dtype=bool)
    return Fit(level + moved, growth + change, level, growth, weight, centre, spread, settled)
