"""Photographs for texts: bytes by their hash, and what became of them.

In: a cleaned picture. Out: the same bytes, or nothing once they were purged. A purge empties the bytes here and those
of every stored format that shows them, and keeps the hash of each: what was approved can still be proved.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from ewarn.store import audit, tables
from ewarn.store.tables import Connection
from ewarn.terms import digest


def keep(tx: Connection, body: bytes, alert: str, origin: str, at: datetime, by: str) -> str:
    """Keep a picture and return its hash. The same bytes for the same text once."""
    sha256 = digest(body)
    known = tables.one(
        tx, "SELECT count(*) FROM photo WHERE sha256 = ? AND alert = ? AND octet_length(body) > 0", [sha256, alert]
    )
    if not known:
        tables.put(
            tx, "photo", sha256=sha256, kept_at=at, person=by, alert=alert, origin=origin, size=len(body), body=body,
        )  # fmt: skip
        audit.append(tx, at, by, "kept photograph", alert, [sha256, origin])
    return sha256


def body(con: Connection, sha256: str) -> bytes:
    """The picture; empty once it was purged, or where there never was one."""
    found = tables.one(con, "SELECT body FROM photo WHERE sha256 = ? AND octet_length(body) > 0 LIMIT 1", [sha256])
    return bytes(found) if found else b""


def all(con: Connection) -> list[dict[str, Any]]:
    """Every picture that is still held: sha256, kept_at, person, alert, origin, size."""
    sql = "SELECT sha256, kept_at, person, alert, origin, size FROM photo WHERE octet_length(body) > 0 ORDER BY kept_at"
    return tables.rows(con, sql)


def purged(con: Connection, sha256: str) -> dict[str, Any] | None:
    """The newest purge of these bytes: purged_at, person, rule, reason."""
    sql = "SELECT * FROM photo_purge WHERE sha256 = ? ORDER BY purged_at DESC LIMIT 1"
    return next(iter(tables.rows(con, sql, [sha256])), None)


def purge(
    tx: Connection, sha256: str, shown_in: Collection[tuple[str, int]], at: datetime, by: str, rule: str, reason: str
) -> int:
    """Empty the picture, and every sheet and picture of the versions that show it. Returns how many formats went."""
    tx.execute("UPDATE photo SET body = ''::BLOB WHERE sha256 = ?", [sha256])
    emptied = 0
    for alert, version in shown_in:
        sql = "SELECT ordinal, body FROM payload WHERE alert = ? AND version = ? AND octet_length(body) > 0"
        for row in tables.rows(tx, sql, [alert, version]):
            held = bytes(row["body"])
            if digest(held) == sha256 or held.startswith(b"%PDF-"):
                tx.execute(
                    "UPDATE payload SET body = ''::BLOB, gone = ? WHERE alert = ? AND version = ? AND ordinal = ?",
                    [digest(held), alert, version, row["ordinal"]],
                )
                emptied += 1
    tables.put(tx, "photo_purge", sha256=sha256, purged_at=at, person=by, rule=rule, reason=reason)
    audit.append(tx, at, by, "purged photograph", sha256, [rule, reason])
    return emptied
