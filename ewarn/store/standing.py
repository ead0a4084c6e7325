"""The rules' newest whole answer: kept for those who only look. It can be made again at any time.

In: an answer as JSON text. Out: the same, with its instant. Saying the same again within the hour writes nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ewarn.store import tables
from ewarn.store.tables import Connection

SAME_FOR = timedelta(minutes=60)


def is_news(con: Connection, as_of: datetime, said: str) -> bool:
    """Whether keeping this answer would tell a reader anything: it differs, or the one that is kept is old."""
    found = tables.rows(con, "SELECT as_of, said FROM standing")
    return not found or found[0]["said"] != said or as_of - found[0]["as_of"] >= SAME_FOR


def keep(tx: Connection, as_of: datetime, content_hash: str, said: str, body: str) -> None:
    """Put the answer in the place of the one before, unless that one is newer."""
    newer = tables.one(tx, "SELECT count(*) FROM standing WHERE as_of > ?", [as_of])
    if not newer:
        tx.execute("DELETE FROM standing")
        tables.put(tx, "standing", as_of=as_of, content_hash=content_hash, said=said, body=body)


def load(con: Connection) -> str | None:
    """The answer as it was kept."""
    found = tables.one(con, "SELECT body FROM standing")
    return None if found is None else str(found)


def size(con: Connection) -> int:
    """How many record versions the store holds: what asking the rules costs."""
    own = tables.one(con, f"SELECT count(*) FROM {tables.own(con, 'record')}")
    return int(own) + int(tables.one(con, "SELECT coalesce(sum(records), 0) FROM segment"))
