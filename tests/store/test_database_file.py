from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from ewarn.errors import StoreBusy, StoreFault
from ewarn.settings import Settings
from ewarn.store import audit, operator_notices, published, schema, tables
from ewarn.store.database import Database

CHILD = """
import sys, os, time
from datetime import UTC, datetime
from pathlib import Path
from ewarn.settings import Settings
from ewarn.store import audit, operator_notices
from ewarn.store.database import Database
home = Path(sys.argv[1])
db = Database(Settings(home=home, content=home, overlay=home, lock_timeout_seconds=60))
now = datetime(2025, 6, 2, 11, 0, tzinfo=UTC)
"""


def child(home: Path, code: str, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD + code, str(home), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_write_is_there_for_the_next_reader(db: Database, now: datetime) -> None:
    for number in range(3):
        with db.write() as tx:
            operator_notices.put(tx, now, "source", f"number {number}")
        with db.read() as con:
            assert operator_notices.open(con).height == number + 1


def test_an_error_inside_a_write_leaves_nothing(db: Database, now: datetime) -> None:
    with pytest.raises(ValueError, match="halfway"), db.write() as tx:
        operator_notices.put(tx, now, "source", "text")
        raise ValueError("halfway")
    with db.read() as con:
        assert operator_notices.open(con).is_empty()
        assert audit.verify(con) is None


def test_readers_cannot_write_and_reach_no_other_file(db: Database, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    with db.read() as con:
        with pytest.raises(duckdb.Error):
            con.execute("CREATE TABLE x (i INT)")
        with pytest.raises(duckdb.Error):
            con.execute(f"SELECT * FROM read_csv('{tmp_path}/secret.csv')")
        with pytest.raises(duckdb.Error):
            con.execute("SET enable_external_access = true")


def test_an_open_reader_keeps_its_number_while_others_write(db: Database, now: datetime) -> None:
    with db.read() as con:
        for number in range(4):
            with db.write() as tx:
                operator_notices.put(tx, now, "source", str(number))
            db.publish()
        assert operator_notices.open(con).is_empty()
    with db.read() as con:
        assert operator_notices.open(con).height == 4


def test_the_two_newest_copies_are_kept_and_numbers_only_rise(db: Database, now: datetime) -> None:
    numbers = []
    for number in range(4):
        with db.write() as tx:
            operator_notices.put(tx, now, "source", str(number))
        numbers.append(db.publish())
    assert numbers == sorted(set(numbers))
    kept = {path.name for path in published.folder(db.settings.home).iterdir()}
    assert kept == {"CURRENT", f"{numbers[-1]}.duckdb", f"{numbers[-2]}.duckdb"}


def test_publishing_is_coalesced_and_made_up_for(db: Database, now: datetime) -> None:
    with db.write() as tx:
        operator_notices.put(tx, now, "source", "first")
    db.publish()
    before = published.current(db.settings.home)
    with db.write() as tx:
        operator_notices.put(tx, now, "source", "text")
    at_once = published.current(db.settings.home)
    assert before is not None and at_once is not None and at_once.number == before.number
    assert db.publish() == before.number + 1
    assert db.publish() == before.number + 1, "nothing new, nothing published"


def test_another_process_finds_what_was_not_published_yet(db: Database, now: datetime) -> None:
    db.publish()
    with db.write() as tx:
        operator_notices.put(tx, now, "source", "text")
    time.sleep(1.05)
    found = child(db.settings.home, "with db.read() as con: print(operator_notices.open(con).height)")
    assert found.communicate(timeout=60)[0].strip() == "1"


def test_nothing_published_is_published_first(db: Database) -> None:
    for path in published.folder(db.settings.home).iterdir():
        path.unlink()
    with db.read() as con:
        assert schema.version(con) == schema.newest()


def test_nobody_else_may_read_the_files(db: Database) -> None:
    home = db.settings.home
    for path in [db.path, *home.joinpath("published").iterdir()]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    for folder in (home, home / "published", home / "raw", home / "drops"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder


def test_a_held_lock_names_its_holder(db: Database, settings: Settings) -> None:
    holder = child(settings.home, "with db.locked('a long intake'): print('held', flush=True); time.sleep(60)")
    assert holder.stdout is not None and holder.stdout.readline().strip() == "held"
    impatient = Database(settings.model_copy(update={"lock_timeout_seconds": 0.1}))
    try:
        with pytest.raises(StoreBusy, match=rf"process {holder.pid} on .*a long intake"), impatient.write():
            pass
    finally:
        holder.kill()
        holder.wait()
    with db.write() as tx:
        assert tables.one(tx, "SELECT 1") == 1, "a killed holder's lock is free again"


def test_a_writer_killed_after_its_commit_has_lost_nothing(db: Database, settings: Settings) -> None:
    writer = child(
        settings.home,
        "import ewarn.store.database as d\n"
        "with db.locked('test'):\n"
        "    con = d.connect(db.path); con.execute('BEGIN')\n"
        "    operator_notices.put(con, now, 'source', 'committed'); con.execute('COMMIT')\n"
        "    con.execute('BEGIN'); operator_notices.put(con, now, 'source', 'not committed')\n"
        "    print('ready', flush=True); time.sleep(60)",
    )
    assert writer.stdout is not None and writer.stdout.readline().strip() == "ready"
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    db.publish()
    with db.read() as con:
        assert operator_notices.open(con).get_column("text").to_list() == ["committed"]


def test_without_a_database_the_next_step_is_said(settings: Settings) -> None:
    settings.home.mkdir()
    with pytest.raises(StoreFault, match="ewarn init"), Database(settings).read():
        pass
    with pytest.raises(StoreFault, match="ewarn init"), Database(settings).write():
        pass


def test_a_damaged_file_ends_in_plain_words(db: Database) -> None:
    db.path.write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreFault, match="Restore a backup"), db.write():
        pass


def test_instants_come_back_in_utc_whatever_the_zone_they_went_in_with(db: Database, now: datetime) -> None:
    from zoneinfo import ZoneInfo

    with db.write() as tx:
        operator_notices.put(tx, now.astimezone(ZoneInfo("Asia/Tokyo")), "source", "text")
    with db.read() as con:
        found = operator_notices.open(con).get_column("noticed_at").to_list()[0]
    assert found == now and found.utcoffset() == timedelta(0)


def test_readers_of_one_process_stand_beside_one_another_with_the_same_settings(db: Database) -> None:
    def zone() -> tuple[str, bool]:
        with db.read() as con:
            time.sleep(0.01)
            words = "SELECT current_setting('TimeZone'), current_setting('lock_configuration')"
            return tuple(con.execute(words).fetchall()[0])

    with db.read(), ThreadPoolExecutor(8) as pool:
        assert {task.result() for task in [pool.submit(zone) for _ in range(24)]} == {("UTC", True)}


def test_a_process_that_reads_all_day_sees_every_new_copy_and_holds_no_old_one(db: Database, now: datetime) -> None:
    db.keep_open()
    other = Database(db.settings)
    for text in ("one", "two", "three"):
        with other.write() as tx:
            audit.append(tx, now, "ewarn", text, "x")
        other.publish()
        with db.read() as con, db.read() as second:
            assert con is not second
            assert audit.entries(con)["act"].to_list()[-1] == audit.entries(second)["act"].to_list()[-1] == text
        with db.read() as again:
            assert again in (con, second), "a connection is used again"
    with pytest.raises(ZeroDivisionError), db.read() as broken:
        raise ZeroDivisionError
    with db.read() as after:
        assert after is not broken, "one that somebody failed with is not"
    held = {os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")}
    copies = {Path(name).name for name in held if name.startswith(str(db.settings.home)) and ".duckdb" in name}
    newest = published.current(db.settings.home)
    assert newest is not None and copies <= {f"{newest.number}.duckdb"}, "the disk space of old copies is free"


def test_a_home_that_took_the_place_of_another_is_read_as_itself(db: Database, now: datetime) -> None:
    """A copy that was read is left open; another file of its name is never mistaken for it."""
    with db.read() as con:
        before = len(audit.entries(con))
    shutil.rmtree(db.settings.home)
    again = Database(db.settings)
    again.migrate(now)
    with again.write() as tx:
        audit.append(tx, now, "ewarn", "another home", "x")
    for _ in range(2):
        with again.read() as con:
            acts = audit.entries(con)["act"].to_list()
        assert acts[-1] == "another home" and len(acts) == before + 1


def test_copies_of_many_homes_are_not_all_left_open(tmp_path: Path, db: Database) -> None:
    for name in ("one", "two", "three"):
        shutil.copytree(db.settings.home, tmp_path / name)
        with Database(db.settings.model_copy(update={"home": tmp_path / name})).read():
            pass
    held = {os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")}
    assert not [name for name in held if name.startswith(str(tmp_path / "one"))]
