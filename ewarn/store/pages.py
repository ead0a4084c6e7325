"""Pages: calls to the duty rota, open until somebody acknowledges them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ewarn.errors import Refused
from ewarn.store import audit, tables
from ewarn.store.tables import Connection
from ewarn.terms import Page


def put(tx: Connection, page: Page) -> bool:
    """Enter a page; one that is there already stays as it is. Returns whether it was added."""
    if load(tx, page.id) is not None:
        return False
    values = page.model_dump()
    values |= {"standing": page.standing.value, "paged_at": values.pop("at"), "case_ref": values.pop("case")}
    tables.put(tx, "page", **values)
    audit.append(tx, page.at, "ewarn", "paged", page.id, [page.case, page.text])
    return True


def load(con: Connection, page_id: str) -> Page | None:
    return next(iter(_where(con, "id = ?", [page_id])), None)


def open(con: Connection) -> list[Page]:
    """Pages that nobody has acknowledged, oldest first."""
    return _where(con, "acknowledged_at IS NULL", [])


def all(con: Connection, case: str | None = None) -> list[Page]:
    """Every page, oldest first; of one case, or all."""
    return _where(con, "case_ref = coalesce(?, case_ref)", [case])


def acknowledge(tx: Connection, page_id: str, by: str, at: datetime) -> Page:
    """Enter who took the call; the first to do so stays. Raises: Refused when there is no such page."""
    known = _must_load(tx, page_id)
    if known.acknowledged_at is None:
        tx.execute("UPDATE page SET acknowledged_by = ?, acknowledged_at = ? WHERE id = ?", [by, at, page_id])
        audit.append(tx, at, by, "acknowledged page", page_id)
    return _must_load(tx, page_id)


def escalated(tx: Connection, page_id: str, rota_order: int, at: datetime | None = None) -> Page:
    """Enter that the next one on the rota has been called."""
    known = _must_load(tx, page_id)
    if known.rota_order != rota_order:
        tx.execute("UPDATE page SET rota_order = ? WHERE id = ?", [rota_order, page_id])
        audit.append(tx, at, "ewarn", "escalated page", page_id, rota_order)
    return _must_load(tx, page_id)


def _must_load(con: Connection, page_id: str) -> Page:
    found = load(con, page_id)
    if found is None:
        raise Refused(f"there is no page '{page_id}'", next_step="See 'ewarn duty'.")
    return found


def _where(con: Connection, condition: str, parameters: list[Any]) -> list[Page]:
    sql = f"""
        SELECT id, case_ref AS "case", paged_at AS "at", subject, text, standing, rota_order, acknowledged_by,
               acknowledged_at
        FROM page WHERE {condition} ORDER BY paged_at, rowid
    """
    return [Page(**row) for row in tables.rows(con, sql, parameters)]
