"""Line lists as they were known at a time.

In: each source's age limit, and the bounds of what was known. Out: frames in the shapes the rules read, one row per
record version with the instants between which it was the current one. Nothing known after `until` plays any part.
"""

from __future__ import annotations

from datetime import datetime

import polars as pl

from ewarn.frames import Lines, shaped
from ewarn.store import links, tables
from ewarn.store.tables import Connection

DEFAULT_MAX_AGE_DAYS = 180


def as_known(
    con: Connection, ages: pl.DataFrame, until: datetime | None = None, since: datetime | None = None
) -> Lines:
    """Every version that became known in [since, until] and was the current one for a while.

    In: ages, one row per source with max_age_days. Versions that retract their record are left out; they end the
    version before them. A version replaced at the very instant it became known was never current, and is left out too.
    """
    sources = [ages["source"].to_list(), ages["max_age_days"].cast(pl.Int64).to_list()]
    con.execute("CREATE OR REPLACE TEMP TABLE shown AS " + _SHOWN, [*sources, until, until, since, since])
    found = Lines(
        lines=shaped("lines", tables.frame(con, _LINES)),
        mentions=shaped("line_mentions", tables.frame(con, _MENTIONS)),
        places=shaped("line_places", tables.frame(con, _PLACES)),
        counts=shaped("line_counts", tables.frame(con, _COUNTS)),
        links=links.as_known(con, until),
    )
    con.execute("DROP TABLE shown")
    return found


_SHOWN = f"""
    WITH source_ages AS (SELECT unnest(?::VARCHAR[]) AS source, unnest(?::BIGINT[]) AS max_age_days),
    bounded AS (
        SELECT record_id, version, source, kind, reference_date, reference_at, known_date, published_at,
               visible_at AS visible_from,
               lead(visible_at) OVER (PARTITION BY record_id ORDER BY version) AS visible_to, retracted
        FROM record
        WHERE (?::TIMESTAMPTZ IS NULL OR visible_at <= ?::TIMESTAMPTZ)
          AND (?::TIMESTAMPTZ IS NULL OR visible_at >= ?::TIMESTAMPTZ)
    )
    SELECT bounded.*, coalesce(max_age_days, {DEFAULT_MAX_AGE_DAYS}) AS max_age_days
    FROM bounded LEFT JOIN source_ages USING (source)
    WHERE NOT retracted AND (visible_to IS NULL OR visible_to > visible_from)
"""
_LINES = """
    SELECT shown.*, coalesce(s.organisation, i.organisation) AS organisation, coalesce(s.stream, i.stream) AS stream,
           s.* EXCLUDE (record_id, version, organisation, stream),
           i.* EXCLUDE (record_id, version, organisation, stream),
           n.title, n.summary, n.notice_kind, n.publisher, n.evidence
    FROM shown
    LEFT JOIN sample s USING (record_id, version)
    LEFT JOIN incident i USING (record_id, version)
    LEFT JOIN notice n USING (record_id, version)
    WHERE kind <> 'count' ORDER BY visible_from, record_id, version
"""
_MENTIONS = """
    SELECT detection.* FROM shown JOIN detection USING (record_id, version)
    ORDER BY visible_from, record_id, version, ordinal
"""
_PLACES = """
    SELECT place.* FROM shown JOIN place USING (record_id, version) WHERE kind <> 'count'
    ORDER BY visible_from, record_id, version, share DESC, area
"""
_COUNTS = """
    SELECT shown.*, c.* EXCLUDE (record_id, version), p.area, p.tier
    FROM shown JOIN count_row c USING (record_id, version)
    LEFT JOIN (
        SELECT * FROM place WHERE precision IS DISTINCT FROM 'outside the UK'
        QUALIFY row_number() OVER (PARTITION BY record_id, version ORDER BY share DESC, area) = 1
    ) p USING (record_id, version)
    ORDER BY visible_from, record_id, version
"""
