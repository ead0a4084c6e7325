"""Segments: the plain rows of large files, in Parquet files that are written outside the write lock.

In: staged rows that are new, unlike any other of their key. Out: files under lines/<receipt>/, which one row in the
table `segment` makes visible: from then on the tables record, sample, ..., detection and place hold them too. A segment
is never changed; what a row becomes later stands in the tables as a further version.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars import selectors as cs

from ewarn.errors import StoreFault
from ewarn.frames import SHAPES
from ewarn.store import files, tables
from ewarn.store.tables import Connection

FOLDER = "lines"
LEFT_OUT = "left-out.parquet"
TABLE_OF = {"sample": "sample", "incident": "incident", "count": "count_row", "notice": "notice"}
# Table -> the shape of its rows, and the column of a record that names the set of its own.
_CHILDREN = {"detection": ("staged_mention", "mention_set"), "place": ("staged_place", "place_set")}
_HEADER = ("reference_date", "reference_at", "known_date", "published_at", "basis", "retracted", "visible_at")
MARK = "coalesce(TRY_CAST('0x' || record_id AS UBIGINT), hash(record_id))"  # a record's id as the number in the files
_DATED = "reference_date, visible_at, retracted"
_HEX = set("0123456789abcdef")
Marks = NDArray[np.uint64]


def folder_of(database: Path) -> Path:
    """Where the segments of a database, or of a published copy of it, lie."""
    home = database.parent.parent if database.parent.name == "published" else database.parent
    return home / FOLDER


def any_of(database: Path) -> bool:
    """Whether there are segments beside the database."""
    folder = folder_of(database)
    return folder.exists() and any(folder.iterdir())


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
        try:
            con.execute(f"CREATE OR REPLACE TEMP VIEW {table} AS {union}")
        except duckdb.Error as error:
            raise StoreFault(
                f"a file of a segment cannot be read: {str(error).splitlines()[0][:200]}",
                where=str(folder_of(database)),
                next_step="Restore the files under lines/ from the newest good backup.",
            ) from error


def _selects(segment: dict[str, Any], folder: Path) -> Iterator[tuple[str, str]]:
    """For every table that a segment adds rows to, the query of these rows."""
    sets = json.loads(segment["sets"])
    record = _record(segment, folder)
    same = ("source", "kind", "snapshot", "receipt", "definition_hash")
    constants = ", ".join(f"{_text(segment[column])} AS {column}" for column in same)
    identity = "printf('%016x', record_id) AS record_id, 1::BIGINT AS version"
    prefix = f"{segment['member']} line " if segment["member"] else "line "
    said = f"SELECT {identity}, {constants}, key, 1::BIGINT AS occurrence, content || '-' || content_too AS content, "
    said += f"{', '.join(_HEADER)}, {_text(prefix)} || line AS position, {segment['backfill']} AS backfill, "
    said += f"{_text(segment['received_at'])}::TIMESTAMPTZ AS received_at FROM {record}"
    yield "record", said
    yield TABLE_OF[segment["kind"]], f"SELECT {identity}, {', '.join(_own(segment['kind']))} FROM {record}"
    for table, (shape, number) in _CHILDREN.items():
        if sets[table]:
            columns = ", ".join(f"child.{name}" for name in SHAPES[shape] if name != "row")
            children = _parts(segment, folder, table, sets[table])
            yield table, f'SELECT {identity}, {columns} FROM {record} JOIN {children} child ON child."set" = {number}'


def dated(con: Connection, table: str) -> str:
    """The rows of `record`, `detection` or `place` with the kind, reference_date, visible_at and retracted of their
    record, and `mark` for its id: a query whose bounds on days reach into the files, where a join with all records
    would read every one of them."""
    name, path = _place_of(con)
    shape, number = _CHILDREN.get(table, ("", ""))
    child = "".join(f", child.{column}" for column in SHAPES[shape] if column != "row") if shape else ""
    joined = f' JOIN "{name}".main.{table} child USING (record_id, version)' if shape else ""
    said = f'version, kind, {_DATED}{child} FROM "{name}".main.record{joined}'
    parts = [f"SELECT {MARK} AS mark, {said}"]
    for segment in entered(con):
        sets = json.loads(segment["sets"]).get(table, 0)
        if shape and not sets:
            continue
        folder = folder_of(path)
        joined = f' JOIN {_parts(segment, folder, table, sets)} child ON child."set" = {number}' if shape else ""
        said = f"1::BIGINT AS version, {_text(segment['kind'])} AS kind, {_DATED}{child}"
        parts.append(f"SELECT record_id AS mark, {said} FROM {_record(segment, folder)}{joined}")
    return f"({' UNION ALL BY NAME '.join(parts)})"


def entered(con: Connection) -> list[dict[str, Any]]:
    """The segments that a copy shows."""
    return tables.rows(con, f"SELECT * FROM {tables.own(con, 'segment')} ORDER BY receipt")


def relation(con: Connection, segment: dict[str, Any], table: str) -> str:
    """The rows of `record` of a segment as they lie in its files, or of `detection` or `place` by set; '' where it has
    none."""
    _, path = _place_of(con)
    if table == "record":
        return _record(segment, folder_of(path))
    sets = json.loads(segment["sets"])[table]
    return _parts(segment, folder_of(path), table, sets) if sets else ""


def marks_of(record_ids: Sequence[str]) -> Marks:
    """The numbers of records by their ids, where they are such numbers; others are 0."""
    return np.array([_mark(one) or 0 for one in record_ids], dtype=np.uint64)


def _mark(record_id: str) -> int | None:
    return int(record_id, 16) if len(record_id) == 16 and not set(record_id) - _HEX else None


@contextmanager
def choosing(con: Connection, record_ids: Sequence[str]) -> Iterator[None]:
    """While it lasts, `chosen` means these records."""
    marks = [_mark(one) for one in record_ids]
    schema = {"record_id": pl.String, "mark": pl.UInt64}
    wanted = pl.DataFrame({"record_id": list(record_ids), "mark": marks}, schema=schema)
    with tables.given(con, chosen_records=wanted):
        yield


def chosen(con: Connection, table: str) -> str:
    """The rows of a table of the records chosen, as a query that compares numbers."""
    name, path = _place_of(con)
    parts = [f'SELECT * FROM "{name}".main.{table} WHERE record_id IN (SELECT record_id FROM chosen_records)']
    for segment in entered(con):
        found = dict(_selects(segment, folder_of(path)))
        if table in found:
            parts.append(f"{found[table]} WHERE record_id IN (SELECT mark FROM chosen_records)")
    return f"({' UNION ALL BY NAME '.join(parts)})"


def _place_of(con: Connection) -> tuple[str, Path]:
    """The name of the connection's database, and its file."""
    name = str(tables.one(con, "SELECT current_database()"))
    return name, Path(str(tables.one(con, f"SELECT path FROM duckdb_databases() WHERE database_name = '{name}'")))


