"""What was learnt from asking a feed, kept over a restart: when it may be asked again, where it moved, how it looked.

In: a feed's id and the address in its definition. Out: its state; everything learnt at another address is forgotten, so
that a corrected definition starts afresh.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from ewarn.store import tables
from ewarn.store.tables import Connection
from ewarn.terms import Frozen


class FeedState(Frozen):
    """How a feed is to be asked next."""

    source: str
    url: str = Field(description="the definition's address")
    refusals: int = Field(0, description="how often in a row the publisher asked us to wait")
    not_before: datetime | None = None
    moved_to: str = Field("", description="where it said it has moved for good")
    moved_at: datetime | None = None


def load(con: Connection, source: str, url: str) -> FeedState:
    """The state learnt at this address; a blank one where there is none."""
    found = tables.rows(con, "SELECT * FROM feed_state WHERE source = ? AND url = ?", [source, url])
    return FeedState(**found[0]) if found else FeedState(source=source, url=url)


def all(con: Connection) -> dict[str, FeedState]:
    """Every feed's state by source."""
    return {row["source"]: FeedState(**row) for row in tables.rows(con, "SELECT * FROM feed_state")}


def save(tx: Connection, state: FeedState) -> None:
    """Put this state in the place of whatever is kept of the feed."""
    tx.execute("DELETE FROM feed_state WHERE source = ?", [state.source])
    if state != FeedState(source=state.source, url=state.url):
        tables.put(tx, "feed_state", **state.model_dump())


def put_shape(tx: Connection, source: str, at: datetime, shape: dict[str, Any]) -> None:
    """Remember what an answer with new bytes looked like: format, entries, ids, dates, links, titles, texts."""
    tables.put(tx, "feed_shape", source=source, received_at=at, **shape)


def shapes(con: Connection, source: str, most: int) -> list[dict[str, Any]]:
    """What the newest answers looked like, newest first."""
    columns = "format, entries, ids, dates, links, titles, texts"
    sql = f"SELECT {columns} FROM feed_shape WHERE source = ? ORDER BY received_at DESC, rowid DESC LIMIT ?"
    return tables.rows(con, sql, [source, most])
