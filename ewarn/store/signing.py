"""Signing keys (their public half) and the signed copies of payloads.

In: keys as JSON text, signed bytes. Out: the same, with an act in the audit chain each. It must never hold a secret.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ewarn.store import audit, tables
from ewarn.store.tables import Connection


def save(tx: Connection, key_id: str, body: str, at: datetime, by: str, act: str) -> None:
    """Enter a key, or what became of it; earlier versions stay."""
    number = tables.next_version(tx, "signing_key", "id", key_id)
    tables.put(tx, "signing_key", id=key_id, version=number, body=body)
    audit.append(tx, at, by, act, key_id, body)


def all(con: Connection) -> list[str]:
    """Every key as it stands now, in the order they were made."""
    sql = f"""SELECT body FROM {tables.newest("signing_key", "id")} AS k
              ORDER BY (SELECT min(rowid) FROM signing_key AS first WHERE first.id = k.id)"""
    return [row["body"] for row in tables.rows(con, sql)]


def put_signed(
    tx: Connection, alert: str, version: int, audience: str, key_id: str, at: datetime, approved: str, body: bytes
) -> None:
    """Keep signed bytes; `approved` is the SHA-256 of the approved bytes that they sign."""
    tables.put(
        tx, "signed_payload", alert=alert, version=version, audience=audience, signing_key=key_id, signed_at=at,
        approved=approved, body=body,
    )  # fmt: skip
    audit.append(tx, at, "ewarn", "signed", f"{alert} v{version} {audience}", [key_id, approved])


def signed(con: Connection, alert: str, version: int, audience: str) -> list[dict[str, Any]]:
    """Signed copies of a payload, newest first: signing_key, signed_at, approved, body."""
    sql = """SELECT signing_key, signed_at, approved, body FROM signed_payload
             WHERE alert = ? AND version = ? AND audience = ? ORDER BY rowid DESC"""
    return tables.rows(con, sql, [alert, version, audience])
