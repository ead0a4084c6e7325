"""How each source stands at an instant, read from its receipts. Silence is a fact here, never a recovery."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from ewarn.frames import shaped
from ewarn.store import tables
from ewarn.store.tables import Connection


def of(con: Connection, at: datetime) -> pl.DataFrame:
    """Frame `source_health`: one row per source that has a receipt at or before the instant.

    Reading kept bytes anew (kind 'replay') says nothing about a source's pulse and does not count.
    """
    return shaped(
        "source_health",
        tables.frame(
            con,
            """
            SELECT source,
                   max(received_at) FILTER (kind <> 'failed') AS last_received_at,
                   max(received_at) FILTER (new_records + changed_records > 0) AS last_new_at,
                   arg_max(CASE kind WHEN 'receipt' THEN 'ok' WHEN 'failed' THEN 'failed: ' || note ELSE kind END, id)
                       AS last_outcome
            FROM receipt WHERE received_at <= ? AND kind <> 'replay'
            GROUP BY source ORDER BY source
            """,
            [at],
        ),
    )
