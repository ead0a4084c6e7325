"""How much an area has by period, read from the rows of the days asked about alone.

In: a connection, what to count (`rules.dense.question`), an area, an instant, days. Out: numbers by period; and what is
known of at all, which makes the zeros. Together they are the rows that `rules.dense.tested` makes of every record, as
known at any instant. Never a record that was known later.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

import polars as pl

from ewarn.store import asof, segments, tables
from ewarn.store.tables import Connection
from ewarn.terms import UK, Role

FOUND = (Role.MAJOR, Role.MINOR, Role.TRACE, Role.CONFIRMED)
MONDAY = date(1970, 1, 5)  # the first day of period 0


class Asked(NamedTuple):
    """`areas` one row per area: code, tier, parent; `substances`: substance, class_id and whether it counts for its
    class; `subjects` the substances and classes asked about, None for every record whatever was found."""

    kinds: Sequence[str]
    tiers: Sequence[str]
    areas: pl.DataFrame
    substances: pl.DataFrame
    subjects: Sequence[str] | None


class Known(NamedTuple):
    """What is known of at all: subjects found somewhere with the tier, areas with a record, sources of these kinds."""

    subjects: frozenset[tuple[str, str, str]]
    areas: frozenset[str]
    sources: frozenset[str]


def starts(first: date, last: date, period_days: int) -> list[date]:
    """The first days of the periods from that of one day to that of another."""
    numbers = range((first - MONDAY).days // period_days, (last - MONDAY).days // period_days + 1)
    return [MONDAY + timedelta(days=number * period_days) for number in numbers]


def of_area(
    con: Connection, asked: Asked, area: str, at: datetime, first: date, last: date, period_days: int
) -> tuple[dict[tuple[str, str, date], int], dict[date, int]]:
    """Records named for an area by subject and period, and those of these kinds there by period, from the first day of
    the period of `first` to the last one of that of `last`. What has none is absent."""
    periods = starts(first, last, period_days)
    bounds = {"first": periods[0], "last": periods[-1] + timedelta(days=period_days - 1)}
    words = {"at": at, "kinds": list(asked.kinds), "tiers": list(asked.tiers), "area": area, "length": period_days}
    sql = _of(con, "reference_date BETWEEN $first AND $last AND", "AND area = $area", asked) + _COUNTED
    rows = _answered(con, asked, sql, words | bounds)
    found = {(kind, subject, period): n for kind, subject, period, n in rows if kind is not None}
    return found, {period: n for kind, _, period, n in rows if kind is None}


def known(con: Connection, asked: Asked, at: datetime) -> Known:
    """What is known of by an instant. Reads every record of these kinds."""
    words = {"at": at, "kinds": list(asked.kinds), "tiers": list(asked.tiers)}
    rows = _answered(con, asked, _of(con, "", "", asked) + _KNOWN, words)
    told = con.execute("SELECT DISTINCT source FROM record WHERE list_contains(?, kind)", [list(asked.kinds)])
    return Known(
        subjects=frozenset((kind, subject, tier) for kind, subject, tier, area in rows if area is None),
        areas=frozenset(area for *_, area in rows if area is not None),
        sources=frozenset(str(source) for (source,) in told.fetchall()),
    )


def _answered(con: Connection, asked: Asked, sql: str, words: dict[str, object]) -> list[tuple]:  # type: ignore[type-arg]
    given = {
        "asked_areas": asked.areas.select("code", "tier", "parent"),
        "asked_substances": asked.substances.select("substance", "class_id", "counts"),
        "asked_subjects": tables.column("id", asked.subjects or ()),
    }
    with tables.given(con, **given):
        return con.execute(sql, words).fetchall()


def _of(con: Connection, days: str, area: str, asked: Asked) -> str:
    """The records that stand, what each is named for and what was found in it."""
    found = _ANY if asked.subjects is None else _FOUND.format(detection=segments.dated(con, "detection"), days=days)
    standing = asof.standing(con, "record", days.removesuffix(" AND") or "true")
    return standing + _SHOWN.format(place=segments.dated(con, "place"), days=days, area=area, found=found)


_ANY = "SELECT mark, version, 'none' AS subject_kind, '' AS subject FROM standing"
_FOUND = f"""
    SELECT DISTINCT mark, version, told.kind AS subject_kind, told.id AS subject FROM (
        SELECT mark, version, unnest([
            {{{{'kind': 'substance', 'id': CASE WHEN mention_kind = 'substance' THEN d.subject END}}}},
            {{{{'kind': 'class', 'id': CASE
                WHEN mention_kind = 'class' THEN d.subject
                WHEN mention_kind = 'substance' AND coalesce(s.counts, true) THEN s.class_id
                WHEN mention_kind = 'queued' THEN d.class_id END}}}}
        ]) AS told
        FROM {{detection}} d SEMI JOIN shown USING (mark, version)
        LEFT JOIN asked_substances s ON s.substance = d.subject
        WHERE {{days}} list_contains($kinds, kind) AND role IN ({", ".join(f"'{role.value}'" for role in FOUND)})
    ) WHERE told.id IN (SELECT id FROM asked_subjects)
