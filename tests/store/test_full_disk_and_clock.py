from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timedelta

import pytest

from ewarn.errors import StoreFault
from ewarn.settings import Settings
from ewarn.store import operator_notices, snapshots
from ewarn.store.database import Database

# A limit on the size of any file stands in for a full disk: the same calls fail at the same places.
LIMITED = """
import os, resource, sys
from datetime import UTC, datetime
from pathlib import Path
import polars as pl
from ewarn.errors import StoreFault
from ewarn.settings import Settings
from ewarn.store import snapshots, tables
from ewarn.store.database import Database
home = Path(sys.argv[1])
settings = Settings(home=home, content=home, overlay=home)
db = Database(settings)
now = datetime(2025, 6, 2, 11, 0, tzinfo=UTC)
limit = db.path.stat().st_size + 200_000
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    if sys.argv[2] == "write":
        with db.write() as tx:
            noise = pl.DataFrame({"id": [f"{i * 7919 % 1000003:x}{i:x}" for i in range(400_000)]})
            tables.insert(tx, "operator_notice", noise.select("id", noticed_at=pl.lit(now), source="id", text="id"))
    else:
        snapshots.keep(settings, "source", os.urandom(limit + 1), now)
except StoreFault as fault:
    print(fault)
    sys.exit(fault.exit_status)
"""


@pytest.mark.parametrize("what", ["write", "keep"])
def test_a_full_disk_ends_in_plain_words_and_loses_nothing(
    db: Database, settings: Settings, now: datetime, what: str
) -> None:
    with db.write() as tx:
        operator_notices.put(tx, now, "source", "before")
    db.publish()
    words = [sys.executable, "-c", LIMITED, str(settings.home), what]
    found = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert found.returncode == 5, found.stderr[-2000:]
    assert "the disk is full" in found.stdout and "lost" in found.stdout
    with db.write() as tx:
        operator_notices.put(tx, now, "source", "after")
    with db.read() as con:
        assert set(operator_notices.open(con).get_column("text")) == {"before", "after"}
    assert snapshots.receipts(settings) == []
    assert not list(settings.home.rglob("*.tmp"))


def test_a_clock_that_went_back_is_refused_naming_both_times(db: Database, settings: Settings, now: datetime) -> None:
    snapshots.keep(settings, "source", b"one", now)
    earlier = now - timedelta(minutes=6)
    with pytest.raises(StoreFault, match=r"10:54:00 UTC now.*11:00:00 UTC"):
        snapshots.keep(settings, "source", b"two", earlier)
    with pytest.raises(StoreFault, match=r"10:54:00 UTC now.*11:00:00 UTC"), db.write() as tx:
        operator_notices.put(tx, earlier, "source", "text")
    assert len(snapshots.receipts(settings)) == 1
    assert not snapshots.path_of(settings, "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3").exists()


def test_a_clock_that_wavers_by_minutes_is_borne(db: Database, settings: Settings, now: datetime) -> None:
    snapshots.keep(settings, "source", b"one", now)
    snapshots.keep(settings, "source", b"two", now - timedelta(minutes=4))
    with db.write() as tx:
        assert operator_notices.put(tx, now - timedelta(minutes=4), "source", "text")
