from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ewarn.errors import StoreFault
from ewarn.settings import Settings
from ewarn.store import health, records, snapshots
from ewarn.store.database import Database


def test_the_same_bytes_twice_are_one_file_and_two_receipts(settings: Settings, db: Database, now: datetime) -> None:
    first = snapshots.keep(settings, "feed", b"bytes", now, file="a.csv")
    second = snapshots.keep(settings, "feed", b"bytes", now + timedelta(hours=1))
    sha256 = hashlib.sha256(b"bytes").hexdigest()
    assert first.sha256 == second.sha256 == sha256
    assert snapshots.body(settings, sha256) == b"bytes"
    assert [path.name for path in (settings.raw / sha256[:2]).iterdir()] == [f"{sha256}.zst.age"]
    kept = snapshots.receipts(settings)
    assert [receipt.id for receipt in kept] == sorted(receipt.id for receipt in kept)
    assert [(receipt.source, receipt.size, receipt.file) for receipt in kept] == [("feed", 5, "a.csv"), ("feed", 5, "")]


def test_bytes_are_fresh_until_they_have_landed(settings: Settings, db: Database, now: datetime, staging) -> None:  # type: ignore[no-untyped-def]
    ref = snapshots.keep(settings, "feed", b"bytes", now)
    again = snapshots.keep(settings, "feed", b"bytes", now)
    assert ref.fresh and again.fresh, "a crash between keeping and landing must not lose them"
    with db.write() as tx:
        records.land(tx, staging({"key": "a", "said": 1}), again, now, False)
    assert not snapshots.keep(settings, "feed", b"bytes", now).fresh
    assert snapshots.keep(settings, "other", b"bytes", now).fresh


def test_validators_are_those_of_the_newest_landed_bytes(
    settings: Settings, db: Database, now: datetime, staging
) -> None:  # type: ignore[no-untyped-def]
    assert snapshots.validators(settings, "feed") == {}
    ref = snapshots.keep(settings, "feed", b"one", now, validators={"ETag": '"1"'})
    assert snapshots.validators(settings, "feed") == {}, "not landed yet: must be fetched in full again"
    with db.write() as tx:
        records.land(tx, staging({"key": "a", "said": 1}), ref, now, False)
    for number in range(300):
        snapshots.note(settings, "another", now, "failed", f"no answer {number} " + "x" * 400)
    snapshots.note(settings, "feed", now, "not modified")
    assert snapshots.validators(settings, "feed") == {"ETag": '"1"'}


def test_a_torn_line_is_closed_off_and_left_out(settings: Settings, now: datetime) -> None:
    snapshots.keep(settings, "feed", b"one", now)
    with (settings.raw / "receipts.jsonl").open("ab") as torn:
        torn.write(b'{"id":"0000","source":"fe')
    snapshots.keep(settings, "feed", b"two", now)
    assert [receipt.size for receipt in snapshots.receipts(settings)] == [3, 3]


def test_expired_and_altered_bytes_are_told_apart(settings: Settings, now: datetime) -> None:
    ref = snapshots.keep(settings, "feed", b"bytes", now)
    path = snapshots.path_of(settings, ref.sha256)
    sealed = path.read_bytes()
    for other in (b"", b"other", sealed[:-1], sealed[:-1] + bytes([sealed[-1] ^ 1]), sealed + b"more"):
        path.write_bytes(other)
        with pytest.raises(StoreFault, match="no longer have its hash"):
            snapshots.body(settings, ref.sha256)
    path.unlink()
    with pytest.raises(StoreFault, match="expired"):
        snapshots.body(settings, ref.sha256)


def test_content_is_archived_once_and_comes_back_whole(settings: Settings, tmp_path: Path) -> None:
    files = {"sources/feeds/a.toml": b"id = 'a'", "alerts/routes.toml": "é".encode()}
    archive = snapshots.archive_content(settings, files, "hash")
    made = archive.stat().st_mtime_ns
    assert snapshots.archive_content(settings, {}, "hash").stat().st_mtime_ns == made
    folder = snapshots.load_content(settings, "hash", tmp_path / "then")
    assert {name: (folder / name).read_bytes() for name in files} == files
    with pytest.raises(StoreFault, match="not archived"):
        snapshots.load_content(settings, "unknown", tmp_path / "then")


def test_health_tells_silence_from_failure(settings: Settings, db: Database, now: datetime, staging) -> None:  # type: ignore[no-untyped-def]
    hours = [now + timedelta(hours=hour) for hour in range(4)]
    ref = snapshots.keep(settings, "feed", b"one", hours[0])
    with db.write() as tx:
        records.land(tx, staging({"key": "a", "said": 1}), ref, hours[0], False)
        snapshots.enter(tx, [snapshots.note(settings, "feed", hours[1], "not modified")])
        failed = snapshots.note(settings, "feed", hours[2], "failed", "time-out")
        snapshots.enter(tx, [failed])
        snapshots.enter(tx, [failed])
    with db.read() as con:
        found = health.of(con, hours[3]).row(0, named=True)
        before = health.of(con, hours[1]).row(0, named=True)
        assert health.of(con, hours[0] - timedelta(hours=1)).is_empty()
        assert snapshots.table(con).height == 3
    assert (found["last_received_at"], found["last_new_at"]) == (hours[1], hours[0])
    assert (found["last_outcome"], before["last_outcome"]) == ("failed: time-out", "not modified")
