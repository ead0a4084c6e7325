"""Run again what a reference file says was run, with the methods here.

In: a reference file's description (call, controls, frequency, dates), its input and its output. Out: `Rerun`: signals,
missing answers and numbers in the output's row order. Controls that a method here does not have raise `NotRun`; missing
ones take the producer's own defaults.

Source: the documented controls of R surveillance 1.20.3 (`farringtonFlexible`, `farrington`, `earsC`, `cusum`, `bayes`,
`rki`) and of CDC's Rnssp 0.3.1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ewarn.methods import cusum, ears, farrington, farrington1996, predictive, rnssp
from ewarn.methods.reference import Reference
from ewarn.methods.verdicts import Flags, Reason, Vector, Verdicts

Description = Mapping[str, Any]
SPOKEN_ONLY = {"verbose", "glmWarnings", "plot", "range"}


class NotRun(Exception):
    """A reference file asks for what the methods here do not do."""


@dataclass(frozen=True, eq=False)
class Rerun:
    """One element per output row; `columns` by the output's column names."""

    signal: Flags
    missing: Flags
    expected_signal: Flags
    expected_missing: Flags
    columns: dict[str, Vector]


@dataclass(frozen=True, eq=False)
class Given:
    """What a description says, in the words of the methods here: counts by unit, and controls with nothing missing."""

    units: list[str]
    counts: Vector
    dates: list[date] | None
    population: Vector | None
    control: dict[str, Any]
    year: int
    start: int

    def at(self, default: int) -> list[int]:
        """Places to judge: `range` counts from 1; without one, from place `default` to the end."""
        told = self.control.get("range")
        if told is None:
            return list(range(default, self.counts.shape[1]))
        if isinstance(told, str):
            ends = re.fullmatch(r"\s*(\d+)\s*:\s*(\d+)\s*", told)
            if not ends:
                raise NotRun(f"range {told!r} is not supported")
            return list(range(int(ends[1]) - 1, int(ends[2])))
        return [int(place) - 1 for place in (told if isinstance(told, list) else [told])]

    def number(self, name: str, default: float) -> float:
        told = self.control.get(name)
        return default if told is None else float(told)

    def whole(self, name: str, default: int) -> int:
        return int(self.number(name, default))

    def true(self, name: str, default: bool) -> bool:
        told = self.control.get(name)
        return default if told is None else bool(told)

    def word(self, name: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        told = self.control.get(name) or default or allowed[0]
        if told not in allowed:
            raise NotRun(f"{name} {told!r} is not supported")
        return str(told)


def given(description: Description, counts: pl.DataFrame, controls: set[str]) -> Given:
    """Read a description; NULL controls (written {} or null) count as not given."""
    told = {name: value for name, value in dict(description.get("control", {})).items() if value not in (None, {}, [])}
    unknown = sorted(set(told) - controls - SPOKEN_ONLY)
    if unknown:
        raise NotRun(f"{', '.join(unknown)} is not supported")
    units = counts["unit"].unique(maintain_order=True).to_list()
    parts = [counts.filter(pl.col("unit") == unit).sort("t") for unit in units]
    if len({part.height for part in parts}) != 1:
        raise NotRun("units of different lengths are not supported")
    matrix = np.vstack([part["observed"].cast(pl.Float64).fill_null(np.nan).to_numpy() for part in parts])
    dates = [date.fromisoformat(day) for day in parts[0]["date"]] if description.get("epochAsDate") else None
    population = None
    if "population" in counts.columns:
        population = np.vstack([part["population"].cast(pl.Float64).to_numpy() for part in parts])
    start = [*description.get("start", [1, 1]), 1][1]
    return Given(units, matrix, dates, population, told, int(description.get("freq", 52)), int(start))


def placed(found: Verdicts, told: Given, at: list[int], expected: pl.DataFrame, numbers: dict[str, str]) -> Rerun:
    """Verdicts in the order of the output's rows. `numbers`: output column by name of the verdicts' array."""
    unit = {name: i for i, name in enumerate(told.units)}
    column = {place: i for i, place in enumerate(at)}
    rows = [unit[name] for name in expected["unit"].to_list()]
    columns = [column[t - 1] for t in expected["t"].to_list()]
    upper = expected["upperbound"].cast(pl.Float64).to_numpy()
    return Rerun(
        found.signal[rows, columns],
        found.reason[rows, columns] != 0,
        expected["alarm"].cast(pl.Int64).fill_null(0).to_numpy() == 1,
        np.isnan(upper),
        {name: getattr(found, array)[rows, columns].astype(np.float64) for name, array in numbers.items()},
    )


FLEXIBLE = {"b", "w", "reweight", "weightsThreshold", "alpha", "trend", "pThresholdTrend", "limit54", "powertrans"}
FLEXIBLE |= {"fitFun", "populationOffset", "noPeriods", "pastWeeksNotIncluded", "thresholdMethod"}
FLEXIBLE_NUMBERS = {"upperbound": "upper", "expected": "expected", "mu0": "mean", "phi": "phi", "pvalue": "p_value"}
FLEXIBLE_NUMBERS |= {"score": "score", "trend_coef": "growth"}


def flexible(description: Description, counts: pl.DataFrame, expected: pl.DataFrame) -> Rerun:
    """`farringtonFlexible`."""
    told = given(description, counts, FLEXIBLE)
    told.word("fitFun", ("algo.farrington.fitGLM.flexible",))
    width, years = told.whole("w", 3), told.whole("b", 5)
    excluded = told.whole("pastWeeksNotIncluded", width)
    reports, periods = told.control.get("limit54", [5, 4])
    method = farrington.Farrington(
        Reference(years, width, told.whole("noPeriods", 1), excluded, told.year),
        told.number("alpha", 0.05),
        told.word("thresholdMethod", ("delta", "nbPlugin", "muan")),  # type: ignore[arg-type]
        told.word("powertrans", ("2/3", "1/2", "none")),  # type: ignore[arg-type]
        told.true("trend", True),
        told.number("pThresholdTrend", 0.05),
        told.true("reweight", True),
        told.number("weightsThreshold", 2.58),
        reports,
        int(periods),
    )
    at = told.at(told.year * years + width)
    # Without a population every unit has the same share at all times, which changes nothing.
    shares = told.population if told.true("populationOffset", False) else None
    found = farrington.judge(told.counts, method, at=at, dates=told.dates, exposure=shares)
    # Where no model settles R leaves the 0 its table of expected numbers began with.
    found.expected[np.isin(found.reason, (Reason.ZERO_BASELINE, Reason.NOT_SETTLED))] = 0.0
    return placed(found, told, at, expected, FLEXIBLE_NUMBERS)


def original(description: Description, counts: pl.DataFrame, expected: pl.DataFrame) -> Rerun:
    """`farrington`, which writes 0 where it has no bound."""
    told = given(description, counts, set(["b", "w", "reweight", "alpha", "trend", "limit54", "powertrans", "fitFun"]))
    told.word("fitFun", ("algo.farrington.fitGLM.fast", "algo.farrington.fitGLM"))
    reports, periods = told.control.get("limit54", [5, 4])
    method = farrington1996.Farrington1996(
        told.whole("b", 5),
        told.whole("w", 3),
        told.number("alpha", 0.05),
        told.word("powertrans", ("2/3", "1/2", "none")),  # type: ignore[arg-type]
        told.true("trend", True),
        told.true("reweight", True),
        reports,
        int(periods),
        told.year,
        partial=True,
    )
    at = told.at(told.year * method.years - method.half_width - 1)
    found = farrington1996.judge(told.counts, method, at=at, dates=told.dates)
    blank = expected.with_columns(pl.col("upperbound").cast(pl.Float64).replace(0.0, float("nan")))
    rerun = placed(found, told, at, blank, {"upperbound": "upper"})
    return replace(rerun, columns={"upperbound": np.nan_to_num(rerun.columns["upperbound"])})


def early(description: Description, counts: pl.DataFrame, expected: pl.DataFrame) -> Rerun:
    """`earsC`."""
    told = given(description, counts, {"method", "baseline", "minSigma", "alpha"})
    kind = told.word("method", ("C1", "C2", "C3"))
    alpha = told.number("alpha", ears.ALPHA[kind])
    least = told.number("minSigma", 0)
    method = ears.Ears(kind, told.whole("baseline", 7), least, alpha, as_in_r=True)  # type: ignore[arg-type]
    at = told.at(method.needed)
    return placed(ears.judge(told.counts, method, at=at), told, at, expected, {"upperbound": "upper"})


def summed(description: Description, counts: pl.DataFrame, expected: pl.DataFrame) -> Rerun:
    """`cusum`, which writes 0 where it has no bound."""
    told = given(description, counts, {"k", "h", "m", "trans", "alpha"})
    mean: Any = told.control.get("m", "baseline")
    at = told.at(0)
    if "range" not in told.control or at != list(range(at[0], at[-1] + 1)):
        raise NotRun("a range with gaps, or none, is not supported")
    method = cusum.Cusum(
        told.number("k", 1.04),
        told.number("h", 2.26),
        told.word("trans", ("standard", "rossi", "anscombe", "anscombe2nd", "pearsonNegBin", "none")),  # type: ignore[arg-type]
        "seasonal" if mean == "glm" else mean,
        told.number("alpha", 0.1),
        told.year,
        told.start,
        least_baseline=1,
    )
    found = cusum.judge(told.counts[:, : at[-1] + 1], method, start=at[0])
    if method.transform == "none":  # R's bound is then what is left to the threshold after the period
        found.upper[:] = np.maximum(0.0, method.h - found.score * method.h)
    return placed(found, told, at, expected, {"upperbound": "upper"})


def jeffreys(description: Description, counts: pl.DataFrame, expected: pl.DataFrame) -> Rerun:
    """`bayes`."""
    told = given(description, counts, {"b", "w", "actY", "alpha"})
    windows = predictive.Windows(told.whole("b", 0), told.whole("w", 6), told.true("actY", True), told.year)
    at = told.at(0)
    found = predictive.bayes(told.counts, windows, told.number("alpha", 0.05), at=at)
    return placed(found, told, at, expected, {"upperbound": "upper"})


def limits(description: Description, counts: pl.DataFrame, expected: pl.DataFrame) -> Rerun:
    """`rki`."""
    told = given(description, counts, {"b", "w", "actY"})
    windows = predictive.Windows(told.whole("b", 2), told.whole("w", 4), told.true("actY", False), told.year)
    at = told.at(0)
    return placed(predictive.rki(told.counts, windows, at=at), told, at, expected, {"upperbound": "upper"})


DAILY_NUMBERS = {"baseline_expected": "expected", "test_statistic": "score", "p.value": "p_value"}
REGRESSION_NUMBERS = {"sigma": "sigma", "adjusted_r_squared": "fit"}


def daily(description: Description, counts: pl.DataFrame, expected: pl.DataFrame) -> Rerun:
    """Rnssp's detectors; any level that differs counts as a signal that differs."""
    call, found_numbers = str(description["call"]), dict(DAILY_NUMBERS)
    options = {name: float(value) for name, value in re.findall(r"(B|g|w1|w2)\s*=\s*([0-9.]+)", call)}
    method = rnssp.Rnssp(
        int(options.get("B", 28)), int(options.get("g", 2)), options.get("w1", 0.4), options.get("w2", 0.9)
    )
    names = counts["series"].unique(maintain_order=True).to_list()
    parts = [counts.filter(pl.col("series") == name).sort("date") for name in names]
    days = [[date.fromisoformat(day) for day in part["date"]] for part in parts]
    if any(each != days[0] for each in days) or (days[0][-1] - days[0][0]).days != len(days[0]) - 1:
        raise NotRun("series that do not share consecutive days are not supported")
    y = np.vstack([part["count"].cast(pl.Float64).to_numpy() for part in parts])
    if "alert_ewma" in call:
        found = rnssp.ewma(y, method)
    elif "alert_regression" in call:
        found = rnssp.regression(y, days[0][0].weekday(), method)
        found_numbers |= REGRESSION_NUMBERS
    else:
        found = rnssp.switch(y, days[0][0].weekday(), method)
    place = {(name, str(day)): (i, j) for i, name in enumerate(names) for j, day in enumerate(days[0])}
    rows, columns = zip(*(place[key] for key in expected.select("series", "date").iter_rows()), strict=True)
    levels = np.asarray(rnssp.LEVELS)[found.level[rows, columns]]
    alike: NDArray[np.bool_] = levels == expected["alert"].to_numpy().astype(str)
    if "detector" in expected.columns:
        spoke = np.where(found.by_regression[rows, columns], "Adaptive Multiple Regression", "EWMA")
        told = expected["detector"].to_list()
        alike &= np.array([name is None or name == word for name, word in zip(told, spoke, strict=True)])
    return Rerun(
        alike,
        np.isnan(found.score[rows, columns]),
        np.ones(len(rows), dtype=bool),
        expected["test_statistic"].cast(pl.Float64).is_null().to_numpy(),
        {name: getattr(found, array)[rows, columns] for name, array in found_numbers.items()},
    )


PRODUCERS: dict[str, Callable[[Description, pl.DataFrame, pl.DataFrame], Rerun]] = {
    "farringtonFlexible(": flexible,
    "farrington(": original,
    "earsC(": early,
    "cusum(": summed,
    "bayes(": jeffreys,
    "rki(": limits,
    "alert_ewma(": daily,
    "alert_regression(": daily,
    "alert_switch(": daily,
}
