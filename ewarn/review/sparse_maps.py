"""The sparse-map study: how often a scan catches few cases on a map of rare events, and how often it cries wolf.

In: methods as callables, a number of maps, a seed. Out: a frame, one row per scenario and method: figure, 95 %
interval, what was wanted, whether it is met. Never anything of this deployment: every map is drawn.

A map: 33 places at random in a square; each area has its own rate, Gamma of shape 2 and mean 0.1 a week; 313 weeks of
Poisson counts, of which the newest is judged (the length lets Farrington Flexible take part). Added cases: `one area` =
3 in one area drawn at random, `three areas` = 5 over an area and its two nearest, at least one in each. `one week`: all
in the judged week. `two weeks`: each in the judged week or the one after it, either as likely; both weeks are judged.
Detected: in a judged week p <= 0.05 and the strongest window holds an area that got a case. False alarm: p <= 0.05 in
the judged week of a map without added cases. `doubled`: every rate is twice as high in the newest 8 (or 4) weeks.
`batches`: negative binomial, variance twice the mean. `season`: amplitude one half, the judged week at a random time of
the year. A method without a p of its own for the whole map is cut where it calls at most 5 % of as many maps without
added cases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ewarn.methods.null_maps import drawn
from ewarn.methods.zones import Zones, circles
from ewarn.review.figures import share

Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]
ALPHA = 0.05
AREAS, WEEKS, MEAN, SHAPE, YEAR = 33, 313, 0.1, 2.0, 52
BATCH = 50
SLACK = 0.01


@dataclass(frozen=True)
class MapAnswer:
    """Per map a statistic (small = unusual) and the areas of its strongest window (maps x areas)."""

    statistic: NDArray[np.float64]
    areas: Flags


@dataclass(frozen=True)
class Method:
    """judge: counts (maps x areas x weeks) and zones to an answer. own_p: the statistic is a p for the whole map."""

    judge: Callable[[Counts, Zones], MapAnswer]
    own_p: bool = True
    maps: int | None = None


@dataclass(frozen=True)
class Scenario:
    """What is drawn. added: cases over how many areas; spread: weeks they fall in; wanted: a floor of the share
    detected, or where nothing is added a ceiling of false alarms; least: the floor that must be met where `wanted` is
    a goal."""

    name: str
    added: tuple[int, int] | None = None
    spread: int = 1
    wanted: float | None = None
    least: float | None = None
    phi: float = 1.0
    factors: Callable[[np.random.Generator, int, int], NDArray[np.float64]] = field(
        default=lambda rng, maps, weeks: np.ones((maps, weeks))
    )


def doubled(newest: int) -> Callable[[np.random.Generator, int, int], NDArray[np.float64]]:
    """Every rate twice as high in the `newest` weeks."""
    return lambda rng, maps, weeks: np.tile(np.where(np.arange(weeks) >= weeks - newest, 2.0, 1.0), (maps, 1))


def seasonal(rng: np.random.Generator, maps: int, weeks: int) -> NDArray[np.float64]:
    """A yearly wave of amplitude one half, each map at its own time of the year."""
    phase = rng.integers(YEAR, size=(maps, 1))
    return 1 + 0.5 * np.cos(2 * np.pi * (np.arange(weeks) + phase) / YEAR)


SCENARIOS = (
    Scenario("nothing added", wanted=ALPHA),
    Scenario("D3 one area, two weeks", added=(3, 1), spread=2, wanted=0.78, least=0.74),
    Scenario("D3 three areas, two weeks", added=(5, 3), spread=2, wanted=0.93, least=0.90),
    Scenario("one area, one week", added=(3, 1), wanted=0.78, least=0.74),
    Scenario("three areas, one week", added=(5, 3), wanted=0.93, least=0.90),
    Scenario("D4 doubled 8 weeks ago", wanted=0.085, factors=doubled(8)),
    Scenario("doubled 4 weeks ago", factors=doubled(4)),
    Scenario("D4 batches, variance twice the mean", wanted=0.08, phi=2.0),
    Scenario("D4 season", wanted=0.06, factors=seasonal),
)
SHAPE_OUT = {
    "scenario": pl.String,
    "method": pl.String,
    "replicates": pl.Int64,
    "seed": pl.Int64,
    "figure": pl.Float64,
    "lower": pl.Float64,
    "upper": pl.Float64,
    "wanted": pl.Float64,
    "met": pl.Boolean,
    "least": pl.Float64,
    "least_met": pl.Boolean,
}


def study(
    methods: Mapping[str, Method], *, maps: int, seed: int, scenarios: tuple[Scenario, ...] = SCENARIOS
) -> pl.DataFrame:
    """One row per scenario and method, all methods on the same maps."""
    cuts = {name: _cut(method, maps, seed) for name, method in methods.items()}
    rows = [
        _row(scenario, name, method, cuts[name], min(maps, method.maps or maps), seed + number)
        for number, scenario in enumerate(scenarios)
        for name, method in methods.items()
    ]
    return pl.DataFrame(rows, schema=SHAPE_OUT)


@dataclass(frozen=True)
class Drawn:
    """Maps on one set of places: counts (maps x areas x weeks and those after), and which areas got a case."""

    counts: Counts
    got: Flags
    zones: Zones


def drawings(scenario: Scenario, maps: int, seed: int) -> Iterator[Drawn]:
    """The maps of a scenario, some at a time; the first maps are the same however many are asked for."""
    for start in range(0, maps, BATCH):
        rng = np.random.default_rng((seed, start))
        zones = circles(rng.random((AREAS, 2)))
        weeks = WEEKS + scenario.spread - 1
        rates = rng.gamma(SHAPE, MEAN / SHAPE, (BATCH, AREAS, 1))
        counts = drawn(rng, rates * scenario.factors(rng, BATCH, weeks)[:, None, :], scenario.phi)
        got = np.zeros((BATCH, AREAS), dtype=bool)
        if scenario.added is not None:
            _add(rng, counts, got, zones, scenario.added, scenario.spread)
        keep = min(BATCH, maps - start)
        yield Drawn(counts[:keep], got[:keep], zones)


def _add(
    rng: np.random.Generator, counts: Counts, got: Flags, zones: Zones, added: tuple[int, int], spread: int
) -> None:
    """Put the cases in: one in each of the areas, the rest among them at random."""
    cases, areas = added
    maps = len(counts)
    near = zones.members[rng.integers(AREAS, size=maps), :areas]
    rest = np.take_along_axis(near, rng.integers(areas, size=(maps, cases - areas)), axis=1)
    where = np.concatenate([near, rest], axis=1)
    week = WEEKS - 1 + rng.integers(spread, size=where.shape)
    row = np.repeat(np.arange(maps)[:, None], cases, axis=1)
    np.add.at(counts, (row, where, week), 1)
    got[row, where] = True


def _row(scenario: Scenario, name: str, method: Method, cut: float, maps: int, seed: int) -> dict[str, Any]:
    hits = 0
    for batch in drawings(scenario, maps, seed):
        called = np.zeros(len(batch.counts), dtype=bool)
        for later in range(scenario.spread):
            answer = method.judge(batch.counts[:, :, later : later + WEEKS], batch.zones)
            right = (answer.areas & batch.got).any(axis=1) if scenario.added is not None else True
            called |= (answer.statistic <= cut) & right
        hits += int(called.sum())
    figure, lower, upper = share(hits, maps)
    floor = scenario.added is not None
    return {
        "scenario": scenario.name,
        "method": name,
        "replicates": maps,
        "seed": seed,
        "figure": figure,
        "lower": lower,
        "upper": upper,
        "wanted": scenario.wanted,
        "met": _met(scenario.wanted, lower, figure, floor),
        "least": scenario.least,
        "least_met": _met(scenario.least, lower, figure, floor),
    }


def _met(wanted: float | None, lower: float, figure: float, floor: bool) -> bool | None:
    """A floor is met when the lower bound is at most a point under it, a ceiling when the figure is not above it."""
    if wanted is None:
        return None
    return lower >= wanted - SLACK if floor else figure <= wanted


def _cut(method: Method, maps: int, seed: int) -> float:
    """0.05 for a p of its own; else the largest statistic that calls at most 5 % of maps without added cases."""
    if method.own_p:
        return ALPHA
    maps = min(maps, method.maps or maps)
    plain = drawings(Scenario("cut"), maps, seed - 1)
    found = np.sort(np.concatenate([method.judge(batch.counts, batch.zones).statistic for batch in plain]))
    first_refused = found[int(ALPHA * maps)]
    return float(np.nextafter(first_refused, -np.inf))
