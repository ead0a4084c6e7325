"""Does the space-time permutation scan give what SaTScan gave? One row per reference file.

In: the contents of a folder by file name: `<id>.json` (the model in words, the clusters found) and the two CSVs it
names (cases by area and day; coordinates), each CSV also as `.csv.gz`. Out: a frame, one row per `<id>.json` of a
space-time permutation model: clusters, whether all zones and windows are the same, the largest relative difference of
the log likelihood ratio, the largest difference of p (both are Monte Carlo), and a status: met, missed, or not run with
the reason. Never a path, and never a parameter that the file does not state.
"""

from __future__ import annotations

import gzip
import io
import json
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ewarn.methods import permutation
from ewarn.methods.zones import Zones, circles

MOST_DIFFERENCE = 1e-6
MODEL = "space-time permutation"
SHAPE = {
    "id": pl.String,
    "clusters": pl.Int64,
    "zones_equal": pl.Boolean,
    "windows_equal": pl.Boolean,
    "ratio_difference": pl.Float64,
    "p_difference": pl.Float64,
    "status": pl.String,
    "why": pl.String,
}
Files = Mapping[str, bytes]


def conformity(files: Files, seed: int = 1) -> pl.DataFrame:
    """One row per reference file, by id. A file that cannot be read or run says why and stops no other."""
    rows = []
    for name in sorted(name.removesuffix(".json") for name in files if name.endswith(".json")):
        try:
            description = json.loads(files[f"{name}.json"])
            if MODEL in str(description.get("model", "")):
                rows.append({"id": name} | compared(files, description, seed))
        except (KeyError, ValueError, AttributeError, pl.exceptions.PolarsError) as fault:
            rows.append({"id": name, "status": "not run", "why": f"{type(fault).__name__}: {fault}"})
    return pl.DataFrame(rows, schema=SHAPE)


def compared(files: Files, description: dict[str, Any], seed: int) -> dict[str, Any]:
    """Scan again what the file says was scanned, and compare cluster by cluster."""
    names, counts, zones = _map(files, description)
    found = permutation.scan(counts, zones, stated(str(description["model"]), seed)).windows
    theirs = sorted(description["clusters"], key=lambda cluster: int(cluster["rank"]))
    pairs = list(zip(theirs, found, strict=False))
    same_zones = len(found) >= len(theirs) and all(
        {names[area] for area in ours.areas} == {str(area) for area in cluster["areas"]} for cluster, ours in pairs
    )
    same_windows = len(found) >= len(theirs) and all(_days(cluster) == ours.periods for cluster, ours in pairs)
    ratios = [abs(ours.log_ratio / float(cluster["llr"]) - 1) for cluster, ours in pairs]
    chances = [abs(ours.p_value - float(cluster["p"])) for cluster, ours in pairs]
    met = same_zones and same_windows and max(ratios, default=0.0) <= MOST_DIFFERENCE
    return {
        "clusters": len(theirs),
        "zones_equal": same_zones,
        "windows_equal": same_windows,
        "ratio_difference": max(ratios, default=None),
        "p_difference": max(chances, default=None),
        "status": "met" if met else "missed",
        "why": "" if met else f"{len(found)} windows here",
    }


def stated(model: str, seed: int) -> permutation.Settings:
    """The settings that the model's words state."""
    return permutation.Settings(
        most_periods=int(_stated(r"temporal 1\.\.(\d+) days", model)),
        most_share=float(_stated(r"max (\d+(?:\.\d+)?)% of cases", model)) / 100,
        least_cases=int(_stated(r"min (\d+) cases", model)),
        replicates=int(_stated(r"(\d+) standard Monte Carlo", model)),
        seed=seed,
        secondary=True,
    )


def _stated(pattern: str, model: str) -> str:
    found = re.search(pattern, model)
    if found is None:
        raise ValueError(f"the model does not state {pattern}")
    return found.group(1)


def _map(files: Files, description: dict[str, Any]) -> tuple[list[str], NDArray[np.int64], Zones]:
    """Names of the areas, cases by area and day up to the day the clusters end, and the circles."""
    places = _table(files, str(description["coords"])).with_columns(pl.col("area").cast(pl.String))
    cases = _table(files, str(description["input"])).with_columns(pl.col("area").cast(pl.String))
    names = places["area"].to_list()
    first = date.fromisoformat(_stated(r"day 0=(\d{4}-\d\d-\d\d)", str(description["model"])))
    ends = [_date(cluster["end"]) for cluster in description["clusters"]]
    days = (max(ends) - first).days + 1 if ends else int(cases.select(pl.col("day").max()).item()) + 1
    counts = np.zeros((len(names), days), dtype=np.int64)
    number = {name: row for row, name in enumerate(names)}
    for area, day, count in cases.select("area", "day", "count").iter_rows():
        counts[number[area], day] += count
    return names, counts, circles(places.select("x", "y").to_numpy().astype(np.float64))


def _table(files: Files, name: str) -> pl.DataFrame:
    content = files[name] if name in files else gzip.decompress(files[f"{name}.gz"])
    return pl.read_csv(io.BytesIO(content))


def _date(written: str) -> date:
    return date(*(int(part) for part in written.split("/")))


def _days(cluster: Mapping[str, str]) -> int:
    return (_date(cluster["end"]) - _date(cluster["start"])).days + 1
