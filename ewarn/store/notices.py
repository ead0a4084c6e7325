"""What is stored of one notice: asked by its reference or the id of its entry. Never the bytes it was read from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ewarn.store import tables
from ewarn.store.tables import Connection
from ewarn.terms import canonical


def newest(con: Connection, sources: Sequence[str], entry_id: str) -> dict[str, Any] | None:
    """The newest version of the notice with this entry id in one of the sources; None where there is none."""
    found = tables.rows(
        con,
        """
        SELECT record.source, record.version, record.record_id, record.retracted FROM record
        WHERE kind = 'notice' AND key = ? AND list_contains(?, source) ORDER BY version DESC LIMIT 1
        """,
        [canonical(entry_id).decode(), list(sources)],
    )
    return found[0] if found else None
