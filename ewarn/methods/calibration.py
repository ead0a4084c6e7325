"""Calibration of the empirical-Bayes scan: how often chance alone brings a statistic this small on a map like this one.

In: the scan's statistic (a weighted harmonic mean of tails), a map's mean rate and dispersion, its number of areas.
Out: p. The distribution under the fitted model is simulated once (`simulated`: rates drawn, history and newest weeks
drawn, everything fitted anew) on a grid, kept as a table of quantiles, and interpolated; how unequal the areas are and
how long the history is hardly matter to a harmonic mean. Below the smallest tabulated quantile p is proportional to the
statistic, as the harmonic mean's tail is. Never a p of 0.

Source: Wilson 2019, PNAS 116:1195-1200 (the tail); the table: `tabulated`, seed and maps as in null_quantiles.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ewarn.methods import null_quantiles as null

Reals = NDArray[np.float64]
LEAST_P = 1e-12
MOST_LENIENT = 5.0  # where hardly a map holds a case, the quantiles of a simulation say little


def p_value(statistic: Reals, mean: Reals, phi: Reals, areas: int) -> Reals:
    """p of each statistic: maps, or maps x areas; `mean` and `phi` have one element per map."""
    flat = statistic.reshape(len(mean), -1)
    quantiles = _quantiles(mean, phi, areas)
    found = np.empty_like(flat)
    levels = np.log(null.LEVELS)
    for row in range(len(mean)):
        log_quantiles = np.log(np.maximum.accumulate(quantiles[row]))
        ends = np.append(log_quantiles, 0.0), np.append(levels, 0.0)
        inside = np.interp(np.log(flat[row]), *ends)
        below = np.log(flat[row]) - log_quantiles[0] + levels[0]
        found[row] = np.exp(np.where(flat[row] < quantiles[row, 0], below, inside))
    return np.clip(found, LEAST_P, 1.0).reshape(statistic.shape)


def _quantiles(mean: Reals, phi: Reals, areas: int) -> Reals:
    """maps x levels, between the nodes of the table (linear in the logarithms; the nearest edge beyond them)."""
    table = np.log(np.minimum(null.TABLE, MOST_LENIENT * np.array(null.LEVELS)))
    table = _between(np.log(null.AREAS), np.log(np.array([max(areas, 1.0)])), table)[0]
    by_mean = _between(np.log(null.MEANS), np.log(mean), table)
    position = np.interp(np.log(phi), np.log(null.PHIS), np.arange(len(null.PHIS)))
    low = np.minimum(position.astype(int), len(null.PHIS) - 2)
    share = (position - low)[:, None]
    rows = np.arange(len(mean))
    quantiles: Reals = np.exp((1 - share) * by_mean[rows, low] + share * by_mean[rows, low + 1])
    return quantiles


def _between(nodes: Reals, at: Reals, table: Reals) -> Reals:
    """Linear along the first axis of `table`."""
    position = np.interp(at, nodes, np.arange(len(nodes)))
    low = np.minimum(position.astype(int), len(nodes) - 2)
    share = (position - low).reshape((-1,) + (1,) * (table.ndim - 1))
    middle: Reals = (1 - share) * table[low] + share * table[low + 1]
    return middle
