"""Which windows of a stratum's events fire, and while when: at least n persons, and unlikely where a history says so.

In: a crowd (the events of one stratum, sorted by start) and a rule's numbers. Out: firings. A window is looked at when
one of its events becomes known, or is told apart from another. Windows that cannot hold enough, or cannot be unlikely
enough, by sums alone are left out before persons are counted; that never changes what fires.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ewarn.methods.tails import upper_tail
from ewarn.rules import baseline
from ewarn.rules.baseline import DAY_US, Expectation
from ewarn.rules.persons import Crowd, Events

WEEK_US = 7 * DAY_US
YEAR_US = 365.25 * DAY_US

ACUTE = 4 * DAY_US


@dataclass(frozen=True)
class Plan:
    """A window rule's numbers. Lengths in microseconds; `strata` when each stratum first had an event, ascending."""

    n: int
    window: int
    stands: int
    alpha: float
    min_history: int
    max_history: int
    scope: str
    by_records: bool
    known_at: NDArray[np.int64] = field(repr=False)
    earliest: NDArray[np.int64] = field(repr=False)
    strata: NDArray[np.int64] = field(repr=False)

    def held(self, crowd: Crowd, members: NDArray[np.int64], tau: int) -> int:
        """What is held against the minimum: the fewest; in a window of a few days the likely persons, as a
        warning must not wait because two services left out the time."""
        acute = self.window <= ACUTE and not self.by_records
        return crowd.likely(members, self.window, tau) if acute else crowd.bounds(members, self.window, tau)[0]

    def by_chance(self, firing: Firing) -> float | None:
        """Windows with as many that begin with an event, in a year of all strata known by then, if each had this mean:
        events a year times the chance that as many more but one follow within the window. Exact for a Poisson; of
        windows that overlap each counts, so it is an upper figure. None without a history."""
        if firing.expectation is None:
            return None
        events_a_year = firing.expectation.mean * YEAR_US / self.window
        strata = int(np.searchsorted(self.strata, firing.fires_from, side="right"))
        return strata * events_a_year * firing.expectation.tail(firing.likely - 1)

    def history_start(self, tau: int) -> int | None:
        """The earliest date of a line of the kind known at an instant."""
        at = int(np.searchsorted(self.known_at, tau, side="right")) - 1
        return int(self.earliest[at]) if at >= 0 else None


@dataclass(frozen=True)
class Firing:
    """One window that holds enough, while it does: [fires_from, fires_to) in known time."""

    fires_from: int
    fires_to: int
    members: NDArray[np.int64]
    fewest: int
    most: int
    likely: int
    expectation: Expectation | None


def firings(crowd: Crowd, plan: Plan, earliest: int) -> Iterator[Firing]:
    """Every window that some event, becoming known or told apart from another, fills; one per instant and records.

    Only what became known at `earliest` or later is looked at.
    """
    rows = crowd.events
    longest = int((rows.end - rows.start).max())
    low = np.searchsorted(rows.start, rows.start - plan.window - longest, side="left")
    high = np.searchsorted(rows.start, rows.end + plan.window, side="right")
    total = np.concatenate([[0.0], np.cumsum(rows.persons)])
    enough = total[high] - total[low] >= plan.n
    known = np.flatnonzero(rows.trigger & enough & (rows.seen >= earliest))
    told, when = crowd.told()
    late = enough[told] & (when >= earliest)
    candidates = np.concatenate([known, told[late]])
    instants = np.concatenate([rows.seen[known], when[late]])
    if not candidates.size:
        return
    could = _could(rows, candidates, instants, plan)
    candidates, instants = candidates[could], instants[could]
    seen: set[tuple[int, bytes]] = set()
    news = np.stack([instants, rows.start[candidates], rows.end[candidates]], axis=1)
    _, alone = np.unique(news, axis=0, return_index=True)
    for i, tau in zip(candidates[alone].tolist(), instants[alone].tolist(), strict=True):
        near = np.arange(low[i], high[i])
        visible = (rows.seen[near] <= tau) & (rows.gone[near] > tau)
        members, left = _best(crowd, near[visible], i, tau, plan)
        key = (tau, members.tobytes())
        if key in seen or not members.size:
            continue
        seen.add(key)
        expectation = None
        if plan.held(crowd, members, tau) >= plan.n:
            expectation = _expectation(rows, members, left, tau, plan)
            yield from _while_it_holds(crowd, members, left, tau, expectation, plan)


