"""RESPOND: what became of messages that another service took, where it says so. The scheduled dispatch asks.

In: a house, `now`. Out: deliveries with the other side's last word; one that never arrived is tried again or given up,
and told. It must never hold the store while it asks.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ewarn.dispatch import due, occasion
from ewarn.dispatch import send as sender
from ewarn.dispatch.notify import Arrival
from ewarn.pipeline.house import House
from ewarn.store import arrivals, operator_notices, outbox, recipients
from ewarn.terms import Delivery, DeliveryState


def check(house: House, now: datetime) -> list[Delivery]:
    """Ask for every message whose end is not known. Returns the deliveries whose end became known."""
    asked = [name for name, channel in house.catalogue.channels.items() if sender.tells(channel)]
    with house.db.read() as con:
        waiting = arrivals.waiting(con, now, asked)
        known = {recipient.id: recipient for recipient in recipients.all(con)} if waiting else {}
        sent = {row["delivery"]: outbox.load(con, row["delivery"]) for row in waiting}
    answers = []
    for row in waiting:
        channel, recipient = house.catalogue.channels.get(row["channel"]), known.get(row["destination"])
        delivery = sent[row["delivery"]]
        if channel is None or recipient is None or delivery is None:
            continue
        contact = occasion.at_contact(recipient, delivery.contact)
        found = sender.arrival(channel, contact, house.settings.secret, row["remote"])
        if found is not None:
            answers.append((delivery, row["remote"], found))
    if not answers:
        return []
    with house.db.write("arrivals") as tx:
        for delivery, remote, found in answers:
            _entered(tx, house, delivery, remote, found, now)
        return [outbox.load(tx, delivery.id) or delivery for delivery, _, found in answers if found.final]


def _entered(tx: Any, house: House, delivery: Delivery, remote: str, found: Arrival, now: datetime) -> None:
    arrivals.said(tx, delivery.id, remote, found.status, found.final, now)
    if not found.final or found.delivered or found.status == "sent":
        return
    stands = outbox.load(tx, delivery.id)
    if stands is None or (stands.state, stands.attempts) != (delivery.state, delivery.attempts):
        return  # somebody else asked too, and it has been tried again since
    channel = house.catalogue.channels.get(delivery.channel)
    most = channel.max_attempts if channel else 1
    again = due.next_attempt(delivery.attempts, now, most) if found.retry else None
    words = f"it was taken, and did not arrive: {found.status}"
    outbox.settle(tx, delivery.id, DeliveryState.FAILED if again else DeliveryState.DEAD, now, words, again)
    if not again:
        operator_notices.put(tx, now, "dispatch", f"{delivery.destination}: {words}", tell=True)
