"""`make bench-detect`: how soon `ewarn detect` answers from a cold start, on a made London of five years.

About 10,000 incidents and 20,000 samples (made_year.py, seed 5) go through the real intake as history; then a new
process asks `ewarn detect --dry-run` at the evening of the last day, five times. Prints wall and processor seconds
beside the same process that only imports the libraries (the floor). Asserts nothing.

`python benchmarks/detecting.py --home FOLDER --as-of 2025-06-30T20:00` times a home that is there already.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from made_year import Year
from quiet_year import drop, noon, opened

FIRST, DAYS, SEED, RUNS = date(2020, 7, 1), 5 * 365, 5, 5
FLOOR = "import numpy, polars, duckdb, pydantic, typer, ewarn.methods.special"
TOOL = "import sys; from ewarn.cli import main; sys.exit(main())"


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--home", type=Path)
    asked.add_argument("--as-of", default=f"{FIRST + timedelta(days=DAYS - 1)}T20:00")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = given.home or made(Path(folder))
        told("floor: libraries alone", [sys.executable, "-c", FLOOR])
        detect = ["--home", str(home), "detect", "--as-of", given.as_of, "--dry-run", "--json"]
        told("ewarn detect, cold", [sys.executable, "-c", TOOL, *detect])


def made(home: Path) -> Path:
    """A home with five years of London in it."""
    end = FIRST + timedelta(days=DAYS - 1)
    house = opened(home, None, noon(end))
    year = Year(SEED, FIRST, DAYS, incidents_a_day=4.4, samples_a_month=10.1)
    for source, rows in {"overdose_incidents": year.incidents(), "test_results": year.samples()}.items():
        print(f"{source}: {len(rows):,} rows")
        drop(house, home, source, rows, noon(end), backfill=True)
    house.db.publish()
    return home


def told(what: str, call: list[str]) -> None:
    """The call in a new process, several times; the fastest and the slowest."""
    runs = [_timed(call) for _ in range(RUNS)]
    wall, spent = zip(*runs, strict=True)
    print(f"{what:<24} wall {min(wall):.2f} to {max(wall):.2f} s, processor {min(spent):.2f} to {max(spent):.2f} s")


def _timed(call: list[str]) -> tuple[float, float]:
    began = time.perf_counter()
    child = subprocess.Popen(call, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    wall = time.perf_counter() - began
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"the call ended with status {os.waitstatus_to_exitcode(status)}")
    return wall, used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
