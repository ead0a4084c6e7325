"""RECEIVE: bytes to records. Raw bytes are kept before anything is parsed; one source failing never ends the run.

In: a house and `now`. Out: one SourceReport a source or file. Never decides anything; parsing runs outside the lock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from ewarn import intake as intake_room
from ewarn.catalogue.definitions import DropDefinition, FeedDefinition
from ewarn.errors import EwarnError, StoreFault, TransientSourceError, UnusableInput, UsageFault
from ewarn.frames import SHAPES
from ewarn.pipeline import casework
from ewarn.pipeline.house import House
from ewarn.pipeline.reports import IntakeReport, SourceReport
from ewarn.store import operator_notices, records, rejects, snapshots
from ewarn.terms import digest

Definition = FeedDefinition | DropDefinition
Progress = Callable[[str], Any]
AT_ONCE = 8


def intake(
    house: House,
    now: datetime,
    source: str | None = None,
    file: Path | None = None,
    backfill: bool = False,
    kinds: Sequence[str] = ("feed", "drop"),
    progress: Progress | None = None,
) -> IntakeReport:
    """Receive from one source, one file, or everything enabled. Raises: UsageFault, Refused, StoreFault, StoreBusy."""
    say = progress or (lambda _: None)
    with house.db.read() as con:
        casework.one_standing(con, house)
    if file is not None:
        return report(house, [_from_file(house, now, source, file, backfill)])
    reports: list[SourceReport] = []
    chosen = _chosen(house, source, kinds)
    if "drop" in kinds:
        _tell_of_strays(house, now)
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:  # only the network is waited for side by side
        asked = {d.id: pool.submit(ask, house, d.id, now) for d in chosen if isinstance(d, FeedDefinition)}
        for definition in chosen:
            say(definition.title)
            if isinstance(definition, FeedDefinition):
                reports.append(take_answer(house, asked[definition.id].result(), now, backfill))
            else:
                reports.extend(_from_folder(house, definition, now, backfill))
    return report(house, reports)


def _tell_of_strays(house: House, now: datetime) -> None:
    """A file in the drop folders that nobody will ever read is said once to the operator, never passed over."""
    strays = intake_room.strays(house.settings.drops, list(house.catalogue.drops))
    if strays:
        with house.db.write("intake") as tx:
            for path in strays:
                name = path.relative_to(house.settings.drops)
                words = f"drops/{name} is not read: files ending in .csv, .tsv or .txt in drops/<source>/ are"
                operator_notices.put(tx, now, name.parts[0] if len(name.parts) > 1 else "drops", words)


def report(house: House, reports: Sequence[SourceReport]) -> IntakeReport:
    """What came of all of it, once it is published; exit status 4 where everything failed, 1 where a part did."""
    house.db.publish()
    failed = sum(bool(r.error) for r in reports)
    status = 0 if not failed else UnusableInput.exit_status if failed == len(reports) else 1
    return IntakeReport(sources=tuple(reports), exit_status=status)


def _chosen(house: House, source: str | None, kinds: Sequence[str]) -> list[Definition]:
    if source is not None:
        return [definition_of(house, source)]
    return [
        definition
        for kind, group in (("drop", house.catalogue.drops), ("feed", house.catalogue.feeds))
        for definition in group.values()
        if kind in kinds and definition.enabled
    ]


def definition_of(house: House, source: str) -> Definition:
    """The definition of a source. Raises: UsageFault naming the sources there are."""
    try:
        return house.catalogue.sources[source]
    except KeyError:
        known = ", ".join(sorted(house.catalogue.sources))
        raise UsageFault(f"there is no source '{source}'", next_step=f"Use one of: {known}.") from None


def _from_file(house: House, now: datetime, source: str | None, file: Path, backfill: bool) -> SourceReport:
    try:
        if file.exists() and not file.is_file():
            raise UsageFault("this is not a file that can be kept", where=str(file), next_step="Name a regular file.")
        body = file.read_bytes()
    except OSError as error:
        raise UsageFault(
            f"the file cannot be read: {error.strerror}", where=str(file), next_step="Check the path."
        ) from error
    if source is not None:
        definition = definition_of(house, source)
    else:
        try:
            definition = intake_room.recognise(body, tuple(house.catalogue.drops.values()))
        except UnusableInput as error:
            raise UnusableInput(error.what, where=error.where or str(file), next_step=error.next_step) from error
    return take(house, definition, body, now, backfill, file=file.name)


@dataclass(frozen=True)
class Answer:
    """What asking a feed gave: what came, or why nothing did."""

    feed: FeedDefinition
    came: intake_room.Fetched | EwarnError
    validators: Mapping[str, str]


def ask(house: House, source: str, now: datetime) -> Answer:
    """Ask a feed over the network. Writes nothing, so that a slow publisher keeps no writer waiting.

    A source that fails is part of the answer. Raises: UsageFault where there is no such feed.
    """
    feed = definition_of(house, source)
    if not isinstance(feed, FeedDefinition):
        raise UsageFault(f"'{source}' is not a feed", next_step="Put its files into its drop folder.")
    validators = snapshots.validators(house.settings, source)
    loopback = house.settings.allow_loopback_sources
    try:
        return Answer(
            feed, intake_room.fetch(feed, validators=validators, allow_loopback=loopback, now=now), validators
        )
    except EwarnError as error:
        return Answer(feed, error, validators)


def take_answer(house: House, answer: Answer, now: datetime, backfill: bool = False) -> SourceReport:
    """Keep and land what a feed answered, or write down that it failed. An answer closes the notices about the feed."""
    came, feed = answer.came, answer.feed
    if isinstance(came, EwarnError):
        return _failed(house, feed.id, came, now)
    with house.db.read() as con:
        told = feed.id in operator_notices.open(con)["source"]
    if told:
        with house.db.write("intake") as tx:
            operator_notices.close(tx, now, "ewarn", source=feed.id)
    if came.status == "not modified":
        receipt = snapshots.note(house.settings, feed.id, now, "not modified", validators=answer.validators)
        with house.db.write("intake") as tx:
            snapshots.enter(tx, [receipt])
        return SourceReport(source=feed.id, outcome="not modified")
    return take(house, feed, came.body, now, backfill, validators=came.validators)


def _from_folder(house: House, drop: DropDefinition, now: datetime, backfill: bool) -> list[SourceReport]:
    reports = []
    for waiting in intake_room.collect(house.settings.drops, [drop.id], now=now):
        try:
            report = take(house, drop, waiting.read(drop.max_bytes), now, backfill, file=waiting.path.name)
        except UnusableInput as error:
            report = _failed(house, drop.id, error, now)
        intake_room.settle(waiting, ok=not report.error, reason=report.error)
        reports.append(report)
    return reports


def take(
    house: House,
    definition: Definition,
    body: bytes,
    now: datetime,
    backfill: bool,
    *,
    file: str = "",
    validators: Mapping[str, str] | None = None,
    kind: str = "receipt",
) -> SourceReport:
    """Keep the bytes and write the receipt, then parse, then land in one short transaction."""
    settings, catalogue = house.settings, house.catalogue
    snapshots.archive_content(settings, catalogue.files, catalogue.content_hash)
    snapshot = snapshots.keep(
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
    )
    return _read_and_land(house, definition, body, snapshot, now)


def definition_hash(definition: Definition) -> str:
    """Which wording of a source's definition read a record."""
    return digest(definition.model_dump(mode="json"), 16)


