"""Files that come when the disk is full: nothing lost, said in words, and the run goes on with what can be done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ewarn.pipeline import receive
from ewarn.store import readers
from tests.conftest import require
from tests.journeys.conftest import TOML, Corridor, at, table

NOW = at("2025-05-01")
ONE_RUN = """
import json, resource, sys
from datetime import datetime
from pathlib import Path
from ewarn.pipeline import receive
from ewarn.pipeline.house import open_house
home, now, limit = Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2]), int(sys.argv[3])
house = open_house(home, None, {}, clock=lambda _: now)
if limit:
    limit += house.db.path.stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
print(receive.intake(house, now, "test_results").model_dump_json())
"""


def sample(number: int, noise: int = 0) -> dict[str, Any]:
    return {
        "sample_ref": f"S{number}", "laboratory": "Laboratory (synthetic)", "stream": "drug-checking",
        "date_sampled": "2025-04-28", "date_reported": "2025-04-29", "place": "NW1", "sold_as": "diazepam",
        "form": "tablet", "major": "MDMA", "test_type": "confirmatory", "comment": os.urandom(noise).hex(),
    }  # fmt: skip


def waiting(home: Path, name: str, rows: list[dict[str, Any]]) -> Path:
    folder = home / "drops" / "test_results"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(table(rows))
    os.utime(path, (1, 1))
    return path


def run(home: Path, limit: int = 0) -> list[dict[str, Any]]:
    words = [sys.executable, "-c", ONE_RUN, str(home), NOW.isoformat(), str(limit)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return list(json.loads(done.stdout)["sources"])


@pytest.mark.slow
def test_one_file_that_finds_no_room_keeps_no_other_out(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "ewarn.toml").write_text(TOML)
    (home / "smtp").write_text("127.0.0.1:1")
    large, small = (
        waiting(home, "a.csv", [sample(n, 8_000) for n in range(10, 1_000)]),
        waiting(home, "b.csv", [sample(2)]),
    )
    first, second = run(home, 4_000_000)
    assert "the disk is full" in first["error"] and first["retryable"] and second["new"] == 1
    assert large.exists() and not small.exists()
    (again,) = run(home)
    assert (again["new"], again["error"]) == (990, "") and not large.exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 60 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(words, capture_output=True, check=False).returncode == 0
    require("tmpfs", mounted, "a small disk cannot be mounted here")
    try:
        yield folder
    finally:
        readers.let_go()
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.slow
def test_a_disk_that_is_really_full_loses_nothing(small_disk: Path, corridor: Corridor) -> None:
    home = small_disk / "home"
    home.mkdir()
    for name in ("ewarn.toml", "smtp", "webhook", "duty"):
        (home / name).write_bytes((corridor.home / name).read_bytes())
    full = Corridor(home, None, corridor.mailbox)
    house = full.house(NOW)
    path = waiting(home, "a.csv", [sample(n, 8_000) for n in range(500)])
    stuffing = small_disk / "stuffing"
    with stuffing.open("wb") as out:
        out.write(bytes(os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize - 2_000_000))
    report = receive.intake(house, NOW, "test_results")
    assert report.exit_status != 0 and all("the disk is full" in s.error for s in report.sources)
    assert path.exists()
    stuffing.unlink()
    (after,) = receive.intake(full.house(NOW), NOW, "test_results").sources
    assert (after.new, after.error) == (500, "")
