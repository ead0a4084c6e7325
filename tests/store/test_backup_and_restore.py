from __future__ import annotations

import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ewarn.errors import Refused, UnusableInput, UsageFault
from ewarn.settings import Settings
from ewarn.store import cases, doctor, explain, lines, operator_notices, records, snapshots, tables
from ewarn.store.backup import backup, restore
from ewarn.store.database import Database


@pytest.fixture
def used(db: Database, now: datetime, staging: Callable[..., Any]) -> Database:
    """A home with a landed snapshot, archived content, an overlay and a configuration."""
    home = db.settings.home
    snapshots.archive_content(db.settings, {"sources/a.toml": b"a"}, "content")
    ref = snapshots.keep(db.settings, "lab", b"bytes", now, file="lab.csv", content_hash="content")
    with db.write() as tx:
        records.land(tx, staging({"key": "a", "said": 1}), ref, now, False)
        cases.note(tx, "LDN-2025-0001", now, "ann", "a remark")
    (home / "ewarn.toml").write_text('issuer = "LDN"\n')
    (home / "content" / "sources").mkdir(parents=True)
    (home / "content" / "sources" / "named.toml").write_text("x = 1\n")
    return db


def elsewhere(tmp_path: Path) -> Settings:
    home = tmp_path / "elsewhere"
    return Settings(home=home, content=tmp_path, overlay=home / "content")


@pytest.mark.parametrize("include_raw", [True, False])
def test_what_was_backed_up_comes_back(used: Database, tmp_path: Path, now: datetime, include_raw: bool) -> None:
    archive = backup(used, tmp_path, now, include_raw=include_raw)
    settings = elsewhere(tmp_path)
    manifest = restore(settings, archive)
    assert "ewarn.duckdb" in manifest["files"]
    with Database(settings).read() as con:
        assert tables.one(con, "SELECT count(*) FROM record") == 1
        assert cases.history(con, "LDN-2025-0001")[0]["why"] == "a remark"
    (receipt,) = snapshots.receipts(settings)
    assert receipt.file == "lab.csv"
    assert snapshots.path_of(settings, receipt.sha256).is_file() is include_raw
    assert (settings.home / "ewarn.toml").read_text() == 'issuer = "LDN"\n'
    assert (settings.home / "content" / "sources" / "named.toml").is_file()
    assert snapshots.load_content(settings, "content", tmp_path / "then").is_dir()


def test_a_restore_over_a_database_is_refused_and_forced_keeps_what_was_there(
    used: Database, tmp_path: Path, now: datetime
) -> None:
    archive = backup(used, tmp_path / "a.zip", now)
    with used.write() as tx:
        operator_notices.put(tx, now, "feed", "after the backup")
    late = snapshots.keep(used.settings, "lab", b"late", now)
    with pytest.raises(Refused, match="a database here already"):
        restore(used.settings, archive)
    restore(used.settings, archive, force=True)
    with used.read() as con:
        assert operator_notices.open(con).is_empty()
    assert [receipt.id for receipt in doctor.unlanded(used)] == [late.receipt.id]
    assert (used.settings.home / "ewarn.duckdb.aside-1").is_file()


def test_an_altered_archive_changes_nothing(used: Database, tmp_path: Path, now: datetime) -> None:
    archive = backup(used, tmp_path / "a.zip", now)
    altered = tmp_path / "b.zip"
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(altered, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name) + (b" " if name == "ewarn.toml" else b""))
    settings = elsewhere(tmp_path)
    with pytest.raises(UnusableInput, match=r"ewarn\.toml.*no longer has its hash"):
        restore(settings, altered)
    assert not settings.database.exists() and not (settings.home / "ewarn.toml").exists()


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside", "raw/../../outside", "elsewhere.txt"])
def test_an_archive_puts_nothing_outside_the_home(tmp_path: Path, name: str) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("manifest.json", f'{{"files": {{"{name}": "00"}}}}')
        packed.writestr(name, b"x")
    with pytest.raises(UnusableInput, match="no business"):
        restore(elsewhere(tmp_path), archive)


def test_an_archive_with_a_broken_audit_chain_is_refused(used: Database, tmp_path: Path, now: datetime) -> None:
    with used.write() as tx:
        tx.execute("UPDATE audit SET actor = 'eve' WHERE seq = 2")
    archive = backup(used, tmp_path / "a.zip", now)
    with pytest.raises(UnusableInput, match="broken at link 2"):
        restore(elsewhere(tmp_path), archive)


def test_a_backup_never_overwrites(used: Database, tmp_path: Path, now: datetime) -> None:
    backup(used, tmp_path / "a.zip", now)
    for target in (tmp_path / "a.zip", tmp_path / "absent" / "a.zip"):
        with pytest.raises(UsageFault):
            backup(used, target, now)


def test_the_doctor_finds_a_sound_store_sound_and_a_broken_one_broken(used: Database, now: datetime) -> None:
    used.publish()
    sound = {check.name: check for check in doctor.examine(used, now)}
    assert all(check.ok for name, check in sound.items() if name != "room on the disk"), sound
    snapshots.keep(used.settings, "lab", b"never landed", now)
    with used.write() as tx:
        tx.execute("UPDATE audit SET actor = 'eve' WHERE seq = 2")
        tx.execute("DELETE FROM record")
    used.publish()
    broken = {check.name for check in doctor.examine(used, now - timedelta(hours=1)) if not check.ok}
    assert {"audit chain", "clock", "receipts", "records"} <= broken


def test_a_record_is_explained_down_to_its_raw_row_until_that_expires(
    used: Database, now: datetime, staging: Callable[..., Any]
) -> None:
    ref = snapshots.keep(used.settings, "lab", b"second", now, file="second.csv")
    with used.write() as tx:
        records.land(tx, staging({"key": "a", "said": 2}), ref, now, False)
    with used.read() as con:
        (name,) = lines.as_known(con, tables.frame(con, "SELECT 'lab' AS source, 9 AS max_age_days")).lines["record_id"]
        first, second = explain.trail(con, used.settings, name)
    assert (first["file"], first["position"], first["raw"]) == ("lab.csv", "line 2", explain.HELD)
    assert (second["current"], first["current"], second["snapshot"]) == (True, False, ref.sha256)
    assert second["mentions"][0]["subject"] == "metonitazene" and second["places"][0]["area"] == "E09000007"
    snapshots.path_of(used.settings, ref.sha256).unlink()
    with used.read() as con:
        assert [row["raw"] for row in explain.trail(con, used.settings, [name])] == [explain.HELD, "expired"]
