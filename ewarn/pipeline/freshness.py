"""How fresh the sources are, as one line for the top of every page.

In: a house, `now`. Out: how many sources are late or silent, which, and when the newest word came. Looked up once for
each published copy and minute, since every page asks.
"""

from __future__ import annotations

from datetime import datetime
from threading import Lock

from ewarn.pipeline import vigil
from ewarn.pipeline.house import House
from ewarn.pipeline.reports import SourceFreshness
from ewarn.store import published
from ewarn.terms import Frozen

SHOWN = 3
_KEPT: dict[str, tuple[tuple[int, str], tuple[SourceFreshness, ...]]] = {}
_LOCK = Lock()


class Freshness(Frozen):
    """`late` holds the titles of the first few; `total` counts the sources that ever sent something, and late ones."""

    late: tuple[str, ...]
    total: int
    newest: datetime | None


def line(house: House, now: datetime) -> Freshness:
    """The line at the top of a page."""
    found = sources(house, now)
    awake = [source for source in found if source.last_received_at or source.late]
    late = tuple(source.title for source in awake if source.late)
    newest = max((source.last_received_at for source in awake if source.last_received_at), default=None)
    return Freshness(late=late, total=len(awake), newest=newest)


def sources(house: House, now: datetime) -> tuple[SourceFreshness, ...]:
    """How every source stands, at most a minute or one published copy old."""
    pointer = published.current(house.settings.home)
    key = (pointer.number if pointer else 0, f"{now:%Y%m%d%H%M}")
    home = str(house.settings.home)
    with _LOCK:
        held = _KEPT.get(home)
    if held is not None and held[0] == key:
        return held[1]
    with house.db.read() as con:
        found = vigil.standing(con, house, now)
    with _LOCK:
        _KEPT[home] = (key, found)
    return found
