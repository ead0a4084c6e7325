"""Large files: landed part by part, in bounded memory, with the write lock held for their last rows alone.

In: a house, a drop opened part by part, its snapshot and `now`. Out: what landed, and its rejects. Plain rows go into a
segment outside the lock; rows that need care (a key used twice, a known record that changed) land as any file's do. A
crash in between leaves nothing visible but whole records, and the same bytes may come again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import polars as pl

from ewarn import intake as intake_room
from ewarn.pipeline.house import House
from ewarn.store import large, records, rejects, snapshots

MOST_AT_ONCE = 250_000


@dataclass
class _Left:
    """Rows that are left for `records.land`: kept while they are few, else only counted."""

    parts: list[intake_room.Staged] = field(default_factory=list)
    rows: int = 0
    kept: int = 0

    def add(self, staged: intake_room.Staged) -> None:
        self.rows += staged.records.height
        if self.rows > MOST_AT_ONCE:
            self.parts.clear()
        else:
            self.parts.append(staged)


def land(
    house: House, drop: intake_room.Drop, snapshot: snapshots.SnapshotRef, now: datetime, finish: Any
) -> records.Landed:
    """Land a large drop. `finish(tx, landed, staged)` is called in the transaction that makes it visible."""
    landing = large.Large(house.db, snapshot, drop.table.definition.kind.value)
    try:
        return _land(house, drop, landing, now, finish)
    except BaseException:
        landing.drop()
        raise


def _land(house: House, drop: intake_room.Drop, landing: large.Large, now: datetime, finish: Any) -> records.Landed:
    snapshot, backfill = landing.snapshot, landing.snapshot.receipt.backfill
    landing.look_for_repeats([part["key"] for part in drop.table.key_columns()])
    left, said, refused = _Left(), list[intake_room.Staged](), 0
    remarks = list(drop.table.remarks)
    for part in drop.table.parts():
        sorted_rows = landing.sort(part.identity)
        staged = part.stage(sorted_rows.plain)
        retracted = staged.records["retracted"]
        if retracted.any():
            left.add(staged.only(retracted))
            staged = staged.only(~retracted)
        if staged.records.height:
            landing.add(drop.placed(staged), backfill)
        if sorted_rows.rest.any():
            left.add(part.stage(sorted_rows.rest))
        remarks += part.remarks
        if part.rejects.height:
            refused += part.rejects.height
            _keep_rejects(house, drop.placed(replace(staged, rejects=part.rejects)), snapshot, now)
        said.append(
            replace(staged, **{name: getattr(staged, name).clear() for name in ("records", "mentions", "places")})
        )
    nothing = intake_room.joined(said)
    before = replace(landing.settle(), rejects=refused)
    for more in _too_many(drop, landing, left):
        with house.db.write("intake") as tx:
            landed = records.land(
                tx, more, snapshot, now, backfill, beside=records.Beside(seen=landing.seen, whole=False)
            )
            before = replace(
                before, new=before.new + landed.new, changed=before.changed + landed.changed,
                unchanged=before.unchanged + landed.unchanged, detections=before.detections + landed.detections,
                queued=before.queued + landed.queued,
            )  # fmt: skip
    last = intake_room.joined([*left.parts, nothing])
    last = drop.placed(replace(last, rejects=last.rejects.clear(), remarks=(*remarks, *last.remarks)))
    with house.db.write("intake") as tx:
        landed = records.land(tx, last, snapshot, now, backfill, beside=before)
        finish(tx, landed, last)
    return landed


def _too_many(drop: intake_room.Drop, landing: large.Large, left: _Left) -> Iterator[intake_room.Staged]:
    """Where more rows are left than memory should hold: all rows of some keys at a time, read again for each."""
    turns = -(-left.rows // MOST_AT_ONCE) if left.rows > MOST_AT_ONCE else 0
    for turn in range(turns):
        parts = []
        for part in drop.table.parts():
            rest = landing.sort(part.identity, again=True).rest & pl.Series(
                large.hashed(part.identity["key"]) % turns == turn
            )
            if rest.any():
                staged = part.stage(rest)
                parts.append(replace(staged, rejects=staged.rejects.clear(), remarks=()))
        if parts:
            yield drop.placed(intake_room.joined(parts))


def _keep_rejects(house: House, staged: intake_room.Staged, snapshot: snapshots.SnapshotRef, now: datetime) -> None:
    with house.db.write("intake") as tx:
        rejects.enter(tx, staged.rejects, snapshot, now)
