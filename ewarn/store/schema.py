"""The numbered migrations under migrations/: forward only, each in one transaction.

In: a connection for writing. Out: the database at this program's version. It never goes back a version and never
touches a database that is newer than the program.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache
from importlib.resources import files

import duckdb

from ewarn.errors import StoreFault
from ewarn.store import audit, tables
from ewarn.store.tables import Connection


@cache
def migrations() -> tuple[tuple[int, str, str], ...]:
    """Every migration as (number, name, SQL), in order."""
    found = []
    for entry in files("ewarn.store").joinpath("migrations").iterdir():
        if match := re.fullmatch(r"(\d{4})_(\w+)\.sql", entry.name):
            found.append((int(match[1]), match[2], entry.read_text(encoding="utf-8")))
    return tuple(sorted(found))


def newest() -> int:
    """The version this program writes."""
    return migrations()[-1][0]


def version(con: Connection) -> int:
    """The database's version; 0 for an empty one."""
    try:
        return int(tables.one(con, "SELECT coalesce(max(version), 0) FROM schema_version"))
    except duckdb.CatalogException:
        return 0


def require(con: Connection, where: str) -> None:
    """Raises: StoreFault when the database is of another version than the program."""
    found = version(con)
    refuse_newer(found, where)
    if found < newest():
        raise StoreFault(
            f"the database is at version {found}, this program works with version {newest()}",
            where=where,
            next_step="Run 'ewarn init': it brings the database forward and loses nothing.",
        )


def refuse_newer(found: int, where: str) -> None:
    if found > newest():
        raise StoreFault(
            f"the database was written by a newer program: it is at version {found}, this one knows {newest()}",
            where=where,
            next_step="Use the newer program, or restore a backup that this one made.",
        )


def bring_forward(con: Connection, now: datetime, where: str, upto: int | None = None) -> int:
    """Apply what is missing, each migration in its own transaction; in a new database all in one. Returns how many
    were applied."""
    found = version(con)
    refuse_newer(found, where)
    missing = [one for one in migrations() if found < one[0] <= (upto or one[0])]
    for together in [[one] for one in missing] if found else [missing]:
        con.execute("BEGIN")
        con.execute("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT, name VARCHAR, applied_at TIMESTAMPTZ)")
        for number, name, sql in together:
            con.execute(sql)
            tables.put(con, "schema_version", version=number, name=name, applied_at=now)
            audit.append(con, now, "ewarn", "migrated", f"version {number}", name)
        con.execute("COMMIT")
    return len(missing)
