"""The few ways in which this room talks to DuckDB: a frame out, rows out, a frame in.

Instants leave as tz-aware UTC, whatever the machine's time zone. Nothing here knows what a table means.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import polars as pl

Connection = duckdb.DuckDBPyConnection


def frame(con: Connection, sql: str, parameters: Sequence[Any] = ()) -> pl.DataFrame:
    """The answer as a Polars frame; instants as Datetime('us', 'UTC')."""
    return con.execute(sql, list(parameters)).pl()


def rows(con: Connection, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """The answer as a list of dicts, one per row."""
    return frame(con, sql, parameters).to_dicts()


def one(con: Connection, sql: str, parameters: Sequence[Any] = ()) -> Any:
    """The first column of the first row, or None. Not for instants: those need `frame`."""
    row = con.execute(sql, list(parameters)).fetchone()
    return None if row is None else row[0]


def insert(tx: Connection, table: str, data: pl.DataFrame) -> int:
    """Append the frame's rows, matched by column name. Returns how many."""
    if data.is_empty():
        return 0
    columns = ", ".join(f'"{name}"' for name in data.columns)
    tx.register("incoming_rows", data)
    try:
        tx.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM incoming_rows")
    finally:
        tx.unregister("incoming_rows")
    return data.height


def put(tx: Connection, table: str, **values: Any) -> None:
    """Append one row."""
    columns = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join("?" for _ in values)
    tx.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", list(values.values()))
