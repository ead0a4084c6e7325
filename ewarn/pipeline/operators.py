"""Notices to the operator leave the house: gathered into one message, by an internal channel, each matter once.

In: a house, `now`. Out: deliveries in the outbox, which dispatch sends like any other. Where nobody is registered to
look after ewarn (recipients of the group 'operator'), the first on the duty rota is told what stops data or messages:
somebody must be; the rest is shown by `ewarn status`. It must never hold what came from a source but the source's name
and the fault.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import polars as pl

from ewarn.dispatch import page as paging
from ewarn.dispatch import route
from ewarn.errors import UsageFault
from ewarn.pipeline.house import House
from ewarn.pipeline.identity import proved
from ewarn.pipeline.reports import Actor
from ewarn.store import operator_notices, outbox, pages, recipients
from ewarn.terms import Delivery, Page

GRAVE = r"^(failing|late|silent|empty|quarantined|expired|review due)\b"
OURS = ("dispatch", "duty")


def tell(house: House, now: datetime) -> list[Delivery]:
    """Write the message about notices nobody was told of to the outbox; nothing where there are none, or nobody is."""
    with house.db.read() as con:
        if not _message(house, con, now)[1]:
            return []
    with house.db.write("operator") as tx:
        message, deliveries, notices = _message(house, tx, now)
        if deliveries:
            pages.put(tx, message)
            outbox.put(tx, deliveries, now)
            operator_notices.told(tx, notices, now)
    return deliveries


def dealt_with(house: House, notice: str, by: Actor, now: datetime) -> dict[str, str]:
    """Close an open notice by its id or the first characters of it. Raises: UsageFault where none or several fit."""
    with house.db.write("operator") as tx:
        person = proved(tx, by)
        found = operator_notices.open(tx).filter(pl.col("id").str.starts_with(notice.strip() or "?"))
        if found.height != 1:
            fit = f"{found.height} open notices begin" if found.height else "no open notice begins"
            raise UsageFault(f"{fit} with '{notice}'", next_step="Take an id from `ewarn status`.")
        operator_notices.close(tx, now, person.id, notice=found["id"][0])
    house.db.publish()
    return {"notice": found["id"][0], "source": found["source"][0], "text": found["text"][0], "by": person.name}


def _message(house: House, con: Any, now: datetime) -> tuple[Page, list[Delivery], list[str]]:
    """What is to be told, to whom, and which notices it holds: no deliveries where there is nothing or nobody."""
    waiting, known = operator_notices.untold(con, now), recipients.all(con)
    grave = pl.col("topic").str.contains(GRAVE) | pl.col("source").is_in(OURS)
    for group, notices in (("operator", waiting), ("duty", waiting.filter(grave))):
        lines = list(notices.select("source", "text").iter_rows())
        message = paging.operator_message(lines, house.settings.standing, now, house.settings.origin)
        routed = route.page_destinations(message, house.settings.home_area, known, house.catalogue, group)
        if lines and routed.deliveries:
            return message, routed.deliveries, notices["id"].to_list()
    return message, [], []
