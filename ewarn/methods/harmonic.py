"""Seasonal means: a Poisson regression on one yearly wave, for many series at once.

In: counts of a baseline (series x periods). Out: means of the periods that follow. Never a trend.

Source: McCullagh and Nelder 1989, section 2.5; start and stopping rule as R's `glm` has them, so that results agree.
"""

from __future__ import annotations

import numpy as np

from ewarn.methods.special import xlogy
from ewarn.methods.verdicts import Flags, Vector

STEPS, TOLERANCE = 25, 1e-8


def seasonal_means(base: Vector, periods: int, year: int, first: int = 1) -> Vector:
    """Means of the `periods` after the baseline; `first` is the place in the year of its first period."""
    length = base.shape[1]
    design = _waves(np.arange(length + periods) + first, year)
    beta = np.full((len(base), design.shape[1]), np.nan)
    known = np.isfinite(base).all(axis=1)
    if known.any():
        beta[known] = _fitted(base[known], design[:length])
    return np.asarray(np.exp(beta @ design[length:].T))


def _waves(time: Vector, year: int) -> Vector:
    angle = 2 * np.pi / year * time
    return np.column_stack([np.ones(time.size), np.cos(angle), np.sin(angle)])


def _fitted(y: Vector, design: Vector) -> Vector:
    """Coefficients by iteratively reweighted least squares; a series that does not settle keeps its last step."""
    mean = y + 0.1
    log_mean = np.log(mean)
    before, open_ = _deviance(y, mean), np.ones(len(y), dtype=bool)
    beta = np.zeros((len(y), design.shape[1]))
    for _ in range(STEPS):
        now = _step(y[open_], mean[open_], log_mean[open_], design)
        beta[open_] = now
        log_mean[open_] = now @ design.T
        mean[open_] = np.exp(log_mean[open_])
        deviance = _deviance(y, mean)
        settled: Flags = np.abs(deviance - before) / (np.abs(deviance) + 0.1) < TOLERANCE
        before, open_ = deviance, open_ & ~settled
        if not open_.any():
            break
    return beta


def _step(y: Vector, mean: Vector, log_mean: Vector, design: Vector) -> Vector:
    working = mean * log_mean + (y - mean)
    information = np.einsum("sn,ni,nj->sij", mean, design, design, optimize=True)
    return np.asarray(np.linalg.solve(information, (working @ design)[:, :, None])[:, :, 0])


def _deviance(y: Vector, mean: Vector) -> Vector:
    return np.asarray(2 * (xlogy(y, y) - xlogy(y, mean) - (y - mean)).sum(axis=1))
