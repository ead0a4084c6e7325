"""A writer killed at any step: the store opens again and holds all of a change or nothing of it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ewarn.settings import load
from ewarn.store import published, replacing, tables
from ewarn.store.database import Database

ROOT = Path(__file__).resolve().parents[2]
# One process a step: it writes a row and dies at the so-many-th call of a step; another opens the store and looks.
KILLED = """
import json, os, shutil, signal, sys
from datetime import UTC, datetime
from pathlib import Path
import duckdb
from ewarn.settings import load
from ewarn.store import files, tables
from ewarn.store.database import Database

def dying(inner, at):
    seen = []
    def called(*words, **more):
        seen.append(1)
        if len(seen) == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return inner(*words, **more)
    return called

def written(home, room, name, at, word):
    db = Database(load(home, None, {}))
    dies = dying(getattr(room, name), at)
    with db.write() as tx:
        tables.put(tx, "serial", scope=word, last=1)
        if room is not shutil:
            setattr(room, name, dies)
    db.publish()

def killed_in_the_copy(home, word):
    shutil.copyfile = dying(shutil.copyfile, 1)
    with Database(load(home, None, {})).write() as tx:
        tables.put(tx, "serial", scope=word, last=1)

def logged(home, word):
    # As a program that writes in place does, killed before it folded its log in.
    con = duckdb.connect(str(home / "ewarn.duckdb"), config={"checkpoint_threshold": "1TB"})
    con.execute("INSERT INTO serial (scope, last) VALUES (?, 1)", [word])
    os.kill(os.getpid(), signal.SIGKILL)

def looked(home, out):
    db = Database(load(home, None, {}))
    db.publish()
    with db.read() as con:
        found = sorted(tables.frame(con, "SELECT scope FROM serial WHERE scope LIKE 'w%'")["scope"].to_list())
    os.write(out, json.dumps(found).encode())

def forked(work, *words):
    pid = os.fork()
    if pid == 0:
        try:
            work(*words)
            os._exit(0)
        except BaseException as fault:
            print(f"{type(fault).__name__}: {fault}", file=sys.stderr)
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

home, answers = Path(sys.argv[1]), []

def step(word, *work):
    ended = forked(*work)
    log = (home / "ewarn.duckdb.wal").exists()
    ours, its = os.pipe()
    opened = forked(looked, home, its)
    answers.append([word, ended, log, opened, json.loads(os.read(ours, 65536) or b"[]")])

step("w0", killed_in_the_copy, home, "w0")
STEPS = [(files, "sync", 1), (os, "replace", 1), (files, "sync_folder", 1), (os, "link", 1), (files, "sync_folder", 2)]
for number, (room, name, at) in enumerate(STEPS, 1):
    step(f"w{number}", written, home, room, name, at, f"w{number}")
IN_PLACE = [(os, "replace", 1), (files, "sync_folder", 1), (files, "sync_folder", 2), (os, "replace", 2),
            (files, "sync_folder", 3)]
for number, (room, name, at) in enumerate(IN_PLACE, 6):
    assert forked(logged, home, f"w{number}") == -9 and (home / "ewarn.duckdb.wal").exists()
    step(f"w{number}", written, home, room, name, at, f"later{number}")
print(json.dumps(answers))
"""


@pytest.fixture
def db(tmp_path: Path) -> Database:
    made = Database(load(tmp_path / "home", None, {}))
    made.migrate(datetime(2025, 5, 1, 9, tzinfo=UTC))
    return made


def test_a_writer_killed_at_any_step_leaves_all_of_a_change_or_nothing(db: Database) -> None:
    command = [sys.executable, "-c", KILLED, str(db.settings.home)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    answers = json.loads(done.stdout)
    assert len(answers) == 11
    assert all((ended, opened) == (-9, 0) for _, ended, _, opened, _ in answers), done.stderr
    # Killed in the copy, before it was durable and before its renaming: as it was. Afterwards: there for good. What
    # stood in a log is never lost.
    there = [word for word, *_ in answers if word not in ("w0", "w1", "w2")]
    for word, _, _, _, found in answers:
        assert found == sorted(known for known in there if int(known[1:]) <= int(word[1:])), word
    left = [path.name for path in db.settings.home.glob(".ewarn.duckdb.*")]
    assert left == [] and not replacing.log_of(db.path).exists()


def test_a_change_that_changes_nothing_leaves_the_file_in_its_place(db: Database) -> None:
    before = _file(db)
    with db.write() as tx:
        assert tables.one(tx, "SELECT count(*) FROM serial") == 0
    with pytest.raises(KeyError), db.write() as tx:
        tables.put(tx, "serial", scope="w", last=1)
        raise KeyError
    assert _file(db) == before


def _file(db: Database) -> tuple[int, int, int]:
    found = db.path.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


def test_a_published_copy_is_a_second_name_of_the_file_and_stays_as_it_was(db: Database) -> None:
    number = db.publish()
    copy = published.path(db.settings.home, number)
    assert copy.samefile(db.path)
    before = hashlib.sha256(copy.read_bytes()).hexdigest()
    with db.write() as tx:
        tables.put(tx, "serial", scope="w", last=1)
    assert not copy.samefile(db.path)
    assert hashlib.sha256(copy.read_bytes()).hexdigest() == before


def test_the_file_is_not_written_over_while_a_change_is_made(db: Database) -> None:
    before, inode = hashlib.sha256(db.path.read_bytes()).hexdigest(), db.path.stat().st_ino
    with db.write() as tx:
        tables.put(tx, "serial", scope="w", last=1)
        tx.execute("COMMIT")
        assert hashlib.sha256(db.path.read_bytes()).hexdigest() == before
        tx.execute("BEGIN")
    assert db.path.stat().st_ino != inode, "another file has taken its place"
    assert db.path.stat().st_mode & 0o777 == 0o600
