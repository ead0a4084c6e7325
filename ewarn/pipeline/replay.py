"""Reading kept bytes again: rejects after a fix, names after they were given, everything after the database was lost.

In: a house and `now`. Out: one SourceReport a snapshot. It must never let an older snapshot undo what a later one said.
"""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from ewarn import catalogue as content_room
from ewarn.errors import EwarnError, UsageFault
from ewarn.intake import IN_MEMORY, Staged
from ewarn.pipeline.house import House
from ewarn.pipeline.landing import Progress, definition_of, land, report
from ewarn.pipeline.members import UNKNOWN, adopt, take_all
from ewarn.pipeline.reports import IntakeReport, SourceReport
from ewarn.store import profiles, records, rejects, snapshots, tombstones
from ewarn.store.tables import Connection


def list_rejects(house: House, source: str | None = None) -> list[dict[str, Any]]:
    """Open rejects, newest first: one row per input row or entry that could not be used."""
    with house.db.read() as con:
        return rejects.all(con, source).to_dicts()


def replay_rejects(
    house: House, now: datetime, source: str | None = None, progress: Progress | None = None
) -> IntakeReport:
    """Read the snapshots behind open rejects again with today's definitions; rows that now pass become records.

    They become known now, unless their snapshot was a backfill.
    """
    with house.db.read() as con:
        waiting = rejects.all(con, source).select("source", "snapshot").unique(maintain_order=True)
    return reread(house, now, waiting, progress)


def reread(house: House, now: datetime, waiting: pl.DataFrame, progress: Progress | None = None) -> IntakeReport:
    """Read kept snapshots again with today's definitions. In: one row per snapshot with source and snapshot."""
    say = progress or (lambda _: None)
    receipts = {(r.source, r.sha256): r for r in reversed(snapshots.receipts(house.settings)) if r.kind == "receipt"}
    reports = []
    for source, sha256 in waiting.select("source", "snapshot").iter_rows():
        say(f"{source} {sha256[:12]}")
        first = receipts.get((source, sha256))
        backfill, file = (first.backfill, first.file) if first else (False, "")
        try:
            definition = None if source == UNKNOWN else definition_of(house, source)
            with snapshots.opened(house.settings, first or _unreceived(source, sha256, now), IN_MEMORY) as body:
                if definition is None:
                    reports.extend(adopt(house, body, sha256, now, file))
                else:
                    reports.extend(take_all(house, definition, body, now, backfill, file=file, kind="replay"))
        except EwarnError as error:
            reports.append(SourceReport(source=source, snapshot=sha256, outcome="failed", error=str(error)))
    return report(house, reports)


def _unreceived(source: str, sha256: str, now: datetime) -> snapshots.Receipt:
    """For bytes that no line of receipts.jsonl names."""
    return snapshots.Receipt(id="", source=source, sha256=sha256, received_at=now)


def rebuild(house: House, now: datetime, progress: Progress | None = None) -> IntakeReport:
    """Replay every kept snapshot, each with the content then in force, into a database without records.

    Decisions, people, the outbox and the audit chain cannot be replayed: restore them from a backup.
    """
    say = progress or (lambda _: None)
    with house.db.read() as con:
        if not snapshots.table(con).filter(pl.col("landed")).is_empty():
            raise UsageFault(
                "the database already holds records",
                where=str(house.settings.database),
                next_step="Move the database away first; the snapshots under raw/ stay where they are.",
            )
    reports: list[SourceReport] = []
    landed: set[tuple[str, str, str]] = set()
    with house.db.write("rebuild") as tx:
        tombstones.enter(tx, snapshots.receipts(house.settings))
    with tempfile.TemporaryDirectory(dir=house.settings.home) as scratch:
        then: dict[str, House] = {}
        for receipt in snapshots.receipts(house.settings):
            if receipt.kind == "purged":
                continue
            if receipt.kind not in ("receipt", "replay"):
                with house.db.write("rebuild") as tx:
                    snapshots.enter(tx, [receipt])
                continue
            say(f"{receipt.source} {receipt.sha256[:12]}")
            if receipt.content_hash not in then:
                then[receipt.content_hash] = _house_then(house, receipt.content_hash, Path(scratch))
            reports.append(_replay(then[receipt.content_hash], receipt, landed))
    return report(house, reports)


def _house_then(house: House, content_hash: str, scratch: Path) -> House:
    if content_hash == house.catalogue.content_hash:
        return house
    folder = snapshots.load_content(house.settings, content_hash, scratch / content_hash[:16])
    return House(house.settings, content_room.load(folder), house.db)


def _replay(house: House, receipt: snapshots.Receipt, landed: set[tuple[str, str, str]]) -> SourceReport:
    fresh = (receipt.source, receipt.sha256, receipt.member) not in landed
    snapshot = snapshots.SnapshotRef(sha256=receipt.sha256, fresh=fresh, receipt=receipt)
    if not fresh and receipt.kind != "replay":
        with house.db.write("rebuild") as tx:
            snapshots.enter(tx, [receipt])
        return SourceReport(source=receipt.source, snapshot=receipt.sha256, outcome="same bytes")
    again = receipt.kind == "replay"

    def finish(tx: Connection, _: records.Landed, staged: Staged) -> None:
        if again:
            still = staged.rejects["position"].to_list()
            rejects.mark_replayed(tx, receipt.sha256, receipt.received_at, still, receipt.source, receipt.member)
        profiles.put(tx, receipt, staged.profile)

    try:
        definition = definition_of(house, receipt.source)
        with snapshots.opened(house.settings, receipt, IN_MEMORY) as body:
            done, _ = land(house, definition, body, snapshot, receipt.received_at, finish, reread=again)
    except EwarnError as error:
        with house.db.write("rebuild") as tx:
            snapshots.enter(tx, [receipt])
        return SourceReport(source=receipt.source, snapshot=receipt.sha256, outcome="quarantined", notes=(str(error),))
    landed.add((receipt.source, receipt.sha256, receipt.member))
    counts = {name: getattr(done, name) for name in ("records", "new", "changed", "unchanged", "rejects")}
    return SourceReport(
        source=receipt.source, snapshot=receipt.sha256, file=receipt.file, member=receipt.member, **counts,
        detections=done.detections, queued=done.queued,
    )  # fmt: skip
