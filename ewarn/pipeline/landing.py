"""Bytes to records: the raw bytes are kept first, then read, then landed in one short transaction.

In: a house, a definition, bytes and `now`. Out: one SourceReport. Parsing runs outside the lock; what fails is a value
in the results, kept whole as one reject, and the operator is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from ewarn import intake as intake_room
from ewarn.catalogue.definitions import DropDefinition, FeedDefinition, NoticeDefinition
from ewarn.errors import EwarnError, StoreFault, TransientSourceError, UnusableInput, UsageFault
from ewarn.frames import SHAPES
from ewarn.pipeline import bulk, casework, corrections
from ewarn.pipeline.house import House
from ewarn.pipeline.reports import IntakeReport, SourceReport
from ewarn.store import operator_notices, profiles, records, rejects, snapshots, vault
from ewarn.store.tables import Connection
from ewarn.terms import digest

Definition = FeedDefinition | DropDefinition | NoticeDefinition
Progress = Callable[[str], Any]
Seen = tuple[int, int, int] | None
Finish = Callable[[Connection, records.Landed, intake_room.Staged], None]
Kept = Callable[[], snapshots.SnapshotRef]


class Landing(NamedTuple):
    """What landed, and the rejects of a file that was read in one piece."""

    landed: records.Landed
    rejects: pl.DataFrame | None = None


SAME_BYTES = "These bytes were received before: nothing changed."


def report(house: House, reports: Sequence[SourceReport]) -> IntakeReport:
    """What came of all of it, once it is published; exit status 4 where everything failed, 1 where a part did."""
    house.db.publish()
    failed = sum(bool(r.error) for r in reports)
    status = 0 if not failed else UnusableInput.exit_status if failed == len(reports) else 1
    return IntakeReport(sources=tuple(reports), exit_status=status)


def definition_of(house: House, source: str) -> Definition:
    """The definition of a source. Raises: UsageFault naming the sources there are."""
    try:
        return house.catalogue.sources[source]
    except KeyError:
        known = ", ".join(sorted(house.catalogue.sources))
        raise UsageFault(f"there is no source '{source}'", next_step=f"Use one of: {known}.") from None


def take(
    house: House,
    definition: Definition,
    body: bytes | Path,
    now: datetime,
    backfill: bool,
    *,
    file: str = "",
    validators: Mapping[str, str] | None = None,
    kind: str = "receipt",
    member: str = "",
) -> SourceReport:
    """Keep the bytes and write the receipt, while a large file is read already; then land in one short transaction.
    `member`: one table of an archive or a workbook; the bytes are then the whole file's."""
    seen = _seen(body)
    with house.db.receiving(definition.id):
        settings, catalogue = house.settings, house.catalogue
        snapshots.archive_content(settings, catalogue.files, catalogue.content_hash)
        with snapshots.arriving(
            settings,
            definition.id,
            body,
            now,
            backfill,
            definition_hash(definition),
            catalogue.content_hash,
            validators,
            kind=kind,
            file=file,
            member=member,
            personal=definition.personal,
        ) as (snapshot, kept):
            return _read_and_land(house, definition, body, snapshot, now, seen, kept)


def _seen(body: bytes | Path) -> Seen:
    """Size, time and number of a file, to tell whether it is still the one that was hashed."""
    if isinstance(body, bytes):
        return None
    found = body.stat()
    return found.st_size, found.st_mtime_ns, found.st_ino


def before(house: House, receipt: snapshots.Receipt) -> Mapping[str, Any] | None:
    """How the source's table before this one looked."""
    with house.db.read() as con:
        return profiles.before(con, receipt)


def definition_hash(definition: Definition) -> str:
    """Which wording of a source's definition read a record."""
    return digest(definition.model_dump(mode="json"), 16)


def _read_and_land(
    house: House,
    definition: Definition,
    body: bytes | Path,
    snapshot: snapshots.SnapshotRef,
    now: datetime,
    seen: Seen,
    kept: Kept,
) -> SourceReport:
    receipt = snapshot.receipt
    replayed = receipt.kind == "replay"
    if not snapshot.fresh and not replayed:
        return _same_bytes(house, kept())

    def finish(tx: Connection, landed: records.Landed, staged: intake_room.Staged) -> None:
        """What belongs to the same transaction as the records."""
        if _seen(body) != seen:
            raise UnusableInput("the file changed while it was read", next_step="Run the intake again.")
        if replayed:
            _off_the_list(tx, snapshot, staged, now)
        profiles.put(tx, receipt, staged.profile)
        _tell(tx, snapshot, staged, landed.notes, now)
        casework.corrected(tx, house, set(landed.changed_records), now)
        corrections.ask(tx, house, set(landed.changed_records), now)

    try:
        landed = land(house, definition, body, snapshot, now, finish, kept, reread=replayed)
    except EwarnError as error:
        return failed(house, definition.id, error, now, kept())
    return _report(kept(), landed)


