"""Where things stand, in words: the situation report.

In: a house and `now`. Out: Markdown, or its sections for a page. Writes nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from ewarn import review as review_room
from ewarn.pipeline import freshness, held, standing, today
from ewarn.pipeline.house import House
from ewarn.review import pack
from ewarn.store import looking

MOST_FAILED = 50


class _Failed(NamedTuple):
    id: str
    destination: str
    last_error: str


def situation(house: House, now: datetime) -> str:
    """The situation report as markdown, from the answer that is kept ready; written once for each copy and minute."""
    key = (house.catalogue.content_hash, f"{now:%Y%m%d%H%M}")
    return held.of(house, "situation", lambda: _situation(house, now), key)


def _situation(house: House, now: datetime) -> str:
    report = standing.current(house, now)
    with house.db.read() as con:
        failed, waiting = looking.failed_deliveries(con, MOST_FAILED), looking.waiting(con)["waiting"]
    return review_room.situation(
        at=now,
        issuer_name=house.settings.issuer_name,
        origin=house.settings.origin,
        standing=house.settings.standing,
        signals=report.signals,
        not_evaluable=report.not_evaluable,
        cases=today.open_of(house),
        sources=freshness.sources(house, now),
        failed_deliveries=[_Failed(row["id"], row["destination"], row["last_error"] or "") for row in failed],
        waiting_deliveries=waiting,
        area_names=today.area_names(house),
    )


def in_parts(house: House, now: datetime) -> tuple[str, tuple[pack.Section, ...]]:
    """The situation report as a title and sections, for a page."""
    return pack.of_markdown(situation(house, now))


def bold(words: str) -> list[tuple[str, bool]]:
    """Words of a section in pieces, each with whether it is strong."""
    return pack.bold(words)
