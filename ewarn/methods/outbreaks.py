"""Past outbreaks in a baseline: which counts are far above their fit, and how much less they weigh in the next fit.

In: a fit's means, leverages and dispersion. Out: `Discount`, the few baseline counts that lose weight, listed. Weights
sum to the number of baseline periods. Never a rule about the newest period.

Source: Farrington et al. 1996, JRSS A 159:547-563; Noufaily et al. 2013, Statistics in Medicine
32:1206-1222.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ewarn.methods.arrow import Design, Vector

Index = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Discount:
    """Counts that lose the share `lost` of their weight: series (row), baseline period (cell); `scale` per series."""

    row: Index
    cell: Index
    lost: Vector
    exposure: Vector
    scale: Vector

    @staticmethod
    def of_lost(row: Index, cell: Index, lost: Vector, exposure: Vector, rows: int, size: int) -> Discount:
        total = np.bincount(row, weights=lost, minlength=rows)
        return Discount(row, cell, lost, exposure, size / (size - total))

    def of(self, rows: Index) -> Discount:
        place = np.full(self.scale.size, -1)
        place[rows] = np.arange(rows.size)
        kept = place[self.row] >= 0
        return Discount(place[self.row[kept]], self.cell[kept], self.lost[kept], self.exposure[kept], self.scale[rows])

    def less(self, values: Vector, cells: Vector) -> Vector:
        """Weighted sum per series, from its plain sum and the value of each discounted count."""
        total = np.bincount(self.row, weights=self.lost * cells, minlength=self.scale.size)
        found: Vector = self.scale * (values - total)
        return found

    def less_by_level(self, values: Vector, cells: Vector, design: Design) -> Vector:
        """The same per series and level."""
        levels = design.baseline.levels
        place = self.row * levels + design.baseline.level[self.cell]
        total = np.bincount(place, weights=self.lost * cells, minlength=self.scale.size * levels)
        found: Vector = self.scale[:, None] * (values - total.reshape(-1, levels))
        return found

    def applied(self, sums: Vector, growth: Vector, design: Design) -> Vector:
        """`Design.sums` with these weights."""
        time, levels = design.time[self.cell], design.baseline.levels
        with np.errstate(over="ignore"):
            grown = np.exp(growth[self.row] * time) * self.exposure
        parts = [self.less_by_level(sums[:, i * levels : (i + 1) * levels], grown * time**i, design) for i in range(3)]
        return np.hstack(parts)


def above(residual: Vector, threshold: float) -> tuple[NDArray[np.bool_], Vector]:
    """Which standardised residuals count less, and the share of weight each of those loses."""
    large = residual > threshold
    with np.errstate(divide="ignore"):
        return large, 1.0 - residual[large] ** -2.0


def anscombe(y: Vector, mean: Vector, phi: Vector, leverage: Vector) -> Vector:
    """Standardised Anscombe residuals of counts."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Vector = 1.5 * (y ** (2 / 3) * mean ** (-1 / 6) - np.sqrt(mean)) / np.sqrt(phi * (1 - leverage))
    return found
