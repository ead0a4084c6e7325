"""Daily test messages to oneself: when each was written, by when it is to be back, and when it was."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from ewarn.store import audit, tables
from ewarn.store.tables import Connection


def put(tx: Connection, name: str, day: str, page: str, at: datetime, due_at: datetime) -> None:
    """Enter one that is about to leave."""
    tables.put(tx, "canary", id=name, day=day, page=page, written_at=at, due_at=due_at, back_at=None, how="")
    audit.append(tx, at, "ewarn", "canary", name, [day, page])


def back(tx: Connection, page: str, how: str, at: datetime) -> bool:
    """One came back; the first time counts. Returns whether it was one."""
    found = tables.rows(tx, "SELECT id, back_at FROM canary WHERE page = ? AND page <> ''", [page])
    if not found:
        return False
    if found[0]["back_at"] is None:
        tx.execute("UPDATE canary SET back_at = ?, how = ? WHERE page = ?", [at, how, page])
        audit.append(tx, at, "ewarn", "canary back", found[0]["id"], how)
    return True


def of_day(con: Connection, day: str) -> list[dict[str, Any]]:
    """Those of one day."""
    return tables.rows(con, "SELECT * FROM canary WHERE day = ? ORDER BY id", [day])


def late(con: Connection, at: datetime) -> list[dict[str, Any]]:
    """Those not back by their time."""
    return tables.rows(con, "SELECT * FROM canary WHERE back_at IS NULL AND due_at < ? ORDER BY due_at", [at])


def newest(con: Connection) -> dict[str, Any] | None:
    """The newest that came back."""
    sql = "SELECT * FROM canary WHERE back_at IS NOT NULL ORDER BY back_at DESC LIMIT 1"
    return next(iter(tables.rows(con, sql)), None)


def since(con: Connection, day: date) -> list[dict[str, Any]]:
    """Those of a day and after."""
    return tables.rows(con, "SELECT * FROM canary WHERE day >= ? ORDER BY day, id", [day.isoformat()])
