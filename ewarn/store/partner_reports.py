"""Reports of partners: each as it stands, every version, and what of them lies encrypted beside the database.

In: reports without a person in them; free words, contact and photograph apart. Out: the same. The encrypted parts are
sealed with the keys of the raw bytes, one file a part, so that each can be removed by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

from ewarn.report import Report
from ewarn.settings import Settings
from ewarn.store import audit, files, tables, vault
from ewarn.store.tables import Connection

FOLDER = "reports"
Part = Literal["words", "contact", "photo"]
PARTS: tuple[Part, ...] = ("words", "contact", "photo")


def save(tx: Connection, report: Report, at: datetime, by: str, act: str) -> None:
    """Enter the report as it now stands."""
    version = tables.next_version(tx, "partner_report", "ref", report.ref)
    body = report.model_dump_json()
    tables.put(
        tx, "partner_report", ref=report.ref, version=version, saved_at=at, state=report.state.value,
        case_ref=report.case, answer_by=report.answer_by, answered_at=report.answered_at,
        contact_until=report.contact_until, body=body,
    )  # fmt: skip
    audit.append(tx, at, by, f"report {act}", report.ref, body)


def load(con: Connection, ref: str) -> Report | None:
    """The report as it stands now."""
    body = tables.one(con, f"SELECT body FROM {tables.newest('partner_report', 'ref')} WHERE ref = ?", [ref])
    return None if body is None else Report.model_validate_json(body)


def all(con: Connection, *, case: str | None = None, waiting: bool = False) -> list[Report]:
    """Reports as they stand now, the longest waiting for an answer first; `waiting`: only those without one."""
    sql = f"""
        SELECT body FROM {tables.newest("partner_report", "ref")}
        WHERE case_ref = coalesce(?, case_ref) AND (NOT ? OR (answered_at IS NULL AND state <> 'hoax'))
        ORDER BY answered_at IS NOT NULL, answer_by, ref
    """
    return [Report.model_validate_json(row["body"]) for row in tables.rows(con, sql, [case, waiting])]


def seal(settings: Settings, ref: str, part: Part, body: bytes) -> None:
    """Keep one part of a report, encrypted. The same part again replaces nothing: the first stands."""
    target = _path(settings, ref, part)
    files.make_folder(target.parent)
    if not target.exists():
        vault.seal(settings, body, target)


def opened(settings: Settings, ref: str, part: Part) -> bytes | None:
    """One part in the clear; None where there is none (any more). Who asks must be put on record by the caller."""
    path = _path(settings, ref, part)
    if not path.exists():
        return None
    with vault.unseal(settings, path) as plain:
        return plain.read()


def expired(con: Connection, day: date) -> Iterator[Report]:
    """Reports whose contact is past its retention."""
    for report in all(con):
        if report.contact_until is not None and report.has_contact and report.contact_until < day:
            yield report


def forget(settings: Settings, ref: str, part: Part) -> bool:
    """Remove one encrypted part. True where it was there."""
    path = _path(settings, ref, part)
    known = path.exists()
    path.unlink(missing_ok=True)
    return known


def acts(con: Connection, ref: str) -> list[dict[str, Any]]:
    """Who did what with a report and when, the newest first; also who read what was typed."""
    sql = "SELECT written_at AS at, actor, act FROM audit WHERE subject = ? ORDER BY seq DESC"
    return tables.rows(con, sql, [ref])


def _path(settings: Settings, ref: str, part: Part) -> Path:
    return settings.home / FOLDER / f"{ref}.{part}{vault.ENDING}"
