"""Maps on which nothing happens, and what the empirical-Bayes scan makes of them: where its calibration comes from.

In: a map's size, mean rate, dispersion, weeks; a seed. Out: the scan's statistic on simulated maps, and the table of
quantiles that `null_quantiles` keeps. Rates are drawn from a Gamma of shape 2, counts are Poisson or negative binomial
of variance phi x mean, places lie at random in a square; every map is fitted anew, so the doubt of the fit is in the
quantiles. Never the maps that are judged: no count of theirs enters.

Source: parametric bootstrap, Davison and Hinkley 1997, Bootstrap Methods and their Application.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ewarn.methods.gamma_poisson import fitted, windows
from ewarn.methods.sparse_scan import WEEK_WEIGHTS, weights
from ewarn.methods.zones import circles

Reals = NDArray[np.float64]
UNEVEN = 2.0
WEEKS = 112
CELLS_AT_ONCE = 1_000_000
MOST_AREAS = 5


def simulated(
    maps: int, areas: int, mean: float, phi: float, seed: int, weeks: int = WEEKS, uneven: float = UNEVEN
) -> Reals:
    """The statistic of each of `maps` maps on which nothing happens."""
    rng = np.random.default_rng(seed)
    at_once = max(1, CELLS_AT_ONCE // (areas * weeks))
    batches = [min(at_once, maps - start) for start in range(0, maps, at_once)]
    return np.concatenate([_batch(rng, batch, areas, mean, phi, weeks, uneven) for batch in batches])


def drawn(rng: np.random.Generator, rates: Reals, phi: float) -> NDArray[np.int64]:
    """Counts at these rates: Poisson, or negative binomial of variance phi x mean."""
    if phi <= 1:
        return rng.poisson(rates)
    return rng.negative_binomial(np.maximum(rates / (phi - 1), 1e-12), 1 / phi)


def tabulated(
    sizes: dict[int, int], means: tuple[float, ...], phis: tuple[float, ...], levels: tuple[float, ...], seed: int
) -> Reals:
    """areas x means x phis x levels: quantiles of the statistic; `sizes` says how many maps of how many areas."""
    table = np.empty((len(sizes), len(means), len(phis), len(levels)))
    for one, (areas, maps) in enumerate(sizes.items()):
        for two, mean in enumerate(means):
            for three, phi in enumerate(phis):
                found = simulated(maps, areas, mean, phi, seed + 10_000 * areas + 100 * two + three)
                table[one, two, three] = np.quantile(found, levels)
    return _smoothed(table)


def _smoothed(table: Reals) -> Reals:
    """Each mean rate with its neighbours, half and half, in logarithms: quantiles change slowly from mean to mean."""
    logs = np.log(table)
    inner = (logs[:, :-2] + 2 * logs[:, 1:-1] + logs[:, 2:]) / 4
    smooth: Reals = np.exp(np.concatenate([logs[:, :1], inner, logs[:, -1:]], axis=1))
    return smooth


def _batch(
    rng: np.random.Generator, maps: int, areas: int, mean: float, phi: float, weeks: int, uneven: float
) -> Reals:
    zones = circles(rng.random((areas, 2)), MOST_AREAS)
    rates = rng.gamma(uneven, mean / uneven, (maps, areas, 1))
    counts = drawn(rng, np.broadcast_to(rates, (maps, areas, weeks)), phi).astype(np.float64)
    looked = windows(counts, zones, fitted(counts), len(WEEK_WEIGHTS))
    statistic: Reals = 1 / (weights(zones, looked.p_value.shape[3])[None] / looked.p_value).sum(axis=(1, 2, 3))
    return statistic
