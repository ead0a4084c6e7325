"""What this home has asked of people: pages, new signals, names and operator notices, when and by which rule.

In: a connection, two instants. Out: one row each: at (UTC), kind, rule, area. What is one matter stands once: a signal
about silence is its operator notice, a signal about a name is the name. Never a subject, a record or a person.
"""

from __future__ import annotations

from datetime import datetime

import polars as pl

from ewarn.store import tables
from ewarn.store.tables import Connection

# A page is named for the rule of the newest change that its case had by then; an operator message has no case.
_PAGES = """
    SELECT p.paged_at AS "at", 'page' AS kind, coalesce(arg_max(s.rule, a.acted_at), '') AS rule,
           coalesce(any_value(c.lead_area), '') AS area
    FROM page p
    LEFT JOIN case_act a ON a.ref = p.case_ref AND a.acted_at <= p.paged_at AND coalesce(a.signal, '') <> ''
    LEFT JOIN signal s ON s.id = a.signal AND s.version = 1
    LEFT JOIN case_file c ON c.ref = p.case_ref
    WHERE p.paged_at BETWEEN $1 AND $2 AND p.case_ref NOT IN (SELECT case_ref FROM exercise) GROUP BY p.id, p.paged_at
"""
_SIGNALS = """
    SELECT saved_at AS "at", CASE family WHEN 'unknown name' THEN 'name' ELSE 'signal' END AS kind, rule, area
    FROM signal WHERE version = 1 AND family <> 'silence' AND saved_at BETWEEN $1 AND $2
"""
_NOTICES = """
    SELECT noticed_at AS "at", 'operator notice' AS kind, source AS rule, '' AS area FROM operator_notice
    WHERE noticed_at BETWEEN $1 AND $2 AND NOT list_contains((SELECT coalesce(array_agg(id), []) FROM signal), topic)
"""


def between(con: Connection, since: datetime, until: datetime) -> pl.DataFrame:
    """Everything asked from `since` to `until`, both inclusive, oldest first."""
    parts = [tables.frame(con, sql, [since, until]) for sql in (_PAGES, _SIGNALS, _NOTICES)]
    return pl.concat(parts, how="vertical_relaxed").sort("at", "kind", "rule", "area")
