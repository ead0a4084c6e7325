"""`make bench`: how long the corridor takes on this machine. Prints a table; asserts nothing.

Synthetic laboratory rows (seed 7, stated with the figures) go through intake, the same bytes again, detection, a month
of back-test, and the Today page. `make bench ARGS=50000` chooses the number of rows; the default is 10,000.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from ewarn.pipeline import read
from ewarn.pipeline.house import open_house
from ewarn.pipeline.receive import intake
from ewarn.pipeline.validate import backtest, detect

SEED = 7
LAST = date(2025, 6, 30)
NOW = datetime(2025, 7, 1, 9, tzinfo=UTC)
COMMON = ("cocaine", "MDMA", "ketamine", "heroin", "diazepam", "bromazolam")
RARE = ("metonitazene", "protonitazene", "cychlorphine")
OUTCODES = ("NW1", "E1", "SE15", "SW9", "N16", "W2", "CR0", "E17", "M1", "LS1")
HEADER = "sample_ref,laboratory,stream,date_sampled,date_reported,place,sold_as,major\n"


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


def timed(what: str, act: Callable[[], Any]) -> Any:
    started = time.perf_counter()
    answer = act()
    print(f"{what:<44} {time.perf_counter() - started:8.2f} s", flush=True)
    return answer


def main(number: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        home, file = Path(folder) / "home", Path(folder) / "bench.csv"
        file.write_text(rows(number))
        print(f"{number:,} rows, seed {SEED}")
        house = timed(
            "open an empty house", lambda: open_house(home, environ={"EWARN_STANDING": "test"}, clock=lambda _: NOW)
        )
        first = timed("intake, backfill", lambda: intake(house, NOW, "test_results", file, backfill=True)).sources[0]
        print(f"  {first.new:,} new, {first.rejects:,} rejects {first.error}")
        timed("intake, the same bytes again", lambda: intake(house, NOW, "test_results", file, backfill=True))
        found = timed("detect, one instant", lambda: detect(house, NOW, dry_run=True))
        print(f"  {len(found.signals)} signals")
        timed("back-test, one month", lambda: backtest(house, date(2025, 6, 1), LAST))
        timed("Today page, what it reads", lambda: read.today(house, NOW))
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
