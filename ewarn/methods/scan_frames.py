"""The scans' door on frames: counts per stratum and period in, one verdict per stratum for the newest period out.

In: `stratum`, `period` (a date), `observed`; a period without reports is a row with 0, a null cell is missing. Beside
it either `positions` (`stratum`, `x`, `y`, in one plane) or `neighbours` (`stratum`, `neighbour`). Out: the same rows
with `expected`, `upper`, `p_value`, `score`, `outcome`, `reason`. A scan judges the newest period only: earlier rows
are its baseline, and read not evaluable for that reason. Strata are taken in the order of their names, so that neither
the order of rows nor that of places decides anything.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ewarn.errors import UsageFault
from ewarn.methods import permutation, sparse_scan
from ewarn.methods.gamma_poisson import Model, Prior, windows
from ewarn.methods.quantiles import quantile
from ewarn.methods.series import Matrix, Period, matrix
from ewarn.methods.zones import Zones, alone, circles, neighbourhoods

Reals = NDArray[np.float64]
BASELINE = "baseline of the newest period"
MISSING = "the newest period is missing or suppressed"
MOST_AREAS = 5


def zones_of(
    strata: list[str],
    positions: pl.DataFrame | None = None,
    neighbours: pl.DataFrame | None = None,
    most_areas: int | None = None,
) -> Zones:
    """Circles round positions, or neighbourhoods out of pairs; every stratum alone where neither is given."""
    number = {stratum: place for place, stratum in enumerate(strata)}
    if positions is not None:
        points = np.full((len(strata), 2), np.nan)
        for stratum, x, y in positions.select("stratum", "x", "y").iter_rows():
            if stratum in number:
                points[number[stratum]] = (np.nan if x is None else x, np.nan if y is None else y)
        return circles(points, most_areas)
    if neighbours is not None:
        pairs = neighbours.select("stratum", "neighbour").iter_rows()
        return neighbourhoods(len(strata), [(number[a], number[b]) for a, b in pairs if a in number and b in number])
    return alone(len(strata))


def judge_sparse(
    counts: pl.DataFrame,
    *,
    positions: pl.DataFrame | None = None,
    neighbours: pl.DataFrame | None = None,
    prior: Prior | None = None,
    alpha: float = 0.05,
) -> pl.DataFrame:
    """Empirical-Bayes scan over weeks. An area's p is that of all windows that hold it, calibrated over the map."""
    held = matrix(counts, "1w")
    if not held.periods:
        return _with(counts, held, np.empty(0), np.empty(0), np.empty(0), [], alpha)
    zones = zones_of(held.strata.to_list(), positions, neighbours, MOST_AREAS)
    found = sparse_scan.scan(held.values[None], zones, prior)
    expected, upper = _bounds(held.values, found.model, alpha)
    reasons = [found.reason[0] or (MISSING if np.isnan(cell) else "") for cell in held.values[:, -1]]
    return _with(counts, held, found.area_p_value[0], expected, upper, reasons, alpha)


def judge_permutation(
    counts: pl.DataFrame,
    *,
    positions: pl.DataFrame | None = None,
    neighbours: pl.DataFrame | None = None,
    settings: permutation.Settings | None = None,
    period: Period = "1d",
    alpha: float = 0.05,
) -> pl.DataFrame:
    """Space-time permutation scan. An area's p is that of the reported window that holds it, 1 where none does.

    `expected` and `upper` are of the newest period by the margins alone: area total x period total / all cases.
    """
    held = matrix(counts, period)
    if not held.periods:
        return _with(counts, held, np.empty(0), np.empty(0), np.empty(0), [], alpha)
    zones = zones_of(held.strata.to_list(), positions, neighbours)
    found = permutation.scan(held.values, zones, settings or permutation.Settings(secondary=True))
    p_value = np.full(len(held.strata), 1.0)
    for window in found.windows:
        p_value[list(window.areas)] = window.p_value
    whole = np.nan_to_num(held.values)
    expected = whole.sum(axis=1) * whole[:, -1].sum() / max(float(whole.sum()), 1.0)
    upper = quantile(1 - alpha, expected, np.ones_like(expected))
    return _with(counts, held, p_value, expected, upper, [found.reason or ""] * len(p_value), alpha)


def _bounds(values: Reals, model: Model, alpha: float) -> tuple[Reals, Reals]:
    """What each area alone may expect in the newest week, and its upper bound."""
    looked = windows(values[None], alone(len(values)), model, 1)
    expected = looked.expected[0, :, 0, 0]
    return expected, quantile(1 - alpha, expected, looked.variance_ratio[0, :, 0, 0])


def _with(
    counts: pl.DataFrame, held: Matrix, p_value: Reals, expected: Reals, upper: Reals, reasons: list[str], alpha: float
) -> pl.DataFrame:
    """The rows with their verdicts, in their order."""
    if counts.height and held.strata.null_count():
        raise UsageFault("every row names its stratum")
    void = np.array([bool(reason) for reason in reasons], dtype=bool)
    newest = held.values[:, -1] if held.periods else np.empty(0)
    score = (newest - expected) / np.maximum(upper - expected, 1e-12)
    numbers = {"expected": expected, "upper": upper, "p_value": p_value, "score": score}
    outcome = np.where(void, "not evaluable", np.where(p_value <= alpha, "signal", "clear"))
    verdicts = pl.DataFrame(
        {
            "stratum": held.strata.cast(counts.schema["stratum"]),
            "period": pl.Series([held.periods[-1]] * len(held.strata) if held.periods else [], dtype=pl.Date),
            **{name: pl.Series(np.where(void, np.nan, row), dtype=pl.Float64) for name, row in numbers.items()},
            "outcome": pl.Series(outcome.tolist(), dtype=pl.String),
            "reason": pl.Series(reasons, dtype=pl.String),
        }
    ).with_columns(pl.col(*numbers).fill_nan(None))
    rows = counts.with_row_index("_row").with_columns(pl.col("period").cast(pl.Date))
    joined = rows.join(verdicts, on=["stratum", "period"], how="left").sort("_row").drop("_row")
    return joined.with_columns(pl.col("outcome").fill_null("not evaluable"), pl.col("reason").fill_null(BASELINE))
