"""The audit chain: who did what to which id, when, and the hash of what was stored. Append-only.

Every link holds the hash of the one before it, so that a changed or removed link shows. It holds ids and hashes, never
content: the chain may be shown to anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from ewarn.errors import StoreFault
from ewarn.store import tables
from ewarn.store.tables import Connection
from ewarn.terms import digest

CLOCK_TOLERANCE = timedelta(minutes=5)
_COLUMNS = ["seq", "written_at", "actor", "act", "subject", "details", "previous", "link"]


def append(
    tx: Connection,
    at: datetime | None,
    actor: str,
    act: str,
    subject: str,
    details: Any = "",
    *,
    whatever_the_clock: bool = False,
) -> str:
    """Add a link; `details` is hashed, not kept. Without `at` the link takes the time of the one before it.

    In: `whatever_the_clock` as in `not_before`. Raises: StoreFault when `at` lies more than five minutes before the
    newest link.
    """
    seq, newest_at, previous = last(tx)
    if at is None:
        at = newest_at or datetime.fromtimestamp(0, UTC)
    if not whatever_the_clock:
        check_clock(at, newest_at, "the newest act on record")
    at = max(at.astimezone(UTC), newest_at or at.astimezone(UTC))
    hashed = digest(details)
    link = _link(seq + 1, at, actor, act, subject, hashed, previous)
    row = {"seq": seq + 1, "written_at": at, "actor": actor, "act": act, "subject": subject, "details": hashed}
    tables.put(tx, "audit", **row, previous=previous, link=link)
    return link


def append_all(
    tx: Connection,
    at: datetime | None,
    actor: str,
    act: str,
    subjects: Sequence[str],
    details: Sequence[Any] = (),
    *,
    whatever_the_clock: bool = False,
) -> None:
    """The same act on many subjects, one link each, with as many details or none. Raises: StoreFault as above."""
    if not subjects:
        return
    seq, newest_at, previous = last(tx)
    at = at or newest_at or datetime.fromtimestamp(0, UTC)
    if not whatever_the_clock:
        check_clock(at, newest_at, "the newest act on record")
    at, links = max(at.astimezone(UTC), newest_at or at.astimezone(UTC)), []
    for number, (subject, detail) in enumerate(zip(subjects, details or [""] * len(subjects), strict=True), seq + 1):
        hashed = digest(detail)
        link = _link(number, at, actor, act, subject, hashed, previous)
        links.append((number, at, actor, act, subject, hashed, previous, link))
        previous = link
    tables.insert(tx, "audit", pl.DataFrame(links, schema=_COLUMNS, orient="row"))


def last(con: Connection) -> tuple[int, datetime | None, str]:
    """Number, instant and hash of the newest link; (0, None, '') before the first."""
    found = tables.rows(con, "SELECT seq, written_at, link FROM audit ORDER BY seq DESC LIMIT 1")
    return (found[0]["seq"], found[0]["written_at"], found[0]["link"]) if found else (0, None, "")


def not_before(con: Connection, at: datetime) -> datetime:
    """`at`, or the instant of the newest link where the clock has gone back behind it.

    For the sender alone: what was approved leaves, and is on record in its order, whatever the machine's clock says.
    """
    newest = last(con)[1]
    return at if newest is None else max(at, newest)


def check_clock(now: datetime, newest: datetime | None, what: str) -> None:
    """Raises: StoreFault naming both times when `now` is more than five minutes before `newest`."""
    if newest is not None and now < newest - CLOCK_TOLERANCE:
        raise StoreFault(
            f"the clock went back: it is {now.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC now,"
            f" and {what} is of {newest.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
            next_step="Set the machine's clock right, then repeat the command. Nothing was stored.",
        )


def verify(con: Connection) -> int | None:
    """The number of the first broken link, or None when the chain is whole."""
    previous, expected = "", 1
    for row in entries(con).iter_rows(named=True):
        parts = (row["written_at"], row["actor"], row["act"], row["subject"], row["details"], previous)
        whole = row["seq"] == expected and row["previous"] == previous
        if not whole or row["link"] != _link(row["seq"], *parts):
            return expected
        previous, expected = row["link"], expected + 1
    return None


def entries(con: Connection) -> pl.DataFrame:
    """The whole chain, oldest first: seq, written_at, actor, act, subject, details, previous, link."""
    return tables.frame(con, "SELECT * FROM audit ORDER BY seq")


def _link(seq: int, at: datetime, actor: str, act: str, subject: str, details: str, previous: str) -> str:
    stamp = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return digest([seq, stamp, actor, act, subject, details, previous])
