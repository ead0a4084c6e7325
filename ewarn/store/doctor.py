"""The store's own examination: what a person on call wants to know before trusting it. It changes nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime

import polars as pl
from pydantic import Field

from ewarn.errors import EwarnError
from ewarn.store import audit, belonging, decisions, outbox, published, schema, segments, snapshots, tables
from ewarn.store.database import Database
from ewarn.store.tables import Connection
from ewarn.terms import Frozen, digest

ON_ALERTS = ("drafted", "submitted", "approved", "reviewed", "out-of-hours")
LOW_ROOM_BYTES = 500_000_000
ORPHANS = "SELECT count(*) FROM {table} ANTI JOIN record USING (record_id, version)"


class Check(Frozen):
    """One thing looked at."""

    name: str
    ok: bool
    words: str = Field(description="what was found, and what to do when it is not as it should be")


def examine(db: Database, now: datetime) -> list[Check]:
    """Room on the disk, version, audit chain, clock, published copy, receipts, children without records, lost sends."""
    found = [_room(db)]
    try:
        with db.read() as con:
            found += [check(db, con, now) for check in _CHECKS]
    except EwarnError as error:
        found.append(Check(name="database", ok=False, words=str(error)))
    return found


def _room(db: Database) -> Check:
    free = shutil.disk_usage(db.settings.home).free
    enough = free > LOW_ROOM_BYTES
    return Check(
        name="room on the disk", ok=enough, words=f"{free / 1e9:.1f} GB free" + ("" if enough else "; free some space")
    )


def _version(db: Database, con: Connection, now: datetime) -> Check:
    return Check(name="database", ok=True, words=f"version {schema.version(con)}, {db.path}")


def _audit(db: Database, con: Connection, now: datetime) -> Check:
    broken = audit.verify(con)
    seq, _, _ = audit.last(con)
    words = f"{seq} links, whole" if broken is None else f"broken at link {broken}; restore the newest good backup"
    return Check(name="audit chain", ok=broken is None, words=words)


def _entered(db: Database, con: Connection, now: datetime) -> Check:
    """Whether what people did and what cases say is still what was entered: each row's hash stands in the chain."""
    chain = audit.entries(con)
    known = set(chain.get_column("details"))
    told = {digest(decision.model_dump(mode="json")) for decision in decisions.all(con)}
    rows = told | {digest(text) for table in ("case_file", "recipient") for text in _bodies(con, table)}
    people = tables.rows(con, "SELECT body, secret_hash FROM person")
    rows |= {digest([row["body"], digest(row["secret_hash"])]) for row in people}
    of_alerts = chain.filter(pl.col("act").is_in(ON_ALERTS) & pl.col("subject").str.contains("/A", literal=True))
    changed, gone = len(rows - known), len(set(of_alerts.get_column("details")) - told)
    words = f"{len(rows)} as they were entered"
    if changed or gone:
        words = f"{changed} changed and {gone} removed since they were entered; restore the newest good backup"
    return Check(name="decisions, cases and people", ok=not changed and not gone, words=words)


def _bodies(con: Connection, table: str) -> list[str]:
    found: list[str] = tables.frame(con, f"SELECT body FROM {table}").get_column("body").to_list()
    return found


def _clock(db: Database, con: Connection, now: datetime) -> Check:
    _, newest, _ = audit.last(con)
    try:
        audit.check_clock(now, newest, "the newest act on record")
    except EwarnError as error:
        return Check(name="clock", ok=False, words=str(error))
    return Check(name="clock", ok=True, words="not behind anything on record")


def _published(db: Database, con: Connection, now: datetime) -> Check:
    pointer = published.current(db.settings.home)
    fresh = pointer is not None and db.exists and pointer.is_of(db.path)
    words = f"number {pointer.number}" if pointer else "none"
    return Check(name="published copy", ok=fresh, words=words + ("" if fresh else "; behind the database"))


def _receipts(db: Database, con: Connection, now: datetime) -> Check:
    known = set(tables.frame(con, "SELECT id FROM receipt").get_column("id").to_list())
    waiting = [r for r in snapshots.receipts(db.settings) if r.id not in known and r.kind == "receipt"]
    gone = tables.frame(con, "SELECT DISTINCT sha256 FROM receipt WHERE sha256 <> ''").get_column("sha256")
    expired = sum(not snapshots.path_of(db.settings, sha).is_file() for sha in gone)
    words = f"{len(known)} entered, {len(waiting)} kept but not entered, {expired} snapshots expired"
    return Check(name="receipts", ok=not waiting, words=words)


def _whole(db: Database, con: Connection, now: datetime) -> Check:
    if not _segments(db, con, now).ok:
        return Check(name="records", ok=False, words="cannot be read whole: see segments")
    children = ("sample", "incident", "count_row", "notice", "detection", "place")
    orphans = sum(int(tables.one(con, ORPHANS.format(table=table))) for table in children)
    sql = "SELECT count(*) - count(DISTINCT (record_id, version)) FROM record"
    doubles = int(tables.one(con, sql))
    records = int(tables.one(con, "SELECT count(*) FROM record"))
    ok = not orphans and not doubles
    words = f"{records} record versions" + ("" if ok else f"; {orphans} rows without a record, {doubles} doubled")
    return Check(name="records", ok=ok, words=words)


def _segments(db: Database, con: Connection, now: datetime) -> Check:
    found = tables.rows(con, "SELECT receipt, hashes FROM segment")
    wrong = [name for segment in found for name in segments.wrong(segments.folder_of(db.path), segment)]
    left = segments.leftovers(segments.folder_of(db.path), con)
    words = f"{len(found)} large files"
    if left:
        words += f"; {len(left)} folders under lines/ that none of them names"
    if wrong:
        words += f"; altered or missing: {', '.join(wrong[:3])}; restore the newest good backup"
    return Check(name="segments", ok=not wrong, words=words)


def _outbox(db: Database, con: Connection, now: datetime) -> Check:
    dead = sum(delivery.state == "dead" for delivery in outbox.all(con))
    late = len(outbox.due(con, now))
    return Check(name="outbox", ok=not dead, words=f"{late} due, {dead} given up; see 'ewarn receipts'")


def _belonging(db: Database, con: Connection, now: datetime) -> Check:
    """Judgements, roles taken for a while, sessions, releases, answers, reports: what they name is there."""
    found = belonging.faults(con, db.settings.home)
    words = f"{belonging.rows(con)} rows name what is there"
    if found:
        words = "; ".join(found) + "; restore the newest good backup, or ask who changed the database by hand"
    return Check(name="what rows name", ok=not found, words=words)


_CHECKS: tuple[Callable[[Database, Connection, datetime], Check], ...] = (
    _version, _audit, _entered, _clock, _published, _receipts, _whole, _segments, _outbox,
    _belonging,
)  # fmt: skip


def unlanded(db: Database) -> Iterator[snapshots.Receipt]:
    """Receipts whose bytes were kept but never became records: a crash came between. Read them again."""
    with db.read() as con:
        known = set(
            tables.frame(con, "SELECT DISTINCT sha256 FROM receipt WHERE landed").get_column("sha256").to_list()
        )
    for receipt in snapshots.receipts(db.settings):
        if receipt.kind == "receipt" and receipt.sha256 not in known:
            yield receipt
