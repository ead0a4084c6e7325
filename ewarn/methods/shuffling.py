"""Monte Carlo of the space-time permutation scan: how many shuffled maps hold a window at least as strong?

In: the margins of a map (cases of each area, cases of the newest 1, 2, ... periods) and likelihood ratios. Out: how
many of the shuffled maps reach each ratio. Both margins stay as they are when dates are shuffled among cases; only the
areas of the few cases of the newest periods are drawn, without replacement, and each window has one whole number of
cases from which on it reaches the ratio. Never a likelihood per shuffled window.

Source: Kulldorff et al. 2005, PLoS Medicine 2:e59 (shuffling dates); the whole numbers are our own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ewarn.methods.zones import NONE, Zones

Whole = NDArray[np.int64]
Maps = NDArray[np.unsignedinteger[Any]]
DRAWS_AT_ONCE = 4_000_000
DRAWS_IN_CACHE = 40_000
BISECTIONS = 48
LEFT_OUT = 5
FEW, WEAK = 199, 0.2


class Margins:
    """What shuffling leaves as it is: cases per area and per newest periods, and with them every zone's total."""

    def __init__(self, area_totals: Whole, recent: Whole, zones: Zones, most_share: float) -> None:
        self.area_totals, self.recent, self.zones = area_totals, recent, zones
        self.total = int(area_totals.sum())
        inside = zones.members != NONE
        self.zone_totals: Whole = np.cumsum(np.where(inside, area_totals[zones.members], 0), axis=1)
        fits = self.zone_totals <= most_share * self.total
        self.scanned: NDArray[np.bool_] = zones.closes & inside & fits & (self.zone_totals > 0)

    def chains(self) -> Iterator[tuple[Whole, Whole]]:
        """Of each chain the members up to its last scanned zone, and the steps at which zones close."""
        for members, scanned in zip(self.zones.members, self.scanned, strict=True):
            steps = np.flatnonzero(scanned)
            yield members[: steps[-1] + 1 if steps.size else 0], steps


