"""Answers of recipients, each once; and who was left out of a version, with the reason.

An answer goes into the acknowledgements too. Names stand here alone: the audit chain holds hashes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ewarn.personal.spool import Answer
from ewarn.store import audit, tables
from ewarn.store.tables import Connection
from ewarn.terms import Delivery

SAID = {"read": "read", "acted": "read, and something was done"}


def put(tx: Connection, answer: Answer, delivery: Delivery, now: datetime) -> bool:
    """Enter an answer and its acknowledgement. False where it is there already."""
    if tables.one(tx, "SELECT count(*) FROM answer WHERE id = ?", [answer.id]):
        return False
    at = min(answer.at, now)
    tables.put(
        tx, "answer", id=answer.id, delivery=delivery.id, alert=delivery.alert, version=delivery.version,
        destination=delivery.destination, act=answer.act, answered_at=at, collected_at=now, name=answer.name,
        organisation=answer.organisation, text=answer.text, forwarded=answer.forwarded,
    )  # fmt: skip
    words = SAID[answer.act] + (", forwarded" if answer.forwarded else "")
    tables.put(tx, "acknowledgement", delivery=delivery.id, person=delivery.destination, acknowledged_at=at, text=words)
    audit.append(tx, now, "ewarn", f"answer {answer.act}", delivery.id, answer.model_dump(mode="json"))
    return True


def all(con: Connection, alert: str | None = None) -> list[dict[str, Any]]:
    """Answers, oldest first; of one alert, or all."""
    sql = "SELECT * FROM answer WHERE alert = coalesce(?, alert) ORDER BY answered_at, id"
    return tables.rows(con, sql, [alert])


def withhold(tx: Connection, alert: str, version: int, reasons: Sequence[tuple[str, str]]) -> None:
    """Keep who does not get a version, and why; a second approval's list takes the place of the first's."""
    tx.execute("DELETE FROM withheld WHERE alert = ? AND version = ?", [alert, version])
    for destination, reason in reasons:
        tables.put(tx, "withheld", alert=alert, version=version, destination=destination, reason=reason)


def escalate(tx: Connection, alert: str, version: int, destination: str, told: str, now: datetime) -> None:
    """Keep that somebody who has not answered was taken further, once."""
    row = {"alert": alert, "version": version, "destination": destination}
    tables.put(tx, "escalation", **row, escalated_at=now, told=told)
    audit.append(tx, now, "ewarn", "escalated unread", f"{alert} v{version}", [destination, told])