def _record(segment: dict[str, Any], folder: Path) -> str:
    """The relation of a segment's rows, without those that were left out."""
    record = _parts(segment, folder, "record", segment["parts"])
    if LEFT_OUT not in json.loads(segment["hashes"]):
        return record
    left_out = f"SELECT line FROM read_parquet({_text(folder / segment['receipt'] / LEFT_OUT)})"
    return f"(SELECT * FROM {record} WHERE line NOT IN ({left_out}))"


def _parts(segment: dict[str, Any], folder: Path, name: str, parts: int) -> str:
    paths = (_text(folder / segment["receipt"] / f"{name}-{part:05d}.parquet") for part in range(parts))
    return f"read_parquet([{', '.join(paths)}])"


def _own(kind: str) -> list[str]:
    shared = set.intersection(*(set(SHAPES[f"staged_{one}"]) for one in TABLE_OF))
    return [name for name in SHAPES[f"staged_{kind}"] if name not in shared]


def shaped_as(frame: pl.DataFrame, shape: str) -> pl.DataFrame:
    """The columns that the shape knows in its types; the others as they are, and so are categories: they are read back
    as the texts they stand for."""
    known = SHAPES[shape]
    categories = set(frame.select(cs.categorical()).columns)
    return frame.cast({name: known[name] for name in frame.columns if name in known and name not in categories})


def _text(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"


# ---------------------------------------------------------------- writing


@dataclass
class Writer:
    """The segment of one landing while it grows. Nothing of it is visible before `enter`; `drop` takes it away."""

    folder: Path
    receipt: str
    kind: str
    shape: str
    parts: int = 0
    records: int = 0
    sets: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_CHILDREN, 0))
    hashes: dict[str, str] = field(default_factory=dict)

    def add(self, records: pl.DataFrame, children: Mapping[str, pl.DataFrame | None]) -> None:
        """One part. In: records with record_id, content, content_too, line, line_mark, their sets and every column of
        the kind; by table the child rows of sets that were new, by 'set'."""
        numbers = [number for _, number in _CHILDREN.values()]
        columns = [
            "record_id",
            "key",
            "content",
            "content_too",
            "line",
            "line_mark",
            *_HEADER,
            *_own(self.kind),
            *numbers,
        ]
        self._write("record", self.parts, shaped_as(records.select(columns), f"staged_{self.kind}"))
        self.parts += 1
        self.records += records.height
        for table, (shape, _) in _CHILDREN.items():
            found = children[table]
            if found is not None:
                names = [name for name in SHAPES[shape] if name != "row"]
                self._write(table, self.sets[table], shaped_as(found.select("set", *names), shape))
                self.sets[table] += 1

    def leave_out(self, lines: list[int]) -> pl.Series:
        """Take rows that were added back out: they stay in their file and are not shown. Returns their mention sets."""
        out = pl.DataFrame({"line": lines}, schema={"line": pl.Int64})
        self._write_to(LEFT_OUT, out)
        self.records -= out.height
        parts = [self._home / f"record-{part:05d}.parquet" for part in range(self.parts)]
        found = [pl.scan_parquet(one).join(out.lazy(), on="line", how="semi").select("mention_set") for one in parts]
        return pl.concat(found).collect()["mention_set"]

    def _write(self, name: str, number: int, frame: pl.DataFrame) -> None:
        self._write_to(f"{name}-{number:05d}.parquet", frame)

    def _write_to(self, name: str, frame: pl.DataFrame) -> None:
        path = files.make_folder(self._home) / name
        with files.plain_faults(path):
            frame.write_parquet(path, compression="zstd", compression_level=1, statistics=True)
            path.chmod(0o600)
            with path.open("rb+") as written:
                self.hashes[name] = hashlib.file_digest(written, "sha256").hexdigest()
                files.sync(written)

    def close(self) -> None:
        """Make the names of the files durable, as their bytes are. To be done before the write lock is asked for."""
        if self.parts:
            files.sync_folder(self._home)

    def enter(self, tx: Connection, **receipt: object) -> None:
        """Make the segment visible."""
        if self.parts:
            hashes = json.dumps(self.hashes, sort_keys=True)
            tables.put(
                tx, "segment", receipt=self.receipt, kind=self.kind, parts=self.parts, records=self.records,
                shape=self.shape, sets=json.dumps(self.sets), hashes=hashes, **receipt,
            )  # fmt: skip

    def drop(self) -> None:
        """Take away what was written."""
        shutil.rmtree(self._home, ignore_errors=True)

    @property
    def _home(self) -> Path:
        return self.folder / self.receipt


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
