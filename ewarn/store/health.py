"""How each source stands at an instant, read from its receipts. Silence is a fact here, never a recovery."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl

from ewarn.frames import shaped
from ewarn.store import tables
from ewarn.store.tables import Connection

MEASURED = timedelta(days=365)
LAG_MEASURED = timedelta(days=90)
FEWEST = 3


def of(con: Connection, at: datetime) -> pl.DataFrame:
    """Frame `source_health`: one row per source that has a receipt at or before the instant.

    Bytes that came and could not be used are a failure, not an answer. Reading kept bytes anew (kind 'replay') says
    nothing about a source's pulse and does not count, nor does history loaded as such for how often it speaks.
    """
    return shaped(
        "source_health",
        tables.few(
            con,
            """
            WITH arrival AS (  -- a receipt and what came of it share source, file and instant
                SELECT source, file, received_at, bool_or(kind = 'failed') AS failed,
                       bool_or(landed OR kind = 'not modified') OR NOT bool_or(kind = 'failed') AS heard,
                       coalesce(sum(new_records + changed_records) FILTER (NOT backfill), 0) > 0 AS spoke,
                FROM receipt WHERE received_at <= $1 AND kind <> 'replay' GROUP BY ALL
            ), pulse AS (
                SELECT source, max(received_at) FILTER (heard) AS last_received_at FROM arrival GROUP BY source
            ), failing AS (
                SELECT arrival.source, count(*) AS failures, min(received_at) AS failing_since
                FROM arrival JOIN pulse USING (source)
                WHERE failed AND (last_received_at IS NULL OR received_at > last_received_at) GROUP BY arrival.source
            ), gap AS (
                SELECT source, epoch(received_at - lag(received_at) OVER (PARTITION BY source ORDER BY received_at))
                       AS seconds
                FROM (SELECT DISTINCT source, received_at FROM arrival WHERE spoke AND received_at > $2)
            ), cadence AS (
                SELECT source, median(seconds) / 3600 AS cadence_hours FROM gap GROUP BY source
                HAVING count(seconds) >= $3
            ), newest AS (
                SELECT source, max(received_at) FILTER (new_records + changed_records > 0) AS last_new_at,
                       arg_max(CASE kind WHEN 'receipt' THEN 'ok' WHEN 'failed' THEN 'failed: ' || note ELSE kind END,
                               id) AS last_outcome
                FROM receipt WHERE received_at <= $1 AND kind <> 'replay' GROUP BY source
            )
            SELECT source, last_received_at, last_new_at, last_outcome, coalesce(failures, 0)::BIGINT AS failures,
                   failing_since, cadence_hours
            FROM pulse JOIN newest USING (source) LEFT JOIN failing USING (source) LEFT JOIN cadence USING (source)
            ORDER BY source
            """,
            [at, at - MEASURED, FEWEST],
        ),
    )


def lags(con: Connection, at: datetime) -> dict[str, float]:
    """Median days from a record's reference date to our receipt of it, by source, over the last ninety days.

    History loaded as such, and what the first receipt of a source brought, say nothing about its lag.
    """
    sql = """
        SELECT source, median(date_diff('day', reference_date, received_at::DATE))::DOUBLE AS days
        FROM record
        WHERE version = 1 AND NOT backfill AND received_at > $1 AND received_at <= $2 AND receipt NOT IN
            (SELECT arg_min(id, received_at) FROM receipt WHERE landed GROUP BY source)
        GROUP BY source HAVING count(reference_date) >= $3
    """
    return {row["source"]: row["days"] for row in tables.rows(con, sql, [at - LAG_MEASURED, at, FEWEST])}
