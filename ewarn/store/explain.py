"""From a record back to the row it came from: every version, the snapshot, the file and the raw text.

In: record ids. Out: one dict per record version. The raw text itself stays in the restricted store; once its bytes are
gone, this says when and under which rule they were purged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ewarn.settings import Settings
from ewarn.store import segments, snapshots, tables, tombstones
from ewarn.store.tables import Connection

HELD = "in the restricted store"


def trail(con: Connection, settings: Settings, record_ids: str | Sequence[str]) -> list[dict[str, Any]]:
    """One dict per version, by record and version.

    Keys: record_id, version, current, source, kind, key, occurrence, reference_date, known_date, published_at,
    received_at, visible_at (UTC), basis, retracted, snapshot (SHA-256), receipt, file, backfill, definition_hash,
    content_hash, member, position, raw (why it is gone; None while it can be read), mentions, places.
    """
    wanted = [record_ids] if isinstance(record_ids, str) else list(record_ids)
    with segments.choosing(con, wanted):
        found = tables.rows(con, _TRAIL.format(record=segments.chosen(con, "record")))
        mentions = _children(con, "detection", "role, mention_kind, subject, class_id, as_written, matched")
        places = _children(con, "place", "area, tier, share, certain, precision, as_written")
    contents = {(row["content_hash"], row["source"]) for row in found}
    read_with = {name: snapshots.definition_in(settings, *name) for name in contents}
    gone = tombstones.fate_of(con, settings, {row["snapshot"] for row in found})
    for row in found:
        name = (row["record_id"], row["version"])
        row["read_with"] = read_with[row["content_hash"], row["source"]]
        row["raw"] = gone.get(row["snapshot"], HELD)
        row["mentions"], row["places"] = mentions.get(name, []), places.get(name, [])
    return found


def _children(con: Connection, table: str, columns: str) -> dict[tuple[str, int], list[Any]]:
    sql = f"SELECT record_id, version, {columns} FROM {segments.chosen(con, table)} ORDER BY ALL"
    found: dict[tuple[str, int], list[Any]] = {}
    for row in tables.rows(con, sql):
        found.setdefault((row.pop("record_id"), row.pop("version")), []).append(row)
    return found


_TRAIL = """
    SELECT r.record_id, r.version, r.version = max(r.version) OVER (PARTITION BY r.record_id) AS "current", r.source,
           r.kind, r.key, r.occurrence, r.reference_date, r.known_date, r.published_at, r.received_at, r.visible_at,
           r.basis, r.retracted, r.snapshot, r.receipt, coalesce(t.file, '') AS file, r.backfill, r.definition_hash,
           coalesce(t.content_hash, '') AS content_hash, r.position,
           coalesce(t.member, '') AS member
    FROM {record} r LEFT JOIN receipt t ON t.id = r.receipt
    ORDER BY r.record_id, r.version
"""
