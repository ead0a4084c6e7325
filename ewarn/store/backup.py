"""Backup and restore: one archive with everything that cannot be had again by replaying.

In: a deployment's home. Out: a zip with a consistent copy of the database, receipts.jsonl, the archived content, the
overlay, ewarn.toml, the sealed parts of partners' reports, the answers and reports that wait to be taken in, and a
manifest of hashes; the raw bytes where asked for. Settings name secrets by reference and keys stay where they are, so
an archive holds none. A restore checks every hash and the audit chain before it touches what is there.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ewarn.errors import Refused, UnusableInput, UsageFault
from ewarn.settings import Settings
from ewarn.store import audit, files, partner_reports, published, schema, segments, vault
from ewarn.store.database import Database, connect

MANIFEST = "manifest.json"
DATABASE = "ewarn.duckdb"
RECEIPTS = "raw/receipts.jsonl"
EXPECTED = re.compile(
    r"ewarn\.duckdb|ewarn\.toml|raw/receipts\.jsonl|content/.+|raw/content/[^/]+|raw/[0-9a-f]{2}/[^/]+|"
    r"lines/[0-9a-f]+/[a-z]+-\d{5}\.parquet|reports/[A-Z0-9-]+\.[a-z]+\.zst\.age|(answers/(spool|reports)|bounces)/.+"
)
WAITING = ("answers/spool", "answers/reports", "bounces")  # others put files here, and take them, at any time
BLOCK = 1 << 20


def backup(db: Database, target: Path, now: datetime, *, include_raw: bool = False) -> Path:
    """Write the archive to `target`, or into it under a dated name when it is a folder. Returns its path.

    Raises: UsageFault when the file exists or its folder does not, StoreFault when the disk is full.
    """
    if target.is_dir():
        target = target / f"ewarn-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}.zip"
    if target.exists() or not target.parent.is_dir():
        why = "exists already" if target.exists() else "lies in a folder that does not exist"
        raise UsageFault(f"the archive {why}", where=str(target), next_step="Name another file.")
    home = db.settings.home
    beside = target.with_name(f".{target.name}.tmp")
    with db.locked("backing up"), files.plain_faults(target):
        copy = published.path(home, db.publish_locked())
        members = [(DATABASE, copy), *_members(home, include_raw)]
        try:
            _pack(beside, members, now)
            os.replace(beside, target)
        finally:
            beside.unlink(missing_ok=True)
    files.sync_folder(target.parent)
    return target


def restore(settings: Settings, archive: Path, *, force: bool = False) -> dict[str, Any]:
    """Put an archive back in place. Returns its manifest.

    Raises: Refused over an existing database unless `force` (which keeps that file beside, under another name),
    UsageFault where there is no such file, UnusableInput when a hash or the audit chain is broken, StoreFault when the
    archive is of a newer program or the disk is full.
    """
    if not archive.is_file():
        raise UsageFault("there is no such archive", where=str(archive), next_step="Check the path.")
    db = Database(settings)
    if db.exists and not force:
        raise Refused(
            "there is a database here already", where=str(db.path), next_step="Choose an empty --home, or use --force."
        )
    home = files.make_folder(settings.home)
    with db.locked("restoring"), tempfile.TemporaryDirectory(dir=home, prefix=".restore-") as folder:
        with files.plain_faults(home):
            manifest = _unpack(archive, Path(folder))
            _check_database(Path(folder) / DATABASE)
            _put_in_place(db, Path(folder), manifest)
        db.publish_locked()
    return manifest


def _members(home: Path, include_raw: bool) -> Iterator[tuple[str, Path]]:
    chosen = [home / "ewarn.toml", home / RECEIPTS, *sorted((home / "content").rglob("*"))]
    chosen += sorted((home / "raw" / "content").glob("*.zip"))
    chosen += sorted((home / segments.FOLDER).glob("*/*.parquet"))
    chosen += sorted((home / partner_reports.FOLDER).glob(f"*{vault.ENDING}"))
    chosen += [path for folder in WAITING for path in sorted((home / folder).rglob("*")) if not path.is_symlink()]
    if include_raw:
        chosen += sorted((home / "raw").glob("[0-9a-f][0-9a-f]/*"))
    for path in chosen:
        if path.is_file() and not path.name.startswith("."):
            yield path.relative_to(home).as_posix(), path


def _pack(target: Path, members: list[tuple[str, Path]], now: datetime) -> None:
    hashes: dict[str, str] = {}
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(handle, "wb") as out:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as packed:
            for name, path in members:
                try:
                    hashes[name] = _copy_in(packed, name, path)
                except FileNotFoundError:
                    if not name.startswith(WAITING):
                        raise  # one that waited was taken in, or is being written again: it is not lost
            words = {"made_at": now.astimezone(UTC).isoformat(), "schema": schema.newest(), "files": hashes}
            packed.writestr(MANIFEST, json.dumps(words, indent=1, sort_keys=True))
        out.flush()
        os.fsync(out.fileno())


def _copy_in(packed: zipfile.ZipFile, name: str, path: Path) -> str:
    """Pack one file and hash exactly the bytes that were packed."""
    found = hashlib.sha256()
    with path.open("rb") as source, packed.open(name, "w", force_zip64=True) as member:
        while block := source.read(BLOCK):
            found.update(block)
            member.write(block)
    return found.hexdigest()


def _unpack(archive: Path, folder: Path) -> dict[str, Any]:
    """Unpack only what the manifest names, each checked against its hash."""
    try:
        with zipfile.ZipFile(archive) as packed:
            manifest: dict[str, Any] = json.loads(packed.read(MANIFEST))
            for name, expected in manifest["files"].items():
                if not EXPECTED.fullmatch(name) or ".." in name.split("/"):
                    raise _broken(archive, f"'{name}' has no business in it")
                packed.extract(name, folder)
                with (folder / name).open("rb") as body:
                    if hashlib.file_digest(body, "sha256").hexdigest() != expected:
                        raise _broken(archive, f"'{name}' no longer has its hash")
    except (zipfile.BadZipFile, KeyError, ValueError, AttributeError, FileNotFoundError) as error:
        raise _broken(archive, f"it cannot be read ({error})") from error
    return manifest


def _check_database(path: Path) -> None:
    if not path.is_file():
        raise _broken(path, "it holds no database")
    con = connect(path, read_only=True)
    try:
        schema.refuse_newer(schema.version(con), str(path))
        broken = audit.verify(con)
    finally:
        con.close()
    if broken is not None:
        raise _broken(path, f"the audit chain in it is broken at link {broken}")


def _put_in_place(db: Database, folder: Path, manifest: dict[str, Any]) -> None:
    home = db.settings.home
    if db.exists:
        db.set_aside()
    _join_receipts(folder / RECEIPTS, home / RECEIPTS)
    for name in sorted(manifest["files"], key=lambda name: name == DATABASE):
        source, target = folder / name, home / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.chmod(source, 0o600)
            shutil.move(source, target)
    files.sync_folder(home)


def _join_receipts(restored: Path, present: Path) -> None:
    """Receipts that came after the backup stay: their bytes are here, and can be replayed."""
    if not present.is_file():
        return
    restored.parent.mkdir(parents=True, exist_ok=True)
    before = restored.read_bytes().splitlines() if restored.is_file() else []
    known = set(before)
    later = [line for line in present.read_bytes().splitlines() if line not in known]
    restored.write_bytes(b"".join(line + b"\n" for line in [*before, *later] if line))


def _broken(where: Path, why: str) -> UnusableInput:
    return UnusableInput(
        f"the archive cannot be used: {why}; nothing was changed", where=str(where), next_step="Use another backup."
    )
