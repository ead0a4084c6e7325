"""Personal tokens for reading by a system. The token is never here, only its hash.

In: an open transaction or connection. Out: rows as dicts. A token is ended, never removed; every making and ending, and
the first use of a day, is put on the audit chain.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ewarn.store import audit, tables
from ewarn.store.sessions import mark_of
from ewarn.store.tables import Connection
from ewarn.terms import digest, london_day


def make(tx: Connection, token: str, person: str, name: str, now: datetime, ends_at: datetime) -> str:
    """Enter a token. Returns its id."""
    mark = mark_of(token)
    made = digest([mark, "id"], 12)
    tables.put(tx, "api_token", id=made, mark=mark, person=person, name=name, made_at=now, ends_at=ends_at,
               seen_at=None, ended_at=None)  # fmt: skip
    audit.append(tx, now, person, "made a token for reading", made, [name, ends_at])
    return made


def load(con: Connection, token: str) -> dict[str, Any] | None:
    """The row of a token, ended or not."""
    found = tables.rows(con, "SELECT * FROM api_token WHERE mark = ?", [mark_of(token)])
    return found[0] if found else None


def open_of(con: Connection, person: str, now: datetime) -> list[dict[str, Any]]:
    """A person's tokens that still open something, newest first."""
    sql = "SELECT * FROM api_token WHERE person = ? AND ended_at IS NULL AND ends_at > ? ORDER BY made_at DESC, id"
    return tables.rows(con, sql, [person, now])


def used(tx: Connection, token_id: str, now: datetime) -> None:
    """Somebody read with it."""
    for row in tables.rows(tx, "SELECT person, seen_at FROM api_token WHERE id = ?", [token_id]):
        tx.execute("UPDATE api_token SET seen_at = ? WHERE id = ?", [now, token_id])
        if row["seen_at"] is None or london_day(row["seen_at"]) != london_day(now):
            audit.append(tx, now, row["person"], "read with a token", token_id)


def end(tx: Connection, person: str, now: datetime, by: str, token_id: str | None = None) -> int:
    """End a person's token, or all of them. Returns how many ended."""
    which = "ended_at IS NULL AND person = ? AND id = coalesce(?, id)"
    found = tables.rows(tx, f"SELECT id FROM api_token WHERE {which} ORDER BY id", [person, token_id])
    tx.execute(f"UPDATE api_token SET ended_at = ? WHERE {which}", [now, person, token_id])
    if found:
        audit.append(tx, now, by, "ended tokens for reading", person, [row["id"] for row in found])
    return len(found)
