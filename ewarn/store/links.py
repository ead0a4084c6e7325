"""Links: two records that may tell of the same persons, with the rule and the reason, and what people said of them.

In: pairs found by a rule, judgements of named persons. Out: links as they stand, and what was judged by an instant.
Append-only: every change is a further version. Never merges anything and never holds more of a record than its id.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import polars as pl

from ewarn.frames import shaped
from ewarn.store import audit, tables
from ewarn.store.tables import Connection
from ewarn.terms import digest

PROBABLE, LAPSED, CONFIRMED, REJECTED = "probable", "lapsed", "confirmed", "rejected"
BY_HAND = "a person said so"


class Found(NamedTuple):
    """A pair of records, left below right, with what kind of link it is, the rule that found it and why."""

    left: str
    right: str
    kind: str
    rule: str
    reason: str

    @property
    def id(self) -> str:
        return link_id(self.left, self.right)


def link_id(left: str, right: str) -> str:
    """The id of the link between two records, in whichever order they are named."""
    return digest(["link", *sorted((left, right))], 12)


def propose(tx: Connection, found: Sequence[Found], considered: Collection[str], now: datetime) -> tuple[int, int]:
    """Enter pairs not known yet as probable; those of the considered records that no rule finds any more lapse.

    What a person judged stands. Returns how many were entered and how many lapsed. The same again adds nothing.
    """
    known = {row["id"]: row for row in _newest(tx)}
    fresh = [f for f in found if f.id not in known or known[f.id]["state"] == LAPSED]
    paired, records = {f.id for f in found}, set(considered)
    stale = [
        row
        for row in known.values()
        if row["state"] == PROBABLE and row["id"] not in paired and {row["left"], row["right"]} <= records
    ]
    rows = [_row(f, known.get(f.id), PROBABLE, "ewarn", "", now) for f in fresh]
    rows += [_row(_found(row), row, LAPSED, "ewarn", "a later version tells them apart", now) for row in stale]
    if rows:
        tables.insert(tx, "person_link", pl.DataFrame(rows))
        _, newest, _ = audit.last(tx)
        at = max(now, newest or now)
        audit.append(
            tx, at, "ewarn", "linked", f"{len(rows)} pairs", [[r["id"], r["version"], r["state"]] for r in rows]
        )
    return len(fresh), len(stale)


def judge(tx: Connection, found: Found, state: str, person: str, why: str, now: datetime) -> dict[str, Any]:
    """Enter what a person said of a pair. Returns the link as it stands now."""
    known = {row["id"]: row for row in _newest(tx)}.get(found.id)
    row = _row(found, known, state, person, why, now)
    tables.insert(tx, "person_link", pl.DataFrame([row]))
    audit.append(tx, now, person, f"link {state}", found.id, row)
    return next(link for link in all(tx, records=[found.left, found.right]) if link["id"] == found.id)


def all(con: Connection, state: str | None = None, records: Collection[str] | None = None) -> list[dict[str, Any]]:
    """Links as they stand, newest first: id, version, left, right, kind, state, rule, reason, who, why, linked_at."""
    rows = [r for r in _newest(con) if state is None or r["state"] == state]
    if records is not None:
        rows = [r for r in rows if {r["left"], r["right"]} & set(records)]
    return sorted(rows, key=lambda r: (r["linked_at"], r["id"]), reverse=True)


def history(con: Connection, link: str) -> list[dict[str, Any]]:
    """Every version of a link, oldest first."""
    return tables.rows(con, f"{_SELECT} WHERE id = ? ORDER BY version", [link])


def as_known(con: Connection, until: datetime | None = None) -> pl.DataFrame:
    """What people had said by an instant (frames 'line_links'), each with the time it stood."""
    return shaped("line_links", tables.few(con, _AS_KNOWN, [until, until]))


_SELECT = """
    SELECT id, version, left_record AS "left", right_record AS "right", kind, state, rule, reason, who, why, linked_at
    FROM person_link
"""
_AS_KNOWN = """
    WITH told AS (
        SELECT left_record AS "left", right_record AS "right", state, linked_at AS visible_from,
               lead(linked_at) OVER (PARTITION BY id ORDER BY version) AS visible_to
        FROM person_link WHERE ?::TIMESTAMPTZ IS NULL OR linked_at <= ?::TIMESTAMPTZ
    )
    SELECT * FROM told WHERE state IN ('confirmed', 'rejected') AND (visible_to IS NULL OR visible_to > visible_from)
    ORDER BY visible_from, "left", "right"
"""


def _newest(con: Connection) -> list[dict[str, Any]]:
    return tables.rows(con, f"{_SELECT} QUALIFY row_number() OVER (PARTITION BY id ORDER BY version DESC) = 1")


def _found(row: dict[str, Any]) -> Found:
    return Found(*(row[name] for name in Found._fields))


def _row(found: Found, before: dict[str, Any] | None, state: str, who: str, why: str, now: datetime) -> dict[str, Any]:
    """The next version; never dated before the one it follows."""
    return {
        "id": found.id, "version": before["version"] + 1 if before else 1, "left_record": found.left,
        "right_record": found.right, "kind": found.kind, "state": state, "rule": found.rule, "reason": found.reason,
        "who": who, "why": why, "linked_at": max(now, before["linked_at"]) if before else now,
    }  # fmt: skip
