"""Recipients of alerts and pages: partners, and places on the rota. Every version stays, with who wrote it and when.

Contact details lie here and nowhere else: the audit chain has the recipient's id and a hash. Rows of an imported list
that could not be used are kept with their faults until somebody looks at them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ewarn.store import audit, tables
from ewarn.store.tables import Connection
from ewarn.terms import Recipient


def save(
    tx: Connection, recipient: Recipient, at: datetime | None = None, by: str = "ewarn", act: str = "saved recipient"
) -> None:
    """Add a recipient, or replace the one of that id."""
    _enter(tx, recipient, False, at, by, act)


def remove(tx: Connection, recipient_id: str, at: datetime | None = None, by: str = "ewarn") -> bool:
    """Take a recipient off the list; what was sent stays on record. Returns whether there was one."""
    recipient = load(tx, recipient_id)
    if recipient is not None:
        _enter(tx, recipient, True, at, by, "removed recipient")
    return recipient is not None


def load(con: Connection, recipient_id: str) -> Recipient | None:
    return next(iter(of(con, [recipient_id])), None)


def of(con: Connection, ids: Sequence[str]) -> list[Recipient]:
    """Those of these ids that are on the list now."""
    sql = f"SELECT body FROM {tables.newest('recipient', 'id')} WHERE NOT removed AND list_contains(?, id) ORDER BY id"
    return [Recipient.model_validate_json(row["body"]) for row in tables.rows(con, sql, [list(ids)])]


def all(con: Connection) -> list[Recipient]:
    """Recipients on the list now, by id; the inactive too."""
    sql = f"SELECT body FROM {tables.newest('recipient', 'id')} WHERE NOT removed ORDER BY id"
    return [Recipient.model_validate_json(row["body"]) for row in tables.rows(con, sql)]


def history(con: Connection, recipient_id: str) -> list[dict[str, Any]]:
    """Every version, oldest first: version, at (None: before that was kept), by, removed, recipient."""
    sql = """
        SELECT version, saved_at AS "at", coalesce(saved_by, '') AS "by", removed, body FROM recipient WHERE id = ?
        ORDER BY version
    """
    return [
        {key: row[key] for key in ("version", "at", "by", "removed")}
        | {"recipient": Recipient.model_validate_json(row["body"])}
        for row in tables.rows(con, sql, [recipient_id])
    ]


def first_saved(con: Connection) -> dict[str, datetime | None]:
    """When each recipient was first put on the list; None: before that was kept."""
    rows = tables.rows(con, 'SELECT id, saved_at AS "at" FROM recipient WHERE version = 1')
    return {row["id"]: row["at"] for row in rows}


def put_rejects(tx: Connection, name: str, rejects: Sequence[tuple[int, str, str, str]], at: datetime, by: str) -> None:
    """Keep rows that could not be used: line, recipient id as written, faults in words, the row as text."""
    for line, recipient, faults, text in rejects:
        tables.put(
            tx, "recipient_reject", **{"import": name}, rejected_at=at, who=by, line=line, recipient=recipient,
            faults=faults, row_text=text,
        )  # fmt: skip
    audit.append(tx, at, by, "rejected recipients", name, len(rejects))


def rejects(con: Connection) -> list[dict[str, Any]]:
    """Rejected rows, the newest import first: import, at, by, line, recipient, faults, row_text."""
    sql = """
        SELECT "import", rejected_at AS "at", who AS "by", line, recipient, faults, row_text FROM recipient_reject
        ORDER BY rejected_at DESC, line
    """
    return tables.rows(con, sql)


def clear_rejects(tx: Connection, at: datetime, by: str) -> int:
    """Let go of the kept rows: they hold contact details. Returns how many there were."""
    count = int(tables.one(tx, "SELECT count(*) FROM recipient_reject"))
    tx.execute("DELETE FROM recipient_reject")
    audit.append(tx, at, by, "cleared rejected recipients", str(count))
    return count


def _enter(tx: Connection, recipient: Recipient, removed: bool, at: datetime | None, by: str, act: str) -> None:
    body = recipient.model_dump_json()
    version = tables.next_version(tx, "recipient", "id", recipient.id)
    tables.put(tx, "recipient", id=recipient.id, version=version, removed=removed, body=body, saved_at=at, saved_by=by)
    audit.append(tx, at, by, act, recipient.id, body)
