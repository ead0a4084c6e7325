"""How many records by week, area and subject, out of `compact`: the numbers that the desk's pages and counts show.

In: the compact records, what is asked. Out: numbers. They are those that a query over every record gives (`periods`
for counts as known at another instant), in a hundredth of its time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from threading import Lock

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ewarn.store.compact import KINDS, Block, Compact, Mask, Row
from ewarn.store.periods import FOUND, MONDAY, Asked, Known, starts
from ewarn.terms import UK

_EPOCH = date(1970, 1, 1)
_ROLES = frozenset(role.value for role in FOUND)
Subject = tuple[str, str]


class Reading:
    """What each set counts for by one content: the area a record is named for in a tier, and its subjects."""

    def __init__(self, areas: pl.DataFrame, substances: pl.DataFrame, known: Compact) -> None:
        self._areas = {
            code: (tier, parent) for code, tier, parent in areas.select("code", "tier", "parent").iter_rows()
        }
        of = substances.select("substance", "class_id", "counts").iter_rows()
        self._class_of = {substance: class_id if counts is not False else None for substance, class_id, counts in of}
        self._found, self._place = known.found, known.places
        self._places = self._founds = 0
        self._named: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        self._pairs: tuple[list[int], list[int]] = ([], [])
        self.subjects: dict[Subject, int] = {}
        self._reading = Lock()

    def reads(self, known: Compact) -> bool:
        """Whether the numbers of its sets are those of these records."""
        return self._found is known.found and self._place is known.places

    def brought_up(self) -> Reading:
        """The same with the sets that came since."""
        with self._reading:
            for number in range(self._places, len(self._place.rows)):
                for name in self._named_for(self._place.rows[number]):
                    self._named[name].append(number)
                self._places = number + 1
            for number in range(self._founds, len(self._found.rows)):
                for subject in self._subjects_of(self._found.rows[number]):
                    self._pairs[0].append(number)
                    self._pairs[1].append(self.subjects.setdefault(subject, len(self.subjects)))
                self._founds = number + 1
        return self

    def named(self, known: Compact, tiers: Sequence[str], area: str | None = None) -> Mask:
        """By number of the place set, whether it is named for an area, or for any, in any of the tiers."""
        wanted = [name for name in tuple(self._named) if name[0] in tiers and area in (None, name[1])]
        found = np.zeros(len(known.places.rows), dtype=bool)
        for name in wanted:
            numbers = np.array(self._named[name], dtype=np.int64)
            found[numbers[numbers < len(found)]] = True
        return found

    def areas_of(self, places: Mask, tiers: Sequence[str]) -> set[str]:
        """The areas that any of these place sets is named for."""
        return {area for (tier, area), numbers in tuple(self._named.items()) if tier in tiers
                and places[[n for n in numbers if n < len(places)]].any()}  # fmt: skip

    def pairs(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Sets and the subjects each counts for, by number, sorted by set."""
        size = min(len(self._pairs[0]), len(self._pairs[1]))
        return np.array(self._pairs[0][:size], dtype=np.int64), np.array(self._pairs[1][:size], dtype=np.int64)

    def _named_for(self, rows: Sequence[Row]) -> Iterator[tuple[str, str]]:
        """Tier and area: the likeliest borough and its region, else the likeliest region, and the whole."""
        if any(precision == "outside the UK" for _, _, precision in rows):
            return
        yield "uk", UK
        shares: dict[str, defaultdict[str, float]] = {"borough": defaultdict(float), "region": defaultdict(float)}
        for area, share, _ in rows:
            tier, parent = self._areas.get(area, ("", None))
            share = 1.0 if share is None else share
            if share <= 0 or not tier:
                continue
            if tier == "borough":
                shares["borough"][area] += share
            region = {"region": area, "borough": parent}.get(tier)
            if region is not None:
                shares["region"][region] += share
        likely = {tier: _likeliest(of) for tier, of in shares.items() if of}
        if "borough" in likely:
            yield "borough", likely["borough"]
            parent = self._areas[likely["borough"]][1]
            if parent is not None:
                yield "region", parent
        elif "region" in likely:
            yield "region", likely["region"]

    def _subjects_of(self, rows: Sequence[Row]) -> set[Subject]:
        found: set[Subject] = set()
        for role, kind, subject, class_id in rows:
            if role not in _ROLES:
                continue
            of = {"class": subject, "substance": self._class_of.get(subject), "queued": class_id}.get(kind)
            found |= {("class", of)} if of is not None else set()
            found |= {("substance", subject)} if kind == "substance" and subject is not None else set()
        return found


def _likeliest(shares: dict[str, float]) -> str:
    return min(shares, key=lambda area: (-round(shares[area], 9), area))


def weekly(
    known: Compact, kinds: Sequence[str], subjects: Sequence[str], areas: Sequence[str], first: date
) -> dict[date, int]:
    """Monday -> records of those kinds whose reference date lies in that week, that could be in any of the areas, and
    in which any of the subjects was found (no subjects: whatever was found). Weeks without one are absent."""
    there, weeks = known.places.having(areas), []
    for block, rows in _chosen(known, kinds, subjects, first, date.max):
        days = block.day[rows[there[block.place[rows]]]]
        weeks.append(days - (days + 3) % 7)  # the first day of all was a Thursday
    numbers, counts = np.unique(np.concatenate(weeks), return_counts=True)
    return {_EPOCH + timedelta(days=day): n for day, n in zip(numbers.tolist(), counts.tolist(), strict=True)}