"""
_SHOWN = f"""
    , dated_place AS (
        SELECT mark, version, area, coalesce(share, 1.0) AS share, precision FROM {{place}}
        SEMI JOIN standing USING (mark, version) WHERE {{days}} list_contains($kinds, kind)
    ), away AS (
        SELECT DISTINCT mark, version FROM dated_place WHERE precision = 'outside the UK'
    ), placed AS (
        SELECT mark, version, a.code, a.tier AS area_tier, share,
               CASE a.tier WHEN 'region' THEN a.code WHEN 'borough' THEN a.parent END AS region
        FROM dated_place JOIN asked_areas a ON a.code = dated_place.area
        ANTI JOIN away USING (mark, version) WHERE share > 0
    ), likely AS (
        SELECT mark, version, area, tier FROM (
            SELECT mark, version, code AS area, 'borough' AS tier, sum(share) AS share
            FROM placed WHERE area_tier = 'borough' GROUP BY ALL
            UNION ALL
            SELECT mark, version, region, 'region', sum(share) FROM placed WHERE region IS NOT NULL GROUP BY ALL
        )
        QUALIFY row_number() OVER (PARTITION BY mark, version, tier ORDER BY round(share, 9) DESC, area) = 1
    ), named AS (
        SELECT * FROM likely WHERE tier = 'borough'
        UNION ALL
        SELECT mark, version, a.parent, 'region' FROM likely JOIN asked_areas a ON a.code = area
        WHERE likely.tier = 'borough' AND a.parent IS NOT NULL
        UNION ALL
        SELECT likely.* FROM likely
        ANTI JOIN (SELECT mark, version FROM likely WHERE tier = 'borough') USING (mark, version) WHERE tier = 'region'
        UNION ALL
        SELECT mark, version, '{UK}', 'uk' FROM standing ANTI JOIN away USING (mark, version)
    ), shown AS MATERIALIZED (
        SELECT * FROM named WHERE list_contains($tiers, tier) {{area}}
    ), found AS ({{found}}
    )
"""
_PERIOD = (
    "(DATE '1970-01-05' + (floor(date_diff('day', DATE '1970-01-05', reference_date) / $length)::BIGINT"
    " * $length)::INTEGER)::DATE AS period"
)
_COUNTED = f"""
    SELECT subject_kind, subject, {_PERIOD}, count(DISTINCT mark) AS records
    FROM found JOIN shown USING (mark, version) JOIN standing USING (mark, version) GROUP BY ALL
    UNION ALL
    SELECT NULL, NULL, {_PERIOD}, count(DISTINCT mark) FROM shown JOIN standing USING (mark, version) GROUP BY ALL
"""
_KNOWN = """
    SELECT DISTINCT subject_kind, subject, tier, NULL AS area FROM found JOIN shown USING (mark, version)
    UNION ALL
    SELECT DISTINCT NULL, NULL, tier, area FROM shown
"""
