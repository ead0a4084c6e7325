"""A large file's landing: its rows sorted into known, plain and the rest, outside the write lock.

In: identities and stagings of its parts. Out: plain rows in a segment; marks of what known records' contents were said
again; and which rows are left for `records.land`. A row is known when it is the current content of a record; plain when
its key is new and no other row of the file has it.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ewarn.store import identity, segments
from ewarn.store.database import Database
from ewarn.store.known import Known, places, single, twice, within
from ewarn.store.records import NAMED, Beside, clocked
from ewarn.store.segments import Marks
from ewarn.store.snapshots import SnapshotRef
from ewarn.store.tables import Connection

Mask = NDArray[np.bool_]
_PER_SET = {"set": pl.Int64, "detections": pl.Int64, "queued": pl.Int64}
_BASIS = {True: "the reference date", False: "the day received"}


class PlainRows(Protocol):
    """What intake hands over for a segment (see its `Plain`)."""

    @property
    def records(self) -> pl.DataFrame: ...
    @property
    def mentions(self) -> pl.DataFrame | None: ...
    @property
    def places(self) -> pl.DataFrame | None: ...


@dataclass(frozen=True)
class Sorted:
    """Which rows of a part are plain, and which are left; the others are known."""

    plain: pl.Series
    rest: pl.Series


class Large:
    """One large file's landing. It holds one number per row of the file and per known record, never the rows."""

    def __init__(self, db: Database, snapshot: SnapshotRef, kind: str, definition_hash: str, shape: str) -> None:
        """`shape`: the same for two tables in which the same line says the same."""
        receipt = snapshot.receipt
        db.publish()
        self._reading = ThreadPoolExecutor(max_workers=1)
        self._known = self._reading.submit(_known, db, receipt.source, shape)
        self.snapshot, self.backfill = snapshot, receipt.backfill
        self._definition_hash = definition_hash
        self.repeated: Marks = np.empty(0, dtype=np.uint64)
        self._keys: list[Marks] = []
        self._plain: list[tuple[Marks, NDArray[np.uint32]]] = []
        self._unchanged = self._known_lines = 0
        self._writer = segments.Writer(segments.folder_of(db.path), receipt.id, kind, shape)
        self._detections = self._queued = 0
        self._per_set = pl.DataFrame(schema=_PER_SET)
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._writing: Future[None] | None = None

    @property
    def known(self) -> Known:
        """What is known of the source; it is read beside the file's first rows."""
        return self._known.result()

    @cached_property
    def _seen(self) -> Mask:
        return np.zeros(len(self.known.contents), dtype=bool)

    @cached_property
    def _lines_seen(self) -> Mask:
        return np.zeros(len(self.known.lines), dtype=bool)

    @property
    def knows_any(self) -> bool:
        """Whether the source has records."""
        return len(self.known.records) > 0

    def knows(self, marks: Marks) -> Mask:
        """Which lines, by their marks, say word for word what current records say: these are counted as unchanged."""
        place = self.known.known_lines.places(marks)
        found = place >= 0
        self._lines_seen[place[found]] = True
        self._known_lines += int(found.sum())  # a number of its own: reading and sorting are two threads
        return found

    @property
    def rows(self) -> int:
        """How many rows were sorted."""
        return sum(len(keys) for keys in self._keys)

    def repeated_lines(self) -> list[int]:
        """Lines of plain rows whose key a row of another part has too, all rows having been sorted. They are to be left
        out, and landed by `records.land`."""
        self.repeated = twice(np.concatenate([np.empty(0, dtype=np.uint64), *self._keys]))
        if not len(self.repeated):
            return []
        found = [lines[within(keys, self.repeated)] for keys, lines in self._plain]
        return [int(line) for line in np.sort(np.concatenate(found))] if found else []

    def leave_out(self, lines: list[int]) -> None:
        """Take plain rows that were added back out of the segment."""
        self._written()
        sets = self._writer.leave_out(lines)
        self._count(sets, None, -1)

    def sort(self, rows: pl.DataFrame, *, again: bool = False) -> Sorted:
        """In: key, line, content, retracted. `again`: these rows were sorted before, and are not counted twice."""
        contents, keys = rows["content"].to_numpy(), hashed(rows["key"])
        alone = single(keys) & ~within(keys, self.repeated)
        stands = ~rows["retracted"].to_numpy()
        place = places(contents, self.known.contents)
        known = (place >= 0) & stands
        self._seen[place[known]] = True
        if not again:
            self._unchanged += int(known.sum())
        plain = alone & stands & ~known
        if len(self.known.records) and plain.any():
            plain[plain] = ~within(self._ids(rows.filter(pl.Series(plain))), self.known.records)
        if not again:
            self._keys.append(keys)
            self._plain.append((keys[plain], rows["line"].to_numpy()[plain].astype(np.uint32)))
        return Sorted(pl.Series(plain), pl.Series(~plain & ~known))

    def add(self, plain: PlainRows) -> None:
        """Write plain rows into the segment."""
        frame = plain.records.with_columns(
            occurrence=pl.lit(1), previous_visible_at=pl.lit(None, pl.Datetime("us", "UTC"))
        )
        frame = clocked(frame, self.snapshot, self.backfill)
        if frame["unstated"].any():
            said = pl.lit(f"known date not stated, read as {_BASIS[self.backfill]}")
            basis = pl.concat_str(
                pl.col("basis").cast(pl.String), pl.when("unstated").then(said), separator="; ", ignore_nulls=True
            )
            frame = frame.with_columns(basis)
        frame = frame.with_columns(identity.record_numbers(self.snapshot.receipt.source).alias("record_id"))
        self._written()
        self._writing = self._pool.submit(self._writer.add, frame, {"detection": plain.mentions, "place": plain.places})
        self._count(frame["mention_set"], plain.mentions)

    def _written(self) -> None:
        """Wait for the part before; what went wrong with it is raised here."""
        if self._writing is not None:
            self._writing.result()
            self._writing = None

    def _count(self, sets: pl.Series, made: pl.DataFrame | None, sign: int = 1) -> None:
        """How many detections and queued names the rows bring, or with `sign` -1 take away."""
        if made is not None:
            kinds = pl.col("mention_kind")
            named = made.group_by("set").agg(detections=kinds.is_in(NAMED).sum(), queued=(kinds == "queued").sum())
            self._per_set = pl.concat([self._per_set, named.cast(_PER_SET)])  # type: ignore[arg-type]
        brought = sets.value_counts(name="rows").join(self._per_set, left_on=sets.name, right_on="set")
        self._detections += sign * int((brought["rows"] * brought["detections"]).sum())
        self._queued += sign * int((brought["rows"] * brought["queued"]).sum())

    def settle(self) -> Beside:
        """Make the segment durable. What `records.land` needs to know of it."""
        self._written()
        self._pool.shutdown()
        self._reading.shutdown()
        self._writer.close()
        return Beside(
            new=self._writer.records, unchanged=self._unchanged + self._known_lines,
            detections=self._detections, queued=self._queued,
            summary=" ".join(self._writer.hashes[name] for name in sorted(self._writer.hashes)), seen=self.seen,
            enter=self._enter,
        )  # fmt: skip

    def seen(self, contents: pl.Series) -> pl.Series:
        """Which contents of known records the file has said again."""
        numbers = contents.str.extract(r"^(\d+)-").cast(pl.UInt64).fill_null(0).to_numpy()
        said = within(numbers, self.known.contents[self._seen])
        return pl.Series(said | self.known.said_by(numbers, self._lines_seen))

    def drop(self) -> None:
        """Take the segment's files away: the landing failed."""
        self._pool.shutdown(cancel_futures=True)
        self._reading.shutdown(cancel_futures=True)
        self._writer.drop()

    def _enter(self, tx: Connection) -> None:
        receipt = self.snapshot.receipt
        self._writer.enter(
            tx, source=receipt.source, snapshot=self.snapshot.sha256, definition_hash=self._definition_hash,
            received_at=receipt.received_at, backfill=receipt.backfill, member=receipt.member,
        )  # fmt: skip

    def _ids(self, rows: pl.DataFrame) -> Marks:
        numbers = identity.record_numbers(self.snapshot.receipt.source)
        return rows.select("key", occurrence=pl.lit(1)).select(numbers).to_series().to_numpy()


def _known(db: Database, source: str, shape: str) -> Known:
    with db.read() as con:
        return Known.of(con, source, shape)


def hashed(keys: pl.Series) -> Marks:
    """A number for each key, the same for the same key within this process."""
    return keys.hash(seed=7).to_numpy()
