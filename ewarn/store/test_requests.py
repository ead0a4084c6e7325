"""What laboratories were asked to analyse for a case: each request as it stands, every version it had."""

from __future__ import annotations

from datetime import datetime

from ewarn.store import audit, tables
from ewarn.store.tables import Connection
from ewarn.terms import TestRequest


def save(tx: Connection, request: TestRequest, at: datetime, by: str) -> None:
    """Enter the request as it now stands."""
    version = tables.next_version(tx, "test_request", "id", request.id)
    body = request.model_dump_json()
    tables.put(
        tx, "test_request", id=request.id, version=version, saved_at=at, case_ref=request.case, status=request.status,
        due_at=request.due_at, body=body,
    )  # fmt: skip
    audit.append(tx, at, by, f"test {request.status}", request.id, body)


def load(con: Connection, request_id: str) -> TestRequest | None:
    """The request as it stands now."""
    sql = f"SELECT body FROM {tables.newest('test_request', 'id')} WHERE id = ?"
    body = tables.one(con, sql, [request_id])
    return None if body is None else TestRequest.model_validate_json(body)


def all(con: Connection, case: str | None = None) -> list[TestRequest]:
    """Requests as they stand now, those still open first, by due time; of one case, or all."""
    sql = f"""
        SELECT body FROM {tables.newest("test_request", "id")} WHERE case_ref = coalesce(?, case_ref)
        ORDER BY status <> 'asked', due_at, id
    """
    return [TestRequest.model_validate_json(row["body"]) for row in tables.rows(con, sql, [case])]


def next_id(tx: Connection, case: str) -> str:
    """The next free id: the case's reference and a serial, as in LDN-2025-0007/T1."""
    return f"{case}/T{tables.next_serial(tx, f'test {case}')}"
