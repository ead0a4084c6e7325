"""Zones: which sets of areas a scan looks at, as chains of nested sets.

In: positions of areas, or pairs of neighbours. Out: chains; each chain takes areas in one after another, and says after
which of them a zone closes. Areas at the same distance enter together, so that the order of rows decides nothing. Never
counts, and never a map: distances are straight lines between the points given.

Source: Kulldorff 1997, Communications in Statistics 26:1481-1496 (circles round each centre).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ewarn.errors import UsageFault

NONE = -1
TIE = 1e-9


@dataclass(frozen=True)
class Zones:
    """Chains of nested zones over `areas` areas: zone (i, k) holds members[i, :k + 1] where closes[i, k].

    members: chains x width, area numbers, padded with -1. closes: chains x width, false where the chain first takes in
    another area at the same distance, and in the padding.
    """

    areas: int
    members: NDArray[np.int64]
    closes: NDArray[np.bool_]

    def zone(self, chain: int, step: int) -> tuple[int, ...]:
        """The areas of one zone, the centre first."""
        return tuple(int(area) for area in self.members[chain, : step + 1])


def circles(positions: NDArray[np.float64], most_areas: int | None = None) -> Zones:
    """Circles round every area that take in the next nearest, up to `most_areas` (all where not given).

    positions: areas x 2, in one plane and one unit. An area whose position is missing (NaN) is a zone of its own only.
    """
    points = np.asarray(positions, dtype=np.float64).reshape(-1, 2)
    count = len(points)
    width = count if most_areas is None else max(min(most_areas, count), 1)
    away = np.hypot(points[:, None, 0] - points[None, :, 0], points[:, None, 1] - points[None, :, 1])
    away[np.isnan(away)] = np.inf
    np.fill_diagonal(away, -1.0)
    order = np.argsort(away, axis=1, kind="stable")
    far = np.take_along_axis(away, order, axis=1)
    closes = np.ones((count, count), dtype=bool)
    closes[:, :-1] = far[:, 1:] > far[:, :-1] + TIE * np.maximum(far[:, :-1], 0.0)
    reachable = np.isfinite(far)
    members = np.where(reachable, order, NONE)
    return _clipped(count, members, closes & reachable, width)


def neighbourhoods(areas: int, pairs: Iterable[tuple[int, int]], rings: int = 2) -> Zones:
    """Zones out of a list of neighbours: every area, every pair of neighbours, and every area with its rings.

    One ring is an area's neighbours, two rings theirs as well. A pair is one border, whichever way round it is written.
    """
    near: list[set[int]] = [set() for _ in range(areas)]
    for one, other in pairs:
        if not (0 <= one < areas and 0 <= other < areas):
            raise UsageFault(f"neighbours {one} and {other} are not both among {areas} areas")
        if one != other:
            near[one].add(other)
            near[other].add(one)
    chains = [_rings(area, near, rings) for area in range(areas)]
    chains += [[[one], [other]] for one in range(areas) for other in sorted(near[one]) if one < other]
    width = max((sum(map(len, chain)) for chain in chains), default=1)
    members = np.full((len(chains), width), NONE, dtype=np.int64)
    closes = np.zeros((len(chains), width), dtype=bool)
    for row, chain in enumerate(chains):
        sizes = np.cumsum([len(ring) for ring in chain])
        members[row, : sizes[-1]] = [area for ring in chain for area in ring]
        closes[row, sizes - 1] = True
    return Zones(areas, members, closes)


def alone(areas: int) -> Zones:
    """Every area by itself."""
    return Zones(areas, np.arange(areas, dtype=np.int64)[:, None], np.ones((areas, 1), dtype=bool))


def _rings(area: int, near: list[set[int]], rings: int) -> list[list[int]]:
    """An area, then ring after ring round it, until nothing new is reached."""
    seen, chain = {area}, [[area]]
    for _ in range(rings):
        ring = sorted(set().union(*(near[member] for member in chain[-1])) - seen)
        if not ring:
            break
        chain.append(ring)
        seen.update(ring)
    return chain


def _clipped(areas: int, members: NDArray[np.int64], closes: NDArray[np.bool_], width: int) -> Zones:
    """The first `width` members; what has not closed by then never does, save the centre itself."""
    members, closes = members[:, :width].astype(np.int64), closes[:, :width].copy()
    return Zones(areas, members, closes)
