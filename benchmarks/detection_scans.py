"""`python benchmarks/detection_scans.py`: what the scans of sparse maps cost, in time and memory.

S3: 2,000,000 rows (area and substance as text, a date) are binned into 309 areas x 40 substances x 112 weeks, and the
newest week of every substance is scanned by the empirical-Bayes scan. S4: the permutation scan with 999 replicates and
windows of up to 30 days, the strongest window alone and with all weaker ones. Then how both grow with areas, history
and cases. Every part is a process of its own, so that its memory is its own; one thread; the best of three. Prints a
table; asserts nothing. Peers, measured elsewhere on two processors: R about 145 s for S3, SaTScan 2.1-2.6 s and
5.7-7.7 s for S4.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS"):
    os.environ.setdefault(name, "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402
import polars as pl  # noqa: E402

from ewarn.methods import permutation, sparse_scan  # noqa: E402
from ewarn.methods.zones import circles  # noqa: E402

FIRST, EPOCH = date(2023, 1, 2), date(1970, 1, 1)
SEED = 3
ROUNDS = 3
PARTS: list[tuple[str, dict[str, Any], str]] = [
    ("S3", {"rows": 2_000_000, "areas": 309, "maps": 40, "weeks": 112}, "1.0 s"),
    ("S4", {"areas": 33, "days": 365, "cases": 600}, "25 ms"),
    ("S4", {"areas": 33, "days": 365, "cases": 7_000}, "25 ms"),
    ("S4", {"areas": 309, "days": 365, "cases": 7_000}, "1.0 s, 300 MB"),
    ("S4", {"areas": 33, "days": 365, "cases": 7_000, "secondary": True}, ""),
    ("S4", {"areas": 309, "days": 365, "cases": 7_000, "secondary": True}, ""),
    ("S4", {"areas": 100, "days": 365, "cases": 7_000}, ""),
    ("S4", {"areas": 309, "days": 90, "cases": 7_000}, ""),
    ("S4", {"areas": 309, "days": 1_461, "cases": 28_000}, ""),
    ("S4", {"areas": 309, "days": 365, "cases": 70_000}, ""),
    ("S3", {"rows": 200_000, "areas": 309, "maps": 40, "weeks": 112}, ""),
    ("S3", {"rows": 2_000_000, "areas": 309, "maps": 40, "weeks": 313}, ""),
    ("S3", {"rows": 2_000_000, "areas": 100, "maps": 40, "weeks": 112}, ""),
]


def main() -> None:
    if len(sys.argv) > 2:
        print(json.dumps(measured(sys.argv[1], json.loads(sys.argv[2]))))
        return
    print("| part | size | seconds | processor seconds | peak memory MB | wanted |\n|---|---|---|---|---|---|")
    for part, sizes, wanted in PARTS:
        command = [sys.executable, __file__, part, json.dumps(sizes)]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        size = ", ".join(f"{key} {value:,}" for key, value in sizes.items())
        print(
            f"| {part} | {size} | {found['wall']:.3f} | {found['cpu']:.3f} | {found['mb']:.0f} | {wanted} |", flush=True
        )


def measured(part: str, sizes: dict[str, Any]) -> dict[str, float]:
    """The best of some rounds, and the peak memory of the whole process, its libraries and its input included."""
    work = weekly(**sizes) if part == "S3" else shuffled(**sizes)
    rounds = []
    for _ in range(ROUNDS):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        rounds.append((time.perf_counter() - wall, time.process_time() - cpu))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"wall": min(rounds)[0], "cpu": min(round_[1] for round_ in rounds), "mb": peak}


def weekly(rows: int, areas: int, maps: int, weeks: int) -> Callable[[], None]:
    """Bin the rows and scan the newest week."""
    rng = np.random.default_rng(SEED)
    share = rng.gamma(2, 1, areas)
    codes = [f"E{place:08}" for place in range(areas)]
    kinds = [f"substance {place}" for place in range(maps)]
    lines = pl.DataFrame(
        {
            "area": pl.Series(codes).gather(rng.choice(areas, rows, p=share / share.sum())),
            "substance": pl.Series(kinds).gather(rng.integers(maps, size=rows)),
            "day": pl.Series(rng.integers(7 * weeks, size=rows) + (FIRST - EPOCH).days).cast(pl.Int32).cast(pl.Date),
        }
    )
    zones = circles(rng.random((areas, 2)), 5)

    def work() -> None:
        found = sparse_scan.scan(binned(lines, codes, kinds, weeks), zones)
        print(np.sort(found.p_value)[:3], file=sys.stderr)

    return work


def binned(
    lines: pl.DataFrame, codes: list[str], kinds: list[str], weeks: int
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """substances x areas x weeks."""
    area = lines["area"].cast(pl.Enum(codes)).to_physical().to_numpy().astype(np.int64)
    kind = lines["substance"].cast(pl.Enum(kinds)).to_physical().to_numpy().astype(np.int64)
    week = (lines["day"].to_physical().to_numpy() - (FIRST - EPOCH).days) // 7
    cell = (kind * len(codes) + area) * weeks + week
    flat = np.bincount(cell, minlength=len(kinds) * len(codes) * weeks)
    return flat.reshape(len(kinds), len(codes), weeks).astype(np.float64)


def shuffled(areas: int, days: int, cases: int, secondary: bool = False) -> Callable[[], None]:
    """One permutation scan."""
    rng = np.random.default_rng(SEED)
    share = rng.gamma(2, 1, areas)
    counts = rng.poisson(np.outer(cases * share / share.sum(), np.full(days, 1 / days)))
    zones = circles(rng.random((areas, 2)))
    settings = permutation.Settings(secondary=secondary)
    return lambda: print(len(permutation.scan(counts, zones, settings).windows), file=sys.stderr)


if __name__ == "__main__":
    main()
