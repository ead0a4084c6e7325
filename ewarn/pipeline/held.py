"""What pages ask for again and again, looked up once for each published copy.

In: a house, a name, how to make it, and what else it depends on. Out: the thing made, kept until the store's published
number or that key changes. A page's own write makes a new number, so it is seen in the next view.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock, Thread
from typing import Any, Generic, TypeVar, cast

from ewarn.pipeline.house import House
from ewarn.store import looking

Thing = TypeVar("Thing")
Place = tuple[str, str, Hashable]
MOST = 2000
HOMES = 8
AT_ONCE_SECONDS = 0.25
_HELD: dict[Place, tuple[Hashable, Any]] = {}
_LOCK = Lock()
_MAKING: dict[Place, Lock] = {}


def of(house: House, name: str, make: Callable[[], Thing], key: Hashable = ()) -> Thing:
    """The thing as it is in the copy published now."""
    return _kept(house.db.number(), (str(house.settings.home), name, key), make)


def of_records(house: House, con: Any, name: str, make: Callable[[], Thing], key: Hashable = ()) -> Thing:
    """The same for what rests on records alone: kept until more of them landed, or bytes were purged."""
    return _kept(looking.landed(con), (str(house.settings.home), name, key), make)


def while_same(house: House, name: str, mark: Hashable, make: Callable[[], Thing], key: Hashable = ()) -> Thing:
    """The same for what rests on something else: kept until that is marked otherwise."""
    return _kept(mark, (str(house.settings.home), name, key), make)


def lately(house: House, name: str, make: Callable[[], Thing], key: Hashable = ()) -> Thing:
    """What rests on records alone and takes long to make: the one of before is answered while a new one is made.

    `make` opens its own connection. What takes no time is made at once.
    """
    with house.db.read() as con:
        mark = looking.landed(con)
    place = (str(house.settings.home), name, key)
    with _LOCK:
        found = _HELD.get(place)
    if found is None or found[0] == mark or found[1][1] < AT_ONCE_SECONDS:
        return _kept(mark, place, lambda: _timed(make))[0]
    if not _maker(place).locked():
        Thread(target=_kept, args=(mark, place, lambda: _timed(make)), name=f"{name} anew", daemon=True).start()
    return cast(Thing, found[1][0])


def _timed(make: Callable[[], Thing]) -> tuple[Thing, float]:
    began = time.monotonic()
    made = make()
    return made, time.monotonic() - began


def _kept(mark: Hashable, place: Place, make: Callable[[], Thing]) -> Thing:
    with _LOCK:
        found = _HELD.get(place)
    if found is not None and found[0] == mark:
        thing: Thing = found[1]
        return thing
    with _maker(place):  # one maker at a time for each thing: the others wait for what it makes
        with _LOCK:
            found = _HELD.get(place)
        if found is not None and found[0] == mark:
            thing = found[1]
            return thing
        made = make()
        with _LOCK:
            if len(_HELD) >= MOST:
                _HELD.clear()
            _HELD[place] = (mark, made)
    return made


def _maker(place: Place) -> Lock:
    with _LOCK:
        if len(_MAKING) >= MOST:
            _MAKING.clear()
        return _MAKING.setdefault(place, Lock())


class ForEachHome(Generic[Thing]):
    """A thing that is kept up, not made anew: one for each of the homes that were asked about last."""

    def __init__(self, make: Callable[[], Thing]) -> None:
        self._make, self._lock = make, Lock()
        self._things: OrderedDict[str, Thing] = OrderedDict()

    def of(self, house: House) -> Thing:
        home = str(house.settings.home)
        with self._lock:
            thing = self._things.pop(home) if home in self._things else self._make()
            self._things[home] = thing
            while len(self._things) > HOMES:
                self._things.popitem(last=False)
            return thing