def _could(rows: Events, candidates: NDArray[np.int64], instants: NDArray[np.int64], plan: Plan) -> NDArray[np.bool_]:
    """Whether a window with this event could fire at that instant, by sums alone: all that is here is taken as known
    and as different persons, and the history as thin as it can have been."""
    if not candidates.size:
        return np.zeros(0, dtype=np.bool_)
    sums = _sums(rows, plan)
    most = _most(rows, sums, candidates, plan)
    could: NDArray[np.bool_] = most >= plan.n
    if plan.alpha >= 1:
        return could
    at = np.flatnonzero(could)
    least = _least_mean(rows, candidates[at], instants[at], plan)
    # Windows of the history hold no more than the fullest window, so that the variance cannot be more than this times
    # the mean. Between the two the tail first rises and then falls: it is nowhere below both ends.
    widest = max(1.0, 8 / 7 * float(sums.max()))
    with np.errstate(invalid="ignore"):
        tails = [upper_tail(most[at], least, ratio) for ratio in (1.0, widest)]
        could[at] = ~(np.minimum(*tails) > plan.alpha)
    return could


def _sums(rows: Events, plan: Plan) -> NDArray[np.float64]:
    """Per event end, ascending: persons of all events that reach into the window which begins there."""
    ends = np.sort(rows.end)
    begun = np.concatenate([[0.0], np.cumsum(rows.persons)])
    over = np.concatenate([[0.0], np.cumsum(rows.persons[np.argsort(rows.end, kind="stable")])])
    inside = np.searchsorted(rows.start, ends + plan.window, side="right")
    return np.asarray(begun[inside] - over[np.searchsorted(ends, ends, side="left")])


def _most(rows: Events, sums: NDArray[np.float64], candidates: NDArray[np.int64], plan: Plan) -> NDArray[np.float64]:
    """The fullest window that an event could lie in."""
    ends = np.sort(rows.end)
    low = np.searchsorted(ends, rows.start[candidates] - plan.window, side="left")
    high = np.searchsorted(ends, rows.end[candidates], side="right")
    edges = np.stack([low, high], axis=1).ravel()
    return np.asarray(np.maximum.reduceat(np.append(sums, 0.0), edges)[::2])


