"""What is set apart from the real in this home: exercises begun in it and contact tests; and the scorecards of either.

In: an open store. Out: rows. It must never hold a record: an exercise's records lie in a folder of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from ewarn.store import audit, tables
from ewarn.store.tables import Connection
from ewarn.terms import Frozen, canonical


class Begun(Frozen):
    """An exercise or a contact test, by its case."""

    case_ref: str
    scenario: str = Field(description="id of the scenario, or 'contact test'")
    folder: str = Field("", description="where the exercise's own records lie, under the home; empty: none")
    started_by: str
    bytes_at: datetime
    signal_at: datetime


def put(tx: Connection, begun: Begun) -> None:
    tables.put(tx, "exercise", **begun.model_dump())
    audit.append(tx, begun.signal_at, begun.started_by, "began", begun.case_ref, begun.model_dump(mode="json"))


def load(con: Connection, case_ref: str) -> Begun | None:
    return next((begun for begun in all(con) if begun.case_ref == case_ref), None)


def all(con: Connection) -> list[Begun]:
    """The newest first."""
    sql = "SELECT case_ref, scenario, folder, started_by, bytes_at, signal_at FROM exercise ORDER BY bytes_at DESC"
    return [Begun(**row) for row in tables.rows(con, sql)]


def apart(con: Connection) -> set[str]:
    """The references of cases that are not of this home's own standing, and are meant to be."""
    return {row["case_ref"] for row in tables.rows(con, "SELECT case_ref FROM exercise")}


def first_bytes(con: Connection, signals: Sequence[str]) -> tuple[datetime | None, datetime | None]:
    """When the bytes that made the first of some signals fire were received, and when that signal stood."""
    sql = """
        SELECT s.saved_at, max(r.received_at) AS received_at FROM signal s JOIN record r
          ON list_contains(s.records, r.record_id) AND r.received_at <= s.saved_at
        WHERE s.version = 1 AND list_contains(?, s.id) GROUP BY s.id, s.saved_at ORDER BY s.saved_at LIMIT 1
    """
    found = tables.rows(con, sql, [list(signals)])
    return (found[0]["received_at"], found[0]["saved_at"]) if found else (None, None)


def keep_scorecard(tx: Connection, subject: str, card: Frozen, at: datetime) -> bool:
    """Keep a scorecard; one that says what the last one said adds nothing. Returns whether it was kept."""
    body = canonical(card.model_dump(mode="json", exclude={"at"})).decode()
    last = tables.one(tx, "SELECT body FROM scorecard WHERE subject = ? ORDER BY made_at DESC LIMIT 1", [subject])
    if last == body:
        return False
    tables.put(tx, "scorecard", subject=subject, made_at=at, body=body)
    audit.append(tx, at, "ewarn", "scorecard", subject, body)
    return True


def scorecards(con: Connection, subject: str) -> list[dict[str, Any]]:
    """Kept scorecards, the newest first: made_at, body (JSON)."""
    return tables.rows(con, "SELECT made_at, body FROM scorecard WHERE subject = ? ORDER BY made_at DESC", [subject])
