"""How far back series must be judged, so that a check on one day and a back-test over a year nest signals alike.

In: the spells of rules that can lie beneath one another, the instant asked about. Out: the instant from which spells
matter. A signal that stands lies beneath what stood when it was first raised and held its records, though that may be
over by now; and that one beneath what stood before it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from ewarn.rules import episodes


@dataclass
class _Episode:
    """One episode's spells: from, to, records."""

    began: datetime
    spells: list[tuple[datetime, datetime, frozenset[str]]] = field(default_factory=list)

    def known(self, instant: datetime) -> frozenset[str]:
        """Records of the spells begun by an instant, where one of them stands at it; else none."""
        begun = [spell for spell in self.spells if spell[0] <= instant]
        if not any(end > instant for _, end, _ in begun):
            return frozenset()
        return frozenset().union(*(records for _, _, records in begun))


def needed_from(spells: pl.DataFrame, since: datetime) -> datetime:
    """The first instant of any episode that stands after `since`, or that such a one could lie beneath; not later."""
    every = _episodes(episodes.of(spells))
    return min((every[number].began for number in _reached(every, since)), default=since)


def reached(told: pl.DataFrame, since: datetime) -> set[int]:
    """The episodes that stand after `since`, or that such a one could lie beneath. In: spells with their episodes."""
    return _reached(_episodes(told), since)


def _reached(every: dict[int, _Episode], since: datetime) -> set[int]:
    holding: defaultdict[str, set[int]] = defaultdict(set)
    for number, episode in every.items():
        for _, _, records in episode.spells:
            for record in records:
                holding[record].add(number)
    left = [number for number, episode in every.items() if any(end > since for _, end, _ in episode.spells)]
    reached = set(left)
    while left:
        episode = every[left.pop()]
        near = set().union(*(holding[record] for record in episode.known(episode.began))) - reached
        above = {number for number in near if every[number].known(episode.began) & episode.known(episode.began)}
        reached |= above
        left += sorted(above)
    return reached


def _episodes(told: pl.DataFrame) -> dict[int, _Episode]:
    found: dict[int, _Episode] = {}
    columns = told.select("episode", "began", "fires_from", "fires_to", "records")
    for number, began, start, end, records in columns.iter_rows():
        found.setdefault(number, _Episode(began)).spells.append((start, end, frozenset(records)))
    return found
