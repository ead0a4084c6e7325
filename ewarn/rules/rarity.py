"""How unlikely a signal of single records is, and how often its rule brings one.

In: a rule's spells and the ground. Out: the same spells with expected, p-value, signals a year and words for them.
Where there is nothing to compare with there is no number. It must never take a signal away.

A first detection is held against the rest of its tier: had the area held the drug as often as the others did in the
twelve months before, `tested x (found + 1/2) / (tested elsewhere + 1)` would be expected in it (the half is Jeffreys'
prior of a share), the chance of any is 1 - exp(-expected), and an area with a mean of m a year has m exp(-m) firsts a
year: events with none in the year before (Poisson). For other rules the rule's own last twelve months say how often.
Source: Brown, Cai and DasGupta 2001, Statistical Science 16:101-133, section 4 (Jeffreys); Poisson process, elementary.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ewarn.catalogue.definitions import RuleDefinition
from ewarn.methods.chance import in_words
from ewarn.rules.prepare import SUBJECT, VERSION, Ground, known, london_day, number, place, plural, watched, words
from ewarn.terms import RecordKind
from ewarn.terms import london_day as as_london_day

YEAR = 365
LEAST_HISTORY = 90
LEAST_ELSEWHERE = 30
TOO_FEW = "Too few records elsewhere to say how unlikely a first is."
NO_CHANCE = "No chance is reckoned: this is no count."
COUNTED = ("first", "missold", "notice", "unknown_name", "batch", "potency")
FILLED = ("expected", "p_value", "by_chance_per_year", "why")
Days = NDArray[np.int32]


class Likelihood(NamedTuple):
    expected: float
    p_value: float
    firsts_per_year: float
    said: str


def told(rule: RuleDefinition, spells: pl.DataFrame, ground: Ground, since: datetime) -> pl.DataFrame:
    """The rule's spells; those that stand after `since` with how unlikely each is and how often such come. Those of
    other methods as they are."""
    stands = spells["fires_to"] > since
    if rule.method not in COUNTED or not stands.any():
        return spells
    standing, over = spells.filter(stands), spells.filter(~stands)
    likely = _Firsts(rule, ground).of if rule.method == "first" else lambda row: None
    said = zip(standing.iter_rows(named=True), _often(rule, standing, spells, ground), strict=True)
    unknown = TOO_FEW if rule.method == "first" else NO_CHANCE
    rows = [_filled(row, likely(row), *often, unknown) for row, often in said]
    filled = standing.with_columns(
        pl.Series(name, [row[name] for row in rows], dtype=spells.schema[name]) for name in FILLED
    )
    return pl.concat([over, filled])


def _filled(
    row: dict[str, Any], likely: Likelihood | None, rate: float | None, often: str, unknown: str
) -> dict[str, Any]:
    if likely is None:
        own, alone = row["by_chance_per_year"], "" if row["p_value"] is not None else unknown
        said = " ".join(filter(None, [row["why"], alone, often]))
        return row | {"by_chance_per_year": rate if own is None else own, "why": said}
    return row | {
        "expected": round(likely.expected, 4),
        "p_value": likely.p_value,
        "by_chance_per_year": likely.firsts_per_year,
        "why": f"{row['why']} {likely.said}",
    }


def _often(
    rule: RuleDefinition, asked: pl.DataFrame, spells: pl.DataFrame, ground: Ground
) -> list[tuple[float | None, str]]:
    """Signals a year of this rule, tier and kind of subject in the twelve months before each spell asked of, and
    words. In: the spells asked of and every one of the rule."""
    kinds = {RecordKind.NOTICE} if rule.method == "notice" else set(rule.kinds)
    start = min((ground.first_visible[k] for k in kinds if k in ground.first_visible), default=None)
    rows = asked.with_row_index("row").with_columns(day=london_day("fires_from"))
    alike = ["subject_kind", "tier"]
    raised = spells.select(*alike, "subject", "area", "fires_from", day=london_day("fires_from")).unique()
    found: list[tuple[float | None, str]] = [(None, "")] * rows.height
    for key, group in rows.group_by(alike):
        of_kind = pl.all_horizontal(pl.col(name) == value for name, value in zip(alike, key, strict=True))
        days = np.sort(raised.filter(of_kind)["day"].to_physical().to_numpy())
        for row, day in group.select("row", "day").iter_rows():
            found[row] = _rate(days, day, start)
    return found


def _rate(days: Days, day: date, start: date | None) -> tuple[float | None, str]:
    length = min((day - start).days, YEAR) if start else 0
    if length < LEAST_HISTORY:
        return None, f"How often such come is not known before {LEAST_HISTORY} days of history."
    before = _within(days, day, length)
    period = "12 months" if length == YEAR else f"{length} days"
    rate = before * 365.25 / length
    yearly = "" if length == YEAR else f", {in_words(rate)}"
    raised = plural(before, "such signal")
    return rate, f"This rule raised {raised} in the {period} before{yearly}, real ones among them."


def _within(days: Days, day: date, length: int = YEAR) -> int:
    """How many of sorted days lie in the so many days before a day, which is not counted."""
    at = (day - date(1970, 1, 1)).days
    low, high = np.searchsorted(days, [at - length, at], side="left")
    return int(high - low)


class _Firsts:
    """What first detections are held against: records tested and found, by area, as they became known."""

    def __init__(self, rule: RuleDefinition, ground: Ground) -> None:
        self.ground, self.back = ground, int(number(rule, "back_days", YEAR))
        self.by = {"form": "form", "sold_as": "sold_as_subject"}.get(words(rule, "by", "none"))
        kinds = [k.value for k in rule.kinds]
        tested = ground.of_kinds(kinds).select(*VERSION, "visible_from", "visible_to", "day")
        placed = tested.join(ground.named, on=VERSION)
        self.tested = _by_area(known(placed, ["record_id", "area", "tier"]), ["tier"])
        found = watched(rule, ground).with_columns(by=pl.col(self.by) if self.by else pl.lit(""))
        found = found.select(*VERSION, *SUBJECT, "by", "visible_from", "visible_to", "day").join(
            ground.named, on=VERSION
        )
        self.found = _by_area(known(found, ["record_id", *SUBJECT, "by", "area", "tier"]), ["tier", *SUBJECT, "by"])
        self.sums: dict[str, _Sums] = {}
        self.numbers = cache(self._numbers)

    def _numbers(self, tier: str, day: date) -> dict[str, int]:
        """Area -> records tested there in the time before."""
        areas = self.tested.get((tier,), {})
        if tier not in self.sums:
            self.sums[tier] = _Sums(list(areas.values()))
        return dict(zip(areas, self.sums[tier].within(day, self.back), strict=True))

    def of(self, row: dict[str, Any]) -> Likelihood | None:
        """How unlikely a first in this area is by what the rest of its tier holds; None where there is no rest."""
        day = as_london_day(row["fires_from"])
        tested = self.numbers(row["tier"], day)
        here = tested.get(row["area"], 0)
        elsewhere = sum(tested.values()) - here
        if elsewhere < LEAST_ELSEWHERE:
            return None
        key = (row["tier"], row["subject_kind"], row["subject"], row["strand"] or "")
        held = {area: _within(days, day, self.back) for area, days in self.found.get(key, {}).items()}
        found = sum(held.values()) - held.get(row["area"], 0)
        share = (found + 0.5) / (elsewhere + 1)
        means = share * np.array(list(tested.values())) * 365.25 / self.back
        firsts = float((means * np.exp(-means)).sum())
        expected = share * here
        p_value = float(-np.expm1(-expected))
        return Likelihood(
            expected, p_value, firsts, self._words(row, here, elsewhere, found, expected, p_value, firsts)
        )

    def _words(
        self, row: dict[str, Any], here: int, elsewhere: int, found: int, expected: float, p_value: float, firsts: float
    ) -> str:
        area = place(self.ground.catalogue, row["area"])
        chance = f", chance of any about 1 in {1 / p_value:,.0f}" if p_value else ""
        return (
            f"Elsewhere {found:,} of {plural_records(elsewhere)} known in the year before held it; at that rate "
            f"{expected:.2g} would be expected among the {here:,} of {area}{chance}. By chance such a first comes "
            f"{in_words(firsts)}."
        )


class _Sums:
    """Of several sorted lists of days, how many lie in any stretch of days."""

    def __init__(self, lists: list[Days]) -> None:
        days = np.concatenate(lists) if lists else np.zeros(0, dtype=np.int32)
        self.first = int(days.min()) if days.size else 0
        self.length = int(days.max()) - self.first + 1 if days.size else 1
        counts = np.zeros((len(lists), self.length + 1), dtype=np.int32)
        for row, mine in enumerate(lists):
            np.add.at(counts[row], mine - self.first + 1, 1)
        self.before = counts.cumsum(axis=1)

    def within(self, day: date, length: int) -> list[int]:
        """For each list, how many lie in the so many days before a day, which is not counted."""
        at = (day - date(1970, 1, 1)).days - self.first
        low, high = (min(max(place, 0), self.length) for place in (at - length, at))
        found: list[int] = (self.before[:, high] - self.before[:, low]).tolist()
        return found


def plural_records(count: int) -> str:
    return f"{count:,} record{'' if count == 1 else 's'}"


def _by_area(rows: pl.DataFrame, key: list[str]) -> dict[tuple[Any, ...], dict[str, Days]]:
    """Key -> area -> sorted days on which its records became known."""
    found: dict[tuple[Any, ...], dict[str, Days]] = {}
    grouped = rows.group_by(*key, "area").agg(pl.col("day").sort().to_physical()).sort(*key, "area")
    for *parts, area, days in grouped.iter_rows():
        found.setdefault(tuple(parts), {})[area] = np.array(days, dtype=np.int32)
    return found
