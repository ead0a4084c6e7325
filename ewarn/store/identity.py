"""Which record a row is: matched by content first, then paired within its key, the rest are new.

In: the rows of one snapshot as (row, key, content, reference_date, known_date). Out: one row per version to be added,
with record id, occurrence and version number. The order of the rows plays no part: ties are settled by date and
content.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import polars as pl

from ewarn.frames import number_of
from ewarn.store import tables
from ewarn.store.tables import Connection

ORDER = ["key", "reference_date", "known_date"]
Seen = Callable[[pl.Series], pl.Series]


def record_numbers(source: str) -> pl.Expr:
    """The identity of a record, from the columns key and occurrence: a number of 64 bits."""
    parts = (pl.lit(source), pl.col("key"), pl.col("occurrence").cast(pl.String))
    return number_of(pl.concat_str(parts, separator="\x1f"))


def record_ids(source: str, rows: pl.DataFrame) -> pl.Series:
    """The same as 16 hex digits, which is how records are named everywhere else. In: key, occurrence."""
    numbers = rows.select(record_numbers(source)).to_series()
    return pl.Series("record_id", [f"{number:016x}" for number in numbers], dtype=pl.String)


def match(
    tx: Connection,
    source: str,
    incoming: pl.DataFrame,
    *,
    reread_of: str | None = None,
    seen: Seen | None = None,
) -> pl.DataFrame:
    """The versions to add: incoming's columns plus record_id, occurrence, version, previous_visible_at.

    Rows equal to a record's current version are left out; so are repeated lines. Then, within a key: a row equal to an
    older version of a record not yet spoken for is that record; the rows and records still left are paired in order;
    rows beyond that are new records. `seen`: which contents of known records rows outside `incoming` have said again,
    so that these records are spoken for. With `reread_of` (the snapshot read again; incoming then has 'reading'): a row
    whose reading differs is a new version too, and what a later snapshot said of a record stands.
    """
    rows = incoming.sort(*ORDER, "content", "row").unique(["key", "content"], keep="first")
    known = _current(tx, source, rows)
    same = rows.join(known, on=["key", "content"], suffix="_known")
    reread_rows = same.filter(pl.col("reading") != _readings(tx, same)) if reread_of else same.clear()
    rows = rows.join(same, on="row", how="anti")
    free = known.join(same, on="record_id", how="anti")
    if seen is not None:
        free = free.filter(~seen(free["content"]))
    reverted = _reverted(tx, source, rows, free)
    rows = rows.join(reverted, on="row", how="anti")
    if reread_of:
        reverted = reverted.clear()
        since = _first_received(tx, source, reread_of)
        free = free.filter((pl.col("snapshot") == reread_of) | (pl.col("received_at") <= since))
        told_since = known.filter((pl.col("snapshot") != reread_of) & (pl.col("received_at") > since))
        rows = rows.join(told_since.join(free, on="key", how="anti"), on="key", how="anti")
    free = free.join(reverted, on="record_id", how="anti")
    paired = _paired(rows, free)
    new = _new(source, rows.join(paired, on="row", how="anti"), known)
    columns = [*incoming.columns, "record_id", "occurrence", "version", "previous_visible_at"]
    followers = [
        found.with_columns(version=pl.col("version") + 1, previous_visible_at="visible_at").select(columns)
        for found in (reread_rows, reverted, paired)
    ]
    return pl.concat([*followers, new.select(columns)]).sort("row")


def readings(tx: Connection, mentions: str, places: str, name: str) -> pl.DataFrame:
    """Columns of `name`, and 'reading': a hash over the mentions and places read from each. In: names of relations."""
    return tables.frame(
        tx,
        f"""
        WITH said AS (
            SELECT {name}, concat_ws('|', 'm', role, mention_kind, coalesce(subject, ''), as_written) AS part
            FROM {mentions}
            UNION ALL SELECT {name}, concat_ws('|', 'p', area, round(share, 6), certain) FROM {places}
        )
        SELECT {name}, md5(string_agg(part, chr(10) ORDER BY part)) AS reading FROM said GROUP BY {name}
        """,
    )


def _readings(tx: Connection, same: pl.DataFrame) -> pl.Series:
    """How the current version of each known record was read."""
    chosen = "(SELECT * FROM {} SEMI JOIN same_records USING (record_id, version))"
    with tables.given(tx, same_records=same.select("record_id", "version")):
        read = readings(tx, chosen.format("detection"), chosen.format("place"), "record_id")
    known = same.select("record_id").join(read, on="record_id", how="left", maintain_order="left")
    return known["reading"].fill_null("")


def _current(tx: Connection, source: str, rows: pl.DataFrame) -> pl.DataFrame:
    """The current version of every record of this source whose key occurs in the rows."""
    with tables.given(tx, incoming_keys=rows.select("key").unique()):
        return tables.frame(
            tx,
            """
            SELECT record_id, version, key, occurrence, content, visible_at, reference_date, known_date,
                   snapshot, received_at
            FROM record SEMI JOIN incoming_keys USING (key) WHERE source = ?
            QUALIFY row_number() OVER (PARTITION BY record_id ORDER BY version DESC) = 1
            """,
            [source],
        )


def _first_received(tx: Connection, source: str, snapshot: str) -> datetime | None:
    """When these bytes first came."""
    sql = "SELECT min(received_at) AS first FROM receipt WHERE source = ? AND sha256 = ?"
    found: datetime | None = tables.frame(tx, sql, [source, snapshot])["first"][0]
    return found


def _reverted(tx: Connection, source: str, rows: pl.DataFrame, free: pl.DataFrame) -> pl.DataFrame:
    """Rows that say again what an older version of a free record said."""
    with tables.given(tx, free_records=free.filter(pl.col("version") > 1).select("record_id")):
        sql = "SELECT DISTINCT record_id, key, content FROM record SEMI JOIN free_records USING (record_id)"
        older = tables.frame(tx, sql)
    said = older.join(free.select("record_id", "occurrence", "version", "visible_at"), on="record_id")
    found = rows.join(said, on=["key", "content"]).sort("key", "occurrence", "content")
    return found.unique("row", keep="first", maintain_order=True).unique("record_id", keep="first")


def _paired(rows: pl.DataFrame, free: pl.DataFrame) -> pl.DataFrame:
    """Rows and free records of one key, first with first, by date."""
    place = pl.int_range(pl.len()).over("key").alias("place")
    left = rows.sort(*ORDER, "content").with_columns(place)
    right = free.sort(*ORDER, "occurrence").with_columns(place)
    chosen = right.select("key", "place", "record_id", "occurrence", "version", "visible_at")
    return left.join(chosen, on=["key", "place"]).drop("place")


def _new(source: str, rows: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Rows that are new records, numbered on from the highest occurrence of their key."""
    taken = known.group_by("key").agg(taken=pl.col("occurrence").max())
    numbered = (
        rows.sort(*ORDER, "content")
        .with_columns(place=pl.int_range(1, pl.len() + 1).over("key"))
        .join(taken, on="key", how="left", maintain_order="left")
        .with_columns(occurrence=pl.col("place") + pl.col("taken").fill_null(0))
    )
    return numbered.with_columns(
        record_ids(source, numbered),
        version=pl.lit(1, dtype=pl.Int64),
        previous_visible_at=pl.lit(None, dtype=pl.Datetime("us", "UTC")),
    )
