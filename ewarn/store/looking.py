"""What the desk's pages look up and nobody else does: few rows each, straight from the published copy.

In: a connection. Out: rows as dicts. Nothing here is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import polars as pl

from ewarn.store import segments, tables
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
    con: Connection, kinds: Sequence[str], subjects: Sequence[str], areas: Sequence[str], first: date, until: datetime
) -> dict[date, int]:
    """Monday -> records of those kinds as known at `until` whose reference date lies in that week, that could be in
    any of the areas, and in which any of the subjects was found (no subjects: whatever was found). Weeks without one
    are absent."""
    found = _found(con, subjects, "AND area IN (FROM asked_areas)")
    sql = f"""{found} SELECT date_trunc('week', reference_date)::DATE AS week, count(DISTINCT mark) AS observed
              FROM found GROUP BY ALL"""
    asked = {"kinds": list(kinds), "first": first, "last": date.max, "until": until}
    return {week: int(observed) for week, observed in _answered(con, sql, asked, subjects, areas)}


def by_area(
    con: Connection, kinds: Sequence[str], subjects: Sequence[str], first: date, last: date, until: datetime
) -> dict[str, int]:
    """Area -> records of those kinds with a reference date in those days that could be in it, as known at `until`."""
    sql = f"{_found(con, subjects, '')} SELECT area, count(DISTINCT mark) AS observed FROM found GROUP BY ALL"
    asked = {"kinds": list(kinds), "first": first, "last": last, "until": until}
    return {area: int(observed) for area, observed in _answered(con, sql, asked, subjects)}


def _answered(
    con: Connection, sql: str, asked: dict[str, Any], subjects: Sequence[str], areas: Sequence[str] = ()
) -> list[Any]:
    """The lists go in as frames: DuckDB looks for a library once for every value of a list."""
    con.register("asked_subjects", pl.DataFrame({"id": list(subjects)}, schema={"id": pl.String}))
    con.register("asked_areas", pl.DataFrame({"area": list(areas)}, schema={"area": pl.String}))
    try:
        return con.execute(sql, asked).fetchall()
    finally:
        con.unregister("asked_subjects")
        con.unregister("asked_areas")


def _found(con: Connection, subjects: Sequence[str], there: str) -> str:
    """Records as known at an instant, one row an area they could be in; days and subjects are cut first."""
    name = str(tables.one(con, "SELECT current_database()"))
    wanted = "subject IN (FROM asked_subjects) OR class_id IN (FROM asked_subjects)"
    table, about = ("detection", f"({wanted})") if subjects else ("record", "true")
    return _FOUND.format(rows=segments.dated(con, table), about=about, own=f'"{name}".main.record',
                         place=segments.dated(con, "place"), there=there)  # fmt: skip


_FOUND = f"""
    WITH named AS MATERIALIZED (
        SELECT DISTINCT mark, version, reference_date, retracted FROM {{rows}}
        WHERE list_contains($kinds, kind) AND reference_date BETWEEN $first AND $last AND visible_at <= $until
              AND {{about}}
    ), later AS (
        SELECT mark, max(version) AS newest FROM (
            SELECT {segments.MARK} AS mark, version FROM {{own}} WHERE visible_at <= $until
        ) SEMI JOIN named USING (mark) GROUP BY mark
    ), found AS (
        SELECT mark, named.reference_date, area FROM (
            SELECT mark, version, area FROM {{place}}
            WHERE share > 0 AND reference_date BETWEEN $first AND $last {{there}}
        ) JOIN named USING (mark, version) LEFT JOIN later USING (mark)
        WHERE version >= coalesce(newest, 1) AND NOT retracted
    )
"""
