"""What every series method answers: a verdict per series and period, or why there is none.

In: arrays a method computed. Out: `Verdicts`, with outcome and reason as words when a frame is wanted. An answer is
`signal`, `clear` or `not evaluable`; without an answer expected and upper bound are missing, never zero.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Reason(IntEnum):
    """Why a verdict has no answer."""

    NONE = 0
    TOO_SHORT = 1
    MISSING_RECENT = 2
    MISSING_BASELINE = 3
    FEW_REPORTS = 4
    ZERO_BASELINE = 5
    NOT_SETTLED = 6
    NO_BOUND = 7
    NO_SPREAD = 8


WORDS: dict[Reason, str] = {
    Reason.NONE: "",
    Reason.TOO_SHORT: "too short a history",
    Reason.MISSING_RECENT: "suppressed or missing cells in the last periods",
    Reason.MISSING_BASELINE: "suppressed or missing cells in the baseline",
    Reason.FEW_REPORTS: "too few reports in the last periods",
    Reason.ZERO_BASELINE: "no reports in the whole baseline",
    Reason.NOT_SETTLED: "the model did not settle",
    Reason.NO_BOUND: "the expected number is too large for a bound",
    Reason.NO_SPREAD: "the baseline does not vary",
}
OUTCOMES = ("clear", "signal", "not evaluable")


@dataclass(frozen=True, eq=False)
class Verdicts:
    """Series x judged periods. `expected` and `upper` are NaN, and `reason` is not 0, where there is no answer."""

    observed: Vector
    expected: Vector
    upper: Vector
    p_value: Vector
    score: Vector
    reason: NDArray[np.int8]

    @property
    def signal(self) -> Flags:
        """Evaluable, and above the upper bound."""
        with np.errstate(invalid="ignore"):
            return np.asarray((self.reason == 0) & (self.observed > self.upper))

    @property
    def outcome(self) -> NDArray[np.str_]:
        """`signal`, `clear` or `not evaluable`."""
        return np.asarray(OUTCOMES)[np.where(self.reason == 0, self.signal.astype(np.int64), 2)]

    @property
    def words(self) -> NDArray[np.str_]:
        """The reason in words; empty where there is an answer."""
        return np.asarray([WORDS[reason] for reason in Reason])[self.reason]

    @classmethod
    def empty(cls, *shape: int) -> Self:
        """No answer anywhere yet: too short a history."""
        return cls(**{field.name: _blank(field.name, shape) for field in fields(cls)})

    def put(self, rows: NDArray[np.int64], other: Self) -> None:
        for field in fields(self):
            getattr(self, field.name)[rows] = getattr(other, field.name)

    def shaped(self, *shape: int) -> Self:
        return type(self)(**{field.name: getattr(self, field.name).reshape(*shape) for field in fields(self)})


def _blank(name: str, shape: tuple[int, ...]) -> Any:
    if name == "reason":
        return np.full(shape, Reason.TOO_SHORT, dtype=np.int8)
    return np.zeros(shape, dtype=bool) if name == "trend" else np.full(shape, np.nan)
