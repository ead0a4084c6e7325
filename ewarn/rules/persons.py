"""The events of one stratum as arrays, and how many persons a window of them can be.

In: events of a stratum, what people said of pairs of records. Out: fewest and most persons in some of them at an
instant. How reports can be one, and what fewest and most mean, is `ewarn.matching.persons`: drafts count with it too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ewarn.matching import persons
from ewarn.matching.persons import DAY, NOTHING, Pairs, Reports, Said


@dataclass(frozen=True)
class Events(Reports):
    """Events of one stratum, one element per record version, sorted by `start`. Instants in microseconds UTC.

    `seen` and `gone` bound when this version was known; `day` is the London day of the reference date; `young` the
    instant after which nothing about it is news.
    """

    day: NDArray[np.int64]
    seen: NDArray[np.int64]
    gone: NDArray[np.int64]
    share: NDArray[np.float64]
    trigger: NDArray[np.bool_]
    certain: NDArray[np.bool_]
    young: NDArray[np.int64]


@dataclass(frozen=True)
class Judged:
    """What people said of pairs of records, each from one instant until it was said otherwise; records as codes."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    same: NDArray[np.bool_]
    start: NDArray[np.int64]
    end: NDArray[np.int64]

    @classmethod
    def of(cls, links: pl.DataFrame, code: Mapping[str, int]) -> Judged:
        """Links between records that have a code."""
        if links.is_empty() or not code:
            return NONE_SAID
        inside = links.filter(pl.col("left").is_in(list(code)) & pl.col("right").is_in(list(code)))
        one, two = (np.array([code[r] for r in inside[side]], dtype=np.int64) for side in ("left", "right"))
        return cls(
            np.minimum(one, two),
            np.maximum(one, two),
            (inside["state"] == "confirmed").to_numpy(),
            inside["visible_from"].dt.epoch("us").to_numpy(),
            inside["visible_to"].dt.epoch("us").to_numpy(),
        )

    def at(self, tau: int) -> Said:
        """What stood at an instant."""
        if not self.left.size:
            return NOTHING
        now = (self.start <= tau) & (self.end > tau)
        told = [
            frozenset(zip(self.left[now & is_so].tolist(), self.right[now & is_so].tolist(), strict=True))
            for is_so in (self.same, ~self.same)
        ]
        return Said(*told)

    def changes(self, records: NDArray[np.int64]) -> NDArray[np.int64]:
        """Instants at which something was said of two of these records."""
        if not self.left.size:
            return self.start
        about = np.isin(self.left, records) & np.isin(self.right, records)
        return np.unique(np.concatenate([self.start[about], self.end[about]]))


_NOBODY = np.zeros(0, dtype=np.int64)
NONE_SAID = Judged(_NOBODY, _NOBODY, np.zeros(0, dtype=np.bool_), _NOBODY, _NOBODY)


@dataclass(frozen=True)
class Crowd:
    """The events of one stratum with their pairs, and what people said of them."""

    events: Events
    judged: Judged

    @cached_property
    def pairs(self) -> Pairs:
        return persons.pairs(self.events)

    @cached_property
    def simple(self) -> bool:
        """Nothing in it can be told twice: each event counts once."""
        events = self.events
        return not (self.pairs.left.size or events.cumulative.any() or self.judged.left.size)

    def told(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Events of which something was said while they were known and young, and when: they may be more."""
        judged, rows = self.judged, self.events
        found = [
            (int(i), int(when))
            for one, two, *instants in zip(judged.left, judged.right, judged.start, judged.end, strict=True)
            for when in instants
            for i in np.flatnonzero(
                ((rows.record == one) | (rows.record == two))
                & (rows.seen < when) & (rows.gone > when) & (rows.young > when)
            )
        ]  # fmt: skip
        told = np.array(sorted(set(found)), dtype=np.int64).reshape(-1, 2)
        return told[:, 0], told[:, 1]

    @cached_property
    def shown(self) -> Pairs:
        """The pairs with something to show for it."""
        return persons.shown(self.events, self.pairs)

    def likely(self, members: NDArray[np.int64], window: int, tau: int) -> int:
        """Persons, if two reports are one only where something shows it. Between the fewest and the most."""
        return self._bounds(self.shown, members, window, tau)[0]

    def bounds(self, members: NDArray[np.int64], window: int, tau: int) -> tuple[int, int]:
        """Fewest and most persons; of a report longer than the window, the fewest count its densest part."""
        return self._bounds(self.pairs, members, window, tau)

    def _bounds(self, pairs: Pairs, members: NDArray[np.int64], window: int, tau: int) -> tuple[int, int]:
        if self.simple:
            total = int(self.events.persons[members].sum())
            return total, total
        chosen = self.events.at(members)
        spans = np.maximum(1, np.ceil((chosen.end - chosen.start) / max(window, DAY)))
        weights = np.where(chosen.cumulative, np.ceil(chosen.persons / spans), chosen.persons)
        return persons.bounds(self.events, pairs, members, weights, self.judged.at(tau))


def told_of(people: pl.DataFrame) -> Callable[[str, datetime], float]:
    """How many persons a record told of at an instant, from the versions of reports; any other record is one."""
    found: dict[str, list[tuple[datetime, float]]] = {}
    columns = people.select("record_id", "visible_from", "persons").sort("record_id", "visible_from")
    for record, since, number in columns.iter_rows():
        found.setdefault(record, []).append((since, float(number)))

    def at(record: str, instant: datetime) -> float:
        seen = [number for since, number in found.get(record, ()) if since <= instant]
        return seen[-1] if seen else 1.0

    return at
