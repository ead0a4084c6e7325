"""RESPOND: messages that were given up. A person sends one once more after the address was mended, or lets it go.

In: a house, a delivery, who and why. Out: the delivery as it waits again. What is older than a day and still wants
somebody stands in the operator's message once a day. It must never send other bytes, or to other people, than were
approved: the routes are asked again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import polars as pl

from ewarn.assess import decide, lifecycle
from ewarn.dispatch.standings import standing_stops
from ewarn.errors import Refused, UsageFault
from ewarn.pipeline import texts
from ewarn.pipeline.house import House
from ewarn.pipeline.identity import proved
from ewarn.pipeline.reports import Actor
from ewarn.store import alerts, cases, dead_letters, decisions, operator_notices, outbox, recipients
from ewarn.terms import Delivery, DeliveryState, Recipient

OLD = timedelta(days=1)
TOPIC = "dead letters"
MOST_NAMED = 20
NEXT = "Mend the address ('ewarn recipients add'), then repeat; or let it go with --let-go."


def requeue(house: House, delivery: str, reason: str, actor: Actor, now: datetime, *, let_go: bool = False) -> Delivery:
    """Send a given-up message once more, by the recipient's channel as registered now; or let it go.

    In: `delivery` its id or the first characters of it. Raises: UsageFault, Refused.
    """
    if not reason.strip():
        raise UsageFault("this needs a reason", next_step="Say with --reason what was mended, in a sentence.")
    with house.db.write("requeue") as tx:
        person = proved(tx, actor)
        found = _one(tx, delivery)
        if let_go:
            dead_letters.let_go(tx, found, person.id, now, reason)
        else:
            dead_letters.requeue(tx, found, _readdressed(tx, house, found, now), person.id, now, reason)
        _told(tx, found, person.id, now, f"{dead_letters.LET_GO if let_go else dead_letters.REQUEUED}: {reason}")
        again = outbox.load(tx, found.id) or found
    house.db.publish()
    return again


def remind(house: House, now: datetime) -> int:
    """Keep the daily word on what was given up more than a day ago. Returns how many such there are."""
    with house.db.read() as con:
        old = [row for row in dead_letters.open(con) if row["died_at"] <= now - OLD]
        stands = operator_notices.open(con).filter((pl.col("source") == "dispatch") & (pl.col("topic") == TOPIC))
    words = _words(old)
    told = stands["told_at"][0] if stands.height else None
    again = bool(old) and told is not None and told <= now - OLD
    if again or (stands["text"].to_list() != ([words] if old else [])):
        with house.db.write("dead letters") as tx:
            if again or not old:
                operator_notices.close(tx, now, "ewarn", source="dispatch", topics=[TOPIC])
            if old:
                operator_notices.put(tx, now, "dispatch", words, TOPIC)
    return len(old)


def _words(old: list[dict[str, Any]]) -> str:
    named = [
        f"{row['destination']} ({row['alert'] + ' v' + str(row['version']) if row['alert'] else 'page ' + row['page']})"
        for row in old[:MOST_NAMED]
    ]
    more = f" and {len(old) - MOST_NAMED} more" if len(old) > MOST_NAMED else ""
    count = f"{len(old)} messages were" if len(old) > 1 else "1 message was"
    return (
        f"{count} given up more than a day ago and nobody has seen to it: {', '.join(named)}{more}. "
        "'ewarn receipts' says why; 'ewarn requeue' sends one once more or lets it go."
    )


def _one(tx: Any, delivery: str) -> Delivery:
    fit = [d for d in outbox.all(tx) if d.id.startswith(delivery.strip() or "?")]
    if len(fit) != 1:
        raise UsageFault(
            f"{len(fit) or 'no'} deliveries begin with '{delivery}'", next_step="Take an id from 'ewarn receipts'."
        )
    if fit[0].state is not DeliveryState.DEAD:
        raise Refused(
            f"this delivery is {fit[0].state.value}, not given up", next_step="Only what was given up is put back."
        )
    return fit[0]


def _readdressed(tx: Any, house: House, found: Delivery, now: datetime) -> Delivery:
    """The delivery as the routes would make it today. Raises: Refused where they would not."""
    recipient = recipients.load(tx, found.destination)
    if recipient is None or not recipient.active:
        raise Refused(f"'{found.destination}' is not an active destination", next_step=NEXT)
    if recipient.audience != found.audience:
        raise Refused(f"'{found.destination}' is of another audience now", next_step=NEXT)
    if found.page:
        return _page_readdressed(house, found, recipient)
    version = found.version or 0
    known, alert = alerts.versions(tx, found.alert), alerts.load(tx, found.alert, version)
    if overtaken := lifecycle.overtaken(version, known):
        raise Refused(f"this version is not sent any more: {overtaken}", next_step="Let it go with --let-go.")
    if alert is None:
        raise Refused("its text is no longer there", next_step="Let it go with --let-go.")
    allowed = decide.audiences(alert, decisions.of_alert(tx, alert.id), house.catalogue)
    routed = texts.routed(tx, house, alert, alerts.payloads(tx, found.alert, version), allowed, now)
    again = next((d for d in routed.deliveries if d.destination == recipient.id), None)
    if again is None:
        why = next(
            (w.reason for w in routed.withheld if w.destination == recipient.id), "it does not concern its areas"
        )
        raise Refused(f"'{recipient.id}' does not get this alert as registered now: {why}", next_step=NEXT)
    return again


def _page_readdressed(house: House, found: Delivery, recipient: Recipient) -> Delivery:
    channel = house.catalogue.channels.get(recipient.channel)
    stops = "there is no such channel" if channel is None else standing_stops(found.standing, channel)
    if channel is None or stops or not channel.internal:
        raise Refused(f"the channel cannot take a page: {stops or channel.title if channel else stops}", next_step=NEXT)
    return found.model_copy(update={"channel": channel.id, "format": channel.format})


def _told(tx: Any, found: Delivery, by: str, now: datetime, words: str) -> None:
    """The case shows it, and the word of this destination's failure ends."""
    alert = alerts.load(tx, found.alert, found.version) if found.alert else None
    if alert is not None:
        cases.act(tx, alert.case, now, "delivery", by, f"{found.destination}, {alert.id} v{alert.version}: {words}")
    for notice in operator_notices.open(tx).filter(pl.col("source") == "dispatch").iter_rows(named=True):
        if notice["text"].startswith(f"{found.destination}: given up"):
            operator_notices.close(tx, now, by, notice=notice["id"])
