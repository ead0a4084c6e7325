"""All figures of the methods in one table: what was wanted, what was measured, and whether that is enough.

In: the contents of a folder of reference files by name; a seed, and how many replicates each study gets. Out: one row
per figure, study by study, so that each can be shown as it comes. Never a path, a clock of its own or a figure without
its seed and replicates; what could not run says why and is never met.

*Verdicts.* A floor is met when the lower 95 % bound is at most one point (.01) under it, a ceiling when the value is
not above it. "Missed by" is the distance from the value to what was wanted; where the value reaches it and its interval
does not, it says so. In a quick run only what the whole interval decides is called met or missed; else it is
"undecided". A level that a method is set to (nominal) is missed only where the whole interval lies above it: half of
all runs of an exact method measure more. Figures that nothing is wanted of have no verdict.

Some figures can be read in two ways. The false-positive rate of D1 and D2 is that of the same series without a current
outbreak; the rate beside outbreaks, shown under it, has no verdict. D3 spreads its cases over two weeks; the reading in
which all fall in one week is shown under it. Floors are wanted of D3, goals are told in the note.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from ewarn.review import conformity, conformity_scans, labelled, lag_study, map_methods, scenarios, sparse_maps
from ewarn.review.figures import SLACK

Files = Mapping[str, bytes]
MET, MISSED, NOT_RUN, UNSURE = "met", "missed", "not run", "undecided"
SHAPE: dict[str, type[pl.DataType]] = {
    "key": pl.String,
    "study": pl.String,
    "figure": pl.String,
    "floor": pl.Float64,
    "ceiling": pl.Float64,
    "value": pl.Float64,
    "lower": pl.Float64,
    "upper": pl.Float64,
    "nominal": pl.Boolean,
    "verdict": pl.String,
    "missed_by": pl.Float64,
    "seed": pl.Int64,
    "replicates": pl.Int64,
    "seconds": pl.Float64,
    "note": pl.String,
}


@dataclass(frozen=True)
class Size:
    """Replicates of each study: of 42 scenarios, runs of the lag study, maps a scenario, series of zeros a length."""

    scenarios: int = 100
    lag: int = 1500
    maps: int = 2000
    zeros: int = 20
    quick: bool = False

    @classmethod
    def asked(cls, replicates: int | None, quick: bool) -> Size:
        """`replicates` of the scenarios; the other studies keep their proportion to it."""
        size = cls(4, 30, 100, 10, True) if quick else cls()
        if replicates is None:
            return size
        times = replicates / size.scenarios
        return cls(replicates, max(2, round(size.lag * times)), max(2, round(size.maps * times)), size.zeros, quick)


@dataclass(frozen=True)
class Study:
    """One study: its keys, its name, and how it is run."""

    keys: str
    name: str
    run: Callable[[], pl.DataFrame]


def studies(files: Files, seed: int, size: Size) -> Iterator[Study]:
    """Every study in order. Running one gives its rows without verdicts and seconds."""
    yield Study("C1", "reference files of series methods", lambda: _conformity(conformity.conformity(files)))
    yield Study("C2", "reference files of the scan", lambda: _scans(conformity_scans.conformity(files, seed)))
    yield Study("D1, D2", "42 scenarios", lambda: _figures(scenarios.study(size.scenarios, seed)))
    yield Study("D3, D4", "sparse maps", lambda: _maps(sparse_maps.study(map_methods.SCANS, maps=size.maps, seed=seed)))
    yield Study("D5", "laboratory lag", lambda: _figures(lag_study.study(size.lag, seed)))
    yield Study("D6", "labelled weeks", lambda: _figures(labelled.newport(files)))
    yield Study("D7", "zeros, then cases", lambda: _figures(labelled.zeros(size.zeros, seed)))


def judged(rows: pl.DataFrame, seconds: float, quick: bool) -> pl.DataFrame:
    """The rows of one study with their verdicts and what the study took."""
    found = [{**row, "seconds": seconds, **_verdict(row, quick)} for row in rows.to_dicts()]
    return pl.DataFrame(found, schema=SHAPE)


def broken(study: Study, why: str) -> pl.DataFrame:
    """The one row of a study that could not be run."""
    return _frame([_row(study.keys, study.name, NOT_RUN, None, verdict=NOT_RUN, note=why)])


def _verdict(row: dict[str, Any], quick: bool) -> dict[str, Any]:
    floor, ceiling, value = row["floor"], row["ceiling"], row["value"]
    if row["verdict"] == NOT_RUN or value is None:
        return {"verdict": NOT_RUN, "missed_by": None}
    if floor is None and ceiling is None:
        return {"verdict": "", "missed_by": None}
    lower = value if row["lower"] is None else row["lower"]
    upper = value if row["upper"] is None else row["upper"]
    if floor is not None:
        met, surely_not, short = lower + SLACK >= floor, upper < floor, max(0.0, floor - value)
    else:
        met, surely_not, short = value <= ceiling, lower > ceiling, max(0.0, value - ceiling)
        met = not surely_not if row["nominal"] else upper <= ceiling if quick else met
    if quick and not met and not surely_not:
        return {"verdict": UNSURE, "missed_by": None}
    return {"verdict": MET if met else MISSED, "missed_by": None if met else short}


def _row(key: str, study: str, figure: str, value: float | None, **more: Any) -> dict[str, Any]:
    return dict.fromkeys(SHAPE) | {"key": key, "study": study, "figure": figure, "value": value, "note": ""} | more


def _frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SHAPE)


def _conformity(found: pl.DataFrame) -> pl.DataFrame:
    """C1: all signals, all missing answers, all numbers."""
    ran = found.filter(pl.col("status") != NOT_RUN)
    name = "reference files of series methods (C1)"
    if not ran.height:
        return _frame([_row("C1", name, NOT_RUN, None, verdict=NOT_RUN, note="no such file in the folder given")])
    missed = ran.filter(status=MISSED)["id"].to_list()
    note = f"{ran.height} files, {ran['rows'].sum()} rows" + (f"; missed: {', '.join(missed)}" if missed else "")
    differing = int(ran["signals_differing"].sum()) + int(ran["not_evaluable_differing"].sum())
    largest = float(ran.select(pl.col("largest_difference").max()).item() or 0.0)
    return _frame(
        [
            _row("C1", name, "signals and missing answers that differ", float(differing), ceiling=0.0, note=note),
            _row("C1", name, "largest relative difference", largest, ceiling=conformity.MOST_DIFFERENCE),
        ]
    )


def _scans(found: pl.DataFrame) -> pl.DataFrame:
    """C2: zones, windows and ratios."""
    name = "reference files of the space-time scan (C2)"
    ran = found.filter(pl.col("status") != NOT_RUN)
    if not ran.height:
        return _frame([_row("C2", name, NOT_RUN, None, verdict=NOT_RUN, note="no such file in the folder given")])
    other = ran.filter(~(pl.col("zones_equal") & pl.col("windows_equal")))["id"].to_list()
    largest = float(ran.select(pl.col("ratio_difference").max()).item() or 0.0)
    note = f"{ran.height} files, {ran['clusters'].sum()} clusters" + (f"; other: {', '.join(other)}" if other else "")
    return _frame(
        [
            _row("C2", name, "files with another zone or window", float(len(other)), ceiling=0.0, note=note),
            _row(
                "C2",
                name,
                "largest relative difference of the ratio",
                largest,
                ceiling=conformity_scans.MOST_DIFFERENCE,
            ),
        ]
    )


def _figures(found: pl.DataFrame) -> pl.DataFrame:
    """Rows of a study that speaks in figures; the key stands in the study's name, '(D1)'."""
    rows = []
    for row in found.to_dicts():
        key = row["study"].rpartition("(")[2].partition(")")[0] if "(D" in row["study"] else ""
        kind, _, number = (row["wanted"] or "").rpartition(" ")
        wanted = float(number) if number else None
        more = {name: row[name] for name in ("lower", "upper", "seed", "replicates")}
        more |= {"floor": wanted if kind == "at least" else None, "ceiling": wanted if kind == "at most" else None}
        more["verdict"] = NOT_RUN if row["value"] is None else None
        rows.append(_row(key, row["study"], row["figure"], row["value"], note=row["note"] or "", **more))
    return _frame(rows)


def _maps(found: pl.DataFrame) -> pl.DataFrame:
    """D3 and D4. The floor is wanted; a goal above it is told."""
    rows = []
    for row in found.to_dicts():
        key, named, rest = row["scenario"].partition(" ")
        key, name = (key, rest) if key in ("D3", "D4") and named else ("", row["scenario"])
        detects = row["least"] is not None
        goal = f"goal {row['wanted']:g}" if detects and row["wanted"] is not None else ""
        more = {name: row[name] for name in ("lower", "upper", "seed", "replicates")}
        if row["scenario"] == sparse_maps.SCENARIOS[0].name:
            key, more["nominal"] = "D3", True
        if key or not detects:  # the reading in one week is shown, not judged
            more |= {"floor": row["least"]} if detects else {"ceiling": row["wanted"]}
        what = "caught" if detects else "maps called"
        rows.append(_row(key, f"sparse maps, {row['method']}", f"{name}: {what}", row["figure"], note=goal, **more))
    return _frame(rows)
