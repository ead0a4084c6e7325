"""Units of concentration: what can be compared with what.

In: a number and a unit as written. Out: the amount in the unit of its kind: % by mass, mg a unit (a tablet, a capsule),
or mg/ml. What is written otherwise has no kind and is compared with nothing: an amount a tablet is no share of mass.
"""

from __future__ import annotations

import re
from typing import NamedTuple

MASS = {"g": 1000.0, "mg": 1.0, "ug": 1e-3, "mcg": 1e-3, "ng": 1e-6, "kg": 1e6}
VOLUME = {"l": 1000.0, "ml": 1.0, "ul": 1e-3, "dl": 100.0}
PIECES = ("tablet", "tab", "pill", "capsule", "cap", "unit", "dose", "item", "blotter", "tabled")


class Amount(NamedTuple):
    """`unit` is '%', 'mg a unit' or 'mg/ml'."""

    value: float
    unit: str


def amount(value: float | None, unit: str | None) -> Amount | None:
    """The amount in the unit of its kind; None where the unit says nothing that can be compared."""
    if value is None or not value > 0:
        return None
    text = (unit or "").casefold().replace("µ", "u").replace("μ", "u").replace(" per ", "/").strip()
    text = re.sub(r"[\s.()]+", "", text)
    if text in ("%", "%w/w", "w/w%", "percent", "percentage", "%purity", "purity%"):
        return Amount(value, "%")
    if text in ("%w/v", "w/v%"):
        return Amount(value * 10, "mg/ml")
    over, _, under = text.partition("/")
    if over not in MASS or not under:
        return None
    if under in MASS:
        return Amount(100 * value * MASS[over] / MASS[under], "%")
    if under in VOLUME:
        return Amount(value * MASS[over] / VOLUME[under], "mg/ml")
    return Amount(value * MASS[over], "mg a unit") if under.removesuffix("s") in PIECES else None
