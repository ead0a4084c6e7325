"""Alerts: every version of every text, with the bytes of each audience and format as they were stored.

A version that has been issued never changes again. Approvals are decisions bound to a hash: a saved edit has another
hash, and no approval counts for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ewarn.errors import Refused
from ewarn.store import audit, tables
from ewarn.store.tables import Connection
from ewarn.terms import Alert, AlertStatus, Payload

SETTLED = {
    *(AlertStatus.ISSUED, AlertStatus.UPDATED, AlertStatus.STOOD_DOWN, AlertStatus.WITHDRAWN, AlertStatus.SUPERSEDED),
}


def save(
    tx: Connection, alert: Alert, payloads: Sequence[Payload] = (), at: datetime | None = None, by: str = ""
) -> None:
    """Enter a version, or replace it while it has not been issued. Raises: Refused for an issued version."""
    known = load(tx, alert.id, alert.version)
    if known is not None and known.status in SETTLED and known.content != alert.content:
        raise Refused(
            f"version {alert.version} of {alert.id} has been issued and cannot be changed",
            next_step="Write the change as the next version.",
        )
    _replace(tx, alert)
    tx.execute("DELETE FROM payload WHERE alert = ? AND version = ?", [alert.id, alert.version])
    for ordinal, payload in enumerate(payloads):
        tables.put(
            tx, "payload", alert=alert.id, version=alert.version, ordinal=ordinal, audience=payload.audience,
            format=payload.format, subject=payload.subject, body=payload.body, gone=payload.gone,
        )  # fmt: skip
    audit.append(tx, at, by or alert.author, "saved alert", _name(alert.id, alert.version), alert.hash)


def load(con: Connection, alert_id: str, version: int | None = None) -> Alert | None:
    """A version of an alert; the newest when none is named."""
    sql = "SELECT body FROM alert WHERE id = ? AND version = coalesce(?, version) ORDER BY version DESC LIMIT 1"
    body = tables.one(con, sql, [alert_id, version])
    return None if body is None else Alert.model_validate_json(body)


def payloads(con: Connection, alert_id: str, version: int) -> list[Payload]:
    """The stored bytes of a version, in the order they were stored."""
    sql = "SELECT audience, format, subject, body, gone FROM payload WHERE alert = ? AND version = ? ORDER BY ordinal"
    return [Payload(**row) for row in tables.rows(con, sql, [alert_id, version])]


def all(con: Connection) -> list[Alert]:
    """The newest version of every alert, newest first."""
    sql = f"SELECT body FROM {tables.newest('alert', 'id')} ORDER BY created_at DESC, id"
    return [Alert.model_validate_json(row["body"]) for row in tables.rows(con, sql)]


def holding(con: Connection, sha256: str) -> tuple[str, int, str, str] | None:
    """Which stored bytes have this hash: alert, version, audience, format; the newest where several do."""
    sql = """
        SELECT alert, version, audience, format FROM payload WHERE sha256(body) = ? OR gone = ?
        ORDER BY version DESC, audience LIMIT 1
    """
    found = con.execute(sql, [sha256, sha256]).fetchone()
    return (str(found[0]), int(found[1]), str(found[2]), str(found[3])) if found else None


def versions(con: Connection, alert_id: str) -> list[Alert]:
    """Every version of an alert, oldest first."""
    sql = "SELECT body FROM alert WHERE id = ? ORDER BY version"
    return [Alert.model_validate_json(row["body"]) for row in tables.rows(con, sql, [alert_id])]


def histories(con: Connection, statuses: Sequence[str]) -> list[list[Alert]]:
    """The versions of every alert that have one of these statuses, oldest first, by alert."""
    sql = "SELECT id, body FROM alert WHERE list_contains(?, status) ORDER BY id, version"
    found: dict[str, list[Alert]] = {}
    for row in tables.rows(con, sql, [list(statuses)]):
        found.setdefault(row["id"], []).append(Alert.model_validate_json(row["body"]))
    return list(found.values())


def set_status(
    tx: Connection, alert_id: str, version: int, status: AlertStatus, at: datetime | None = None, by: str = "ewarn"
) -> Alert:
    """Move a version along its life; its text and bytes stay as they are. Raises: Refused when there is none."""
    known = load(tx, alert_id, version)
    if known is None:
        raise Refused(f"there is no version {version} of {alert_id}", next_step="See 'ewarn cases show'.")
    moved = known.model_copy(update={"status": AlertStatus(status)})
    _replace(tx, moved)
    audit.append(tx, at, by, f"alert {moved.status.value}", _name(alert_id, version), moved.hash)
    return moved


def next_id(tx: Connection, case_ref: str) -> str:
    """The next alert of a case: LDN-2025-0007/A1, /A2, ..."""
    return f"{case_ref}/A{tables.next_serial(tx, f'alert {case_ref}')}"


def _replace(tx: Connection, alert: Alert) -> None:
    tx.execute("DELETE FROM alert WHERE id = ? AND version = ?", [alert.id, alert.version])
    tables.put(
        tx, "alert", id=alert.id, version=alert.version, case_ref=alert.case, status=alert.status.value,
        hash=alert.hash, created_at=alert.created_at, body=alert.model_dump_json(),
    )  # fmt: skip


def _name(alert_id: str, version: int) -> str:
    return f"{alert_id} v{version}"
