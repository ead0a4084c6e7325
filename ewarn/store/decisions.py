"""Decisions: acts of named people, each bound to the hash of what that person saw. Never changed, never removed."""

from __future__ import annotations

from typing import Any

from ewarn.store import audit, tables
from ewarn.store.tables import Connection
from ewarn.terms import Decision


def append(tx: Connection, decision: Decision) -> None:
    """Enter a decision."""
    values = decision.model_dump()
    at, case_ref = values.pop("at"), values.pop("case")
    seq = int(tables.one(tx, "SELECT coalesce(max(seq), 0) + 1 FROM decision"))
    tables.put(tx, "decision", seq=seq, decided_at=at, case_ref=case_ref, **values)
    subject = decision.alert or decision.case
    audit.append(tx, at, decision.person, decision.act, subject, decision.model_dump(mode="json"))


def of_alert(con: Connection, alert_id: str) -> list[Decision]:
    """Decisions on any version of an alert, oldest first."""
    return _where(con, "alert = ?", [alert_id])


def of_case(con: Connection, ref: str) -> list[Decision]:
    """Decisions on a case and on its alerts, oldest first."""
    return _where(con, "case_ref = ? OR starts_with(alert, ?)", [ref, f"{ref}/"])


def all(con: Connection) -> list[Decision]:
    """Every decision, oldest first."""
    return _where(con, "true", [])


def _where(con: Connection, condition: str, parameters: list[Any]) -> list[Decision]:
    sql = f"""
        SELECT act, person, decided_at AS "at", case_ref AS "case", alert, version, hash, note
        FROM decision WHERE {condition} ORDER BY seq
    """
    return [Decision(**row) for row in tables.rows(con, sql, parameters)]
