"""One-time codes: each person's sealed secret with the last step taken, and hashes of recovery codes.

In: an open transaction. Out: rows. The secret is sealed before it comes here; this room never sees it open.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ewarn.store import audit, tables
from ewarn.store.tables import Connection


def enrol(tx: Connection, person: str, sealed: str, step: int, recovery: Sequence[str], now: datetime) -> None:
    """Enter a new enrolment with its recovery codes' marks; the one before, if any, ends."""
    version = tables.next_version(tx, "one_time_code", "person", person)
    tx.execute("UPDATE one_time_code SET ended_at = ? WHERE person = ? AND ended_at IS NULL", [now, person])
    row = {"person": person, "version": version, "sealed": sealed, "enrolled_at": now, "last_step": step}
    tables.put(tx, "one_time_code", **row, ended_at=None)
    for mark in recovery:
        tables.put(tx, "recovery_code", person=person, version=version, mark=mark, used_at=None)
    audit.append(tx, now, person, "enrolled one-time codes", person, version)


def load(con: Connection, person: str) -> dict[str, Any] | None:
    """The enrolment that holds: version, sealed, enrolled_at, last_step."""
    found = tables.rows(con, "SELECT * FROM one_time_code WHERE person = ? AND ended_at IS NULL", [person])
    return found[0] if found else None


def enrolled(con: Connection) -> set[str]:
    """Everybody who has one."""
    return {row["person"] for row in tables.rows(con, "SELECT person FROM one_time_code WHERE ended_at IS NULL")}


def taken(tx: Connection, person: str, step: int) -> None:
    """The code of a time step was taken: none at or before it is taken again."""
    tx.execute("UPDATE one_time_code SET last_step = ? WHERE person = ? AND ended_at IS NULL", [step, person])


def use_recovery(tx: Connection, person: str, version: int, mark: str, now: datetime) -> bool:
    """Whether an unused recovery code has that mark; it is used from now on."""
    which = "person = ? AND version = ? AND mark = ? AND used_at IS NULL"
    found = tables.one(tx, f"SELECT count(*) FROM recovery_code WHERE {which}", [person, version, mark])
    if not found:
        return False
    tx.execute(f"UPDATE recovery_code SET used_at = ? WHERE {which}", [now, person, version, mark])
    audit.append(tx, now, person, "used a recovery code", person)
    return True


def recovery_left(con: Connection) -> dict[str, int]:
    """How many recovery codes of each person nobody has used."""
    sql = """SELECT person, count(*) FROM recovery_code r JOIN one_time_code c USING (person, version)
             WHERE c.ended_at IS NULL AND r.used_at IS NULL GROUP BY person"""
    return {str(person): int(left) for person, left in con.execute(sql).fetchall()}


def end(tx: Connection, person: str, now: datetime, by: str) -> bool:
    """End a person's enrolment: they enrol anew at the next sign-in."""
    if load(tx, person) is None:
        return False
    tx.execute("UPDATE one_time_code SET ended_at = ? WHERE person = ? AND ended_at IS NULL", [now, person])
    audit.append(tx, now, by, "ended one-time codes", person)
    return True
