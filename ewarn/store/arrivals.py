"""What the other side calls a message that it took, and what it says became of it.

In: an open transaction. Out: names to answer under or to ask for, and the last word on each. It must never say that a
message was delivered where only its acceptance is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from ewarn.store import audit, tables
from ewarn.store.tables import Connection
from ewarn.terms import Delivery

ASKED_FOR = timedelta(days=5)
ASKED_EVERY = timedelta(minutes=1)


def taken(tx: Connection, delivery_id: str, remote: str, at: datetime) -> None:
    """Enter what the other side calls a message it took."""
    tables.put(
        tx, "arrival", delivery=delivery_id, remote=remote, taken_at=at, status="", final=False, checked_at=None
    )  # fmt: skip


def of_case(con: Connection, alert: str) -> list[tuple[str, str, str, str]]:
    """What messages of the same case are called elsewhere: (delivery, destination, channel, remote), oldest first."""
    sql = """
        SELECT d.id, d.destination, d.channel, a.remote FROM arrival a JOIN delivery d ON d.id = a.delivery
        WHERE d.alert IN (SELECT id FROM alert WHERE case_ref = (SELECT any_value(case_ref) FROM alert WHERE id = ?))
        ORDER BY a.taken_at
    """
    return con.execute(sql, [alert]).fetchall()


def first(known: Sequence[tuple[str, str, str, str]], delivery: Delivery) -> str:
    """What the first message of a case to this destination, over this channel, is called there; '' = none."""
    same = (delivery.destination, delivery.channel)
    return next((remote for name, *to, remote in known if (*to,) == same and name != delivery.id), "")


def waiting(con: Connection, now: datetime, channels: Sequence[str], most: int = 100) -> list[dict[str, Any]]:
    """Messages of the last days by these channels whose end is not known and that were not asked for within the minute,
    those first that were asked for longest ago."""
    sql = """
        SELECT a.delivery, a.remote, d.channel, d.destination FROM arrival a JOIN delivery d ON d.id = a.delivery
        WHERE NOT a.final AND d.state = 'sent' AND list_contains(?, d.channel) AND a.taken_at > ?
          AND (a.checked_at IS NULL OR a.checked_at <= ?)
        ORDER BY coalesce(a.checked_at, a.taken_at) LIMIT ?
    """
    return tables.rows(con, sql, [list(channels), now - ASKED_FOR, now - ASKED_EVERY, most])


def said(tx: Connection, delivery_id: str, remote: str, status: str, final: bool, at: datetime) -> None:
    """Enter what the other side says of a message."""
    tx.execute(
        "UPDATE arrival SET status = ?, final = ?, checked_at = ? WHERE delivery = ? AND remote = ?",
        [status, final, at, delivery_id, remote],
    )
    if final:
        audit.append(tx, at, "ewarn", f"arrival {status}", delivery_id)


def all(con: Connection, alert: str | None = None) -> list[dict[str, Any]]:
    """Every message with a name elsewhere: delivery, destination, taken_at, status, final; of one alert, or all."""
    sql = """
        SELECT a.delivery, d.alert, d.version, d.destination, a.taken_at, a.status, a.final FROM arrival a
        JOIN delivery d ON d.id = a.delivery WHERE d.alert = coalesce(?, d.alert) ORDER BY a.taken_at
    """
    return tables.rows(con, sql, [alert])
