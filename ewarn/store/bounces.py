"""Mail that came back, each message once, by the hash of its bytes. It holds no address: words are masked before."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ewarn.store import audit, tables
from ewarn.store.tables import Connection


def known(con: Connection, message: str) -> bool:
    """Whether this message was read before."""
    return bool(tables.one(con, "SELECT count(*) FROM bounce WHERE id = ?", [message]))


def put(
    tx: Connection, message: str, delivery: str, destination: str, kind: str, status: str, words: str, at: datetime
) -> None:
    """Enter what a message said; `delivery` empty where it names none of ours."""
    row = {"id": message, "delivery": delivery, "destination": destination, "kind": kind}
    tables.put(tx, "bounce", **row, status=status, words=words, read_at=at)
    audit.append(tx, at, "ewarn", f"mail came back: {kind}", delivery or message, [status, words])


def mark(tx: Connection, delivery: str, words: str, at: datetime) -> None:
    """A delivery that came back for good says so, with a receipt of its own."""
    tx.execute("UPDATE delivery SET last_error = ? WHERE id = ?", [words, delivery])
    attempt = int(tables.one(tx, "SELECT attempts FROM delivery WHERE id = ?", [delivery]) or 0)
    tables.put(
        tx, "delivery_receipt", delivery=delivery, attempted_at=at, attempt=attempt, state="bounced", error=words,
        possible_repeat=False,
    )  # fmt: skip


def by_message_id(con: Connection, message_ids: list[str]) -> str:
    """The delivery that carried one of these ids; '' where none did."""
    sql = "SELECT id FROM delivery WHERE list_contains(?, message_id) LIMIT 1"
    return str(tables.one(con, sql, [message_ids]) or "")


def all(con: Connection) -> list[dict[str, Any]]:
    """What came back, newest first."""
    return tables.rows(con, "SELECT * FROM bounce ORDER BY read_at DESC, id")


def flagged(con: Connection) -> dict[str, str]:
    """Recipients whose newest report is a permanent one, with its words; one they answered since counts no more."""
    sql = """
        SELECT destination, arg_max(words, read_at) AS words FROM bounce b WHERE destination <> '' GROUP BY destination
        HAVING arg_max(kind, read_at) = 'permanent' AND max(read_at) > coalesce((
            SELECT max(a.acknowledged_at) FROM acknowledgement a JOIN delivery d ON d.id = a.delivery
            WHERE d.destination = b.destination), TIMESTAMPTZ 'epoch')
    """
    return {row["destination"]: row["words"] for row in tables.rows(con, sql)}
