"""The methods of the sparse-map study: the two scans of this project, and its peers on the same maps.

In: counts (maps x areas x weeks) and zones. Out: a statistic per map and the areas of the strongest window. The peers
judge each area alone and have no p for a map; the study cuts them at the same rate of false alarms.

Source: as the methods'. EARS C2 by weeks with a least deviation of one case in seven weeks, without which any first
case after seven empty weeks is infinitely unusual.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ewarn.methods import farrington, permutation, sparse_scan
from ewarn.methods.agreement import WEEKS, narrowed
from ewarn.methods.zones import Zones
from ewarn.review.sparse_maps import Counts, MapAnswer, Method

MOST_AREAS = 5
LEAST_DEVIATION = (1 / 7) ** 0.5


def empirical_bayes(counts: Counts, zones: Zones) -> MapAnswer:
    found = sparse_scan.scan(counts, narrowed(zones, MOST_AREAS))
    held = [windows[0].areas if windows else () for windows in found.windows]
    return MapAnswer(np.nan_to_num(found.p_value, nan=1.0), _flags(held, counts.shape[1]))


def space_time_permutation(counts: Counts, zones: Zones) -> MapAnswer:
    settings = permutation.Settings(most_periods=WEEKS)
    found = [permutation.scan(one, zones, settings).windows for one in counts]
    p_values = np.array([windows[0].p_value if windows else 1.0 for windows in found])
    return MapAnswer(p_values, _flags([windows[0].areas if windows else () for windows in found], counts.shape[1]))


def ears_c2(counts: Counts, zones: Zones) -> MapAnswer:
    baseline = counts[:, :, -10:-3]
    deviation = np.maximum(baseline.std(axis=2, ddof=1), LEAST_DEVIATION)
    return _single(-(counts[:, :, -1] - baseline.mean(axis=2)) / deviation)


def farrington_flexible(counts: Counts, zones: Zones) -> MapAnswer:
    maps, areas, weeks = counts.shape
    found = farrington.judge(counts.reshape(-1, weeks), at=[weeks - 1])
    return _single(np.nan_to_num(found.p_value[:, 0], nan=1.0).reshape(maps, areas))


SCANS = {"EBT": Method(empirical_bayes)}
PEERS = {
    "STP": Method(space_time_permutation, maps=400),
    "EARS C2": Method(ears_c2, own_p=False),
    "FF": Method(farrington_flexible, own_p=False, maps=400),
}


def _single(statistic: NDArray[np.float64]) -> MapAnswer:
    least = statistic.min(axis=1)
    return MapAnswer(least, statistic == least[:, None])


def _flags(held: list[tuple[int, ...]], areas: int) -> NDArray[np.bool_]:
    flags = np.zeros((len(held), areas), dtype=bool)
    for row, members in enumerate(held):
        flags[row, list(members)] = True
    return flags
