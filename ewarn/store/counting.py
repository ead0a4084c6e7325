"""How much there is, for people who ask how things stand: records by kind, and rows that wait.

In: a connection. Out: numbers.
"""

from __future__ import annotations

from ewarn.store import tables
from ewarn.store.tables import Connection


def records(con: Connection) -> dict[str, int]:
    """Current, unretracted records by kind."""
    sql = """
        SELECT kind, count(*) AS records FROM (
            SELECT kind, retracted FROM record
            QUALIFY row_number() OVER (PARTITION BY record_id ORDER BY version DESC) = 1
        ) WHERE NOT retracted GROUP BY kind ORDER BY kind
    """
    return {row["kind"]: row["records"] for row in tables.rows(con, sql)}


def open_rejects(con: Connection) -> int:
    """Rejected rows and entries that wait to be replayed."""
    return int(tables.one(con, "SELECT count(*) FROM reject WHERE state = 'open'"))
