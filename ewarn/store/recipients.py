"""Recipients of alerts and pages: partners, and places on the duty rota."""

from __future__ import annotations

from datetime import datetime

from ewarn.store import audit, tables
from ewarn.store.tables import Connection
from ewarn.terms import Recipient


def save(tx: Connection, recipient: Recipient, at: datetime | None = None, by: str = "ewarn") -> None:
    """Add a recipient, or replace the one of that id."""
    _enter(tx, recipient, False, at, by, "saved recipient")


def remove(tx: Connection, recipient_id: str, at: datetime | None = None, by: str = "ewarn") -> bool:
    """Take a recipient off the list; what was sent stays on record. Returns whether there was one."""
    recipient = load(tx, recipient_id)
    if recipient is not None:
        _enter(tx, recipient, True, at, by, "removed recipient")
    return recipient is not None


def load(con: Connection, recipient_id: str) -> Recipient | None:
    return next((found for found in all(con) if found.id == recipient_id), None)


def all(con: Connection) -> list[Recipient]:
    """Recipients on the list now, by id; the inactive too."""
    sql = f"SELECT body FROM {tables.newest('recipient', 'id')} WHERE NOT removed ORDER BY id"
    return [Recipient.model_validate_json(row["body"]) for row in tables.rows(con, sql)]


def _enter(tx: Connection, recipient: Recipient, removed: bool, at: datetime | None, by: str, act: str) -> None:
    body = recipient.model_dump_json()
    version = tables.next_version(tx, "recipient", "id", recipient.id)
    tables.put(tx, "recipient", id=recipient.id, version=version, removed=removed, body=body)
    audit.append(tx, at, by, act, recipient.id, body)
