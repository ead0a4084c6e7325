"""What the desk's pages look up and nobody else does: few rows each, straight from the published copy.

In: a connection. Out: rows as dicts. Nothing here is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from ewarn.store import asof, segments, tables
from ewarn.store.tables import Connection
from ewarn.terms import Signal


def landed(con: Connection) -> tuple[int, int, int]:
    """What changes when records do: receipts that landed, segments, and purges."""
    sql = """SELECT (SELECT count(*) FROM receipt WHERE landed), (SELECT count(*) FROM segment),
                    (SELECT count(*) FROM tombstone)"""
    found = con.execute(sql).fetchone()
    assert found is not None
    return int(found[0]), int(found[1]), int(found[2])


def streams(con: Connection, record_ids: Sequence[str]) -> dict[str, str]:
    """Record -> the stream it arose in, for samples and incidents."""
    sql = "SELECT DISTINCT record_id, stream FROM {} WHERE stream IS NOT NULL"
    with segments.choosing(con, record_ids):
        told = [con.execute(sql.format(segments.chosen(con, table))).fetchall() for table in ("sample", "incident")]
    return dict(row for rows in told for row in rows)


def acts_since(con: Connection, since: datetime, most: int) -> list[dict[str, Any]]:
    """Acts on cases after an instant, newest first: ref, at, act, who, why."""
    sql = """SELECT ref, acted_at AS "at", act, who, why FROM case_act WHERE acted_at > ?
             ORDER BY acted_at DESC, rowid DESC LIMIT ?"""
    return tables.rows(con, sql, [since, most])


def signals_since(con: Connection, since: datetime) -> dict[str, str]:
    """Signal -> new or grown, for those raised or grown after an instant."""
    sql = """SELECT id, min(CASE change WHEN 'new' THEN 'new' ELSE 'grown' END) FILTER (change <> 'revised') AS change
             FROM signal WHERE saved_at > ? GROUP BY id"""
    return {row["id"]: "new" if row["change"] == "new" else "grown"
            for row in tables.rows(con, sql, [since]) if row["change"]}  # fmt: skip


def history(con: Connection, signal_id: str) -> list[dict[str, Any]]:
    """The versions of a signal, newest first: version, saved_at, change, observed, record_count."""
    sql = "SELECT version, saved_at, change, observed, record_count FROM signal WHERE id = ? ORDER BY version DESC"
    return tables.rows(con, sql, [signal_id])


def similar(con: Connection, signal: Signal, areas: Sequence[str], most: int) -> list[Signal]:
    """Earlier signals about the same subject in any of the areas, newest first."""
    sql = f"""SELECT body FROM {tables.newest("signal", "id")}
              WHERE id <> ? AND subject = ? AND subject_kind = ? AND list_contains(?, area) AND first_raised_on <= ?
              ORDER BY first_raised_on DESC, id LIMIT ?"""
    asked = [signal.id, signal.subject.id, signal.subject.kind.value, list(areas), signal.first_raised_on, most]
    return [Signal.model_validate_json(row["body"]) for row in tables.rows(con, sql, asked)]


def cases_with(con: Connection, signal_id: str) -> list[dict[str, Any]]:
    """The cases, open or closed, that hold a signal: ref, status, title, closed_as."""
    sql = f"""SELECT ref, status, json_extract_string(body, '$.title') AS title,
                     coalesce(json_extract_string(body, '$.closed_as'), '') AS closed_as
              FROM {tables.newest("case_file", "ref")} WHERE contains(body, ?) ORDER BY ref DESC"""
    return tables.rows(con, sql, [f'"id":"{signal_id}"'])


def waiting(con: Connection) -> dict[str, Any]:
    """How many deliveries wait or failed, names that wait, rejects that are open."""
    sql = """SELECT count(*) FILTER (state IN ('waiting', 'sending')) AS waiting,
                    count(*) FILTER (state IN ('failed', 'dead')) AS failed FROM delivery"""
    return tables.rows(con, sql)[0]


def failed_deliveries(con: Connection, most: int) -> list[dict[str, Any]]:
    """The newest deliveries that failed: id, alert, page, destination, last_error, state."""
    sql = """SELECT id, alert, page, destination, last_error, state FROM delivery WHERE state IN ('failed', 'dead')
             ORDER BY rowid DESC LIMIT ?"""
    return tables.rows(con, sql, [most])


def known_keys(con: Connection, source: str, keys: Sequence[str]) -> set[str]:
    """Which keys of a source's rows stand on record already."""
    sql = "SELECT DISTINCT key FROM record WHERE source = ? AND list_contains(?, key)"
    return {row["key"] for row in tables.rows(con, sql, [source, list(keys)])}


def weekly(
    con: Connection, kinds: Sequence[str], subjects: Sequence[str], areas: Sequence[str], first: date, at: datetime
) -> dict[date, int]:
    """Monday -> records of those kinds as known at an instant whose reference date lies in that week, that could be in
    any of the areas, and in which any of the subjects was found (no subjects: whatever was found). Weeks without one
    are absent. Of now, `tallies` says the same."""
    named = "(subject IN (FROM asked_subjects) OR class_id IN (FROM asked_subjects)) AND " if subjects else ""
    found = asof.standing(con, "detection" if subjects else "record", f"{named}reference_date >= $first")
    sql = f"""{found} SELECT date_trunc('week', reference_date)::DATE AS week, count(DISTINCT mark) AS observed FROM (
                  SELECT mark, version FROM {segments.dated(con, "place")}
                  WHERE share > 0 AND reference_date >= $first AND area IN (FROM asked_areas)
              ) JOIN standing USING (mark, version) GROUP BY ALL"""
    asked = {"kinds": list(kinds), "first": first, "at": at}
    given = {"asked_subjects": tables.column("id", subjects), "asked_areas": tables.column("area", areas)}
    with tables.given(con, **given):
        return {week: int(observed) for week, observed in con.execute(sql, asked).fetchall()}
