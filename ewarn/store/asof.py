"""Records as they were known at an instant, found by their days: the one query behind counts that look back.

In: which rows to look at, and how. Out: SQL with the common table `standing`: mark, version and reference_date of the
current versions. Cutting by days first reads a part of the files; whatever it leaves out is left out for good reason.
"""

from __future__ import annotations

from ewarn.store import segments, tables
from ewarn.store.tables import Connection


def standing(con: Connection, table: str, which: str) -> str:
    """The records of $kinds that stand at $at, by rows of `record` or `detection` that `which` says; to be followed by
    further common tables or by a query."""
    name = tables.one(con, "SELECT current_database()")
    once = "" if table == "record" else "DISTINCT "
    return f"""
    WITH dated AS MATERIALIZED (
        SELECT {once}mark, version, reference_date, retracted FROM {segments.dated(con, table)}
        WHERE {which} AND list_contains($kinds, kind) AND visible_at <= $at
    ), later AS (
        SELECT mark, max(version) AS newest FROM (
            SELECT {segments.MARK} AS mark, version FROM "{name}".main.record WHERE visible_at <= $at
        ) SEMI JOIN dated USING (mark) GROUP BY mark
    ), standing AS (
        SELECT mark, version, reference_date FROM dated LEFT JOIN later USING (mark)
        WHERE version >= coalesce(newest, 1) AND NOT retracted
    )"""
