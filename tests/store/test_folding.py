"""A writer killed at any step of folding its log in: the store opens again and holds all that was committed."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ewarn.settings import load
from ewarn.store import folding, tables
from ewarn.store.database import Database

ROOT = Path(__file__).resolve().parents[2]
# One process a step: it writes a row and dies at the so-many-th call of a step; another opens the store and looks.
KILLED = """
import json, os, shutil, signal, sys
from datetime import UTC, datetime
from pathlib import Path
import duckdb
from ewarn.settings import load
from ewarn.store import files, folding, tables
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
    with db.write() as tx:
        tables.put(tx, "serial", scope=word, last=1)
        setattr(room, name, dying(getattr(room, name), at))

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
STEPS = [(shutil, "copyfile", 1), (shutil, "copyfile", 2), (files, "sync", 1), (os, "replace", 1),
         (files, "sync_folder", 1), (files, "sync_folder", 2), (os, "replace", 2), (files, "sync_folder", 3)]
for number, (room, name, at) in enumerate(STEPS):
    ended = forked(written, home, room, name, at, f"w{number}")
    ours, its = os.pipe()
    opened = forked(looked, home, its)
    answers.append([name, at, ended, opened, json.loads(os.read(ours, 65536) or b"[]")])
print(json.dumps(answers))
"""


@pytest.fixture
def db(tmp_path: Path) -> Database:
    made = Database(load(tmp_path / "home", None, {}))
    made.migrate(datetime(2025, 5, 1, 9, tzinfo=UTC))
    return made


def test_a_writer_killed_at_any_step_loses_nothing_that_it_committed(db: Database) -> None:
    command = [sys.executable, "-c", KILLED, str(db.settings.home)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    answers = json.loads(done.stdout)
    assert len(answers) == 8
    for number, (name, at, ended, opened, found) in enumerate(answers):
        assert (ended, opened) == (-9, 0), (name, at, done.stderr)
        assert found == [f"w{n}" for n in range(number + 1)], (name, at)
    left = [path.name for path in db.settings.home.glob(".ewarn.duckdb.*")]
    assert left == [] and not folding.log_of(db.path).exists()


def test_the_file_is_not_written_over_while_a_change_is_made(db: Database) -> None:
    before, inode = hashlib.sha256(db.path.read_bytes()).hexdigest(), db.path.stat().st_ino
    with db.write() as tx:
        tables.put(tx, "serial", scope="w", last=1)
        tx.execute("COMMIT")
        assert hashlib.sha256(db.path.read_bytes()).hexdigest() == before
        tx.execute("BEGIN")
    assert db.path.stat().st_ino != inode, "another file has taken its place"
    assert db.path.stat().st_mode & 0o777 == 0o600
