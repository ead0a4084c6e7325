"""The few looks a fit takes at every count of the baseline: sums to start from, dispersion, past outbreaks.

In: baseline counts (series x periods) and fits. Out: `Totals`, dispersions, `Discount`. Works in blocks that fit the
processor's cache. Never an iteration: those work on sums.

Source: McCullagh and Nelder 1989, chapter 9 (Pearson dispersion); Noufaily et al. 2013, Stat Med 32:1206-1222.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ewarn.methods.arrow import Design, Vector
from ewarn.methods.loglinear import Fit, Start, Totals
from ewarn.methods.outbreaks import Discount, Index, above, anscombe
from ewarn.methods.special import xlogy

BLOCK_CELLS = 60_000
TABLE_MOST = 4096
START_SHIFT = 0.1


@dataclass(frozen=True, eq=False)
class Passes:
    """Baseline counts, and exposures where means are per exposure."""

    counts: Vector
    design: Design
    exposure: Vector | None = None
    fast: bool = False

    def of(self, rows: Index) -> Passes:
        exposure = None if self.exposure is None else self.exposure[rows]
        return Passes(self.counts[rows], self.design, exposure, self.fast)

    @property
    def freedom(self) -> int:
        """Baseline periods less coefficients without a trend."""
        return self.design.size - self.design.baseline.levels

    def totals(self) -> Totals:
        """Sums over the baseline; the fast way needs the counts' own only."""
        rows, levels = len(self.counts), self.design.baseline.levels
        timed = np.hstack([self.design.member, self.design.powers[:, levels : 2 * levels]])
        sums = self.counts @ timed
        counts, by_time = sums[:, :levels], sums[:, levels:]
        if self.fast:
            return Totals(counts, by_time.sum(axis=1), np.zeros(rows))
        response, saturated = self._start()
        ones = timed.sum(axis=0) * START_SHIFT
        square = self.design.time**2
        start = Start(
            counts + ones[:levels],
            by_time + ones[levels:],
            self.counts @ square + START_SHIFT * square.sum(),
            response[:, :levels],
            response[:, levels],
        )
        return Totals(counts, by_time.sum(axis=1), saturated, start)

    def _start(self) -> tuple[Vector, Vector]:
        """Working response x weight at counts + 0.1 per level and times time; saturated log likelihood."""
        response = np.empty((len(self.counts), self.design.baseline.levels + 1))
        saturated = np.empty(len(self.counts))
        table = _Table(self.counts)
        for part in self._blocks():
            y = self.counts[part]
            working, full = table.of(y)
            if self.exposure is not None:
                offset = np.log(self.exposure[part])
                working, full = working - (y + START_SHIFT) * offset, full - y * offset
            response[part] = working @ self.design.rows.T
            saturated[part] = full.sum(axis=1)
        return response, saturated

    def discounted(self, totals: Totals, discount: Discount) -> Totals:
        """The sums with past outbreaks weighted down."""
        design, cells = self.design, discount.cell
        y, time = self.counts[discount.row, cells], self.design.time[cells]
        counts, timed = discount.less_by_level(totals.counts, y, design), discount.less(totals.timed, y * time)
        if totals.start is None:
            return Totals(counts, timed, totals.saturated)
        log = np.log(discount.exposure)
        weight = y + START_SHIFT
        working = weight * (np.log(weight) - log) - START_SHIFT
        start = Start(
            discount.less_by_level(totals.start.weight, weight, design),
            discount.less_by_level(totals.start.weight_time, weight * time, design),
            discount.less(totals.start.weight_square, weight * time**2),
            discount.less_by_level(totals.start.response, working, design),
            discount.less(totals.start.response_time, working * time),
        )
        return Totals(counts, timed, discount.less(totals.saturated, xlogy(y, y) - y * log), start)

    def dispersion(self, fit: Fit, discount: Discount | None, freedom: int) -> tuple[Vector, Vector]:
        """Pearson dispersion with the weights of the last step, and with the prior weights alone."""
        last, own = np.empty(len(self.counts)), np.empty(len(self.counts))
        for part in self._blocks():
            _, before, ratio = self._residuals(fit, part)
            square = ratio * ratio
            last[part] = np.einsum("ij,ij->i", before, square)
            own[part] = square.sum(axis=1)
        if discount:
            mean, before = self._means(fit, discount.row, discount.cell)
            square = (self.counts[discount.row, discount.cell] / mean - 1.0) ** 2
            last, own = discount.less(last, before * square), discount.less(own, square)
        return last / freedom, own / freedom

    def outbreaks(self, fit: Fit, threshold: float, freedom: int) -> tuple[Vector, Discount]:
        """Dispersion, and the counts whose Anscombe residual exceeds `threshold`."""
        phi = np.empty(len(self.counts))
        found: list[tuple[Index, Index]] = []
        room = 1.0 - self._most_leverage(fit)
        for part in self._blocks():
            mean, before, ratio = self._residuals(fit, part)
            pearson = ratio * ratio
            phi[part] = np.einsum("ij,ij->i", before, pearson) / freedom
            # An Anscombe residual is never above the Pearson residual, so most counts need no closer look.
            pearson *= mean
            least = threshold**2 * np.maximum(phi[part], 1.0) * room[part]
            looked_at = np.flatnonzero((pearson > least[:, None].astype(pearson.dtype)) & (ratio > 0))
            row, cell = np.divmod(looked_at, self.design.size)
            found.append((row + part.start, cell))
        row, cell = (np.concatenate(each) for each in zip(*found, strict=True))
        return phi, self._discount(fit, phi, row, cell, threshold)

    def _discount(self, fit: Fit, phi: Vector, row: Index, cell: Index, threshold: float) -> Discount:
        """Of the counts looked at closely, those that lose weight."""
        mean, before = self._means(fit, row, cell)
        level = self.design.baseline.level[cell]
        distance = self.design.time[cell] - fit.centre[row, level]
        leverage = before * (1.0 / fit.weight[row, level] + distance**2 / fit.spread[row])
        residual = anscombe(self.counts[row, cell], mean, np.maximum(phi[row], 1.0), np.minimum(leverage, 1.0))
        large, lost = above(residual, threshold)
        row, cell = row[large], cell[large]
        exposure = np.ones(row.size) if self.exposure is None else self.exposure[row, cell]
        return Discount.of_lost(row, cell, lost, exposure, len(self.counts), self.design.size)

    def _most_leverage(self, fit: Fit) -> Vector:
        """No baseline period of a series has a larger leverage than this (1 where exposures vary)."""
        if self.exposure is not None:
            return np.ones(len(self.counts))
        first, last = self.design.ends
        growth = fit.growth_before[:, None]
        with np.errstate(over="ignore", invalid="ignore"):
            heaviest = np.exp(fit.level_before + np.maximum(growth * first, growth * last))
            furthest = np.maximum(np.abs(first - fit.centre), np.abs(last - fit.centre))
            most = (heaviest * (1.0 / fit.weight + furthest**2 / fit.spread[:, None])).max(axis=1)
        return np.asarray(np.minimum(np.nan_to_num(most, nan=1.0), 1.0))

    def _residuals(self, fit: Fit, part: slice) -> tuple[Vector, Vector, Vector]:
        """Means, weights of the last step, and counts relative to their means less 1."""
        mean = self._mean(fit.level[part], fit.growth[part])
        before = mean if self.fast else self._mean(fit.level_before[part], fit.growth_before[part])
        counts = self.counts[part]
        if self.exposure is not None:
            mean, before = mean * self.exposure[part], before * self.exposure[part]
        return mean, before, (counts.astype(mean.dtype) if self.fast else counts) / mean - 1.0

    def _mean(self, level: Vector, growth: Vector) -> Vector:
        """Means of every baseline period; the fast way with seven digits."""
        kind = np.float32 if self.fast else np.float64
        coefficients = np.hstack([level, growth[:, None]]).astype(kind, copy=False)
        return np.asarray(np.exp(coefficients @ self.design.rows.astype(kind, copy=False)))

    def _means(self, fit: Fit, row: Index, cell: Index) -> tuple[Vector, Vector]:
        """Means and weights of the last step of single counts."""
        level, time = self.design.baseline.level[cell], self.design.time[cell]
        exposure = 1.0 if self.exposure is None else self.exposure[row, cell]
        mean = np.exp(fit.level[row, level] + fit.growth[row] * time) * exposure
        before = np.exp(fit.level_before[row, level] + fit.growth_before[row] * time) * exposure
        return mean, before

    def _blocks(self) -> Iterator[slice]:
        rows = max(1, BLOCK_CELLS // self.design.size)
        for first in range(0, len(self.counts), rows):
            yield slice(first, min(first + rows, len(self.counts)))


class _Table:
    """(y + 0.1) ln(y + 0.1) - 0.1 and y ln y of counts, looked up where counts are whole numbers of ordinary size."""

    def __init__(self, counts: Vector) -> None:
        most = float(counts.max(initial=0.0))
        whole = most <= TABLE_MOST and bool((counts == np.rint(counts)).all())
        self._looked_up = self._computed(np.arange(most + 1)) if whole else None

    def of(self, y: Vector) -> tuple[Vector, Vector]:
        if self._looked_up is None:
            return self._computed(y)
        place: NDArray[np.intp] = y.astype(np.intp)
        return self._looked_up[0][place], self._looked_up[1][place]

    @staticmethod
    def _computed(y: Vector) -> tuple[Vector, Vector]:
        return xlogy(y + START_SHIFT, y + START_SHIFT) - START_SHIFT, xlogy(y, y)