def _read_and_land(
    house: House, definition: Definition, body: bytes, snapshot: snapshots.SnapshotRef, now: datetime
) -> SourceReport:
    receipt = snapshot.receipt
    replayed = receipt.kind == "replay"
    try:
        staged = intake_room.read(
            definition, body, house.catalogue, received_at=receipt.received_at, backfill=receipt.backfill
        )
    except EwarnError as error:
        return _failed(house, definition.id, error, now, snapshot)
    common = {"source": definition.id, "snapshot": snapshot.sha256, "file": receipt.file}
    if not snapshot.fresh and not replayed:
        return _nothing_new(house, snapshot, staged, common)
    with house.db.write("intake") as tx:
        landed = records.land(tx, staged, snapshot, now, receipt.backfill, reread=replayed)
        if replayed:
            still = staged.rejects["position"].to_list()
            rejects.mark_replayed(tx, snapshot.sha256, now, still, definition.id)
        for note in landed.notes:
            operator_notices.put(tx, now, definition.id, note)
        casework.corrected(tx, house, set(landed.changed_records), now)
    counts = {name: getattr(landed, name) for name in ("records", "new", "changed", "unchanged", "rejects")}
    outcome = "part rejected" if landed.rejects else "ok"
    return SourceReport(
        **common, **counts, detections=landed.detections, queued=landed.queued, outcome=outcome, notes=landed.notes,
        error=_nothing_usable(landed.records, staged.rejects),
    )  # fmt: skip


def _nothing_usable(records: int, rejected: pl.DataFrame) -> str:
    """Words where every row was rejected: the file is as good as quarantined; empty otherwise."""
    if not records or records > rejected.height:
        return ""
    first = rejected.row(0, named=True)
    return f"no row could be used; {first['position']}: {first['reason']}. All are kept."


def _nothing_new(
    house: House, snapshot: snapshots.SnapshotRef, staged: intake_room.Staged, common: Mapping[str, str]
) -> SourceReport:
    """The same bytes twice change nothing but the receipts."""
    with house.db.write("intake") as tx:
        snapshots.enter(tx, [snapshot.receipt])
    rejected = staged.rejects.height
    return SourceReport(
        **common,
        records=staged.records.height + rejected,
        unchanged=staged.records.height,
        rejects=rejected,
        outcome="same bytes",
        notes=("These bytes were received before: nothing changed.",),
        error=_nothing_usable(staged.records.height + rejected, staged.rejects),
    )


def _failed(
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
            whole = pl.DataFrame(
                {"position": ["whole file"], "reason": [str(error)], "raw": [None]}, schema=SHAPES["staged_reject"]
            )
            rejects.enter(tx, whole, snapshot, now)
        operator_notices.put(tx, now, source, str(error))
    return SourceReport(
        source=source,
        snapshot=snapshot.sha256 if snapshot else None,
        outcome="quarantined" if snapshot else "failed",
        error=str(error),
        retryable=isinstance(error, TransientSourceError),
        file=snapshot.receipt.file if snapshot else "",
    )
