"""EARS C2: the newest closed period against the seven before a guard of two.

In: counts of consecutive periods. Out: an upper bound, or why there is none. Meant for short histories; at low counts a
minimum guards against crying wolf. It never reads a short or suppressed baseline as 'no signal'.

Source: Hutwagner et al. 2003, J Urban Health 80:i89-i96; R surveillance `earsC`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BASELINE = 7
GUARD = 2
NEEDED = BASELINE + GUARD + 1


@dataclass(frozen=True)
class Bounds:
    """One element per stratum."""

    expected: NDArray[np.float64]
    upper: NDArray[np.float64]


def bounds(counts: NDArray[np.float64], z: float = 3.09, least_sigma: float = 0.0) -> Bounds:
    """Upper bounds for the last column of `counts` (strata x consecutive periods, at least ten).

    mean + z x standard deviation of periods t-9 to t-3; `least_sigma` guards a zero deviation.
    """
    base = counts[:, -NEEDED:-1][:, :BASELINE]
    mean = base.mean(axis=1)
    sigma = np.maximum(base.std(axis=1, ddof=1), least_sigma)
    return Bounds(mean, mean + z * sigma)
