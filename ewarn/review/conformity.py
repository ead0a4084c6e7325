"""Do the methods give what other software gave? One row per reference file, with the differences counted.

In: the contents of a folder by file name: `<id>.json` (what was called, with what controls), `<id>.csv` (what came out)
and `input_<name>.csv` (what went in), each CSV also as `.csv.gz`. Out: a frame, one row per `<id>.json`: rows, signals
that differ, answers that are missing on one side only, largest relative difference, and a status: met, missed, or not
run with the reason. Never a path, and never a parameter that the file does not state.

Sizes are compared relative to the reference, but below a floor per column (`FLOORS`) to the floor: a mean of 1e-11 or a
score of 1e-17 has no nine digits in the reference either.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ewarn.review.reruns import PRODUCERS, NotRun, Rerun

MOST_DIFFERENCE = 1e-9
FLOORS = {
    "upperbound": 1e-3,
    "expected": 1e-9,
    "mu0": 1e-9,
    "phi": 1e-9,
    "pvalue": 1e-9,
    "score": 1e-3,
    "trend_coef": 1e-6,
    "baseline_expected": 1e-3,
    "test_statistic": 1e-3,
    "p.value": 1e-9,
    "sigma": 1e-3,
    "adjusted_r_squared": 1e-3,
}
SHAPE = {
    "id": pl.String,
    "rows": pl.Int64,
    "signals_differing": pl.Int64,
    "not_evaluable_differing": pl.Int64,
    "largest_difference": pl.Float64,
    "status": pl.String,
    "why": pl.String,
}
Files = Mapping[str, bytes]


@dataclass(frozen=True)
class Comparison:
    """One reference file against what the methods here give."""

    id: str
    rows: int = 0
    signals_differing: int = 0
    not_evaluable_differing: int = 0
    largest_difference: float | None = None
    status: str = "not run"
    why: str = ""


def conformity(files: Files) -> pl.DataFrame:
    """One row per reference file, by id. A file that cannot be read or run says why and stops no other."""
    ids = sorted(name.removesuffix(".json") for name in files if name.endswith(".json"))
    found = [compared(files, each) for each in ids]
    return pl.DataFrame([vars(each) for each in found], schema=SHAPE)


def compared(files: Files, name: str) -> Comparison:
    """One reference file: run again what it says was run, and compare."""
    try:
        description = json.loads(files[f"{name}.json"])
        producer = next((run for words, run in PRODUCERS.items() if words in str(description.get("call", ""))), None)
        if producer is None:
            return Comparison(name, why="no method here answers this call")
        expected = _table(files, f"{name}.csv")
        rerun = producer(description, _table(files, str(description["input"])), expected)
    except (NotRun, KeyError, ValueError, TypeError, pl.exceptions.PolarsError) as fault:
        why = f"{fault.args[0]} is missing" if isinstance(fault, KeyError) else str(fault)
        return Comparison(name, why=why.splitlines()[0] if why else type(fault).__name__)
    return _comparison(name, rerun, expected)


def _comparison(name: str, rerun: Rerun, expected: pl.DataFrame) -> Comparison:
    signals = int((rerun.signal != rerun.expected_signal).sum())
    missing = int((rerun.missing != rerun.expected_missing).sum())
    sizes = [
        _difference(values, expected[column].cast(pl.Float64).to_numpy(), FLOORS[column])
        for column, values in rerun.columns.items()
        if column in expected.columns
    ]
    largest = max(sizes, default=0.0)
    met = not signals and not missing and largest <= MOST_DIFFERENCE
    return Comparison(name, expected.height, signals, missing, largest, "met" if met else "missed")


def _difference(found: NDArray[np.float64], expected: NDArray[np.float64], floor: float) -> float:
    """Largest relative difference; infinite where a number stands on one side only."""
    if (np.isnan(found) != np.isnan(expected)).any():
        return float("inf")
    differing = ~np.isnan(expected) & (found != expected)
    if not differing.any():
        return 0.0
    a, b = found[differing], expected[differing]
    with np.errstate(invalid="ignore"):
        return float(np.nan_to_num(np.abs(a - b) / np.maximum(np.abs(b), floor), nan=np.inf).max())


def _table(files: Files, name: str) -> pl.DataFrame:
    """A CSV of the folder; NA and empty cells are missing."""
    content = files[name] if name in files else gzip.decompress(files[f"{name}.gz"])
    kinds: dict[str, Any] = {"unit": pl.String, "series": pl.String, "date": pl.String, "detector": pl.String}
    return pl.read_csv(io.BytesIO(content), null_values=["NA", ""], infer_schema_length=None, schema_overrides=kinds)
