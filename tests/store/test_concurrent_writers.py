from __future__ import annotations

import subprocess
import sys
import time

from ewarn.store import audit, operator_notices
from ewarn.store.database import Database

WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from ewarn.settings import Settings
from ewarn.store import operator_notices
from ewarn.store.database import Database
home = Path(sys.argv[1])
db = Database(Settings(home=home, content=home, overlay=home, lock_timeout_seconds=60))
for number in range(5):
    with db.write() as tx:
        operator_notices.put(tx, datetime(2025, 6, 2, 11, 0, tzinfo=UTC), sys.argv[2], f"number {number}")
"""


def test_three_writers_and_a_reader_lose_nothing(db: Database) -> None:
    words = [sys.executable, "-c", WRITER, str(db.settings.home)]
    writers = [subprocess.Popen([*words, f"writer {number}"]) for number in range(3)]
    seen = [0]
    while any(writer.poll() is None for writer in writers):
        with db.read() as con:
            seen.append(operator_notices.open(con).height)
            assert audit.verify(con) is None
        time.sleep(0.02)
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert seen == sorted(seen), "a reader never goes back in time"
    db.publish()
    with db.read() as con:
        found = operator_notices.open(con)
        assert audit.verify(con) is None
    assert found.select("source", "text").n_unique() == found.height == 15
