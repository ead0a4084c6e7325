"""Rejects: rows and entries that could not be used. Listed with place and reason; never dropped.

Their text stays in the restricted store, from where a person with the right to see it reads it. The same position of
the same bytes is entered once. A reject leaves the open list only by being replayed, or when its bytes are purged.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from ewarn.store import audit, tables
from ewarn.store.snapshots import SnapshotRef
from ewarn.store.tables import Connection


def enter(tx: Connection, staged: pl.DataFrame, snapshot: SnapshotRef, now: datetime) -> int:
    """Add the rejects of a staging that are not there yet. In: staged_reject. Returns how many were added."""
    sql = "SELECT position FROM reject WHERE snapshot = ? AND source = ?"
    known = tables.frame(tx, sql, [snapshot.sha256, snapshot.receipt.source])
    fresh = staged.unique("position", keep="first", maintain_order=True).join(known, on="position", how="anti")
    return tables.insert(
        tx,
        "reject",
        fresh.select("position", "reason").with_columns(
            snapshot=pl.lit(snapshot.sha256),
            source=pl.lit(snapshot.receipt.source),
            receipt=pl.lit(snapshot.receipt.id),
            rejected_at=pl.lit(now),
            state=pl.lit("open"),
        ),
    )


def all(con: Connection, source: str | None = None, state: str | None = "open") -> pl.DataFrame:
    """Rejects, newest first: snapshot, position, source, receipt, reason, rejected_at, state."""
    sql = """
        SELECT * EXCLUDE (raw) FROM reject WHERE source = coalesce(?, source) AND state = coalesce(?, state)
        ORDER BY rejected_at DESC, snapshot, length(position), position
    """
    return tables.frame(con, sql, [source, state])


def mark_replayed(
    tx: Connection,
    snapshot: str,
    at: datetime,
    still_rejected: Sequence[str] = (),
    source: str | None = None,
    member: str = "",
) -> int:
    """Take the open rejects of a snapshot off the list, but those positions that were rejected again.

    With `member` only those of that table, and the one of the whole file, which can be opened now.
    """
    chosen = (
        "snapshot = ? AND state = 'open' AND source = coalesce(?, source) AND NOT list_contains(?, position) "
        "AND (? = '' OR position = 'whole file' OR (starts_with(position, ?) AND "
        "regexp_full_match(substr(position, length(?) + 1), ': whole table|( line |!row )[0-9]+')))"
    )
    words = [snapshot, source, list(still_rejected), member, member, member]
    count = int(tables.one(tx, f"SELECT count(*) FROM reject WHERE {chosen}", words))
    if count:
        tx.execute(f"UPDATE reject SET state = 'replayed' WHERE {chosen}", words)
        audit.append(tx, at, "ewarn", "replayed rejects", snapshot, count)
    return count


def reopen(tx: Connection, snapshot: str, source: str) -> None:
    """Put the rejects of purged bytes that came again back on the list: they can be replayed now."""
    tx.execute(
        "UPDATE reject SET state = 'open' WHERE snapshot = ? AND source = ? AND state = 'purged'", [snapshot, source]
    )
