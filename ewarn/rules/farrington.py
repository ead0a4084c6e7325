"""Farrington Flexible: the newest closed week against the same weeks of the years before.

In: weekly counts. Out: an upper bound, or why there is none. Plain version: R's default start and stopping rule, one
series at a time. It never calls a series without enough history, or with fewer than 5 reports in 4 weeks, clear.

Source: Noufaily et al. 2013, Statistics in Medicine 32:1206-1222; Farrington et al. 1996, JRSS A 159:547-563.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ewarn.rules.baseline import Expectation, upper_tail

YEAR_WEEKS = 52
BLOCKS = 10
EXCLUDED_WEEKS = 26
WEIGHTS_THRESHOLD = 2.58
MINIMUM_REPORTS, MINIMUM_WEEKS = 5, 4
LEAST_YEARS = 3
Vector = NDArray[Any]


@dataclass(frozen=True)
class Bound:
    expected: float
    upper: float
    dispersion: float
    trend: bool
    p_value: float


def history_needed(years: int, half_width: int = 3) -> int:
    """Weeks of history before the current one."""
    return years * YEAR_WEEKS + half_width


def bound(counts: Vector, years: int = 5, half_width: int = 3, alpha: float = 0.005) -> Bound | str:
    """The bound for the last of `counts` (one per week, oldest first), or why there is none.

    Uses as many of `years` as the series has, at least 3.
    """
    if not np.isfinite(counts[-MINIMUM_WEEKS:]).all():
        return "suppressed or missing cells in the last 4 weeks"
    if counts[-MINIMUM_WEEKS:].sum() < MINIMUM_REPORTS:
        return "fewer than 5 reports in 4 weeks"
    years = min(years, (counts.size - 1 - half_width) // YEAR_WEEKS)
    if years < LEAST_YEARS:
        return f"fewer than {history_needed(LEAST_YEARS, half_width)} weeks of history"
    weeks, levels = baseline(years, half_width)
    y = counts[counts.size - 1 - weeks]
    if not np.isfinite(y).all():
        return "suppressed or missing cells in the baseline"
    if not y.any():
        return "no reports in the whole baseline"
    fitted = _fitted(y, -weeks.astype(float), levels, trend=True)
    if fitted is None or fitted[0] > y.max():
        fitted = _fitted(y, -weeks.astype(float), levels, trend=False)
        kept = False
    else:
        kept = True
    if fitted is None:
        return "the model did not settle"
    mean, phi = fitted
    return Bound(mean, _quantile(mean, phi, alpha), phi, kept, upper_tail(counts[-1], mean, phi))


def baseline(years: int, half_width: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Weeks back of the baseline and the seasonal level of each; the last 26 weeks are left out.

    Windows of +- half_width weeks round the anniversaries share one level; the rest of each year is nine blocks.
    """
    back = np.arange(EXCLUDED_WEEKS + 1, years * YEAR_WEEKS + half_width + 1)
    phase = (-back - half_width - 1) % YEAR_WEEKS
    rest = YEAR_WEEKS - (2 * half_width + 1)
    sizes = np.full(BLOCKS - 1, rest // (BLOCKS - 1))
    sizes[: rest % (BLOCKS - 1)] += 1
    edges = np.cumsum(sizes)
    levels = np.where(phase < rest, np.searchsorted(edges, phase, side="right"), BLOCKS - 1)
    return back[::-1].astype(np.int64), levels[::-1].astype(np.int64)


def _fitted(y: Vector, t: Vector, levels: NDArray[np.int64], *, trend: bool) -> tuple[float, float] | None:
    """Mean of the current week and dispersion, refitted with past outbreaks weighted down."""
    columns = [np.ones_like(y)] + ([t] if trend else [])
    present = np.unique(levels)
    reference = BLOCKS - 1 if BLOCKS - 1 in present else int(present[-1])
    columns += [(levels == level).astype(float) for level in present if level != reference]
    design = np.column_stack(columns)
    if design.shape[0] <= design.shape[1]:
        return None
    weights = np.ones_like(y)
    first = _glm(y, design, weights)
    if first is None:
        return None
    weights = _reweighted(y, first, weights)
    second = _glm(y, design, weights)
    if second is None:
        return None
    beta, _, _, phi = second
    return float(np.exp(beta[0])), phi


Fit = tuple[Vector, Vector, Vector, float]


def _glm(y: Vector, design: Vector, weights: Vector) -> Fit | None:
    """Quasi-Poisson with a log link: coefficients, means, hat values, dispersion (at least 1)."""
    mu = y + 0.1
    deviance = np.inf
    beta: Vector = np.zeros(design.shape[1])
    for _ in range(25):
        working = np.log(mu) + (y - mu) / mu
        root = np.sqrt(weights * mu)
        scaled = design * root[:, None]
        beta, _, rank, _ = np.linalg.lstsq(scaled, working * root, rcond=None)
        used, mu = mu, np.exp(np.clip(design @ beta, -700, 700))
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = np.where(y > 0, y * np.log(y / mu), 0.0) - (y - mu)
        now = float(2 * (weights * terms).sum())
        if abs(now - deviance) / (abs(now) + 0.1) < 1e-8:
            break
        deviance = now
    else:
        return None
    q, _ = np.linalg.qr(design * np.sqrt(weights * used)[:, None])
    hat = np.minimum((q**2).sum(axis=1), 1 - 1e-9)
    freedom = y.size - int(rank)
    phi = float((weights * (y - mu) ** 2 / used).sum() / freedom) if freedom > 0 else 1.0
    return beta, mu, hat, max(1.0, phi)


def _reweighted(y: Vector, fit: Fit, weights: Vector) -> Vector:
    """Weeks with a large Anscombe residual count less, so that past outbreaks do not hide new ones."""
    _, mu, hat, phi = fit
    residual = 1.5 * (y ** (2 / 3) * mu ** (-1 / 6) - np.sqrt(mu)) / np.sqrt(phi * (1 - hat))
    raw = np.where(residual > WEIGHTS_THRESHOLD, 1.0 / np.maximum(residual, 1e-12) ** 2, 1.0)
    scaled: Vector = raw * y.size / raw.sum()
    return scaled


def _quantile(mean: float, phi: float, alpha: float) -> float:
    """Upper bound: quantile 1 - alpha of a negative binomial with variance phi x mean; Poisson at phi = 1."""
    return float(Expectation(mean, phi).critical(alpha) - 1)
