"""Every record in a few bytes (`store.compact`), kept up for as long as this process answers; pages count from it.

In: a house, a connection to a published copy, `now`. Out: the records of that copy or of a later one. A few rows more
are read by whoever asks first; a large landing is read by a thread, and meanwhile the records of before are answered.
Writes nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from contextlib import suppress
from datetime import date, datetime
from threading import Lock, Thread
from typing import Any, NamedTuple

from ewarn.pipeline import held
from ewarn.pipeline.house import House
from ewarn.store import compact, published, tallies
from ewarn.store.compact import Compact
from ewarn.store.periods import Asked, Known

AT_ONCE = 20_000
CONTENTS = 2


class _At(NamedTuple):
    """The records as of one copy: its number, and what changes when records are added."""

    known: Compact
    number: int
    state: tuple[int, ...]


class _Home:
    """One home's records, and how its content counts them."""

    def __init__(self) -> None:
        self.at: _At | None = None
        self.making = Lock()
        self.readings: OrderedDict[str, tallies.Reading] = OrderedDict()

    def current(self, con: Any, now: datetime) -> Compact | None:
        """What was read, where that is the copy's, or a later one's."""
        at = self.at
        if at is None or not at.known.holds(now):
            return None
        number = published.number(con)
        if number > at.number:
            if compact.state(con) != at.state:
                return None
            self.at = at._replace(number=number)
        return at.known

    def brought_up(self, con: Any, now: datetime) -> Compact:
        with self.making:
            known = self.current(con, now)
            if known is None:
                known = compact.brought_up(self.at.known if self.at else Compact(), con, now)
                self.at = _At(known, published.number(con), compact.state(con))
            return known


_HOMES = held.ForEachHome(_Home)
_LOCK = Lock()


def of(house: House, con: Any, now: datetime) -> Compact:
    """The records of the copy; while a large landing is read, those of before."""
    home = _HOMES.of(house)
    known = home.current(con, now)
    if known is not None:
        return known
    at = home.at
    if at is None or not at.known.holds(now) or compact.behind(at.known, con) <= AT_ONCE:
        return home.brought_up(con, now)
    if not home.making.locked():
        Thread(target=keep_up, args=(house, now), name="records that landed", daemon=True).start()
    return at.known


def keep_up(house: House, now: datetime) -> None:
    """Read what landed, so that nobody waits for it. A fault here ends nothing: whoever asks meets it."""
    with suppress(Exception), house.db.read() as con:
        _HOMES.of(house).brought_up(con, now)


def _reading(house: House, known: Compact, asked: Asked) -> tallies.Reading:
    home, content = _HOMES.of(house), house.catalogue.content_hash
    with _LOCK:
        found = home.readings.get(content)
        if found is None or not found.reads(known):
            found = home.readings[content] = tallies.Reading(asked.areas, asked.substances, known)
        while len(home.readings) > CONTENTS:
            home.readings.popitem(last=False)
    return found.brought_up()


def of_area(
    house: House, con: Any, now: datetime, asked: Asked, area: str, first: date, last: date, days: int
) -> tuple[dict[tuple[str, str, date], int], dict[date, int]]:
    """What `periods.of_area` says of now."""
    known = of(house, con, now)
    return tallies.of_area(known, _reading(house, known, asked), asked, area, first, last, days)


def known_at_all(house: House, con: Any, now: datetime, asked: Asked) -> Known:
    """What `periods.known` says of now."""
    known = of(house, con, now)

    def looked() -> Known:
        return tallies.known_at_all(known, _reading(house, known, asked), asked)

    return held.while_same(house, "known at all", known.mark, looked, _said(house, asked))


def _said(house: House, asked: Asked) -> tuple[Hashable, ...]:
    subjects = None if asked.subjects is None else tuple(asked.subjects)
    return house.catalogue.content_hash, tuple(asked.kinds), tuple(asked.tiers), subjects