def land(
    house: House,
    definition: Definition,
    body: bytes | Path,
    snapshot: snapshots.SnapshotRef,
    now: datetime,
    finish: Finish,
    kept: Kept | None = None,
    *,
    reread: bool,
) -> Landing:
    """Read bytes and land them: in one piece, or a large drop part by part. Raises: EwarnError.

    `kept` is called before anything is stored, and returns the snapshot once its bytes are kept. `finish` is called
    in the transaction that makes the records visible.
    """
    receipt, kept = snapshot.receipt, kept or (lambda: snapshot)
    reading: dict[str, Any] = {
        "received_at": receipt.received_at, "backfill": receipt.backfill, "member": receipt.member,
        "before": before(house, receipt),
    }  # fmt: skip
    if isinstance(definition, DropDefinition):
        hashed = partial(vault.keyed_digest, vault.digest_key(house.settings))
        with intake_room.open_drop(definition, body, house.catalogue, hashed=hashed, **reading) as drop:
            if drop.large:
                return Landing(bulk.land(house, drop, snapshot, now, finish, kept, reread=reread))
            staged = drop.whole()
    else:
        staged = intake_room.read(definition, body, house.catalogue, **reading)
    snapshot = kept()
    with house.db.write("intake") as tx:
        landed = records.land(tx, staged, snapshot, now, receipt.backfill, reread=reread)
        finish(tx, landed, staged)
    return Landing(landed, staged.rejects)


def _tell(
    tx: Connection,
    snapshot: snapshots.SnapshotRef,
    staged: intake_room.Staged,
    notes: Sequence[str],
    now: datetime,
) -> None:
    """Notices to the operator of what a file showed. That a table's shape changed stands until a table of the same
    source and name no longer shows it, or somebody has dealt with it."""
    receipt = snapshot.receipt
    drift = f"drift: {receipt.member}" if receipt.member else "drift"
    topics = {note: f"{drift}: {digest(note, 8)}" for note in notes if note in staged.drifted}
    for note in notes:
        operator_notices.put(tx, now, receipt.source, note, topics.get(note, ""))
    if receipt.kind != "replay":
        operator_notices.close_others(tx, now, receipt.source, drift, tuple(topics.values()))


def _off_the_list(tx: Connection, snapshot: snapshots.SnapshotRef, staged: intake_room.Staged, now: datetime) -> None:
    still = staged.rejects["position"].to_list()
    rejects.mark_replayed(tx, snapshot.sha256, now, still, snapshot.receipt.source, snapshot.receipt.member)


def _report(snapshot: snapshots.SnapshotRef, landing: Landing) -> SourceReport:
    landed, rejected = landing
    counts = {name: getattr(landed, name) for name in ("records", "new", "changed", "unchanged", "rejects")}
    outcome = "part rejected" if landed.rejects else "ok"
    notes = tuple(filter(None, (snapshot.remark, *landed.notes)))
    return SourceReport(
        **_common(snapshot), **counts, detections=landed.detections, queued=landed.queued, outcome=outcome,
        notes=notes, error="" if rejected is None else _nothing_usable(landed.records, rejected),
    )  # fmt: skip


def _common(snapshot: snapshots.SnapshotRef) -> dict[str, str]:
    receipt = snapshot.receipt
    return {"source": receipt.source, "snapshot": snapshot.sha256, "file": receipt.file, "member": receipt.member}


def _same_bytes(house: House, snapshot: snapshots.SnapshotRef) -> SourceReport:
    """The same bytes twice change nothing but the receipts: the counts of the first time are told again."""
    with house.db.write("intake") as tx:
        counts = snapshots.counts_of(tx, snapshot.receipt.source, snapshot.sha256, snapshot.receipt.member)
        snapshots.enter(tx, [snapshot.receipt])
        if snapshot.remark:
            rejects.reopen(tx, snapshot.sha256, snapshot.receipt.source)
    rows, refused = counts["rows_in"], counts["rejects"]
    nothing = rows > 0 and rows == refused
    return SourceReport(
        **_common(snapshot), records=rows, unchanged=rows - refused, rejects=refused, outcome="same bytes",
        notes=tuple(filter(None, (SAME_BYTES, snapshot.remark))),
        error="no row could be used, as the first time; all are kept." if nothing else "",
    )  # fmt: skip


def _nothing_usable(records: int, rejected: pl.DataFrame) -> str:
    """Words where every row was rejected: the file is as good as quarantined; empty otherwise."""
    if not records or records > rejected.height:
        return ""
    first = rejected.row(0, named=True)
    return f"no row could be used; {first['position']}: {first['reason']}. All are kept."


def failed(
    house: House, source: str, error: EwarnError, now: datetime, snapshot: snapshots.SnapshotRef | None = None
) -> SourceReport:
    """A source that failed is a value in the results; what came is kept whole as one reject and the operator told."""
    if isinstance(error, StoreFault):
        raise error
    receipt = snapshots.note(
        house.settings, source, now, "failed", error.what, file=snapshot.receipt.file if snapshot else ""
    )
    with house.db.write("intake") as tx:
        snapshots.enter(tx, [snapshot.receipt, receipt] if snapshot else [receipt])
        if snapshot is not None:
            member = snapshot.receipt.member
            position = f"{member}: whole table" if member else "whole file"
            whole = pl.DataFrame(
                {"position": [position], "reason": [str(error)], "raw": [None]}, schema=SHAPES["staged_reject"]
            )
            rejects.enter(tx, whole, snapshot, now)
        fetched = source in house.catalogue.feeds  # one notice while it fails; a passing fault is told if it stays
        told = not (fetched and isinstance(error, TransientSourceError))
        file = snapshot.receipt.file if snapshot else ""
        operator_notices.put(tx, now, source, str(error), "failing" if fetched else f"quarantined: {file}", tell=told)
    return SourceReport(
        source=source,
        snapshot=snapshot.sha256 if snapshot else None,
        outcome="quarantined" if snapshot else "failed",
        error=str(error),
        retryable=isinstance(error, TransientSourceError),
        file=snapshot.receipt.file if snapshot else "",
        member=snapshot.receipt.member if snapshot else "",
    )
