"""Quasi-Poisson regression on seasonal levels and one trend, for many series at once.

In: a `Design`, and the sums of each series over its baseline (`Totals`), with past outbreaks weighted down or not.
Out: `Fit`: level and trend coefficients, those before the last step, the weights of that step, and whether the fit
settled. Never a design matrix per series: each step uses sums per level and one Schur complement for the trend.

Two ways. `exact` starts from the counts + 0.1 and stops when the deviance changes by less than 1e-8 of itself, at most
25 steps; what is computed from the weights of the last step (dispersion, leverages, standard errors) then equals R's.
`fast` starts from the means of the levels, stops after a step of at most 1e-3 (what is left is about its square), and
gives a level without any report half an event, where `exact` walks towards minus infinity.

Source: McCullagh and Nelder 1989, Generalized Linear Models, section 2.5 (iteratively reweighted least squares).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from ewarn.methods.arrow import Design, Vector
from ewarn.methods.outbreaks import Discount

STEPS, TOLERANCE = 25, 1e-8
FAST_STEPS, FAST_TOLERANCE = 8, 1e-3
HALF_EVENT = 0.5
CROWDED = 0.7
Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]
Sums = tuple[Vector, Vector, Vector]


@dataclass(frozen=True, eq=False)
class Start:
    """What the exact way starts from: weights per level, times time, times time squared; working responses."""

    weight: Vector
    weight_time: Vector
    weight_square: Vector
    response: Vector
    response_time: Vector


@dataclass(frozen=True, eq=False)
class Totals:
    """Per series (rows), sums over its baseline with prior weights; what a fit needs of the counts.

    `counts` per level, `timed` times scaled time, `saturated` log likelihood (the exact way's deviance needs it).
    """

    counts: Vector
    timed: Vector
    saturated: Vector
    start: Start | None = None

    def of(self, rows: Rows) -> Totals:
        start = Start(*(getattr(self.start, field.name)[rows] for field in fields(Start))) if self.start else None
        return Totals(self.counts[rows], self.timed[rows], self.saturated[rows], start)


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
    settled: Flags

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

    def of(self, rows: Rows) -> Fit:
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

    def sums(self, growth: Vector) -> Sums:
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
    level, growth = _started(problem)
    return _iterate(replace(problem, totals=replace(problem.totals, start=None)), level, growth, STEPS, _Deviance())


def fast(problem: Problem, start: Fit | None = None) -> Fit:
    """Fits to about 1e-6 from the level means, or from an earlier fit."""
    if start is not None:
        return _iterate(problem, start.level, start.growth, FAST_STEPS, _Movement())
    held = problem.design.sums(np.zeros(len(problem.totals.timed)), problem.exposure)
    counts = problem.totals.counts
    level = np.log(np.where(counts > 0, counts, HALF_EVENT) / held[:, : counts.shape[1]])
    return _iterate(problem, level, np.zeros(len(counts)), FAST_STEPS, _Movement())


def _started(problem: Problem) -> tuple[Vector, Vector]:
    """First coefficients: weighted least squares of the working response at counts + 0.1."""
    start = problem.totals.start
    if start is None:
        raise ValueError("the exact way needs what it starts from")
    if not problem.trend:
        return start.response / start.weight, np.zeros(len(start.weight))
    centre = start.weight_time / start.weight
    spread = start.weight_square - np.einsum("ij,ij->i", start.weight_time, centre)
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = (start.response_time - np.einsum("ij,ij->i", centre, start.response)) / spread
    return (start.response - start.weight_time * growth[:, None]) / start.weight, growth


class _Deviance:
    """R's rule: settled when the deviance changes by less than 1e-8 of itself."""

    first, keeps_empty = 2, True

    def measure(self, problem: Problem, level: Vector, growth: Vector, sums: Sums) -> Vector:
        return problem.deviance(level, growth, sums[0])

    def settled(self, step: Fit, before: Vector, now: Vector) -> Flags:
        with np.errstate(invalid="ignore"):
            return np.asarray(np.abs(now - before) / (np.abs(now) + 0.1) < TOLERANCE)


class _Movement:
    """Settled after a step of at most 1e-3; levels without a report stay where they are."""

    first, keeps_empty = 1, False

    def measure(self, problem: Problem, level: Vector, growth: Vector, sums: Sums) -> Vector:
        return growth

    def settled(self, step: Fit, before: Vector, now: Vector) -> Flags:
        moved = np.abs(step.level - step.level_before).max(axis=1)
        return np.asarray(np.maximum(moved, np.abs(now - before)) < FAST_TOLERANCE)


def _iterate(problem: Problem, level: Vector, growth: Vector, steps: int, rule: _Deviance | _Movement) -> Fit:
    """Steps until each series has settled; settled series are put by, and leave the work when they are many."""
    fit = Fit.empty(*level.shape)
    rows, open_ = np.arange(len(level)), np.ones(len(level), dtype=bool)
    sums = problem.sums(growth)
    before = rule.measure(problem, level, growth, sums)
    for count in range(rule.first, steps + 1):
        step = _stepped(problem, level, growth, sums, keeps_empty=rule.keeps_empty)
        sums = problem.sums(step.growth)
        now = rule.measure(problem, step.level, step.growth, sums)
        step.settled[:] = rule.settled(step, before, now)
        done = np.flatnonzero(open_ & step.settled if count < steps else open_)
        if done.size:
            fit.put(rows[done], step.of(done))
            open_[done] = False
            left = np.flatnonzero(open_)
            if not left.size:
                break
            if left.size < CROWDED * open_.size:
                rows, open_, step, now, problem = rows[left], open_[left], step.of(left), now[left], problem.of(left)
                sums = (sums[0][left], sums[1][left], sums[2][left])
        level, growth, before = step.level, step.growth, now
    return fit


def _stepped(problem: Problem, level: Vector, growth: Vector, sums: Sums, *, keeps_empty: bool) -> Fit:
    """One weighted least squares step: the trend by its Schur complement, then the levels."""
    first, second, third = sums
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        size = np.exp(level)
        weight, centre = size * first, second / first
        score = problem.totals.counts - weight
        moved = score / weight
        spread, change = np.full_like(growth, np.inf), np.zeros_like(growth)
        if not keeps_empty:
            moved[problem.totals.counts <= 0] = 0.0
        if problem.trend:
            spread = np.einsum("ij,ij->i", size, third - second * centre)
            slope = problem.totals.timed - np.einsum("ij,ij->i", size, second)
            change = (slope - np.einsum("ij,ij->i", centre, score)) / spread
            moved -= centre * change[:, None]
    settled = np.zeros(len(growth), dtype=bool)
    return Fit(level + moved, growth + change, level, growth, weight, centre, spread, settled)
