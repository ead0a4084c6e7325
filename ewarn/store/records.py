"""Records: what a snapshot said, as versions that are only ever added to.

In: one staging (frames of `ewarn.frames`, one row per staged row) and the snapshot it was read from. Out: rows in
record, in the table of its kind, in detection and place; and the counts of what was new. Identity is (source, key,
occurrence): inside one snapshot the same key with other content is another record, between snapshots it is another
version of one. Row order plays no part. Nothing is read from the bytes here and nothing is ever overwritten.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

import polars as pl

from ewarn.frames import SHAPES
from ewarn.store import audit, identity, rejects, segments, snapshots, tables
from ewarn.store.segments import TABLE_OF
from ewarn.store.snapshots import SnapshotRef
from ewarn.store.tables import Connection
from ewarn.terms import RecordKind, digest, london_day

NAMED = ["substance", "class", "queued"]


class Staging(Protocol):
    """What intake hands over: frames in the staged shapes and the hash of the definition they were read with."""

    @property
    def kind(self) -> RecordKind: ...
    @property
    def records(self) -> pl.DataFrame: ...
    @property
    def mentions(self) -> pl.DataFrame: ...
    @property
    def places(self) -> pl.DataFrame: ...
    @property
    def rejects(self) -> pl.DataFrame: ...
    @property
    def notes(self) -> tuple[str, ...]: ...
    @property
    def definition_hash(self) -> str: ...


@dataclass(frozen=True)
class Beside:
    """What of a file was settled before its last rows land: counts, and how it becomes visible.

    seen: which contents of known records its other rows have said again. whole: nothing of the file is still to come.
    """

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    rejects: int = 0
    detections: int = 0
    queued: int = 0
    summary: str = ""
    seen: identity.Seen | None = None
    enter: Callable[[Connection], None] | None = None
    whole: bool = True
    changed_records: tuple[str, ...] = field(default=(), repr=False)

    def after(self, landed: Landed) -> Beside:
        """The same after some more of the file has landed beside it. In: a landing that counted this one in."""
        return replace(
            self, new=landed.new, changed=landed.changed, unchanged=landed.unchanged, detections=landed.detections,
            queued=landed.queued, changed_records=landed.changed_records,
        )  # fmt: skip


@dataclass(frozen=True)
class Landed:
    """Counts of one landing; records = new + changed + unchanged + rejects."""

    records: int
    new: int
    changed: int
    unchanged: int
    rejects: int
    detections: int
    queued: int
    notes: tuple[str, ...] = ()
    changed_records: tuple[str, ...] = field(default=(), repr=False)


def land(
    tx: Connection,
    staged: Staging,
    snapshot: SnapshotRef,
    now: datetime,
    backfill: bool,
    *,
    reread: bool = False,
    beside: Beside | None = None,
) -> Landed:
    """Add what is new or changed. Landing the same staging again adds nothing.

    Detections and queued count the mentions of new and changed records. A version is visible from the snapshot's
    received_at; with `backfill` from 00:00 Europe/London on its known date, else its reference date; never before the
    version it follows. `reread`: a row of equal content whose mentions or places now read otherwise is a new version.
    `beside`: what of the same file was settled before, outside this transaction.
    """
    beside = beside or Beside()
    kind = RecordKind(staged.kind).value
    incoming = _incoming(tx, staged, reread)
    again = snapshot.sha256 if reread else None
    matched = identity.match(tx, snapshot.receipt.source, incoming, reread_of=again, seen=beside.seen)
    happened = staged.records.select("row", "reference_at")
    versions = clocked(matched.join(happened, on="row", maintain_order="left"), snapshot, backfill).drop("reference_at")
    header = _header(staged, versions, snapshot, kind, backfill)
    tables.insert(tx, "record", header)
    ids = versions.select("row", "record_id", "version")
    tables.insert(tx, TABLE_OF[kind], _of_kind(staged, ids, kind))
    mentions = ids.join(staged.mentions, on="row").drop("row")
    tables.insert(tx, "detection", mentions)
    tables.insert(tx, "place", ids.join(staged.places, on="row").drop("row"))
    rejects.enter(tx, staged.rejects, snapshot, now)
    landed = _counts(staged, versions, mentions, incoming, beside)
    if beside.enter is not None:
        beside.enter(tx)
    counts = {"rows_in": landed.records, "unchanged": landed.unchanged, "rejects": landed.rejects}
    snapshots.enter(tx, [snapshot.receipt], new=landed.new, changed=landed.changed, landed=beside.whole, **counts)
    _, newest, _ = audit.last(tx)
    summary = digest([_summary(header), beside.summary]) if beside.summary else _summary(header)
    audit.append(tx, max(now, newest or now), "ewarn", "landed", snapshot.receipt.id, summary)
    return landed


def naming_queue(con: Connection) -> pl.DataFrame:
    """Names no list has, most frequent first; one row per name, letter case aside.

    Columns: as_written, records, first_source, last_source, first_seen, last_seen (UTC), suggested_class,
    newest_records (up to five ids). Current, unretracted versions only.
    """
    return tables.frame(
        con,
        """
        WITH head AS (
            SELECT record_id, version, source, visible_at, retracted FROM record
            QUALIFY row_number() OVER (PARTITION BY record_id ORDER BY version DESC) = 1
        ), named AS (
            SELECT lower(trim(as_written)) AS name, record_id, any_value(source) AS source,
                   any_value(visible_at) AS seen, mode(as_written) AS as_written, any_value(class_id) AS class_id
            FROM head JOIN detection USING (record_id, version)
            WHERE NOT retracted AND mention_kind = 'queued' GROUP BY ALL
        )
        SELECT mode(as_written) AS as_written, count(*) AS records, arg_min(source, seen) AS first_source,
               arg_max(source, seen) AS last_source, min(seen) AS first_seen, max(seen) AS last_seen,
               any_value(class_id) AS suggested_class,
               array_agg(record_id ORDER BY seen DESC, record_id)[:5] AS newest_records
        FROM named GROUP BY name ORDER BY records DESC, name
        """,
    )


def versions(con: Connection, record_ids: Sequence[str]) -> pl.DataFrame:
    """Every version of the given records with its header, oldest first; one row per version."""
    sql = "SELECT * FROM record WHERE list_contains(?, record_id) ORDER BY record_id, version"
    return tables.frame(con, sql, [list(record_ids)])


def source_of(con: Connection, record_ids: Sequence[str]) -> dict[str, str]:
    """Record -> the source it came from; records that are not stored are absent."""
    with segments.choosing(con, record_ids):
        return dict(con.execute(f"SELECT DISTINCT record_id, source FROM {segments.chosen(con, 'record')}").fetchall())


def with_name(con: Connection, as_written: str) -> pl.DataFrame:
    """Snapshots that hold a name as written: source, snapshot, backfill; one row each, to be read anew."""
    return tables.frame(
        con,
        """
        SELECT DISTINCT source, snapshot, backfill FROM record JOIN detection USING (record_id, version)
        WHERE lower(trim(as_written)) = lower(trim(?)) ORDER BY source, snapshot
        """,
        [as_written],
    )


def _incoming(tx: Connection, staged: Staging, reread: bool) -> pl.DataFrame:
    """row, key, content, reference_date, known_date: what identity is settled on; when read again, 'reading' too."""
    content = pl.col("content_hash") + pl.when("retracted").then(pl.lit(" retracted")).otherwise(pl.lit(""))
    found = staged.records.select("row", "key", content.alias("content"), "reference_date", "known_date")
    if not reread:
        return found
    with tables.given(tx, staged_mentions=staged.mentions, staged_places=staged.places):
        read = identity.readings(tx, "staged_mentions", "staged_places", "row")
    return found.join(read, on="row", how="left", maintain_order="left").with_columns(pl.col("reading").fill_null(""))


def clocked(matched: pl.DataFrame, snapshot: SnapshotRef, backfill: bool) -> pl.DataFrame:
    """Fill known_date and set visible_at. In: known_date, reference_date, reference_at, previous_visible_at.

    History becomes known on its known date, and never before it happened.
    """
    received = snapshot.receipt.received_at
    if backfill:
        known = pl.coalesce("known_date", "reference_date")
        begun = pl.lit(_midnights(matched.select(day=known)).fill_null(received))
        seen = pl.max_horizontal(begun, "reference_at")
    else:
        known = pl.col("known_date").fill_null(london_day(received))
        seen = pl.lit(received).dt.convert_time_zone("UTC").dt.cast_time_unit("us")
    return matched.with_columns(
        known_date=known,
        unstated=pl.col("known_date").is_null(),
        visible_at=pl.max_horizontal(seen, pl.col("previous_visible_at")),
    )


def _midnights(days: pl.DataFrame) -> pl.Series:
    """When each day began in London; worked out once for each of the days, of which there are few."""
    midnight = (
        pl.col("day")
        .cast(pl.Datetime("us"))
        .dt.replace_time_zone("Europe/London", ambiguous="earliest", non_existent="null")
    )
    distinct = days.unique().with_columns(begun=midnight.dt.convert_time_zone("UTC"))
    return days.join(distinct, on="day", how="left", maintain_order="left", nulls_equal=True)["begun"]


def _header(staged: Staging, versions: pl.DataFrame, snapshot: SnapshotRef, kind: str, backfill: bool) -> pl.DataFrame:
    receipt = snapshot.receipt
    said = "known date not stated, read as " + ("the reference date" if backfill else "the day received")
    basis = pl.concat_str(pl.col("basis"), pl.when("unstated").then(pl.lit(said)), separator="; ", ignore_nulls=True)
    kept = staged.records.select("row", "reference_at", "published_at", "basis", "retracted", "position")
    return (
        versions.join(kept, on="row")
        .select(
            "record_id", "version", "key", "occurrence", "content", "reference_date", "reference_at",
            "known_date", "published_at", "position", "visible_at",
            basis.alias("basis"), pl.col("retracted").fill_null(False),
        )
        .with_columns(
            source=pl.lit(receipt.source), kind=pl.lit(kind), snapshot=pl.lit(snapshot.sha256),
            receipt=pl.lit(receipt.id), definition_hash=pl.lit(staged.definition_hash), backfill=pl.lit(backfill),
            received_at=pl.lit(receipt.received_at),
        )
    )  # fmt: skip


def _of_kind(staged: Staging, ids: pl.DataFrame, kind: str) -> pl.DataFrame:
    header = SHAPES[f"staged_{kind}"].keys() & _SHARED
    return ids.join(staged.records, on="row").drop(*header).drop("raw", strict=False)


def _counts(
    staged: Staging, versions: pl.DataFrame, mentions: pl.DataFrame, incoming: pl.DataFrame, beside: Beside
) -> Landed:
    changed = versions.filter(pl.col("version") > 1)
    new = versions.height - changed.height
    refused = staged.rejects.height + beside.rejects
    kinds = mentions.get_column("mention_kind")
    unchanged = staged.records.height - versions.height + beside.unchanged
    return Landed(
        records=beside.new + beside.changed + new + changed.height + unchanged + refused,
        new=new + beside.new,
        changed=changed.height + beside.changed,
        unchanged=unchanged,
        rejects=refused,
        detections=int(kinds.is_in(NAMED).sum()) + beside.detections,
        queued=int((kinds == "queued").sum()) + beside.queued,
        notes=(*staged.notes, *_repetitions(incoming)),
        changed_records=(*beside.changed_records, *changed.get_column("record_id").sort()),
    )


def _repetitions(incoming: pl.DataFrame) -> list[str]:
    """Remarks on keys and lines that one file uses more than once."""
    per_key = incoming.group_by("key").agg(contents=pl.col("content").n_unique(), rows=pl.len())
    reused, repeated = int((per_key["contents"] > 1).sum()), int((per_key["rows"] - per_key["contents"]).sum())
    remarks = []
    if reused:
        remarks.append(f"{reused} keys are used again for other content in the same file: kept as separate records")
    if repeated:
        remarks.append(f"{repeated} lines repeat an earlier line word for word")
    return remarks


def _summary(header: pl.DataFrame) -> str:
    """Hash over the versions that were added, whatever their order."""
    lines = header.select(pl.concat_str("record_id", "version", "content", separator=" ").sort())
    return digest("\n".join(lines.to_series().to_list()))


_SHARED = set.intersection(*(set(SHAPES[f"staged_{kind}"]) for kind in TABLE_OF))


def first_received(con: Connection, ids: Sequence[str]) -> datetime | None:
    """When the first version of the first of these records was received; None where there are none."""
    sql = "SELECT min(received_at) AS first FROM record WHERE list_contains(?, record_id)"
    found = tables.rows(con, sql, [list(ids)])
    return found[0]["first"] if found else None
