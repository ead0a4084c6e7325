"""Large files: landed part by part, in bounded memory, with the write lock held for their last rows alone.

In: a house, a drop opened part by part, its snapshot and `now`. Out: what landed. Plain rows go into a segment outside
the lock; rows that need care (a key used twice, a known record that changed) land as any file's do. A crash in between
leaves nothing visible but whole records, and the same bytes may come again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

import polars as pl

from ewarn import intake as intake_room
from ewarn.intake import Remark, Staged
from ewarn.pipeline import memory
from ewarn.pipeline.house import House
from ewarn.store import large, records, rejects, snapshots
from ewarn.store.tables import Connection

MOST_AT_ONCE = 250_000
REJECTS_AT_ONCE = 50_000
Finish = Callable[[Connection, records.Landed, Staged], None]


@dataclass
class _Left:
    """Rows that are left for `records.land`: kept while they are few, else only counted."""

    parts: list[intake_room.Part] = field(default_factory=list)
    told: list[intake_room.Part] = field(default_factory=list)
    rows: int = 0

    def add(self, part: intake_room.Part, *, told: bool = False) -> None:
        """`told`: what there is to tell of these rows was told before."""
        self.rows += part.rows.height
        if self.rows > MOST_AT_ONCE:
            self.parts.clear()
            self.told.clear()
        else:
            (self.told if told else self.parts).append(part.apart())

    @property
    def turns(self) -> int:
        """How often the file is to be read again for them."""
        return -(-self.rows // MOST_AT_ONCE) if self.rows > MOST_AT_ONCE else 0

    def staged(self) -> list[Staged]:
        fresh = [intake_room.Part.joined(self.parts).stage()] if self.parts else []
        return [*fresh, *(replace(part.stage(), remarks=()) for part in self.told)]


def land(
    house: House,
    drop: intake_room.Drop,
    snapshot: snapshots.SnapshotRef,
    now: datetime,
    finish: Finish,
    kept: Callable[[], snapshots.SnapshotRef],
    *,
    reread: bool,
) -> records.Landed:
    """Land a large drop. `kept` returns its snapshot once the bytes are kept; `finish` is called in the transaction
    that makes its last rows visible.

    `reread`: these are kept bytes under new definitions; where the source has records, every row then needs care.
    """
    kind = drop.table.definition.kind.value
    landing = large.Large(house.db, snapshot, kind, drop.definition_hash, drop.table.shape)
    careful = reread and landing.knows_any
    try:
        with memory.reused():
            left, empty = _read(drop, landing, careful)
        drop.settle()
        snapshot = landing.snapshot = kept()
        if repeated := landing.repeated_lines():
            landing.leave_out(repeated)
            left.add(drop.table.at(repeated, landing.rows), told=True)
        before = landing.settle()
        _keep_rejects(house, drop, empty, snapshot, now)
        for more in _by_turns(drop, landing, left.turns, careful):
            with house.db.write("intake") as tx:
                whole = replace(before, enter=None, summary="", whole=False)
                landed = records.land(tx, more, snapshot, now, landing.backfill, reread=reread, beside=whole)
                before = before.after(landed)
        last = drop.placed(intake_room.joined([*left.staged(), *empty]))
        last = replace(last, remarks=(*drop.table.remarks, *last.remarks))
        with house.db.write("intake") as tx:
            landed = records.land(tx, last, snapshot, now, landing.backfill, reread=reread, beside=before)
            finish(tx, landed, last)
    except BaseException:
        landing.drop()
        raise
    return landed


def _read(drop: intake_room.Drop, landing: large.Large, careful: bool) -> tuple[_Left, list[Staged]]:
    """Every part, its rows where they belong. Returns those that are left, and of each part its rejects and remarks."""
    left, empty = _Left(), list[Staged]()
    knows = None if careful else landing.knows
    none: Staged | None = None
    for part in intake_room.ahead(drop.parts(knows)):
        none = none or part.only(pl.repeat(False, part.rows.height, eager=True)).stage()
        remarks: tuple[Remark | str, ...] = ()
        if careful:
            left.add(part.only(pl.repeat(True, part.rows.height, eager=True)))
        else:
            remarks = _sorted_in(landing, part, left)
        rejects = part.rejects.with_columns(raw=pl.lit(None, pl.String))  # it stands in the kept bytes
        empty.append(replace(none, rejects=rejects, remarks=(*part.remarks, *remarks)))
    return left, empty


def _keep_rejects(
    house: House, drop: intake_room.Drop, parts: list[Staged], snapshot: snapshots.SnapshotRef, now: datetime
) -> None:
    """Enter most of the rejects, so that the last transaction need not take them all; what is there already stays."""
    waiting = drop.placed(intake_room.joined(parts)).rejects
    for start in range(0, waiting.height - REJECTS_AT_ONCE, REJECTS_AT_ONCE):
        with house.db.write("intake") as tx:
            rejects.enter(tx, waiting.slice(start, REJECTS_AT_ONCE), snapshot, now)


def _sorted_in(landing: large.Large, part: intake_room.Part, left: _Left) -> tuple[Remark | str, ...]:
    """Put the rows of a part where they belong. Returns what is to be told of the plain ones."""
    chosen = landing.sort(part.identity)
    remarks: tuple[Remark | str, ...] = ()
    if chosen.plain.any():
        plain = part.only(chosen.plain).plain()
        landing.add(plain)
        remarks = plain.remarks
    if chosen.rest.any():
        left.add(part.only(chosen.rest))
    return remarks


def _by_turns(drop: intake_room.Drop, landing: large.Large, turns: int, careful: bool) -> Iterator[Staged]:
    """Where more rows are left than memory should hold: all rows of some keys at a time, read again for each."""
    for turn in range(turns):
        parts = []
        for part in drop.table.parts():
            now = pl.Series(large.hashed(part.identity["key"]) % turns == turn)
            now = now if careful else now & landing.sort(part.identity, again=True).rest
            if now.any():
                parts.append(part.only(now))
        if parts:
            yield replace(drop.placed(intake_room.Part.joined(parts).stage()), remarks=())
