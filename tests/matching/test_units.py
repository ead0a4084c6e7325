"""Amounts are compared only in one kind of unit."""

from __future__ import annotations

import pytest

from ewarn.matching.units import Amount, amount


@pytest.mark.parametrize(
    ("value", "unit", "found"),
    [
        (5, "%", Amount(5, "%")),
        (50, "mg/g", Amount(5, "%")),
        (500, "µg/mg", Amount(50, "%")),
        (2, "mg per tablet", Amount(2, "mg a unit")),
        (2000, "ug/tablets", Amount(2, "mg a unit")),
        (3, "g/l", Amount(3, "mg/ml")),
        (1, "% w/v", Amount(10, "mg/ml")),
        (1, "mg", None),
        (1, "", None),
        (1, None, None),
        (1, "strong", None),
        (0, "%", None),
        (None, "%", None),
    ],
)
def test_units_become_one_of_three_kinds_or_none(value: float | None, unit: str | None, found: Amount | None) -> None:
    said = amount(value, unit)
    assert said == found or (said is not None and found is not None and said.unit == found.unit
                             and said.value == pytest.approx(found.value))  # fmt: skip
