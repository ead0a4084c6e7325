"""`make bench`: what the corridor costs on this machine, as ratios to what the same file costs at the least.

Synthetic laboratory rows (seed 7) go through intake, the same bytes again, detection, a month of back-test and what the
Today page reads; beside them, in the same run, the least that a program can do with that file: copying it safely to
the disk (the physical limit), loading it with DuckDB and with Polars (the peers). Each part is a process of its own, so
that its memory is its own. Prints a table; asserts nothing. `make bench ARGS=50000` chooses the rows, 10,000 otherwise.
"""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

SEED = 7
LAST = date(2025, 6, 30)
NOW = datetime(2025, 7, 1, 9, tzinfo=UTC)
COMMON = ("cocaine", "MDMA", "ketamine", "heroin", "diazepam", "bromazolam")
RARE = ("metonitazene", "protonitazene", "cychlorphine")
OUTCODES = ("NW1", "E1", "SE15", "SW9", "N16", "W2", "CR0", "E17", "M1", "LS1")
HEADER = "sample_ref,laboratory,stream,date_sampled,date_reported,place,sold_as,major\n"
TITLES = {
    "copy": "physical limit: copy and fsync",
    "duckdb": "peer: DuckDB load into a table",
    "polars": "peer: Polars read",
    "intake": "intake, backfill",
    "again": "intake, the same bytes again",
    "detect": "detect, one instant",
    "backtest": "back-test, one month",
    "today": "Today page, what it reads",
}


def rows(number: int) -> str:
    """CSV in the shape of the test_results drop: two years of samples, one in two hundred a watched substance."""
    draw = random.Random(SEED)
    lines = []
    for serial in range(number):
        day = LAST - timedelta(days=draw.randrange(730))
        found = draw.choice(RARE) if draw.random() < 0.005 else draw.choice(COMMON)
        where, bought = draw.choice(OUTCODES), draw.choice(COMMON)
        lines.append(f"B{serial},Bench laboratory,seizure,{day},{day},{where},{bought},{found}\n")
    return HEADER + "".join(lines)


def the_least(part: str, file: Path) -> Callable[[], Any]:
    """What the file costs without any of our work."""
    if part == "copy":
        return lambda: copied(file)
    if part == "duckdb":
        import duckdb

        con = duckdb.connect(str(file.with_suffix(".peer")))
        return lambda: con.execute("CREATE TABLE peer AS FROM read_csv(?)", [str(file)]).fetchone()
    import polars as pl

    return lambda: pl.read_csv(file).height


def copied(file: Path) -> None:
    with file.with_suffix(".copy").open("wb") as out:
        out.write(file.read_bytes())
        out.flush()
        os.fsync(out.fileno())


def ours(part: str, home: Path, file: Path) -> Callable[[], Any]:
    """One verb on an opened house."""
    from ewarn.pipeline import read
    from ewarn.pipeline.house import open_house
    from ewarn.pipeline.receive import intake
    from ewarn.pipeline.validate import backtest, detect

    house = open_house(home, environ={"EWARN_STANDING": "test"}, clock=lambda _: NOW)
    verbs: dict[str, Callable[[], Any]] = {
        "detect": lambda: f"{len(detect(house, NOW, dry_run=True).signals)} signals",
        "backtest": lambda: f"{len(backtest(house, date(2025, 6, 1), LAST).signals)} signals",
        "today": lambda: read.today(house, NOW) and "",
    }
    return verbs.get(part, lambda: f"{intake(house, NOW, 'test_results', file, backfill=True).sources[0].new:,} new")


def measure(part: str, home: Path, file: Path) -> None:
    """In a process of its own: one JSON line with wall seconds, peak memory in MB, and what came."""
    act = the_least(part, file) if part in ("copy", "duckdb", "polars") else ours(part, home, file)
    began = time.perf_counter()
    came = act()
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
    print(json.dumps({"seconds": seconds, "peak": peak, "came": came if isinstance(came, str) else ""}))


def main(number: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        home, file = Path(folder) / "home", Path(folder) / "bench.csv"
        file.write_text(rows(number))
        print(f"{number:,} rows, {file.stat().st_size / 1e6:.1f} MB, seed {SEED}, {os.cpu_count()} cores")
        print(f"{'':<34}{'s':>8}{'x copy':>10}{'x DuckDB':>10}{'peak MB':>10}{'x DuckDB':>10}")
        seen: dict[str, dict[str, Any]] = {}
        for part, title in TITLES.items():
            words = [sys.executable, __file__, part, str(home), str(file)]
            done = subprocess.run(words, capture_output=True, text=True, check=True)
            seen[part] = found = json.loads(done.stdout.splitlines()[-1])
            limit, peer = seen["copy"], seen.get("duckdb", found)
            ratios = (found["seconds"] / limit["seconds"], found["seconds"] / peer["seconds"])
            memory = f"{found['peak']:>10.0f}{found['peak'] / peer['peak']:>10.1f}"
            print(f"{title:<34}{found['seconds']:>8.3f}{ratios[0]:>10.0f}{ratios[1]:>10.1f}{memory}  {found['came']}")
    return 0


if __name__ == "__main__":
    if len(sys.argv) == 4:
        measure(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