def exceeding(
    margins: Margins, levels: NDArray[np.float64], least_cases: int, replicates: int, seed: int
) -> tuple[Whole, Whole]:
    """How many shuffled maps hold a window that reaches each of `levels` (highest first), and of how many maps.

    All `replicates` are followed for the highest level, and for others up to one that more than WEAK of the first FEW
    reach: from there on these few decide, since nobody waits for the third digit of what chance brings every other day.
    """
    reached, followed = np.zeros(len(levels), dtype=np.int64), np.full(len(levels), replicates, dtype=np.int64)
    newest = int(margins.recent[-1])
    if newest == 0 or not len(levels):
        return reached, followed
    rng = np.random.default_rng(seed)
    critical = Critical(margins, levels, least_cases)
    at_once = max(FEW, DRAWS_AT_ONCE // newest)
    few, strong = min(FEW, replicates) if len(levels) > 1 else 0, 1
    for start in range(0, replicates, at_once):
        maps = _shuffled(margins, min(at_once, replicates - start), rng)
        if start == 0 and few:
            reached += _ladder(margins, np.ascontiguousarray(maps[:, :, :few]), critical)
            strong = max(1, int(np.searchsorted(reached, WEAK * few, side="right")))
            followed[strong:] = few
            maps = np.ascontiguousarray(maps[:, :, few:])
        if maps.shape[2]:
            reached[:strong] += _together(margins, maps, critical, strong)
    return reached, followed


class Critical:
    """zone total x window: the least number of cases with which a window reaches a level.

    The ratio falls as the expectation grows, so each number of cases c has one largest expectation that still reaches
    the level; the least c of a window is found among these.
    """

    def __init__(self, margins: Margins, levels: NDArray[np.float64], least_cases: int) -> None:
        self.margins, self.levels, self.least_cases = margins, levels, least_cases
        self.totals, self.row = np.unique(margins.zone_totals, return_inverse=True)
        self.row = self.row.reshape(margins.zone_totals.shape)
        self.expected = self.totals[:, None] * distinct(margins)[None, :] / margins.total
        self.cases = np.arange(1, int(margins.recent[-1]) + 1, dtype=np.float64)

    def table(self, number: int) -> Whole:
        """One row for every total that a zone has; `row` says which is whose."""
        low, high = np.zeros_like(self.cases), self.cases.copy()
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            reaches = _ratio(self.cases, middle, self.margins.total) >= self.levels[number]
            low, high = np.where(reaches, middle, low), np.where(reaches, high, middle)
        most = np.where(self.cases >= self.least_cases, low, 0.0)
        table: Whole = np.searchsorted(most, self.expected, side="left") + 1
        return table


def distinct(margins: Margins) -> Whole:
    """Cases of the windows that differ; a day without cases makes no new window."""
    return margins.recent[np.flatnonzero(np.diff(margins.recent, prepend=0))]


def _ladder(margins: Margins, shuffled: Maps, critical: Critical) -> Whole:
    """How many of the shuffled maps reach each level, level by level; a map that reaches one reaches all lower ones."""
    reached = np.full(len(critical.levels), shuffled.shape[2], dtype=np.int64)
    done = 0
    for number in range(len(critical.levels)):
        if done == reached[-1]:
            break
        hit = _sweep(margins, shuffled, critical.table(number), critical.row)
        done += int(hit.sum())
        reached[number] = done
        shuffled = np.ascontiguousarray(shuffled[:, :, ~hit])
    return reached


def _together(margins: Margins, shuffled: Maps, critical: Critical, strong: int) -> Whole:
    """The same for the highest `strong` levels in one sweep: only what reaches the lowest is asked for the others."""
    if strong == 1:
        return np.array([int(_sweep(margins, shuffled, critical.table(0), critical.row).sum())])
    tables = [_fitting(critical.table(number), shuffled) for number in range(strong)]
    reached = np.zeros((strong, shuffled.shape[2]), dtype=bool)
    for number, (members, steps) in enumerate(margins.chains()):
        row = critical.row[number]
        hit = np.flatnonzero(_chain(members.tolist(), set(steps.tolist()), row, shuffled, tables[-1]))
        if not hit.size:
            continue
        reached[-1, hit] = True
        inside = np.cumsum(shuffled[:, :, hit][members], axis=0, dtype=shuffled.dtype)[steps]
        for level in range(strong - 1):
            reached[level, hit] |= (inside >= tables[level][row[steps]]).any(axis=(0, 1))
    found: Whole = reached.sum(axis=1)
    return found


def _ratio(c: NDArray[np.float64], mu: NDArray[np.float64], total: int) -> NDArray[np.float64]:
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = c * (np.log(c) - np.log(mu))
        outside = np.where(c < total, (total - c) * np.log((total - c) / (total - mu)), 0.0)
    ratio: NDArray[np.float64] = inside + outside
    return ratio


def _shuffled(margins: Margins, replicates: int, rng: np.random.Generator) -> Maps:
    """areas x windows x replicates: cases of the newest periods when areas are dealt out to dates anew."""
    cases = distinct(margins)
    newest, windows, areas = int(cases[-1]), len(cases), len(margins.area_totals)
    window = np.repeat(np.arange(windows), np.diff(cases, prepend=0))
    first = np.repeat(np.arange(areas) * windows, margins.area_totals)
    kind = np.uint8 if newest < 255 else np.uint16 if newest < 65_535 else np.uint32
    flat = np.empty((areas * windows, replicates), dtype=kind)
    some = max(1, DRAWS_IN_CACHE // newest)
    for start in range(0, replicates, some):
        many = min(some, replicates - start)
        dealt, when = _without_replacement(margins.total, window, many, rng)
        cell = first.take(dealt)
        cell += when
        cell += np.arange(many)[:, None] * (areas * windows)
        counts = np.bincount(cell.ravel(), minlength=areas * windows * many)
        flat[:, start : start + many] = counts.reshape(many, areas * windows).T
    table = flat.reshape(areas, windows, replicates)
    for window_number in range(1, windows):
        table[:, window_number] += table[:, window_number - 1]
    return table


def _without_replacement(
    total: int, labels: Whole, replicates: int, rng: np.random.Generator
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Two of replicates x labels: different numbers below `total`, and the label that each number was drawn for.

    A number drawn twice is drawn again for all but one of its labels. Nothing in this tells one number from another, so
    every way of giving numbers to labels keeps the same probability. Rows come sorted: equal numbers lie side by side.
    """
    if labels.size * 2 > total:
        deck = rng.permuted(np.broadcast_to(np.arange(total), (replicates, total)), axis=1)[:, : labels.size]
        return deck, np.broadcast_to(labels, deck.shape)
    bits = max(int(labels[-1]), 1).bit_length()
    kind: type[np.int32 | np.int64] = np.int32 if total << bits < 2**31 else np.int64
    rows: NDArray[Any] = rng.integers(total, size=(replicates, labels.size), dtype=kind)
    rows <<= bits
    rows |= labels.astype(kind)
    rows.sort(axis=1)
    again = _repeated(rows, bits)
    while again.any():
        open_ = np.flatnonzero(again.any(axis=1))
        some = rows[open_]
        flat, which = some.reshape(-1), np.flatnonzero(again[open_])
        fresh = rng.integers(total, size=which.size, dtype=kind)
        flat[which] = (fresh << bits) | (flat[which] & ((1 << bits) - 1))
        some.sort(axis=1)
        rows[open_] = some
        again[open_] = _repeated(some, bits)
    return rows >> bits, rows & ((1 << bits) - 1)


def _repeated(rows: NDArray[Any], bits: int) -> NDArray[np.bool_]:
    """Where a number is that of its left neighbour: the two differ in the bits of the label at most."""
    again = np.zeros(rows.shape, dtype=bool)
    np.less(rows[:, 1:] ^ rows[:, :-1], 1 << bits, out=again[:, 1:])
    return again


def _sweep(margins: Margins, shuffled: Maps, critical: Whole, row: Whole) -> NDArray[np.bool_]:
    """Which replicates hold a window that reaches its critical number; those that do are followed no further."""
    least = _fitting(critical, shuffled)
    reached = np.zeros(shuffled.shape[2], dtype=bool)
    following, lately = np.arange(shuffled.shape[2]), np.zeros(shuffled.shape[2], dtype=bool)
    for number, (members, steps) in enumerate(margins.chains()):
        if not steps.size:
            continue
        lately |= _chain(members.tolist(), set(steps.tolist()), row[number], shuffled, least)
        if lately.sum() * LEFT_OUT > lately.size:
            reached[following[lately]] = True
            following, shuffled = following[~lately], np.ascontiguousarray(shuffled[:, :, ~lately])
            lately = np.zeros(following.size, dtype=bool)
        if not following.size:
            break
    reached[following[lately]] = True
    return reached


def _fitting(critical: Whole, shuffled: Maps) -> Maps:
    """Critical numbers in the kind of number the shuffled maps have; what no map can reach stays out of reach."""
    least: Maps = np.minimum(critical, np.iinfo(shuffled.dtype).max).astype(shuffled.dtype)[:, :, None]
    return least


def _chain(
    members: list[int],
    steps: set[int],
    rows: Whole,
    shuffled: Maps,
    least: Maps,
) -> NDArray[np.bool_]:
    """Which replicates reach a critical number in one chain of nested zones."""
    inside = np.zeros(shuffled.shape[1:], dtype=shuffled.dtype)
    hit: NDArray[np.bool_] = np.empty(inside.shape, dtype=bool)
    any_hit: NDArray[np.bool_] = np.zeros(inside.shape, dtype=bool)
    for step, area in enumerate(members):
        np.add(inside, shuffled[area], out=inside)
        if step in steps:
            np.greater_equal(inside, least[rows[step]], out=hit)
            np.logical_or(any_hit, hit, out=any_hit)
    return np.asarray(any_hit.any(axis=0))
