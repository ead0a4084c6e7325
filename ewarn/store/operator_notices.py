"""Notices to the operator: a source fell silent, a file changed its shape, a reference was used twice.

A notice with a topic ('failing', 'silent', 'moved') stands once per source while it is open, whatever its words become;
one without a topic stands once per text. Those to be told leave as a message; the same matter is told once in a day,
however often it comes and goes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from ewarn.store import audit, tables
from ewarn.store.tables import Connection
from ewarn.terms import digest

TOLD_ONCE_IN = timedelta(hours=24)
_SAME = "source = ? AND coalesce(topic, '') = ? AND (? <> '' OR text = ?)"


def put(tx: Connection, at: datetime, source: str, text: str, topic: str = "", *, tell: bool = True) -> bool:
    """Enter a notice, or bring the words of the one that stands up to date. Returns whether it was added.

    In: `tell` false keeps it to the status page until somebody puts it again with true.
    """
    same = [source, topic, topic, text]
    known = tables.rows(tx, f"SELECT id, text, tell FROM operator_notice WHERE {_SAME} AND closed_at IS NULL", same)
    if known:
        tell = tell or bool(known[0]["tell"])
        if (text, tell) != (known[0]["text"], bool(known[0]["tell"])):
            tx.execute("UPDATE operator_notice SET text = ?, tell = ? WHERE id = ?", [text, tell, known[0]["id"]])
        return False
    name = digest([source, topic, text, at.isoformat()], 12)
    tables.put(
        tx, "operator_notice", id=name, noticed_at=at, source=source, text=text, closed_at=None, topic=topic, tell=tell,
        told_at=None,
    )  # fmt: skip
    audit.append(tx, at, "ewarn", "operator notice", name, [source, text])
    return True


def open(con: Connection) -> pl.DataFrame:
    """Open notices, newest first: id, noticed_at, source, topic, text, tell (it is to be sent), told_at."""
    sql = """
        SELECT id, noticed_at, source, coalesce(topic, '') AS topic, text, coalesce(tell, true) AS tell, told_at
        FROM operator_notice WHERE closed_at IS NULL ORDER BY noticed_at DESC, id
    """
    return tables.frame(con, sql)


def close(
    tx: Connection,
    at: datetime,
    by: str,
    *,
    notice: str | None = None,
    source: str | None = None,
    topics: Sequence[str] | None = None,
) -> int:
    """Close one notice, or the open ones of a source (of these topics). Returns how many were closed."""
    chosen = "closed_at IS NULL AND ((? IS NOT NULL AND id = ?) OR (? IS NOT NULL AND source = ?))"
    words: list[object] = [notice, notice, source, source]
    if topics is not None:
        chosen += " AND list_contains(?, coalesce(topic, ''))"
        words.append(list(topics))
    count = int(tables.one(tx, f"SELECT count(*) FROM operator_notice WHERE {chosen}", words))
    if count:
        tx.execute(f"UPDATE operator_notice SET closed_at = ? WHERE {chosen}", [at, *words])
        audit.append(tx, at, by, "closed operator notice", notice or source or "", count)
    return count


def close_others(tx: Connection, at: datetime, source: str, family: str, topics: Sequence[str]) -> int:
    """Close a source's open notices whose topic is of a family ('drift: ...') and not among these."""
    wanted = "SELECT topic FROM operator_notice WHERE source = ? AND closed_at IS NULL AND regexp_full_match(topic, ?)"
    found = [row["topic"] for row in tables.rows(tx, wanted, [source, rf"{re.escape(family)}: [0-9a-f]{{8}}"])]
    over = [topic for topic in found if topic not in topics]
    return close(tx, at, "ewarn", source=source, topics=over) if over else 0


def untold(con: Connection, at: datetime) -> pl.DataFrame:
    """Open notices that are to leave now, oldest first; a matter told within the last day waits until that has passed.

    One row each: id, noticed_at, source, topic, text.
    """
    sql = """
        SELECT id, noticed_at, source, coalesce(topic, '') AS topic, text FROM operator_notice AS mine
        WHERE closed_at IS NULL AND told_at IS NULL AND coalesce(tell, true) AND NOT EXISTS (
            SELECT 1 FROM operator_notice AS told
            WHERE told.source = mine.source AND coalesce(told.topic, '') = coalesce(mine.topic, '')
              AND (coalesce(mine.topic, '') <> '' OR told.text = mine.text) AND told.told_at > ?
        ) ORDER BY noticed_at, id
    """
    return tables.frame(con, sql, [at - TOLD_ONCE_IN])


def told(tx: Connection, notices: Sequence[str], at: datetime) -> None:
    """Enter that these notices have left in a message."""
    tx.execute("UPDATE operator_notice SET told_at = ? WHERE list_contains(?, id)", [at, list(notices)])
    audit.append(tx, at, "ewarn", "told operator", f"{len(notices)} notices", list(notices))
