"""Tombstones: what was purged of the raw bytes, when, by whom and under which rule.

In: receipts of kind 'purged', whose lines in raw/receipts.jsonl are the record that a rebuild reads. Out: the same in
the database, and the plain words for whoever asks for bytes that are gone. A tombstone is never taken back: bytes that
come again are a new arrival.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import polars as pl

from ewarn.settings import Settings
from ewarn.store import audit, snapshots, tables
from ewarn.store.tables import Connection
from ewarn.terms import LONDON

Held = dict[tuple[str, str], list[snapshots.Receipt]]


def all(con: Connection, source: str | None = None) -> pl.DataFrame:
    """Every tombstone, oldest first: id, sha256, source, size, purged_at, purged_by, rule, reason."""
    sql = "SELECT * FROM tombstone WHERE source = coalesce(?, source) ORDER BY purged_at, id"
    return tables.frame(con, sql, [source])


def enter(tx: Connection, lines: Iterable[snapshots.Receipt]) -> int:
    """Put purged lines into the database that are not there yet, and take the bytes' words out of the rejects' list."""
    known = set(all(tx)["id"])
    entered = 0
    for line in lines:
        if line.kind != "purged" or line.id in known:
            continue
        tables.put(
            tx, "tombstone", id=line.id, sha256=line.sha256, source=line.source, size=line.size,
            purged_at=line.received_at, purged_by=line.by, rule=line.rule, reason=line.note,
        )  # fmt: skip
        tx.execute(
            "UPDATE reject SET raw = NULL, reason = regexp_replace(reason, '''[^'']*''', '(cell purged)', 'g'),"
            " state = CASE state WHEN 'open' THEN 'purged' ELSE state END WHERE snapshot = ? AND source = ?",
            [line.sha256, line.source],
        )
        _, newest, _ = audit.last(tx)
        at = max(line.received_at, newest) if newest else line.received_at
        audit.append(tx, at, line.by, "purged", f"{line.source} {line.sha256}", [line.id, line.rule, line.note])
        entered += 1
    return entered


def held(lines: Iterable[snapshots.Receipt]) -> Held:
    """(source, sha256) -> its receipts since it was last let go, of everything that no purge has ended."""
    found: Held = {}
    for line in lines:
        name = (line.source, line.sha256)
        if line.kind == "receipt" and line.sha256:
            found.setdefault(name, []).append(line)
        elif line.kind == "purged":
            found.pop(name, None)
    return found


def let_go(lines: Iterable[snapshots.Receipt]) -> dict[str, snapshots.Receipt]:
    """sha256 -> the newest purge of every snapshot that no source holds any more."""
    lines = list(lines)
    kept = {sha256 for _, sha256 in held(lines)}
    return {line.sha256: line for line in lines if line.kind == "purged" and line.sha256 not in kept}


def words_of(line: Mapping[str, object]) -> str:
    """'purged on 2025-06-02 under retention of 365 days by a.person', of a row of `all`."""
    at = line["purged_at"]
    assert isinstance(at, datetime)
    return f"purged on {at.astimezone(LONDON):%Y-%m-%d} under {line['rule']} by {line['purged_by']}"


def fate_of(con: Connection, settings: Settings, wanted: Iterable[str]) -> dict[str, str]:
    """sha256 -> what became of bytes that are no longer here: the newest purge in words, else 'expired'."""
    newest = {row["sha256"]: words_of(row) for row in all(con).iter_rows(named=True)}
    return {sha: newest.get(sha, "expired") for sha in wanted if not snapshots.is_kept(settings, sha)}
