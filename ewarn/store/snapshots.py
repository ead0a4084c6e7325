"""Snapshots: the bytes as they came, kept under their hash, and a line for every receipt, before anything is stored.

In: bytes from a source, or the path of a file. Out: raw/<first two of the hash>/<hash>.zst.age, encrypted by the vault,
a synced line in raw/receipts.jsonl, a SnapshotRef. The same bytes twice are one file and two receipts. Files are never
changed; a receipt is never taken back. Receipts also stand in the database (`enter`), where the health of a source is
read from. They hold no content: where a source can hold personal data, the name of a file is content too, and is sealed
in raw/names/.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl
from filelock import FileLock, Timeout

from ewarn.errors import StoreBusy, StoreFault
from ewarn.settings import Settings
from ewarn.store import audit, files, tables, vault
from ewarn.store.contents import archive_content as archive_content
from ewarn.store.contents import definition_in as definition_in
from ewarn.store.contents import load_content as load_content
from ewarn.store.database import Database
from ewarn.store.keeps import Arrival, keeping_body, name_path, receipt_after, sealed, surely_new
from ewarn.store.keeps import SnapshotRef as SnapshotRef
from ewarn.store.receipts import Receipt as Receipt
from ewarn.store.receipts import all as every_receipt
from ewarn.store.receipts import append as append
from ewarn.store.receipts import check_clock, newest_first, read
from ewarn.store.receipts import new_id as new_id
from ewarn.store.tables import Connection

ENDINGS_SHOWN = {".csv", ".tsv", ".txt", ".gz", ".zip", ".xlsx", ".eml", ".json", ".xml"}

DAY_SECONDS = 86_400


def keep(settings: Settings, source: str, body: bytes | Path, *given: Any, **words: Any) -> SnapshotRef:
    """Keep the bytes and write the receipt, both synced. In and Raises: as `arriving`."""
    with arriving(settings, source, body, *given, **words) as (_, kept):
        return kept()


@contextmanager
def arriving(
    settings: Settings,
    source: str,
    body: bytes | Path,
    now: datetime,
    backfill: bool = False,
    definition_hash: str = "",
    content_hash: str = "",
    validators: Mapping[str, str] | None = None,
    *,
    kind: str = "receipt",
    file: str = "",
    member: str = "",
    personal: bool = False,
) -> Iterator[tuple[SnapshotRef, Callable[[], SnapshotRef]]]:
    """Keep the bytes and write the receipt while the block runs: they are there, synced, once the call that is handed
    over returns, at the latest at the end. Nothing of the bytes may be stored before. `personal` seals the name too.

    A file given as a path is hashed first; when its bytes are kept already nothing more is read or written. But a large
    one of a size that never came before can only be new: it is hashed while it is kept, and until then its snapshot has
    no hash; that which the call returns has. Where the block fails before the call, nothing was received.
    Raises: StoreFault (full disk, clock gone back, no key, a file that changed meanwhile).
    """
    size = body.stat().st_size if isinstance(body, Path) else len(body)
    sha256 = "" if isinstance(body, Path) and surely_new(settings, body) else vault.sha256_of(body)
    with ExitStack() as stack:
        stack.enter_context(keeping(settings))
        check_clock(settings, now)
        fresh, remark = _standing(settings, source, sha256, member) if sha256 else (True, "")
        receipt = Receipt(
            id=new_id(now), kind=kind, source=source, sha256=sha256, size=size, received_at=now.astimezone(UTC),
            validators=dict(validators or {}), backfill=backfill, definition_hash=definition_hash,
            content_hash=content_hash, file=withheld(file) if personal else file, member=member,
        )  # fmt: skip
        snapshot = SnapshotRef(sha256=sha256, fresh=fresh, receipt=receipt, remark=remark)
        arrival = Arrival(snapshot)
        stack.enter_context(receipt_after(settings, arrival, file))
        stack.enter_context(keeping_body(settings, arrival, body, size))

        def kept() -> SnapshotRef:
            stack.close()
            return arrival.snapshot

        yield snapshot, kept


@contextmanager
def keeping(settings: Settings) -> Iterator[None]:
    """One at a time: between keeping bytes and their receipt nothing is purged. Raises: StoreBusy."""
    lock = FileLock(files.make_folder(settings.raw) / ".lock", timeout=settings.lock_timeout_seconds, mode=0o600)
    try:
        lock.acquire()
    except Timeout as error:
        raise StoreBusy(
            "another process is keeping or purging raw bytes",
            where=str(settings.raw),
            next_step="Wait for it to end, then repeat the command.",
        ) from error
    try:
        yield
    finally:
        lock.release()


def note(
    settings: Settings,
    source: str,
    now: datetime,
    kind: str,
    text: str = "",
    *,
    validators: Mapping[str, str] | None = None,
    file: str = "",
) -> Receipt:
    """Write the receipt of an arrival without bytes: kind 'not modified' or 'failed'. Then `enter` it."""
    check_clock(settings, now)
    receipt = Receipt(
        id=new_id(now), kind=kind, source=source, received_at=now.astimezone(UTC), note=text, file=file,
        validators=dict(validators or {}),
    )  # fmt: skip
    append(settings, receipt)
    return receipt


def enter(
    tx: Connection,
    entries: Iterable[Receipt],
    *,
    new: int = 0,
    changed: int = 0,
    landed: bool = False,
    rows_in: int | None = None,
    unchanged: int | None = None,
    rejects: int | None = None,
) -> None:
    """Put receipts into the database; one that is there already stays, except that `landed` completes it."""
    counts = {
        "new_records": new, "changed_records": changed, "rows_in": rows_in, "unchanged_records": unchanged,
        "rejects": rejects,
    }  # fmt: skip
    for entry in entries:
        if entry.kind == "purged":
            continue  # these stand in the tombstone table
        known = tables.one(tx, "SELECT count(*) FROM receipt WHERE id = ?", [entry.id])
        if known and landed:
            marks = ", ".join(f"{name} = ?" for name in counts)
            tx.execute(
                f"UPDATE receipt SET landed = true, {marks} WHERE id = ? AND NOT landed", [*counts.values(), entry.id]
            )
        if not known:
            values = entry.model_dump(exclude={"validators", "by", "rule"})
            tables.put(tx, "receipt", **values, **counts, landed=landed)
            _, newest, _ = audit.last(tx)
            at = max(entry.received_at, newest) if newest else entry.received_at
            audit.append(tx, at, "ewarn", entry.kind, f"{entry.source} {entry.id}", entry.sha256)


def counts_of(con: Connection, source: str, sha256: str, member: str = "") -> dict[str, int]:
    """How many rows these bytes held when they landed last, and how many of them were rejected."""
    found = tables.rows(
        con,
        "SELECT coalesce(rows_in, 0) AS rows_in, coalesce(rejects, 0) AS rejects FROM receipt WHERE source = ? "
        "AND sha256 = ? AND coalesce(member, '') = ? AND landed ORDER BY rows_in IS NULL, received_at DESC LIMIT 1",
        [source, sha256, member],
    )
    return found[0] if found else {"rows_in": 0, "rejects": 0}


@contextmanager
def opened(settings: Settings, receipt: Receipt, most_in_memory: int) -> Iterator[bytes | Path]:
    """The bytes of a receipt, to be read more than once: in memory, or of a large file a private one for as long.

    Raises: StoreFault as `stream`.
    """
    if receipt.size <= most_in_memory:
        yield body(settings, receipt.sha256)
        return
    for left in settings.home.glob(".reading-*"):  # of a process that was killed
        if time.time() - left.stat().st_mtime > DAY_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=settings.home, prefix=".reading-") as scratch:
        path = Path(scratch) / "body"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with stream(settings, receipt.sha256) as found, files.plain_faults(path), open(handle, "wb") as out:
            shutil.copyfileobj(found, out, vault.BLOCK)
        yield path


def body(settings: Settings, sha256: str) -> bytes:
    """The bytes behind a hash, all at once. Raises: StoreFault when they have expired or no longer have that hash."""
    with stream(settings, sha256) as found:
        return found.read()


def stream(settings: Settings, sha256: str) -> BinaryIO:
    """The bytes behind a hash, to be read once from the beginning; a few megabytes are held at a time.

    Raises: StoreFault when they have expired; while reading, when they were altered or no key opens them. The hash is
    compared at the end: what was read before is not to be believed until the end was reached.
    """
    path = path_of(settings, sha256)
    if not path.is_file():
        raise StoreFault(
            f"the bytes of this snapshot have expired{_fate(settings, sha256)}",
            where=str(path),
            next_step="Its records stay; it cannot be read anew.",
        )
    plain = vault.unseal(settings, path) if path.name.endswith(vault.ENDING) else path.open("rb")
    return io.BufferedReader(_Verified(plain, sha256, path), vault.BLOCK)


class _Verified(io.RawIOBase):
    """Bytes whose hash is compared once the last of them was read."""

    def __init__(self, plain: BinaryIO, sha256: str, path: Path) -> None:
        self._plain, self._expected, self._path = plain, sha256, path
        self._found = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = self._plain.readinto(buffer)  # type: ignore[attr-defined]
        self._found.update(memoryview(buffer)[:size])
        if not size and self._found.hexdigest() != self._expected:
            raise vault.altered(self._path)
        return int(size)

    def close(self) -> None:
        self._plain.close()
        super().close()


def path_of(settings: Settings, sha256: str) -> Path:
    """Where the bytes of a hash lie, or would lie. A home made before there was a vault still holds plain ones."""
    plain = settings.raw / sha256[:2] / sha256
    return plain if plain.is_file() else plain.with_name(sha256 + vault.ENDING)


def is_kept(settings: Settings, sha256: str) -> bool:
    """Whether the bytes of a hash are still here."""
    return path_of(settings, sha256).is_file()


def plain_ones(settings: Settings) -> list[Path]:
    """Snapshots that lie here as they came, not encrypted: of a home made before there was a vault."""
    return sorted(p for p in settings.raw.glob("[0-9a-f][0-9a-f]/*") if len(p.name) == 64 and p.is_file())


def seal_plain_ones(settings: Settings) -> int:
    """Encrypt what lies here as it came, each checked against its hash before its plain bytes go. Returns how many."""
    found = plain_ones(settings)
    for path in found:
        with sealed(settings, path.name, path, path.stat().st_size):
            pass
    return len(found)


def file_name(settings: Settings, receipt: str, shown: str = "") -> str:
    """The name of the file as it was given: `shown`, or the sealed one. For people with the right to see raw text."""
    path = name_path(settings, receipt)
    if not path.is_file():
        return shown
    with vault.unseal(settings, path) as found:
        return found.read().decode()


def withheld(file: str) -> str:
    """What a receipt says of a file whose name may name a person: that it was withheld, and its ending."""
    ending = Path(file).suffix.lower()
    return f"name withheld{ending if ending in ENDINGS_SHOWN else ''}" if file else ""


def receipts(settings: Settings) -> list[Receipt]:
    """Every receipt, oldest first; a line torn by a crash is left out."""
    return every_receipt(settings)


def validators(settings: Settings, source: str) -> dict[str, str]:
    """ETag and Last-Modified of the newest bytes of a source; empty unless those bytes have become records.

    Bytes whose landing was cut short must be asked for again in full, never answered by 'not modified'.
    """
    wanted = json.dumps(source, ensure_ascii=False).encode()
    for line in newest_first(settings):
        if wanted in line and (found := read(line)) and (found.source, found.kind) == (source, "receipt"):
            whole = bool(found.validators) and _has_landed(settings, source, found.sha256)
            return dict(found.validators) if whole else {}
    return {}


def landed(con: Connection, source: str, sha256: str, member: str = "") -> bool:
    """Whether these bytes of this source, or this table in them, have become records."""
    sql = "SELECT count(*) FROM receipt WHERE source = ? AND sha256 = ? AND coalesce(member, '') = ? AND landed"
    return bool(tables.one(con, sql, [source, sha256, member]))


def table(con: Connection, source: str | None = None) -> pl.DataFrame:
    """Receipts in the database, oldest first: one row per arrival, with how many records it brought."""
    sql = "SELECT * FROM receipt WHERE source = coalesce(?, source) ORDER BY received_at, id"
    return tables.frame(con, sql, [source])


def _has_landed(settings: Settings, source: str, sha256: str, member: str = "") -> bool:
    fresh, _ = _standing(settings, source, sha256, member)
    return not fresh


def _standing(settings: Settings, source: str, sha256: str, member: str = "") -> tuple[bool, str]:
    """Whether these bytes have yet to become records, and what is to be said where they were purged before."""
    database = Database(settings)
    if not database.exists:
        return True, ""
    with database.read() as con:
        purged = tables.rows(con, _PURGED_SINCE, [source, sha256])
        remark = ""
        if purged:
            remark = (
                f"these bytes were purged on {purged[0]['purged_at']:%Y-%m-%d} under {purged[0]['rule']}: kept anew"
            )
        return not landed(con, source, sha256, member), remark


def _fate(settings: Settings, sha256: str) -> str:
    """': purged on 2025-06-02 under retention of 365 days', where a tombstone says so."""
    database = Database(settings)
    if not database.exists:
        return ""
    with database.read() as con:
        sql = "SELECT purged_at, rule FROM tombstone WHERE sha256 = ? ORDER BY purged_at DESC LIMIT 1"
        found = tables.rows(con, sql, [sha256])
    return f": purged on {found[0]['purged_at']:%Y-%m-%d} under {found[0]['rule']}" if found else ""


# The newest purge of these bytes, where nothing of them was received since.
_PURGED_SINCE = """
    SELECT purged_at, rule FROM tombstone WHERE source = $1 AND sha256 = $2 AND purged_at >= (
        SELECT coalesce(max(received_at), TIMESTAMPTZ '1970-01-01') FROM receipt
        WHERE source = $1 AND sha256 = $2 AND kind = 'receipt'
    ) ORDER BY purged_at DESC LIMIT 1
"""


def remove(settings: Settings, gone: Iterable[str], receipts_gone: Iterable[str]) -> int:
    """Remove the bytes of these hashes and the sealed names of these receipts. Returns how many bytes' files went."""
    removed = 0
    for sha256 in gone:
        while (path := path_of(settings, sha256)).is_file():
            path.unlink()
            files.sync_folder(path.parent)
            removed += 1
    for receipt in receipts_gone:
        name_path(settings, receipt).unlink(missing_ok=True)
    return removed
