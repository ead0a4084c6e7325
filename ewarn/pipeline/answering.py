"""Personal links and codes: what stands in an alert's placeholders for one recipient.

In: a house, a delivery. Out: its link and code, the same at every attempt. It must never keep a message from leaving: a
warning without a link is better than none, and the operator is told.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from ewarn.dispatch.page import CANARY
from ewarn.errors import EwarnError
from ewarn.personal import keys, tokens
from ewarn.personal.placeholders import Personal
from ewarn.pipeline.house import House
from ewarn.store import alerts, outbox
from ewarn.terms import Alert, Delivery

# An answer still counts for so long after the text's own end: people come back from leave.
NEVER = date(9999, 12, 31)  # the list lets go of a daily test message after two days
AFTER_THE_END = timedelta(days=28)


def of_house(house: House) -> tuple[str, ...]:
    """The keys of this house, newest first. Raises: Refused."""
    return keys.read(house.settings.answer_keys, house.settings.secret, house.settings.home / "keys")


def personal(con: Any, house: House, delivery: Delivery) -> Personal | str | None:
    """A delivery's own link and code; None where its text has no place for them, words where there is no key."""
    if delivery.page.startswith(CANARY) and house.settings.public_url:
        return _canary(house, delivery)
    alert = alerts.load(con, delivery.alert, delivery.version) if delivery.alert else None
    if alert is None or not alert.content.get("answer"):
        return None
    return of_alert(con, delivery, alert, held(house))


def held(house: House) -> tuple[str, ...] | str:
    """The keys of this house, or in words why there are none."""
    try:
        return of_house(house)
    except (EwarnError, OSError) as fault:
        return f"messages leave without personal links: {fault}"


def of_alert(con: Any, delivery: Delivery, alert: Alert, held: tuple[str, ...] | str) -> Personal | str:
    """A delivery's own link and code in a text that has a place for them; words where there is no key."""
    if isinstance(held, str):
        return held
    base = str(alert.content["answer_at"]).removesuffix("/a")
    name = outbox.first_of(con, delivery) if delivery.nudge else delivery.id  # a reminder is answered like the first
    token = tokens.token(held, name, usable_until(alert))
    return Personal(link=f"{base}/r/{token}", code=tokens.code(held[0], name))


def _canary(house: House, delivery: Delivery) -> Personal | str:
    keys = held(house)
    if isinstance(keys, str):
        return keys
    link = f"{house.settings.public_url}/r/{tokens.token(keys, delivery.id, NEVER)}"
    return Personal(link=link, code=tokens.code(keys[0], delivery.id))


def usable_until(alert: Alert) -> date:
    """The last day on which an answer to this version is taken."""
    return date.fromisoformat(alert.content.get("expires_on") or alert.content["date"]) + AFTER_THE_END
