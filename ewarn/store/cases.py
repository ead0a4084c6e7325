"""Cases: each as it stands, every version it had, and the acts on it with who and why."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

from ewarn.store import audit, tables
from ewarn.store.tables import Connection
from ewarn.terms import CaseChange, CaseFile


def save(tx: Connection, case: CaseFile, at: datetime | None = None, by: str = "ewarn") -> None:
    """Enter the case as it now stands; saving it unchanged adds nothing."""
    body = case.model_dump_json()
    if tables.one(tx, f"SELECT body FROM {tables.newest('case_file', 'ref')} WHERE ref = ?", [case.ref]) == body:
        return
    at = at or audit.last(tx)[1] or case.opened_at
    tables.put(
        tx, "case_file", ref=case.ref, version=tables.next_version(tx, "case_file", "ref", case.ref), saved_at=at,
        status=case.status, lead_area=case.lead_area, standing=case.standing.value, due_at=case.due_at, body=body,
    )  # fmt: skip
    audit.append(tx, at, by, "saved case", case.ref, body)


def record_change(tx: Connection, change: CaseChange, at: datetime, by: str = "ewarn") -> None:
    """Save the case after the change, and enter the act with its reason."""
    save(tx, change.case, at, by)
    act(tx, change.case.ref, at, change.act, by, change.why, change.signal)


def act(tx: Connection, ref: str, at: datetime, what: str, by: str, why: str, signal: str = "") -> None:
    """Enter an act on a case: opened, joined, graded, closed, ..."""
    tables.put(tx, "case_act", ref=ref, acted_at=at, act=what, who=by, why=why, signal=signal)
    audit.append(tx, at, by, what, ref, [why, signal])


def note(tx: Connection, ref: str, at: datetime, by: str, text: str) -> None:
    """Enter a remark of a person."""
    act(tx, ref, at, "note", by, text)


def load(con: Connection, ref: str) -> CaseFile | None:
    """The case as it stands now."""
    body = tables.one(con, f"SELECT body FROM {tables.newest('case_file', 'ref')} WHERE ref = ?", [ref])
    return None if body is None else CaseFile.model_validate_json(body)


def going_on(con: Connection, ref: str) -> CaseFile | None:
    """The case itself, or the one that goes on with it since it was merged."""
    case, seen = load(con, ref), {ref}
    while case is not None and case.merged_into and case.merged_into not in seen:
        seen.add(case.merged_into)
        case = load(con, case.merged_into) or case
    return case


def all(con: Connection, status: str | None = None) -> list[CaseFile]:
    """Cases as they stand now, those due first; `status` is open, closed or None for both."""
    sql = f"""
        SELECT body FROM {tables.newest("case_file", "ref")} WHERE status = coalesce(?, status)
        ORDER BY status DESC, due_at, ref
    """
    return [_read(row["body"]) for row in tables.rows(con, sql, [status])]


@lru_cache(maxsize=2000)
def _read(body: str) -> CaseFile:
    """A case out of its stored words; nearly all of them are the same from one published copy to the next."""
    return CaseFile.model_validate_json(body)


def added(con: Connection, start: int) -> list[tuple[str, int, str]]:
    """Reference, number and words of every version saved since so many were."""
    sql = "SELECT ref, version, body FROM case_file WHERE rowid >= ? ORDER BY rowid"
    return con.execute(sql, [start]).fetchall()


def at(con: Connection, place: int) -> tuple[str, int] | None:
    """Reference and number of the version that was saved after so many others."""
    found = con.execute("SELECT ref, version FROM case_file WHERE rowid = ?", [place]).fetchone()
    return None if found is None else (str(found[0]), int(found[1]))


def history(con: Connection, ref: str) -> list[dict[str, Any]]:
    """The acts on a case, oldest first: at (UTC), act, who, why, signal."""
    sql = """
        SELECT acted_at AS "at", act, who, why, signal FROM case_act WHERE ref = ? ORDER BY acted_at, rowid
    """
    return tables.rows(con, sql, [ref])


def next_ref(tx: Connection, issuer: str, year: int) -> str:
    """The next free reference: issuer, year and serial, as in LDN-2025-0007."""
    return f"{issuer}-{year}-{tables.next_serial(tx, f'case {issuer} {year}'):04d}"
