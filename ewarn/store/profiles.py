"""How each landed table of a source looked: headers, counts and shapes, never a cell. Written once, never changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ewarn.store import tables
from ewarn.store.snapshots import Receipt
from ewarn.store.tables import Connection


def put(tx: Connection, receipt: Receipt, profile: Mapping[str, Any] | None) -> None:
    """Keep the profile of a table that has landed; one that was read again says nothing new."""
    if profile is not None and receipt.kind != "replay":
        tables.put(
            tx, "file_profile", source=receipt.source, receipt=receipt.id, received_at=receipt.received_at,
            member=receipt.member, profile=json.dumps(profile, ensure_ascii=False, separators=(",", ":")),
        )  # fmt: skip


def before(con: Connection, receipt: Receipt) -> dict[str, Any] | None:
    """The profile of the source's newest table out of other bytes than these; None where there is none."""
    found = tables.one(
        con,
        """
        SELECT profile FROM file_profile SEMI JOIN (SELECT id FROM receipt WHERE sha256 <> ?) AS other
        ON file_profile.receipt = other.id
        WHERE source = ? ORDER BY received_at DESC, receipt DESC LIMIT 1
        """,
        [receipt.sha256, receipt.source],
    )
    return None if found is None else dict(json.loads(found))
