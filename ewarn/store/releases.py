"""Releases of originators, findings that were let pass, and corrections that were asked about. All append-only.

In: a transaction, a named person's act. Out: what is on record. Nothing here is ever changed or removed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ewarn.disclosure.release import Release
from ewarn.store import audit, tables
from ewarn.store.tables import Connection

_RELEASES = """
    SELECT released_at AS "at", case_ref AS "case", alert, source, marking, classification, conditions, reason,
           originator, person
    FROM release WHERE case_ref = ? ORDER BY seq
"""


def release(tx: Connection, made: Release) -> None:
    """Enter a release."""
    values = made.model_dump()
    seq = int(tables.one(tx, "SELECT coalesce(max(seq), 0) + 1 FROM release"))
    tables.put(tx, "release", seq=seq, released_at=values.pop("at"), case_ref=values.pop("case"), **values)
    audit.append(tx, made.at, made.person, "released", made.alert or made.case, made.model_dump(mode="json"))


def of_case(con: Connection, ref: str) -> list[Release]:
    """Every release for a case and its texts, oldest first."""
    return [Release(**row) for row in tables.rows(con, _RELEASES, [ref])]


def let_pass(
    tx: Connection, at: datetime, bound: tuple[str, int, str], finding: tuple[str, str, str, str], reason: str, by: str
) -> None:
    """Enter that a person let a finding pass. In: `bound` alert, version and hash; `finding` id, code, place, what."""
    alert, version, digest = bound
    name, code, place, what = finding
    tables.put(
        tx, "finding_override", overridden_at=at, alert=alert, version=version, hash=digest, finding=name, code=code,
        place=place, what=what, reason=reason, person=by,
    )  # fmt: skip
    audit.append(tx, at, by, "overrode finding", f"{alert} v{version}", [digest, *finding, reason])


def passed(con: Connection, alert: str, digest: str) -> list[dict[str, Any]]:
    """The findings let pass for an exact text, oldest first: at, finding, code, place, what, reason, person."""
    sql = """
        SELECT overridden_at AS "at", finding, code, place, what, reason, person FROM finding_override
        WHERE alert = ? AND hash = ? AND hash <> '' ORDER BY overridden_at, rowid
    """
    return tables.rows(con, sql, [alert, digest])


def ask(
    tx: Connection, name: str, at: datetime, alert: str, version: int, records: list[str], what: str, due_at: datetime
) -> bool:
    """Enter that the panel is asked about a change; False where it was asked before."""
    if tables.one(tx, "SELECT count(*) FROM correction WHERE id = ?", [name]):
        return False
    tables.put(
        tx, "correction", id=name, asked_at=at, alert=alert, version=version, records=" ".join(records), what=what,
        due_at=due_at,
    )  # fmt: skip
    audit.append(tx, at, "ewarn", "asked about correction", f"{alert} v{version}", [name, records])
    return True


def asked(con: Connection, alert: str, version: int) -> list[dict[str, Any]]:
    """What the panel was asked about a version, oldest first: asked_at, what, due_at, records."""
    sql = "SELECT asked_at, what, due_at, records FROM correction WHERE alert = ? AND version = ? ORDER BY asked_at"
    return tables.rows(con, sql, [alert, version])
