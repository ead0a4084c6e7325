"""A message to oneself, each day, by the way that partners' messages take: what does not come back is told.

In: a house, `now`. Out: deliveries to the recipients of the group 'canary', and a notice where one is missing by its
time. It says nothing but that it is a test; it comes back from its mailbox (ewarn bounces read) or by its link.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from ewarn.dispatch import page as paging
from ewarn.personal import placeholders
from ewarn.pipeline.house import House
from ewarn.store import canaries, operator_notices, outbox, pages, recipients
from ewarn.terms import Delivery, DeliveryState, Frozen, Page, Recipient, digest, london_day

GROUP, TOPIC = "canary", "canary missing"
BACK_WITHIN = timedelta(hours=2)


class CanaryReport(Frozen):
    """Deliveries written now, and the canaries that are missing."""

    deliveries: tuple[Delivery, ...] = ()
    missing: tuple[str, ...] = ()
    exit_status: int = 0


def canary(house: House, now: datetime) -> CanaryReport:
    """Write today's, once; look for those that are late. Nothing where no recipient is of the group 'canary'."""
    day = london_day(now).isoformat()
    with house.db.read() as con:
        sent = {row["id"] for row in canaries.of_day(con, day)}
        wanted = [r for r in recipients.all(con) if r.active and r.group == GROUP and _name(day, r) not in sent]
        late = canaries.late(con, now)
    written: list[Delivery] = []
    if wanted or late:
        with house.db.write("canary") as tx:
            written = [d for r in wanted if (d := _write(tx, house, r, day, now)) is not None]
            look(tx, now)
        house.db.publish()
    missing = tuple(f"{row['day']}: not back by {row['due_at']:%H:%M} UTC" for row in late)
    return CanaryReport(deliveries=tuple(written), missing=missing, exit_status=1 if missing else 0)


def came_back(tx: Any, page: str, how: str, now: datetime) -> bool:
    """One is back: the notice that it is missing closes. Returns whether it was one."""
    found = canaries.back(tx, page, how, now)
    if found:
        look(tx, now)
    return found


def look(tx: Any, now: datetime) -> None:
    """Tell the operator of what is missing; the notice closes by itself once nothing newer is."""
    late, newest = canaries.late(tx, now), canaries.newest(tx)
    open_ones = [row for row in late if newest is None or row["written_at"] > newest["written_at"]]
    if open_ones:
        days = ", ".join(dict.fromkeys(row["day"] for row in open_ones))
        words = f"the daily test message did not come back ({days}): messages may not arrive. Look at the mail server."
        operator_notices.put(tx, now, "dispatch", words, TOPIC)
    else:
        operator_notices.close(tx, now, "ewarn", source="dispatch", topics=[TOPIC])


def _name(day: str, recipient: Recipient) -> str:
    return digest(["canary", day, recipient.id], 16)


def _write(tx: Any, house: House, recipient: Recipient, day: str, now: datetime) -> Delivery | None:
    channel = house.catalogue.channels.get(recipient.channel)
    if channel is None:
        operator_notices.put(tx, now, "dispatch", f"there is no channel '{recipient.channel}'", "canary channel")
        return None
    name = _name(day, recipient)
    message = _message(house, name, day, now)
    pages.put(tx, message)
    delivery = Delivery(
        id=name, page=message.id, destination=recipient.id, channel=channel.id, audience="internal",
        format=channel.format, state=DeliveryState.WAITING, standing=message.standing, why="the daily test message",
    )  # fmt: skip
    outbox.put(tx, [delivery], now)
    canaries.put(tx, name, day, message.id, now, now + BACK_WITHIN)
    return delivery


def _message(house: House, name: str, day: str, now: datetime) -> Page:
    link = f"It may be answered here: {placeholders.LINK}\n" if house.settings.public_url else ""
    text = f"This message shows that messages of {house.settings.issuer_name} arrive. It says nothing else.\n{link}"
    standing = house.settings.standing
    return Page(
        id=paging.CANARY + name, case="", at=now, subject=f"TEST: daily message of {day}", text=text,
        standing=standing, acknowledged_by="ewarn", acknowledged_at=now,
    )  # fmt: skip
