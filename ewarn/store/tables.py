"""The few ways in which this room talks to DuckDB: a frame out, rows out, a frame in.

Instants leave as tz-aware UTC, whatever the machine's time zone. Nothing here knows what a table means.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC
from typing import Any

import duckdb
import polars as pl

Connection = duckdb.DuckDBPyConnection


def frame(con: Connection, sql: str, parameters: Sequence[Any] = ()) -> pl.DataFrame:
    """The answer as a Polars frame; instants as Datetime('us', 'UTC')."""
    # Handed over as it is made. With parameters DuckDB would copy a large answer value by value: it goes by PyArrow.
    return con.execute(sql, list(parameters)).pl() if parameters else pl.DataFrame(con.sql(sql))


def few(con: Connection, sql: str, parameters: Sequence[Any]) -> pl.DataFrame:
    """The same for an answer of some rows, without the tenth of a second that PyArrow takes to import."""
    return pl.DataFrame(con.sql(sql, params=list(parameters)))


def rows(con: Connection, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """The answer as a list of dicts, one per row; no frame is made for them, which costs more than a few rows."""
    answer = con.execute(sql, list(parameters))
    columns = [(str(name), str(kind)) for name, kind, *_ in answer.description or ()]
    instants = [at for at, (_, kind) in enumerate(columns) if kind == "TIMESTAMP WITH TIME ZONE"]
    names, found = [name for name, _ in columns], []
    for row in answer.fetchall():
        values = list(row)
        for at in instants:
            values[at] = values[at] and values[at].astimezone(UTC)
        found.append(dict(zip(names, values, strict=True)))
    return found


def one(con: Connection, sql: str, parameters: Sequence[Any] = ()) -> Any:
    """The first column of the first row, or None. Not for instants: those need `frame`."""
    row = con.execute(sql, list(parameters)).fetchone()
    return None if row is None else row[0]


@contextmanager
def given(con: Connection, **frames: pl.DataFrame) -> Iterator[None]:
    """While it lasts, these names mean these frames in the connection's queries."""
    try:
        for name, rows_of_it in frames.items():
            con.register(name, rows_of_it)
        yield
    finally:
        for name in frames:
            con.unregister(name)


def column(name: str, values: Iterable[str]) -> pl.DataFrame:
    """Texts as a frame to be `given`: of a list, DuckDB looks for a library once for every value."""
    return pl.DataFrame({name: list(values)}, schema={name: pl.String})


def insert(tx: Connection, table: str, data: pl.DataFrame) -> int:
    """Append the frame's rows, matched by column name. Returns how many."""
    if data.is_empty():
        return 0
    columns = ", ".join(f'"{name}"' for name in data.columns)
    with given(tx, incoming_rows=data):
        tx.execute(f"INSERT INTO {own(tx, table)} ({columns}) SELECT {columns} FROM incoming_rows")
    return data.height


def own(con: Connection, table: str) -> str:
    """The database's own table, though a view of the same name may stand before it."""
    return f'"{one(con, "SELECT current_database()")}".main."{table}"'


def put(tx: Connection, table: str, **values: Any) -> None:
    """Append one row."""
    columns = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join("?" for _ in values)
    tx.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", list(values.values()))


def next_version(con: Connection, table: str, column: str, value: str) -> int:
    """1 for something not stored yet, else one more than its newest version."""
    return int(one(con, f"SELECT coalesce(max(version), 0) + 1 FROM {table} WHERE {column} = ?", [value]))


def next_serial(tx: Connection, scope: str) -> int:
    """1, 2, 3, ... within a scope; a number given out in a transaction that is rolled back is given out again."""
    last = one(tx, "SELECT last FROM serial WHERE scope = ?", [scope])
    if last is None:
        put(tx, "serial", scope=scope, last=1)
        return 1
    tx.execute("UPDATE serial SET last = ? WHERE scope = ?", [last + 1, scope])
    return int(last) + 1


def newest(table: str, column: str) -> str:
    """SQL for the newest version of everything in a versioned table."""
    return f"(SELECT * FROM {table} QUALIFY row_number() OVER (PARTITION BY {column} ORDER BY version DESC) = 1)"
