"""How fresh the sources are, as one line for the top of every page.

In: a house, `now`. Out: how many sources are late or silent, which, and when the newest word came. Looked up once for
each published copy and minute, since every page asks.
"""

from __future__ import annotations

from datetime import datetime

from ewarn.pipeline import held, vigil
from ewarn.pipeline.house import House
from ewarn.pipeline.reports import SourceFreshness
from ewarn.terms import Frozen

SHOWN = 3


class Freshness(Frozen):
    """`late`: titles of those late or silent; `total`: sources that ever sent something, and late ones."""

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
    """How every source stands, at most five minutes or one published copy old."""

    def looked() -> tuple[SourceFreshness, ...]:
        with house.db.read() as con:
            return vigil.standing(con, house, now)

    return held.of(house, "sources", looked, f"{now:%Y%m%d%H}{now.minute // 5}")
