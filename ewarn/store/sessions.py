"""Sessions of the desk and roles given for a while. The token of a session is never here, only its hash.

In: an open transaction or connection. Out: rows as dicts. A session is ended, never removed; every beginning and end
is put on the audit chain.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ewarn.store import audit, tables
from ewarn.store.tables import Connection
from ewarn.terms import digest


def mark_of(token: str) -> str:
    """What is kept of a token."""
    return digest(token.encode())


def begin(
    tx: Connection, token: str, person: str, how: str, now: datetime, ends_at: datetime, code_at: datetime | None
) -> None:
    """Enter a session."""
    mark = mark_of(token)
    tables.put(
        tx, "desk_session", mark=mark, person=person, how=how, began_at=now, code_at=code_at, seen_at=now,
        ends_at=ends_at, ended_at=None, ended_why="",
    )  # fmt: skip
    audit.append(tx, now, person, f"signed in by {how}", mark[:12])


def load(con: Connection, token: str) -> dict[str, Any] | None:
    """The session of a token, ended or not."""
    found = tables.rows(con, "SELECT * FROM desk_session WHERE mark = ?", [mark_of(token)])
    return found[0] if found else None


def open_now(con: Connection, now: datetime) -> list[dict[str, Any]]:
    """Sessions that have not ended, newest first."""
    sql = "SELECT * FROM desk_session WHERE ended_at IS NULL AND ends_at > ? ORDER BY began_at DESC"
    return tables.rows(con, sql, [now])


def seen(tx: Connection, mark: str, now: datetime) -> None:
    """Somebody used it."""
    tx.execute("UPDATE desk_session SET seen_at = ? WHERE mark = ? AND seen_at < ?", [now, mark, now])


def code_given(tx: Connection, token: str, person: str, now: datetime) -> None:
    """A one-time code was given in it."""
    tx.execute("UPDATE desk_session SET code_at = ?, seen_at = ? WHERE mark = ?", [now, now, mark_of(token)])
    audit.append(tx, now, person, "gave a one-time code", mark_of(token)[:12])


def end(tx: Connection, person: str, now: datetime, why: str, by: str, token: str | None = None) -> int:
    """End a person's session, or all of them. Returns how many ended."""
    which = "ended_at IS NULL AND person = ?" + (" AND mark = ?" if token else "")
    asked = [person, mark_of(token)] if token else [person]
    found = tables.rows(tx, f"SELECT mark FROM desk_session WHERE {which}", asked)
    tx.execute(f"UPDATE desk_session SET ended_at = ?, ended_why = ? WHERE {which}", [now, why, *asked])
    if found:
        audit.append(tx, now, by, "ended sessions", person, [why, len(found)])
    return len(found)


def grant(tx: Connection, person: str, role: str, reason: str, now: datetime, ends_at: datetime) -> str:
    """Enter a role for a while. Returns its id."""
    name = digest([person, role, now.isoformat()], 12)
    tables.put(tx, "role_grant", id=name, person=person, role=role, reason=reason, given_at=now, ends_at=ends_at)
    audit.append(tx, now, person, f"took the {role} role", name, [reason, ends_at])
    return name


def grants(con: Connection, now: datetime, person: str | None = None) -> list[dict[str, Any]]:
    """Roles given for a while that hold at an instant, of one person or everybody."""
    sql = """SELECT * FROM role_grant WHERE given_at <= ? AND ends_at > ? AND person = coalesce(?, person)
             ORDER BY given_at"""
    return tables.rows(con, sql, [now, now, person])


def grants_ever(con: Connection, person: str) -> list[dict[str, Any]]:
    """Every role that a person ever took for a while."""
    return tables.rows(con, "SELECT * FROM role_grant WHERE person = ? ORDER BY given_at", [person])


def looked(tx: Connection, person: str, now: datetime) -> None:
    """A person has looked at everything up to now."""
    tables.put(tx, "last_look", person=person, looked_at=now)


def last_look(con: Connection, person: str) -> datetime | None:
    """When a person last said so."""
    found = tables.rows(con, "SELECT max(looked_at) AS looked FROM last_look WHERE person = ?", [person])
    at: datetime | None = found[0]["looked"]
    return at
