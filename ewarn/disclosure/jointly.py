"""What several public outputs say together: a count is told once, by whoever told it first, and in no other cut.

In: what an alert counts (area, days, records), and what others of this house have told or are about to. Out: the
families of figures that the public does not get from this one, with the alert that told them. Two alerts of one area
and overlapping days, or of an area and one that holds it, would by their difference give a hidden count back, however
each is rounded; so the later one says what happened without a number. The answer depends on areas, days and on whether
records are shared, never on a count: that a number is withheld tells nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ewarn.disclosure.suppress import FAMILIES, LEAST, MOST

ALWAYS = ("0000-00-00", "9999-99-99")


class Counted(NamedTuple):
    """What one version of one alert counts of one family: people or samples."""

    alert: str
    family: str
    area: str
    above: frozenset[str]
    first: str
    last: str
    records: frozenset[str] = frozenset()

    def meets(self, other: Counted) -> bool:
        """Whether some persons or samples could be counted in both."""
        placed = self.area == other.area or self.area in other.above or other.area in self.above
        days = self.first <= other.last and other.first <= self.last
        return self.family == other.family and ((placed and days) or not self.records.isdisjoint(other.records))


def counted(alert: str, area: str, above: Iterable[str], content: Mapping[str, Any]) -> list[Counted]:
    """What a text counts, by family; days that it does not name are every day."""
    found = []
    for family, labels in FAMILIES.items():
        rows = [row for row in content.get("figures", ()) if _base(str(row["label"])) in labels]
        if not rows:
            continue
        first, last = (content.get("days") or {}).get(family) or ALWAYS
        records = frozenset(record for row in rows for record in row.get("records", ()))
        found.append(Counted(alert, family, area, frozenset(above), first, last, records))
    return found


def shows(content: Mapping[str, Any], family: str) -> bool:
    """Whether a text's public version tells a number of this family."""
    rows = [row for row in content.get("figures", ()) if _base(str(row["label"])) in FAMILIES[family]]
    return any(row.get("released") for row in rows) or (bool(rows) and family not in (content.get("told_in") or {}))


def told_in(mine: Iterable[Counted], others: Iterable[Counted]) -> dict[str, str]:
    """The families that another alert told first, with that alert."""
    known = sorted(others)
    found: dict[str, str] = {}
    for one in mine:
        for other in known:
            if other.alert != one.alert and one.meets(other):
                found.setdefault(one.family, other.alert)
    return found


def _base(label: str) -> str:
    return label.removesuffix(LEAST).removesuffix(MOST)