def _least_mean(
    rows: Events, candidates: NDArray[np.int64], instants: NDArray[np.int64], plan: Plan
) -> NDArray[np.float64]:
    """A mean that no window with this event is expected to fall below; NaN where its history may be too short.

    Counts what was known for good a week or less before the instant, in the days that every such history holds; and of
    that the part which stays where no stretch of the history counts as more than one person too few.
    """
    many = np.concatenate([[0.0], np.cumsum(rows.persons)])
    stretch = np.searchsorted(rows.start, rows.start + plan.window + DAY_US, side="right")
    stays = min(1.0, (plan.n - 1) / float((many[stretch] - many[np.arange(rows.start.size)]).max()))
    first, last = rows.start[candidates] - plan.window, rows.end[candidates]
    apart = first - int((rows.end - rows.start).max())  # what begins before is over before any of these windows begins
    known = np.searchsorted(plan.known_at, instants, side="right") - 1
    begin = np.where(known >= 0, plan.earliest[np.maximum(known, 0)], np.iinfo(np.int64).max // 2)
    enough = first - begin >= plan.min_history
    since = np.maximum(begin, last - plan.max_history)
    length = np.minimum(plan.max_history, last - begin)
    low, high = np.searchsorted(rows.start, since), np.searchsorted(rows.start, apart)
    found = np.full(candidates.size, np.nan)
    week = instants // WEEK_US
    lasting = rows.gone >= rows.gone.max()
    for number in np.unique(week[enough]).tolist():
        mine = np.flatnonzero(enough & (week == number))
        sure = np.where(lasting & (rows.seen <= number * WEEK_US) & (rows.gone > instants[mine].max()), rows.persons, 0)
        total = np.concatenate([[0.0], np.cumsum(sure)])
        held = np.maximum(0.0, total[np.maximum(high[mine], low[mine])] - total[low[mine]])
        found[mine] = (stays * held + 0.5) * plan.window / length[mine]
    return found


def _best(crowd: Crowd, near: NDArray[np.int64], i: int, tau: int, plan: Plan) -> tuple[NDArray[np.int64], int]:
    """The window that event i could lie in with the most likely persons, and its start.

    Of equals the one with most in it, then the earliest.
    """
    rows = crowd.events
    near = near[(rows.end[near] >= rows.start[i] - plan.window) & (rows.start[near] <= rows.end[i] + plan.window)]
    starts = np.unique(rows.end[near])
    starts = starts[(starts <= rows.end[i]) & (starts >= rows.start[i] - plan.window)]
    weights = rows.persons[near]
    by_end = np.argsort(rows.end[near], kind="stable")
    begun = np.concatenate([[0.0], np.cumsum(weights)])[
        np.searchsorted(rows.start[near], starts + plan.window, side="right")
    ]
    over = np.concatenate([[0.0], np.cumsum(weights[by_end])])[
        np.searchsorted(rows.end[near][by_end], starts, side="left")
    ]
    sums = begun - over
    left = int(starts[int(np.argmax(sums))])
    if not crowd.simple:
        best = -1
        for at in np.argsort(-sums, kind="stable"):
            if sums[at] <= best:
                break
            held = plan.held(crowd, _inside(rows, near, int(starts[at]), plan), tau)
            if held > best:
                best, left = held, int(starts[at])
    return _inside(rows, near, left, plan), left


def _inside(rows: Events, near: NDArray[np.int64], left: int, plan: Plan) -> NDArray[np.int64]:
    return near[(rows.end[near] >= left) & (rows.start[near] <= left + plan.window)]


def _expectation(rows: Events, members: NDArray[np.int64], left: int, tau: int, plan: Plan) -> Expectation | None:
    """What the stratum's own history before the window leads one to expect; None where it is too short.

    What lies in the window is no history of it, though a row with a day alone, or a report of some days, begins before
    the window does: a running total of many would make what it tells of look usual.
    """
    start = plan.history_start(tau)
    if start is None or left - start < plan.min_history:
        return None
    start = max(start, left - plan.max_history)
    low, high = np.searchsorted(rows.start, [start, left])
    before = np.arange(low, high)
    before = before[(rows.seen[before] <= tau) & (rows.gone[before] > tau)]
    before = np.setdiff1d(before, members)
    spread = float((rows.end[before] - rows.start[before]).mean()) if before.size else 0.0
    return baseline.from_history(
        rows.start[before], rows.persons[before], start, left, plan.window + min(spread, DAY_US), plan.n - 1
    )


def _while_it_holds(
    crowd: Crowd,
    members: NDArray[np.int64],
    left: int,
    tau: int,
    expectation: Expectation | None,
    plan: Plan,
) -> Iterator[Firing]:
    """The window's firing, in pieces where a correction changes what it holds, until it holds too little."""
    rows = crowd.events
    records = np.unique(rows.record[members])
    last = tau + plan.stands
    changes = np.concatenate([rows.gone[members], crowd.judged.changes(records)])
    changes = np.unique(changes[changes < last])
    while True:
        likely = plan.held(crowd, members, tau)
        unlikely = expectation is None or expectation.tail(likely) <= plan.alpha
        if likely < plan.n or not unlikely:
            return
        changes = changes[changes > tau]
        end = int(changes[0]) if changes.size else last
        yield Firing(tau, end, members, *crowd.bounds(members, plan.window, tau), likely, expectation)
        if end >= last:
            return
        tau = end
        again = np.flatnonzero(np.isin(rows.record, records) & (rows.seen <= tau) & (rows.gone > tau))
        members = _inside(rows, again, left, plan)
        changes = np.unique(np.concatenate([changes, rows.gone[members][rows.gone[members] < last]]))
