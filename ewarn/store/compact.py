"""Every record in a few bytes, held in memory by a process that answers all day: its day, what was found, and where.

In: a connection to a published copy, an instant. Out: arrays, one entry a record version, and the sets of child rows
they point to, each once. It is kept up, not made anew: a segment never changes and is read once, the tables only grow
and are read on from where the last reading ended. Never a record that was known later than the instant it is for, but
for a moment: what lands while a page is being made may be in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ewarn.store import published, segments, tables
from ewarn.store.segments import Marks
from ewarn.store.tables import Connection

Mask = NDArray[np.bool_]
Row = tuple[Any, ...]
KINDS = ("sample", "incident", "count", "notice")
NO_DAY = -(2**31)
CHILDREN = {"detection": ("role", "mention_kind", "subject", "class_id"), "place": ("area", "share", "precision")}
MOMENT = timedelta(seconds=60)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Sets:
    """Sets of child rows by number, each once; 0 is the empty one. They only grow, so that a number stays good."""

    def __init__(self, columns: Sequence[str], names: Callable[[Row], Iterable[str | None]]) -> None:
        self.columns, self._names = list(columns), names
        self.rows: list[list[Row]] = [[]]
        self._numbers: dict[str, int] = {}
        self._having: dict[str, list[int]] = {}

    def numbered(self, children: pl.DataFrame, over: Sequence[str]) -> pl.DataFrame:
        """The `number` of each set. In: child rows, and the columns that tell one set from another."""
        parts = [pl.col(name).cast(pl.String).fill_null("\x00") for name in self.columns]
        said = children.with_columns(said=pl.concat_str(parts, separator="\x1f"))
        found = said.group_by(over).agg(pl.col("said").sort().str.join("\x1e"))
        new = found.filter([one not in self._numbers for one in found["said"].to_list()]).unique("said")
        rows: dict[str, list[Row]] = {}
        for one, *row in children.join(new, on=over).select("said", *self.columns).iter_rows():
            rows.setdefault(one, []).append(tuple(row))
        for one, of_it in rows.items():
            self._enter(one, of_it)
        numbers = [self._numbers[one] for one in found["said"].to_list()]
        return found.select(over).with_columns(number=pl.Series(numbers, dtype=pl.Int32))

    def _enter(self, said: str, rows: list[Row]) -> None:
        number = len(self.rows)
        self.rows.append(rows)
        for name in {name for row in rows for name in self._names(row) if name}:
            self._having.setdefault(name, []).append(number)
        self._numbers[said] = number

    def having(self, names: Iterable[str]) -> Mask:
        """By number, whether any of these names is in the set."""
        numbers = [number for name in names for number in tuple(self._having.get(name, ()))]
        found = np.zeros(len(self.rows), dtype=bool)
        found[numbers] = True
        return found


def _found() -> Sets:
    return Sets(CHILDREN["detection"], lambda row: (row[2], row[3]))


def _places() -> Sets:
    return Sets(CHILDREN["place"], lambda row: (row[0],) if (row[1] or 0) > 0 else ())


@dataclass(frozen=True)
class Block:
    """Record versions that were read together. `stands`: the current one of its record, and not retracted."""

    kind: NDArray[np.uint8]
    day: NDArray[np.int32]
    found: NDArray[np.int32]
    place: NDArray[np.int32]
    stands: Mask

    @staticmethod
    def none() -> Block:
        whole = np.empty(0, dtype=np.int32)
        return Block(np.empty(0, dtype=np.uint8), whole, whole, whole, np.empty(0, dtype=bool))

    def and_(self, other: Block) -> Block:
        both = {name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in self.__dict__}
        return Block(**both)


@dataclass(frozen=True)
class Compact:
    """All records as they are known from `since` on and before `until`: those of the tables in `own`, of segments by
    receipt. Of `own`, in its order: `marks` of the records, and whether a version follows another and can be seen."""

    found: Sets = field(default_factory=_found)
    places: Sets = field(default_factory=_places)
    own: Block = field(default_factory=Block.none)
    marks: Marks = field(default_factory=lambda: np.empty(0, dtype=np.uint64))
    follows: Mask = field(default_factory=lambda: np.empty(0, dtype=bool))
    segments: dict[str, Block] = field(default_factory=dict)
    sources: frozenset[tuple[str, str]] = frozenset()
    read: tuple[int, int, int] = (0, 0, 0)
    last: Row | None = None  # the newest row of the tables: another one in its place is another database
    number: int = -1  # of the copy that it was read from
    since: float = -np.inf
    until: float = np.inf

    @property
    def mark(self) -> tuple[object, ...]:
        """Changes whenever any number may."""
        return self.read, tuple(self.segments), self.since, self.until

    @property
    def blocks(self) -> tuple[Block, ...]:
        return (self.own, *self.segments.values())

    def holds(self, at: datetime) -> bool:
        """Whether it says what was known then."""
        return self.since <= _instant(at) < self.until

    def states_of(self, record_ids: Sequence[str]) -> list[int]:
        """For each record a number that changes when it gets a further version."""
        order, ordered = self._ordered
        wanted = segments.marks_of(record_ids)
        if not len(ordered):
            return [-1] * len(wanted)
        place = np.searchsorted(ordered, wanted, side="right") - 1
        newest = np.where(ordered[place] == wanted, order[place], -1)
        found: list[int] = np.where(wanted == 0, len(order), newest).tolist()
        return found

    @cached_property
    def _ordered(self) -> tuple[NDArray[np.int64], Marks]:
        order = np.argsort(self.marks, kind="stable")
        return order, self.marks[order]


def _instant(at: datetime) -> float:
    """Microseconds to the end of that moment."""
    return float((at + MOMENT - _EPOCH) / timedelta(microseconds=1))


def state(con: Connection) -> tuple[int, ...]:
    """What changes when record versions are added to a copy."""
    return *_lengths(con), int(tables.one(con, f"SELECT count(*) FROM {tables.own(con, 'segment')}"))


def behind(known: Compact, con: Connection) -> int:
    """How many record versions of a copy are not in it yet."""
    own, _, _ = _lengths(con)
    further = (one["records"] for one in segments.entered(con) if one["receipt"] not in known.segments)
    return own - known.read[0] + sum(int(records) for records in further)


def brought_up(known: Compact, con: Connection, at: datetime) -> Compact:
    """The same with what the copy holds besides, as known at an instant. A copy that is no later one is read whole."""
    lengths, entered = _lengths(con), {one["receipt"]: one for one in segments.entered(con)}
    later = all(a >= b for a, b in zip(lengths, known.read, strict=True)) and known.segments.keys() <= entered.keys()
    if not (later and known.holds(at) and _last(con, known.read[0]) == known.last):
        known = Compact()
    known = _with_own(known, con, at, lengths)
    for receipt, segment in entered.items():
        if receipt not in known.segments:
            known = _with_segment(known, con, at, segment)
    return replace(known, number=published.number(con))


def _lengths(con: Connection) -> tuple[int, int, int]:
    name = tables.one(con, "SELECT current_database()")
    of = ", ".join(f'(SELECT count(*) FROM "{name}".main.{table})' for table in ("record", *CHILDREN))
    records, detections, places = con.execute(f"SELECT {of}").fetchall()[0]
    return int(records), int(detections), int(places)


def _last(con: Connection, read: int) -> Row | None:
    sql = f"SELECT record_id, version FROM {tables.own(con, 'record')} WHERE rowid = ?"
    return con.execute(sql, [read - 1]).fetchone() if read else None


_HEADER = f"""coalesce(date_diff('day', DATE '1970-01-01', reference_date), {NO_DAY})::INTEGER AS day,
              epoch_us(visible_at)::DOUBLE AS visible, coalesce(retracted, false) AS retracted"""


def _with_own(known: Compact, con: Connection, at: datetime, lengths: tuple[int, int, int]) -> Compact:
    """Rows that the tables hold besides; those they follow stand no more."""
    if known.read == lengths:
        return known
    sql = f"SELECT record_id, version, {segments.MARK} AS mark, source, kind, {_HEADER} FROM {{}} WHERE rowid >= ?"
    rows = tables.frame(con, sql.format(tables.own(con, "record")), [known.read[0]])
    for (table, columns), start in zip(CHILDREN.items(), known.read[1:], strict=True):
        sql = f"SELECT record_id, version, {', '.join(columns)} FROM {tables.own(con, table)} WHERE rowid >= ?"
        sets = known.found if table == "detection" else known.places
        numbers = sets.numbered(tables.frame(con, sql, [start]), ["record_id", "version"])
        rows = rows.join(
            numbers.rename({"number": table}), on=["record_id", "version"], how="left", maintain_order="left"
        )
    rows = rows.with_columns(pl.col(*CHILDREN).fill_null(0), seen=pl.col("visible") <= _instant(at))
    newest = pl.col("version") == pl.col("version").filter(pl.col("seen")).max().over("mark")
    stands = rows.select(newest.fill_null(False) & pl.col("seen") & ~pl.col("retracted")).to_series()
    marks, follows = rows["mark"].to_numpy(), rows.select(pl.col("seen") & (pl.col("version") > 1)).to_series()
    fresh = _block(rows, stands.to_numpy(), rows["kind"])
    gone = np.sort(marks[follows.to_numpy()])
    before = replace(known.own, stands=known.own.stands & ~_among(known.marks, gone))
    told = rows.select("source", "kind").unique().rows()
    return replace(
        _bounded(known, rows, at),
        own=before.and_(fresh),
        marks=np.concatenate([known.marks, marks]),
        follows=np.concatenate([known.follows, follows.to_numpy()]),
        segments=_without(known, con, gone),
        sources=known.sources | frozenset((str(source), str(kind)) for source, kind in told),
        read=lengths,
        last=_last(con, lengths[0]),
    )


def _without(known: Compact, con: Connection, gone: Marks) -> dict[str, Block]:
    """The segments read so far, where these records stand no more."""
    if not len(gone) or not known.segments:
        return known.segments
    found = {}
    for segment in segments.entered(con):
        if (block := known.segments.get(segment["receipt"])) is not None:
            marks = tables.frame(con, f"SELECT record_id FROM {segments.relation(con, segment, 'record')}")
            stands = block.stands & ~_among(marks["record_id"].to_numpy(), gone)
            found[segment["receipt"]] = replace(block, stands=stands)
    return found


def _with_segment(known: Compact, con: Connection, at: datetime, segment: dict[str, Any]) -> Compact:
    """The rows of one segment besides, without those that a row of the tables follows."""
    sql = f"SELECT record_id AS mark, {_HEADER}, mention_set AS detection, place_set AS place FROM "
    rows = tables.frame(con, sql + segments.relation(con, segment, "record"))
    for table, columns in CHILDREN.items():
        sets = known.found if table == "detection" else known.places
        relation = segments.relation(con, segment, table)
        numbers = np.zeros(1 + int(rows[table].max() or 0) + 1, dtype=np.int32)  # type: ignore[arg-type]
        if relation:
            told = sets.numbered(
                tables.frame(con, f'SELECT "set", {", ".join(columns)} FROM {relation}').filter(
                    pl.col("set") < len(numbers) - 1
                ),
                ["set"],
            )
            numbers[told["set"].to_numpy() + 1] = told["number"].to_numpy()
        rows = rows.with_columns(pl.Series(table, numbers[rows[table].fill_null(-1).to_numpy() + 1]))
    stands = rows.select((pl.col("visible") <= _instant(at)) & ~pl.col("retracted")).to_series().to_numpy()
    gone = np.sort(known.marks[known.follows])
    block = _block(rows, stands & ~_among(rows["mark"].to_numpy(), gone), segment["kind"])
    return replace(
        _bounded(known, rows, at),
        segments=known.segments | {segment["receipt"]: block},
        sources=known.sources | {(segment["source"], segment["kind"])},
    )


def _block(rows: pl.DataFrame, stands: Mask, kinds: pl.Series | str) -> Block:
    of = np.full(rows.height, KINDS.index(kinds), dtype=np.uint8) if isinstance(kinds, str) else (
        kinds.replace_strict(list(KINDS), list(range(len(KINDS))), return_dtype=pl.UInt8).to_numpy()
    )  # fmt: skip
    day, found, place = (rows[name].cast(pl.Int32).to_numpy() for name in ("day", *CHILDREN))
    return Block(of, day, found, place, stands)


def _bounded(known: Compact, rows: pl.DataFrame, at: datetime) -> Compact:
    """From when until when it is right, with these rows in it."""
    seen = pl.col("visible") <= _instant(at)
    bounds = (pl.col("visible").filter(seen).max(), pl.col("visible").filter(~seen).min().alias("next"))
    latest, next_one = rows.select(bounds).row(0)
    since = known.since if latest is None else max(known.since, latest)
    return replace(known, since=since, until=known.until if next_one is None else min(known.until, next_one))


def _among(marks: Marks, wanted: Marks) -> Mask:
    """Which marks are among those wanted. In: wanted sorted; seldom many."""
    if not len(wanted) or not len(marks):
        return np.zeros(len(marks), dtype=bool)
    place = np.minimum(np.searchsorted(wanted, marks), len(wanted) - 1)
    found: Mask = wanted[place] == marks
    return found
