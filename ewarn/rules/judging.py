"""How a series method judges the newest period of many strata at once: which method, how long a history, what it says.

In: a rule's numbers, and counts (strata x consecutive periods, the newest last, NaN where missing) as they were known
at one instant. Out: Answers, one element per stratum: observed, expected, upper bound, exact tail where the method has
one, or the reason why there is no answer. Pure: never a clock, never a period that had not closed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ewarn.catalogue.definitions import RuleDefinition
from ewarn.methods import cusum, ears, scan_weeks
from ewarn.methods.ladder import ladder
from ewarn.methods.scan_weeks import LEAST_YEARS, WeekScan
from ewarn.methods.verdicts import Verdicts
from ewarn.rules.prepare import number, words

Vector = NDArray[np.float64]
Judge = Callable[[Vector], "Answers"]
SPARSE = (
    "sparse: fewer than 5 reports in 4 weeks on average, and too short a history; the scan of sparse maps judges it"
)
LONGEST_CUSUM = 26
# Half a window, the weeks of the scan, and the weeks whose results may still come in.
HISTORY_BESIDE = 3 + 3 + 18


@dataclass(frozen=True, eq=False)
class Answers:
    """One element per stratum. `periods` is the length of the window that speaks, `back` how many periods before the
    newest it ends; `raised` whether the method's own limit is passed; `arrived` whether it speaks of what became known
    in the newest period instead; `said` what else there is to say; `weighed` how many periods the expected mean rests
    on where the method has no tails (0 elsewhere)."""

    observed: Vector
    expected: Vector
    upper: Vector
    p_value: Vector
    raised: NDArray[np.bool_]
    periods: NDArray[np.int64]
    back: NDArray[np.int64]
    arrived: NDArray[np.bool_]
    reason: list[str]
    said: list[str]
    weighed: NDArray[np.int64]

    @classmethod
    def none(cls, strata: int, reason: str) -> Self:
        blank, plain, one = np.full(strata, np.nan), np.zeros(strata, dtype=np.bool_), np.ones(strata, dtype=np.int64)
        return cls(
            observed=blank.copy(),
            expected=blank.copy(),
            upper=blank.copy(),
            p_value=blank,
            raised=plain.copy(),
            periods=one,
            back=np.zeros(strata, dtype=np.int64),
            arrived=plain,
            reason=[reason] * strata,
            said=[""] * strata,
            weighed=np.zeros(strata, dtype=np.int64),
        )

    def only(self, row: int) -> Answers:
        """The answer of one stratum."""
        return Answers(**{name: values[row : row + 1] for name, values in vars(self).items()})

    def put(self, rows: NDArray[np.int64], other: Answers) -> None:
        for name, values in vars(other).items():
            if isinstance(values, list):
                for row, value in zip(rows.tolist(), values, strict=True):
                    getattr(self, name)[row] = value
            else:
                getattr(self, name)[rows] = values


@dataclass(frozen=True)
class Method:
    """How to judge, how many periods to look at, the level its tails are held against (None: it has no tails)."""

    judge: Judge
    length: int
    alpha: float | None


def method_of(rule: RuleDefinition) -> Method:
    """The method a rule's file names, with its numbers.

    Numbers: EARS `z` 3.09, `min_sigma` .5; Farrington `alpha` .0048, `years` 5; ladder all of these. Raises: ValueError
    for numbers that cannot go together.
    """
    weekly = words(rule, "period", "week") == "week"
    if rule.method == "ears":
        if "q" in rule.numbers:
            raise ValueError("a false-discovery level needs exact tails; EARS has none")
        method = ears.Ears("C2", z=number(rule, "z", 3.09), least_sigma=number(rule, "min_sigma", 0.5))
        return Method(lambda matrix: by_ears(matrix, method), method.needed + 1, None)
    if not weekly:
        raise ValueError("seasons are counted in weeks; days have EARS")
    alpha = number(rule, "alpha", scan_weeks.ALPHA)
    most = WeekScan().fit.reference.year * int(number(rule, "years", 5)) + HISTORY_BESIDE
    if rule.method == "ladder":
        return Method(lambda matrix: by_ladder(rule, matrix, alpha), most, alpha)
    return Method(lambda matrix: by_scan(matrix, alpha), most, alpha)


def by_scan(matrix: Vector, alpha: float) -> Answers:
    """The last one, two and three weeks on Farrington's expectations. The fast fit has half an event in every season,
    so that weeks of the year which were always empty do not make one case all but impossible."""
    scan = WeekScan.fitted_to(matrix.shape[1] - 1)
    found = scan_weeks.judge(matrix, WeekScan(alpha=alpha, fit=scan.fit))
    return of_verdicts(found, alpha, np.nan_to_num(found.window[:, 0], nan=1.0).astype(np.int64))


def by_ladder(rule: RuleDefinition, matrix: Vector, alpha: float) -> Answers:
    """Each stratum by what its own history can carry (methods.ladder)."""
    history = matrix[:, :-1]
    with np.errstate(invalid="ignore"):
        weeks = np.isfinite(history).sum(axis=1)
        mean = np.nansum(history, axis=1) / np.maximum(weeks, 1)
    facts = pl.DataFrame({"stratum": range(len(matrix)), "weeks": weeks, "mean_per_week": mean})
    led = ladder(facts).filter(pl.col("lead"))
    found = Answers.none(len(matrix), SPARSE)
    for (name,), rows in led.group_by("method", maintain_order=True):
        which = rows["stratum"].to_numpy()
        long_enough = matrix.shape[1] > WeekScan().fit.reference.year * LEAST_YEARS + 3
        if name in ("farrington", "zeros") or (name == "ebt" and long_enough):
            found.put(which, by_scan(matrix[which], alpha))
        elif name == "ears":
            method = ears.Ears("C2", z=number(rule, "z", 3.09), least_sigma=number(rule, "min_sigma", 0.5))
            found.put(which, by_ears(matrix[which], method))
        elif name == "cusum":
            found.put(which, by_cusum(matrix[which]))
    return found


def by_ears(matrix: Vector, method: ears.Ears) -> Answers:
    answers = of_verdicts(ears.judge(matrix, method))
    answers.weighed[:] = method.baseline
    return answers


def by_cusum(matrix: Vector) -> Answers:
    """The first seven weeks are the baseline, the rest is added up."""
    method = cusum.Cusum()
    recent = matrix[:, -LONGEST_CUSUM:]
    if recent.shape[1] <= method.least_baseline:
        return Answers.none(len(matrix), f"fewer than {method.least_baseline + 1} weeks of history")
    verdicts = cusum.judge(recent, method, start=method.least_baseline)
    answers = of_verdicts(_newest(verdicts))
    answers.raised[:] = verdicts.signal[:, -1]
    answers.weighed[:] = method.least_baseline
    return answers


def _newest(found: cusum.CusumVerdicts) -> cusum.CusumVerdicts:
    return cusum.CusumVerdicts(**{name: values[:, -1:] for name, values in vars(found).items()})


def of_verdicts(
    found: Verdicts, alpha: float | None = None, periods: NDArray[np.int64] | None = None, **more: Any
) -> Answers:
    """Verdicts on one period (strata x 1); held against `alpha` where the method has exact tails."""
    strata = len(found.observed)
    answers = Answers.none(strata, "")
    numbers = {"observed": found.observed, "expected": found.expected, "upper": found.upper, "p_value": found.p_value}
    for name, values in numbers.items():
        getattr(answers, name)[:] = values[:, 0]
    with np.errstate(invalid="ignore"):
        answers.raised[:] = (answers.p_value <= alpha) if alpha is not None else found.signal[:, 0]
    answers.raised[:] &= found.reason[:, 0] == 0
    if periods is not None:
        answers.periods[:] = periods
    answers.reason[:] = found.words[:, 0].tolist()
    return answers
