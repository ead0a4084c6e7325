"""Large files: landed part by part, in bounded memory, with the write lock held for their last rows alone.

In: a house, a drop opened part by part, its snapshot and `now`. Out: what landed. Plain rows go into a segment outside
the lock; rows that need care (a key used twice, a known record that changed) land as any file's do. A crash in between
leaves nothing visible but whole records, and the same bytes may come again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

import polars as pl

from ewarn import intake as intake_room
from ewarn.intake import Remark, Staged
from ewarn.pipeline.house import House
from ewarn.store import large, records, rejects, snapshots
from ewarn.store.tables import Connection

MOST_AT_ONCE = 250_000
REJECTS_AT_ONCE = 50_000
Part = TypeVar("Part")
Finish = Callable[[Connection, records.Landed, Staged], None]


@dataclass
class _Left:
    """Rows that are left for `records.land`: kept while they are few, else only counted."""

    parts: list[intake_room.Part] = field(default_factory=list)
    rows: int = 0

    def add(self, part: intake_room.Part) -> None:
        self.rows += part.rows.height
        if self.rows > MOST_AT_ONCE:
            self.parts.clear()
        else:
            self.parts.append(part)

    @property
    def turns(self) -> int:
        """How often the file is to be read again for them."""
        return -(-self.rows // MOST_AT_ONCE) if self.rows > MOST_AT_ONCE else 0

    def staged(self) -> list[Staged]:
        return [intake_room.Part.joined(self.parts).stage()] if self.parts else []


def land(
    house: House,
    drop: intake_room.Drop,
    snapshot: snapshots.SnapshotRef,
    now: datetime,
    finish: Finish,
    *,
    reread: bool,
) -> records.Landed:
    """Land a large drop. `finish` is called in the transaction that makes its last rows visible.

    `reread`: these are kept bytes under new definitions; where the source has records, every row then needs care.
    """
    landing = large.Large(house.db, snapshot, drop.table.definition.kind.value, drop.definition_hash)
    careful = reread and landing.knows_any
    left, empty, waiting = _Left(), list[Staged](), 0
    none: Staged | None = None
    try:
        keys = [large.hashed(part["key"]) for part in _ahead(drop.first_pass())]
        if not careful:
            landing.look_for_repeats(keys)
        for part in _ahead(drop.table.parts()):
            none = none or part.only(pl.repeat(False, part.rows.height, eager=True)).stage()
            if careful:
                left.add(part.only(pl.repeat(True, part.rows.height, eager=True)))
                empty.append(_without_rows(part, none))
            else:
                empty.append(_without_rows(part, none, _sorted_in(landing, part, left)))
            waiting += part.rejects.height
            if waiting >= REJECTS_AT_ONCE:
                _keep_rejects(house, drop, empty, snapshot, now)
                waiting = 0
        before = landing.settle()
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


def _keep_rejects(
    house: House, drop: intake_room.Drop, parts: list[Staged], snapshot: snapshots.SnapshotRef, now: datetime
) -> None:
    """Enter the rejects so far, so that the last transaction need not take them all; what is there already stays."""
    with house.db.write("intake") as tx:
        rejects.enter(tx, drop.placed(intake_room.joined(parts)).rejects, snapshot, now)


def _ahead(parts: Iterator[Part]) -> Iterator[Part]:
    """The same, the next one being made ready while one is worked on."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        coming = pool.submit(next, parts, None)
        while (part := coming.result()) is not None:
            coming = pool.submit(next, parts, None)
            yield part


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


def _without_rows(part: intake_room.Part, none: Staged, remarks: tuple[Remark | str, ...] = ()) -> Staged:
    return replace(none, rejects=part.rejects, remarks=(*part.remarks, *remarks))


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
