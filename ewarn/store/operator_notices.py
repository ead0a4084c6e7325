"""Notices to the operator: a source fell silent, a file changed its shape, a reference was used twice."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from ewarn.store import audit, tables
from ewarn.store.tables import Connection
from ewarn.terms import digest


def put(tx: Connection, at: datetime, source: str, text: str) -> bool:
    """Enter a notice; the same words about the same source stand once while open. Returns whether it was added."""
    known = "SELECT count(*) FROM operator_notice WHERE source = ? AND text = ? AND closed_at IS NULL"
    if tables.one(tx, known, [source, text]):
        return False
    name = digest([source, text, at.isoformat()], 12)
    tables.put(tx, "operator_notice", id=name, noticed_at=at, source=source, text=text, closed_at=None)
    audit.append(tx, at, "ewarn", "operator notice", name, [source, text])
    return True


def open(con: Connection) -> pl.DataFrame:
    """Open notices, newest first: id, noticed_at, source, text."""
    sql = (
        "SELECT id, noticed_at, source, text FROM operator_notice WHERE closed_at IS NULL ORDER BY noticed_at DESC, id"
    )
    return tables.frame(con, sql)


def close(tx: Connection, at: datetime, by: str, *, notice: str | None = None, source: str | None = None) -> int:
    """Close one notice, or every open one of a source. Returns how many were closed."""
    chosen = "closed_at IS NULL AND ((? IS NOT NULL AND id = ?) OR (? IS NOT NULL AND source = ?))"
    words = [notice, notice, source, source]
    count = int(tables.one(tx, f"SELECT count(*) FROM operator_notice WHERE {chosen}", words))
    if count:
        tx.execute(f"UPDATE operator_notice SET closed_at = ? WHERE {chosen}", [at, *words])
        audit.append(tx, at, by, "closed operator notice", notice or source or "", count)
    return count
