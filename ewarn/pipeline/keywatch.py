"""Word to the operator well before the last signing key ends; taken back by itself once a newer key is there.

In: a house, `now`. Out: an operator notice 30 days before, another 7 days before, a third when none is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from ewarn.dispatch.keyring import SigningKey
from ewarn.pipeline import signing
from ewarn.pipeline.house import House
from ewarn.store import operator_notices
from ewarn.terms import LONDON

SOURCE = "signing key"
SOON = {7: "signing key ends in days", 30: "signing key ends in weeks"}
NONE_LEFT = "no signing key in use"
TOPICS = (*SOON.values(), NONE_LEFT)


class Ending(NamedTuple):
    topic: str
    words: str


def ending(keys: Sequence[SigningKey], now: datetime) -> Ending | None:
    """What is to be said of a house's keys; None where one is good for longer, or there never was one."""
    if not keys:
        return None
    good = [key for key in keys if not key.revoked_at and key.state(now) in ("in use", "not yet")]
    if not any(key.state(now) == "in use" for key in good):
        return Ending(NONE_LEFT, "No signing key is in use: CAP messages do not leave. Run: ewarn keys rotate")
    last = max(good, key=lambda key: key.ends)
    left = last.ends - now
    for days, topic in SOON.items():
        if left <= timedelta(days=days):
            day = last.ends.astimezone(LONDON)
            words = f"the last signing key, {last.id}, ends on {day:%-d %B %Y} ({left.days} days left)"
            return Ending(topic, f"{words}. Run 'ewarn keys rotate' now: partners need time to take the new one.")
    return None


def of(con: Any, now: datetime) -> str:
    """The same in words for those who look; '' where nothing is to be said."""
    found = ending(signing.keys_of(con), now)
    return found.words if found else ""


def settle(house: House, now: datetime) -> bool:
    """Open, renew and close notices as the keys now stand. Returns whether something changed."""
    with house.db.read() as con:
        found, shown = ending(signing.keys_of(con), now), _open(con)
    wanted = {found.topic: found.words} if found else {}
    if shown == wanted:
        return False
    with house.db.write("signing keys") as tx:
        over = [topic for topic in shown if topic not in wanted]
        closed = operator_notices.close(tx, now, "ewarn", source=SOURCE, topics=over) if over else 0
        added = bool(found and operator_notices.put(tx, now, SOURCE, found.words, found.topic))
    return bool(closed or added)


def _open(con: Any) -> dict[str, str]:
    """Topic -> words of what stands."""
    rows = operator_notices.open(con).iter_rows(named=True)
    return {row["topic"]: row["text"] for row in rows if row["source"] == SOURCE}
