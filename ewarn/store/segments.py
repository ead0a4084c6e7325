"""Segments: the plain rows of large files, in Parquet files that are written outside the write lock.

In: staged rows that are new, unlike any other of their key. Out: files under lines/<receipt>/, which one row in the
table `segment` makes visible: from then on the tables record, sample, ..., detection and place hold them too. A segment
is never changed; what a row becomes later stands in the tables as a further version.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from ewarn.frames import SHAPES
from ewarn.store import files, tables
from ewarn.store.tables import Connection

FOLDER = "lines"
TABLE_OF = {"sample": "sample", "incident": "incident", "count": "count_row", "notice": "notice"}
_CHILDREN = {"detection": "staged_mention", "place": "staged_place"}
_HEADER = ("reference_date", "reference_at", "known_date", "published_at", "basis", "retracted", "visible_at")
Marks = NDArray[np.uint64]


def folder_of(database: Path) -> Path:
    """Where the segments of a database, or of a published copy of it, lie."""
    home = database.parent.parent if database.parent.name == "published" else database.parent
    return home / FOLDER


def show(con: Connection, database: Path) -> None:
    """Let the tables of a connection hold the segments too. Nothing to do where there are none."""
    try:
        found = tables.rows(con, "SELECT * FROM segment ORDER BY receipt")
    except duckdb.CatalogException:
        return
    if not found:
        return
    name = str(tables.one(con, "SELECT current_database()"))
    selects: dict[str, list[str]] = {}
    for segment in found:
        for table, sql in _selects(segment, folder_of(database)):
            selects.setdefault(table, []).append(sql)
    for table, parts in selects.items():
        union = " UNION ALL BY NAME ".join([f'SELECT * FROM "{name}".main.{table}', *parts])
        con.execute(f"CREATE OR REPLACE TEMP VIEW {table} AS {union}")


def _selects(segment: dict[str, object], folder: Path) -> Iterator[tuple[str, str]]:
    """For every table that a segment adds rows to, the query of these rows."""
    kind = str(segment["kind"])

    def read(name: str) -> str:
        paths = [
            folder / str(segment["receipt"]) / f"{name}-{part:05d}.parquet"
            for part in range(int(str(segment["parts"])))
        ]
        return f"read_parquet([{', '.join(_text(path) for path in paths)}])"

    same = ", ".join(
        f"{_text(segment[column])} AS {column}"
        for column in ("source", "kind", "snapshot", "receipt", "definition_hash")
    )
    identity = "printf('%016x', record_id) AS record_id, 1::BIGINT AS version"
    prefix = f"{segment['member']} line " if segment["member"] else "line "
    yield (
        "record",
        (
            f"SELECT {identity}, {same}, key, 1::BIGINT AS occurrence, lower(hex(content)) AS content, "
            f"{', '.join(_HEADER)}, "
            f"{_text(prefix)} || line AS position, {_text(segment['received_at'])}::TIMESTAMPTZ AS received_at, "
            f"{segment['backfill']} AS backfill FROM {read('record')}"
        ),
    )
    own = ", ".join(_own(kind))
    yield TABLE_OF[kind], f"SELECT {identity}, {own} FROM {read('record')}"
    for table, shape in _CHILDREN.items():
        columns = ", ".join(name for name in SHAPES[shape] if name != "row")
        yield table, f"SELECT {identity}, {columns} FROM {read(table)}"


def _own(kind: str) -> list[str]:
    shared = set.intersection(*(set(SHAPES[f"staged_{one}"]) for one in TABLE_OF))
    return [name for name in SHAPES[f"staged_{kind}"] if name not in shared]


def _text(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"


# ---------------------------------------------------------------- writing


@dataclass
class Writer:
    """The segment of one landing while it grows. Nothing of it is visible before `enter`; `drop` takes it away."""

    folder: Path
    receipt: str
    kind: str
    parts: int = 0
    records: int = 0
    hashes: dict[str, str] = field(default_factory=dict)

    def add(self, records: pl.DataFrame, mentions: pl.DataFrame, places: pl.DataFrame) -> None:
        """One part: records with record_id, content (binary), line and every column of the kind; children by row."""
        files.make_folder(self._home)
        ids = records.select("row", "record_id")
        header = ["record_id", "key", "content", "line", *_HEADER, *_own(self.kind)]
        frames = {"record": records.select(header)}
        for table, frame in {"detection": mentions, "place": places}.items():
            frames[table] = frame.join(ids, on="row", maintain_order="left").select(
                "record_id", pl.exclude("row", "record_id")
            )
        for table, frame in frames.items():
            path = self._home / f"{table}-{self.parts:05d}.parquet"
            with files.plain_faults(path):
                frame.write_parquet(path, compression="zstd", compression_level=1, statistics=True)
                path.chmod(0o600)
        self.parts += 1
        self.records += records.height

    def close(self) -> None:
        """Make the files durable and hash them. To be done before the write lock is asked for."""
        for path in sorted(self._home.glob("*.parquet")) if self.parts else ():
            with path.open("rb+") as written:
                self.hashes[path.name] = hashlib.file_digest(written, "sha256").hexdigest()
                files.sync(written)
        if self.parts:
            files.sync_folder(self._home)

    def enter(self, tx: Connection, **receipt: object) -> None:
        """Make the segment visible."""
        if self.parts:
            hashes = json.dumps(self.hashes, sort_keys=True)
            tables.put(
                tx, "segment", receipt=self.receipt, kind=self.kind, parts=self.parts, records=self.records,
                hashes=hashes, **receipt,
            )  # fmt: skip

    def drop(self) -> None:
        """Take away what was written."""
        shutil.rmtree(self._home, ignore_errors=True)

    @property
    def _home(self) -> Path:
        return self.folder / self.receipt


# ---------------------------------------------------------------- what is known


@dataclass(frozen=True)
class Known:
    """Marks of what a source's current records say, sorted: first half of each content hash, and every record's id."""

    contents: Marks
    records: Marks

    @staticmethod
    def of(con: Connection, source: str) -> Known:
        """Read from the store. In: a connection that shows the segments."""
        found = con.execute(
            """
            WITH followed AS (SELECT record_id, max(version) AS newest FROM record WHERE version > 1 GROUP BY record_id)
            SELECT ('0x' || left(content, 16))::UBIGINT AS content, ('0x' || record_id)::UBIGINT AS record,
                   content LIKE '% %' OR version < coalesce(newest, 1) AS other
            FROM record LEFT JOIN followed USING (record_id) WHERE source = ?
            """,
            [source],
        ).fetchnumpy()
        contents, records, other = (np.asarray(found[name]) for name in ("content", "record", "other"))
        return Known(np.sort(contents[~other.astype(bool)]), np.unique(records))


def within(marks: Marks, known: Marks) -> NDArray[np.bool_]:
    """Which marks are among the known ones. In: known sorted."""
    if not len(known):
        return np.zeros(len(marks), dtype=bool)
    order = np.argsort(marks)
    place = np.searchsorted(known, marks[order])
    found = known[np.minimum(place, len(known) - 1)] == marks[order]
    answer = np.empty(len(marks), dtype=bool)
    answer[order] = found
    return answer


def twice(marks: Marks) -> Marks:
    """The marks that occur more than once, sorted. Sorts its argument in place."""
    marks.sort()
    return np.unique(marks[1:][marks[1:] == marks[:-1]])


def wrong(folder: Path, segment: dict[str, object]) -> list[str]:
    """File names of a segment that are missing or have another hash than when they were entered."""
    found = []
    for name, wanted in json.loads(str(segment["hashes"])).items():
        path = folder / str(segment["receipt"]) / name
        if not path.is_file():
            found.append(name)
            continue
        with path.open("rb") as read:
            if hashlib.file_digest(read, "sha256").hexdigest() != wanted:
                found.append(name)
    return found


def leftovers(folder: Path, con: Connection) -> list[Path]:
    """Folders that no row names: a landing at work, one that was cut short, or a database that was set aside."""
    named = set(tables.frame(con, "SELECT receipt FROM segment")["receipt"])
    return [path for path in sorted(folder.glob("*")) if path.is_dir() and path.name not in named]
