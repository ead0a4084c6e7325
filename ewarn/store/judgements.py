"""What people said of signals: dismissed, held, taken up; each with the evidence as it was. Never changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ewarn.store import audit, tables
from ewarn.store.tables import Connection
from ewarn.terms import Signal


def append(
    tx: Connection, signal: Signal, act: str, person: str, now: datetime, why: str, until: datetime | None = None
) -> None:
    """Enter what a person said of a signal."""
    seq = int(tables.one(tx, "SELECT coalesce(max(seq), 0) + 1 FROM judgement"))
    row = {
        "signal": signal.id, "act": act, "person": person, "judged_at": now, "why": why, "until": until,
        "records": list(signal.records), "observed": signal.observed, "persons_max": signal.persons_max,
    }  # fmt: skip
    tables.put(tx, "judgement", seq=seq, **row)
    audit.append(tx, now, person, f"signal {act}", signal.id, row)


def newest(con: Connection) -> dict[str, dict[str, Any]]:
    """Signal -> what was said of it last."""
    sql = "SELECT * FROM judgement QUALIFY row_number() OVER (PARTITION BY signal ORDER BY seq DESC) = 1"
    return {row["signal"]: row for row in tables.rows(con, sql)}


def of_signal(con: Connection, signal_id: str) -> list[dict[str, Any]]:
    """Everything said of a signal, oldest first."""
    return tables.rows(con, "SELECT * FROM judgement WHERE signal = ? ORDER BY seq", [signal_id])