def by_area(known: Compact, kinds: Sequence[str], subjects: Sequence[str], first: date, last: date) -> dict[str, int]:
    """Area -> records of those kinds with a reference date in those days that could be in it."""
    counts = np.zeros(len(known.places.rows), dtype=np.int64)
    for block, rows in _chosen(known, kinds, subjects, first, last):
        counts += np.bincount(block.place[rows], minlength=len(counts))
    found: defaultdict[str, int] = defaultdict(int)
    for number in np.flatnonzero(counts).tolist():
        for area in {area for area, share, _ in known.places.rows[number] if (share or 0) > 0}:
            found[area] += int(counts[number])
    return dict(found)


def of_area(
    known: Compact, reading: Reading, asked: Asked, area: str, first: date, last: date, period_days: int
) -> tuple[dict[tuple[str, str, date], int], dict[date, int]]:
    """What `periods.of_area` says, as known now."""
    calendar = starts(first, last, period_days)
    there, sets = reading.named(known, asked.tiers, area), len(known.found.rows)
    cells = []
    for block, rows in _chosen(known, asked.kinds, (), calendar[0], calendar[-1] + timedelta(days=period_days - 1)):
        rows = rows[there[block.place[rows]]]
        period = (block.day[rows].astype(np.int64) - (MONDAY - _EPOCH).days) // period_days
        cells.append((period - (calendar[0] - MONDAY).days // period_days) * sets + block.found[rows])
    cell, count = np.unique(np.concatenate(cells), return_counts=True)
    period = cell // sets
    total = np.bincount(period, count, len(calendar)).astype(np.int64).tolist()
    found = _by_subject(reading, asked, cell % sets, period, count, len(calendar))
    told = {(*subject, calendar[at]): n for (subject, at), n in found.items()}
    return told, {day: n for day, n in zip(calendar, total, strict=True) if n}


def _by_subject(
    reading: Reading, asked: Asked, sets: NDArray[np.int64], period: NDArray[np.int64], count: NDArray[np.int64],
    periods: int,
) -> dict[tuple[Subject, int], int]:  # fmt: skip
    """Counts of sets in periods, as counts of the subjects they are about."""
    if asked.subjects is None:
        total = np.bincount(period, count, periods).astype(np.int64).tolist()
        return {(("none", ""), at): n for at, n in enumerate(total) if n}
    of, subject = reading.pairs()
    start, end = np.searchsorted(of, sets), np.searchsorted(of, sets, side="right")
    repeats = end - start
    at = np.repeat(np.arange(len(sets)), repeats)
    place = np.arange(len(at)) - np.repeat(np.cumsum(repeats) - repeats, repeats) + start[at]
    cells, back = np.unique(subject[place] * periods + period[at], return_inverse=True)
    totals = np.bincount(back, count[at], len(cells)).astype(np.int64).tolist()
    names, wanted = list(reading.subjects), set(asked.subjects)
    told = ((names[cell // periods], cell % periods, n) for cell, n in zip(cells.tolist(), totals, strict=True))
    return {(name, at): n for name, at, n in told if name[1] in wanted}


def known_at_all(known: Compact, reading: Reading, asked: Asked) -> Known:
    """What `periods.known` says, as known now."""
    subjects: set[tuple[str, str, str]] = set()
    areas: set[str] = set()
    of, subject = reading.pairs()
    names, wanted = list(reading.subjects), None if asked.subjects is None else set(asked.subjects)
    chosen = [(block, rows) for block, rows in _chosen(known, asked.kinds, (), None, None)]
    for tier in asked.tiers:
        there = reading.named(known, [tier])
        found, places = np.zeros(len(known.found.rows), dtype=bool), np.zeros(len(there), dtype=bool)
        for block, rows in chosen:
            rows = rows[there[block.place[rows]]]
            found[block.found[rows]] = True
            places[block.place[rows]] = True
        areas |= reading.areas_of(places, [tier])
        if wanted is None:
            subjects |= {("none", "", tier)} if found.any() else set()
            continue
        seen = {names[number] for number in np.unique(subject[of < len(found)][found[of[of < len(found)]]]).tolist()}
        subjects |= {(kind, name, tier) for kind, name in seen if name in wanted}
    told = frozenset(source for source, kind in known.sources if kind in asked.kinds)
    return Known(frozenset(subjects), frozenset(areas), told)


def _chosen(
    known: Compact, kinds: Sequence[str], subjects: Sequence[str], first: date | None, last: date | None
) -> Iterator[tuple[Block, NDArray[np.int64]]]:
    """By block, the places of current records of these kinds and days with any of the subjects; no days: all."""
    about = known.found.having(subjects) if subjects else None
    wanted = [KINDS.index(kind) for kind in kinds]
    for block in known.blocks:
        stands = block.stands if about is None else block.stands & about[block.found]
        rows = np.flatnonzero(stands)
        if first is not None and last is not None:
            day = block.day[rows]
            rows = rows[(day >= (first - _EPOCH).days) & (day <= (last - _EPOCH).days)]
        yield block, rows[np.isin(block.kind[rows], wanted)]
