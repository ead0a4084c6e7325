"""How much there is: counts for people who ask how things stand, and dense series straight out of the database.

In: a connection, and for series what to count, which areas lie in which and the instant. Out: numbers and frames. The
series are those that `rules.dense.counted` makes of line lists, in one query. Never a record that was known later.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import polars as pl

from ewarn.store import tables
from ewarn.store.tables import Connection
from ewarn.terms import UK, Role

FOUND = (Role.MAJOR, Role.MINOR, Role.TRACE, Role.CONFIRMED)


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


def dense(
    con: Connection,
    at: datetime,
    first: date,
    last: date,
    *,
    kinds: Sequence[str],
    tiers: Sequence[str],
    areas: pl.DataFrame,
    substances: pl.DataFrame,
    subjects: Sequence[str] | None,
    period_days: int = 7,
) -> pl.DataFrame:
    """Records per stratum and period as known at an instant, periods without one as 0, in one query.

    In: `areas` one row per area: code, tier, parent; `substances` one row per substance: substance, class_id and
    whether it counts for its class; `subjects` the substances and classes asked about, None for every record whatever
    was found. Out: subject_kind, subject, area, tier, period (its first day), observed; sorted. Strata: every area from
    which anything of these kinds is known x every subject found.
    """
    con.register("asked_areas", areas.select("code", "tier", "parent"))
    con.register("asked_substances", substances.select("substance", "class_id", "counts"))
    asked = [at, list(kinds), list(tiers), list(subjects or ()), first, last, period_days]
    try:
        return tables.frame(con, _DENSE.format(found=_ANY if subjects is None else _FOUND), asked)
    finally:
        con.unregister("asked_areas")
        con.unregister("asked_substances")


_ANY = "SELECT record_id, version, 'none' AS subject_kind, '' AS subject FROM standing"
_FOUND = f"""
    SELECT DISTINCT record_id, version, told.kind AS subject_kind, told.id AS subject FROM (
        SELECT record_id, version, unnest([
            {{'kind': 'substance', 'id': CASE WHEN mention_kind = 'substance' THEN d.subject END}},
            {{'kind': 'class', 'id': CASE
                WHEN mention_kind = 'class' THEN d.subject
                WHEN mention_kind = 'substance' AND coalesce(s.counts, true) THEN s.class_id
                WHEN mention_kind = 'queued' THEN d.class_id END}}
        ]) AS told
        FROM standing JOIN detection d USING (record_id, version)
        LEFT JOIN asked_substances s ON s.substance = d.subject
        WHERE role IN ({", ".join(f"'{role.value}'" for role in FOUND)})
    ), asked WHERE list_contains(asked.subjects, told.id)
"""
_DENSE = f"""
    WITH asked AS (
        SELECT ?::TIMESTAMPTZ AS instant, ?::VARCHAR[] AS kinds, ?::VARCHAR[] AS tiers, ?::VARCHAR[] AS subjects,
               ?::DATE AS first_day, ?::DATE AS last_day, ?::BIGINT AS length
    ), newest AS (
        SELECT record_id, version, reference_date, retracted, record.kind FROM record, asked
        WHERE visible_at <= instant
        QUALIFY row_number() OVER (PARTITION BY record_id ORDER BY version DESC) = 1
    ), standing AS (
        SELECT record_id, version, reference_date FROM newest, asked
        WHERE NOT retracted AND list_contains(asked.kinds, newest.kind)
    ), away AS (
        SELECT DISTINCT record_id, version FROM place WHERE precision = 'outside the UK'
    ), placed AS (
        SELECT record_id, version, a.code, a.tier AS area_tier, coalesce(share, 1.0) AS share,
               CASE a.tier WHEN 'region' THEN a.code WHEN 'borough' THEN a.parent END AS region
        FROM standing JOIN place USING (record_id, version) JOIN asked_areas a ON a.code = place.area
        ANTI JOIN away USING (record_id, version)
        WHERE coalesce(share, 1.0) > 0
    ), likely AS (
        SELECT record_id, version, area, tier FROM (
            SELECT record_id, version, code AS area, 'borough' AS tier, sum(share) AS share
            FROM placed WHERE area_tier = 'borough' GROUP BY ALL
            UNION ALL
            SELECT record_id, version, region, 'region', sum(share) FROM placed WHERE region IS NOT NULL GROUP BY ALL
        )
        QUALIFY row_number() OVER (PARTITION BY record_id, version, tier ORDER BY round(share, 9) DESC, area) = 1
    ), named AS (
        SELECT * FROM likely WHERE tier = 'borough'
        UNION ALL
        SELECT record_id, version, a.parent, 'region' FROM likely JOIN asked_areas a ON a.code = area
        WHERE likely.tier = 'borough' AND a.parent IS NOT NULL
        UNION ALL
        SELECT * FROM likely WHERE tier = 'region'
            AND (record_id, version) NOT IN (SELECT (record_id, version) FROM likely WHERE tier = 'borough')
        UNION ALL
        SELECT record_id, version, '{UK}', 'uk' FROM standing ANTI JOIN away USING (record_id, version)
    ), shown AS (
        SELECT named.* FROM named, asked WHERE list_contains(asked.tiers, tier)
    ), found AS ({{found}}
    ), counted AS (
        SELECT subject_kind, subject, area, tier,
               floor(date_diff('day', DATE '1970-01-05', reference_date) / length)::BIGINT AS period,
               count(DISTINCT record_id) AS observed
        FROM found JOIN shown USING (record_id, version) JOIN standing USING (record_id, version), asked GROUP BY ALL
    ), grid AS (
        SELECT subject_kind, subject, area, tier, unnest(range(
            floor(date_diff('day', DATE '1970-01-05', first_day) / length)::BIGINT,
            floor(date_diff('day', DATE '1970-01-05', last_day) / length)::BIGINT + 1)) AS period
        FROM (SELECT DISTINCT subject_kind, subject FROM found JOIN shown USING (record_id, version)),
             (SELECT DISTINCT area, tier FROM shown), asked
    )
    SELECT subject_kind, subject, area, tier,
           (DATE '1970-01-05' + (period * length)::INTEGER)::DATE AS period, coalesce(observed, 0) AS observed
    FROM grid LEFT JOIN counted USING (subject_kind, subject, area, tier, period), asked
    ORDER BY subject_kind, subject, area, tier, period
"""
