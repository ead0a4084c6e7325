"""Figures of a study: what was measured, how sure it is, and what was wanted.

In: a value with its 95 % interval, and optionally a floor or a ceiling. Out: a frame with one row per figure. Never a
figure without its seed and replicates.

A floor is met when the lower end of the interval is at most one point (.01) under it; a ceiling when the value is at
most the ceiling. What was not run has a word for why in place of a value.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

Array = NDArray[np.float64]
SLACK = 0.01 + 1e-12
DRAWS = 400
SHAPE: dict[str, type[pl.DataType]] = {
    "study": pl.String,
    "figure": pl.String,
    "value": pl.Float64,
    "lower": pl.Float64,
    "upper": pl.Float64,
    "wanted": pl.String,
    "met": pl.Boolean,
    "seed": pl.Int64,
    "replicates": pl.Int64,
    "note": pl.String,
}


@dataclass(frozen=True)
class Figure:
    name: str
    value: float | None
    lower: float | None = None
    upper: float | None = None
    floor: float | None = None
    ceiling: float | None = None
    note: str = ""

    @property
    def wanted(self) -> str:
        if self.floor is not None:
            return f"at least {self.floor:g}"
        return f"at most {self.ceiling:g}" if self.ceiling is not None else ""

    @property
    def met(self) -> bool | None:
        """Missing where nothing was wanted or nothing was measured."""
        if self.value is None or (self.floor is None and self.ceiling is None):
            return None
        if self.floor is not None:
            return (self.value if self.lower is None else self.lower + SLACK) >= self.floor
        return self.ceiling is not None and self.value <= self.ceiling


def framed(study: str, figures: Iterable[Figure], seed: int | None, replicates: int | None) -> pl.DataFrame:
    """One row per figure."""
    rows = [
        (study, f.name, f.value, f.lower, f.upper, f.wanted, f.met, seed, replicates, f.note or None) for f in figures
    ]
    return pl.DataFrame(rows, schema=SHAPE, orient="row")


def not_run(study: str, why: str) -> pl.DataFrame:
    return framed(study, [Figure("not run", None, note=why)], None, None)


def share(hits: int, tried: int) -> tuple[float, float, float]:
    """A share with Wilson's 95 % interval."""
    if not tried:
        return float("nan"), 0.0, 1.0
    z, p = 1.959964, hits / tried
    middle, half = p + z * z / (2 * tried), z * float(np.sqrt(p * (1 - p) / tried + z * z / (4 * tried * tried)))
    return p, (middle - half) / (1 + z * z / tried), (middle + half) / (1 + z * z / tried)


def ratios(sums: Array, tops: Array, bottoms: Array, seed: int) -> list[tuple[float, float, float]]:
    """Ratios of sums over series, with 95 % intervals by drawing whole series again.

    In: series x counts; `tops` and `bottoms` (ratios x counts) say which counts are added above and below the line.
    """
    draws = np.random.default_rng(seed).multinomial(len(sums), np.full(len(sums), 1 / len(sums)), DRAWS)
    again = draws @ sums
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn = (again @ tops.T) / (again @ bottoms.T)
        whole = (sums.sum(axis=0) @ tops.T) / (sums.sum(axis=0) @ bottoms.T)
    low, high = np.nanquantile(drawn, [0.025, 0.975], axis=0)
    return [(float(v), float(a), float(b)) for v, a, b in zip(whole, low, high, strict=True)]
