"""How many persons a set of events can be: at least, and at most.

In: the events of one window as arrays. Out: fewest and most persons. Probable duplicates across streams are linked, not
merged: they lower the fewest and never the most. A cluster report is a running total that may contain listed events.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LINK_US = 30 * 60 * 1_000_000


@dataclass(frozen=True)
class Events:
    """Events of one stratum, one element per record version, sorted by `start`. Instants in microseconds UTC.

    `start` and `end` bound when it happened (equal where timed); `seen` and `gone` bound when this version was known;
    `day` is the London day of the reference date; codes are -1 where not stated.
    """

    record: NDArray[np.int64]
    day: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    seen: NDArray[np.int64]
    gone: NDArray[np.int64]
    persons: NDArray[np.float64]
    share: NDArray[np.float64]
    trigger: NDArray[np.bool_]
    cumulative: NDArray[np.bool_]
    certain: NDArray[np.bool_]
    fatal: NDArray[np.bool_]
    stream: NDArray[np.int64]
    organisation: NDArray[np.int64]
    setting: NDArray[np.int64]
    place: NDArray[np.int64]

    def at(self, index: NDArray[np.int64]) -> Events:
        return Events(**{name: getattr(self, name)[index] for name in self.__dataclass_fields__})

    def __len__(self) -> int:
        return int(self.start.size)


def bounds(events: Events, window: int) -> tuple[int, int]:
    """Fewest and most persons in these events, of which a report longer than the window counts its densest part."""
    listed = events.at(np.flatnonzero(~events.cumulative))
    most = int(listed.persons.sum())
    fewest = _listed(listed)
    if len(listed) == len(events):
        return fewest, most
    reports = events.at(np.flatnonzero(events.cumulative))
    totals = _in_window(reports, window)
    best = {r: int(reports.persons[reports.record == r].max()) for r in np.unique(reports.record)}
    return _with_reports(listed, reports, totals), most + sum(best.values())


def _in_window(reports: Events, window: int) -> NDArray[np.float64]:
    """Persons of each report that some window of this length must hold: all, or the mean over its days."""
    spans = np.maximum(1, np.ceil((reports.end - reports.start) / max(window, 86_400_000_000)))
    return np.ceil(reports.persons / spans)


def _with_reports(listed: Events, reports: Events, totals: NDArray[np.float64]) -> int:
    """Events outside every report, and each distinct report as the larger of its total and the events it may hold."""
    outside = np.ones(len(listed), dtype=bool)
    counted: list[int] = []
    persons = 0
    for i in np.argsort(-totals, kind="stable"):
        if any(_same_place(reports, int(i), reports, j) for j in counted):
            continue
        counted.append(int(i))
        inside = (listed.start <= reports.end[i]) & (listed.end >= reports.start[i])
        inside &= np.array([_same_place(reports, int(i), listed, j) for j in range(len(listed))], dtype=bool)
        persons += max(int(totals[i]), _listed(listed.at(np.flatnonzero(inside & outside))))
        outside &= ~inside
    return persons + _listed(listed.at(np.flatnonzero(outside)))


def _same_place(a: Events, i: int, b: Events, j: int) -> bool:
    """Nothing stated tells the two places apart."""
    pairs = ((a.place[i], b.place[j]), (a.setting[i], b.setting[j]))
    return all(x < 0 or y < 0 or x == y for x, y in pairs)


def _listed(events: Events) -> int:
    """Fewest persons in listed events: linked ones count once, as the one of them with most persons."""
    total = int(events.persons.sum())
    if len(events) < 2 or np.unique(events.stream[events.stream >= 0]).size < 2:
        return total
    same = _probably_same(events)
    linked = np.flatnonzero(same.any(axis=1))
    if not linked.size:
        return total
    groups: list[list[int]] = []
    for i in linked[np.lexsort((events.record[linked], events.start[linked]))]:
        home = next((g for g in groups if same[i, g].all()), None)
        if home is None:
            groups.append([int(i)])
        else:
            home.append(int(i))
    return total - int(events.persons[linked].sum()) + int(sum(events.persons[g].max() for g in groups))


def _probably_same(events: Events) -> NDArray[np.bool_]:
    """Pairs of another stream and another organisation, at about the same time, in places nothing tells apart."""
    same = _differ(events.stream) & _differ(events.organisation) & _agree(events.place) & _agree(events.setting)
    timed = events.start == events.end
    near = np.abs(events.start[:, None] - events.start[None, :]) <= LINK_US
    near &= timed[:, None] & timed[None, :]
    fatal = events.fatal[:, None] & events.fatal[None, :] & (events.day[:, None] == events.day[None, :])
    matrix: NDArray[np.bool_] = same & (near | fatal)
    return matrix


def _differ(codes: NDArray[np.int64]) -> NDArray[np.bool_]:
    stated = codes >= 0
    pairs: NDArray[np.bool_] = stated[:, None] & stated[None, :] & (codes[:, None] != codes[None, :])
    return pairs


def _agree(codes: NDArray[np.int64]) -> NDArray[np.bool_]:
    stated = codes >= 0
    pairs: NDArray[np.bool_] = ~stated[:, None] | ~stated[None, :] | (codes[:, None] == codes[None, :])
    return pairs
