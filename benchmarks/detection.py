"""What detection costs: Farrington Flexible here and in R, on the same series in the same run, one thread.

`python benchmarks/detection.py` makes weekly series (seed 11: means of 0.3 to 50, a season, small trends, negative
binomial), judges the latest week of all of them here, plain and fast, and of the first few in R `surveillance`, and
prints ratios per series-week. End to end, both start as a process of their own, read the counts and write verdicts.
Without R it says so and prints our figures alone. `--install-r` installs Debian's package first (it needs root).

Figures (METHODS, S1 and S2): plain at most 0.058 ms a series-week and 100 times R, 200 wanted; fast at most 0.010 ms.
Prints tables; asserts nothing, except that R and we give the same bounds.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from ewarn.methods.farrington import Farrington, FarringtonVerdicts, judge  # noqa: E402

SEED = 11
ROUNDS = 5
R_PROGRAM = """
suppressMessages(library(surveillance))
files <- commandArgs(TRUE)
observed <- as.matrix(read.csv(files[1], header = FALSE))
series <- sts(observed = observed, start = c(2018, 1), frequency = 52)
control <- list(range = nrow(observed), noPeriods = 10, b = 5, w = 3, weightsThreshold = 2.58, alpha = 0.005,
                pastWeeksNotIncluded = 26, pThresholdTrend = 1, thresholdMethod = "nbPlugin", glmWarnings = FALSE)
before <- proc.time()
found <- suppressWarnings(farringtonFlexible(series, control = control))
taken <- proc.time() - before
cat(taken[["elapsed"]], taken[["user.self"]] + taken[["sys.self"]], "\\n")
write.table(cbind(as.vector(upperbound(found)), as.vector(alarms(found))), files[2], row.names = FALSE,
            col.names = FALSE)
"""
OURS = """
import sys
import numpy as np
from ewarn.methods.farrington import Farrington, judge
found = judge(np.load(sys.argv[1]), Farrington(fast=sys.argv[3] == "fast"))
np.savetxt(sys.argv[2], np.column_stack([found.upper[:, -1], found.signal[:, -1]]))
"""


@dataclass(frozen=True)
class Figure:
    """One line of the table: seconds by the clock and of the processor, for a number of series-weeks."""

    name: str
    clock: float
    processor: float
    series: int

    @property
    def each(self) -> float:
        """Milliseconds of the processor a series-week: others on the machine move these least."""
        return 1000 * self.processor / self.series


def made(series: int, weeks: int, seed: int = SEED) -> NDArray[np.int64]:
    """Weekly counts (series x weeks) with seasons, small trends and more variance than a Poisson."""
    draw = np.random.default_rng(seed)
    time_ = np.arange(weeks)
    level = draw.uniform(np.log(0.3), np.log(50.0), series)[:, None]
    season = draw.uniform(0, 0.6, series)[:, None] * np.cos(2 * np.pi * (time_ / 52.18 - draw.random(series)[:, None]))
    mean = np.exp(level + season + draw.normal(0, 0.001, series)[:, None] * time_)
    phi = draw.uniform(1.05, 3.0, series)[:, None]
    return draw.negative_binomial(mean / (phi - 1), 1 / phi)


def measured(name: str, series: int, work: Callable[[], object], rounds: int = ROUNDS) -> Figure:
    """Fewest seconds of several rounds, processes that were started included."""
    clock, processor = [], []
    for _ in range(rounds):
        start, used = time.perf_counter(), _used()
        work()
        clock.append(time.perf_counter() - start)
        processor.append(_used() - used)
    return Figure(name, min(clock), min(processor), series)


def _used() -> float:
    """Processor seconds of this process and of those that have ended."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def in_r(counts: NDArray[np.int64], folder: Path, series: int) -> tuple[list[Figure], NDArray[np.float64]]:
    """R's loop alone, R from start to end, the same reckoned for `series`, and R's bounds and signals."""
    program, given, out = folder / "ff.R", folder / "r.csv", folder / "r.txt"
    program.write_text(R_PROGRAM)
    np.savetxt(given, counts.T, delimiter=",", fmt="%d")
    command = ["Rscript", str(program), str(given), str(out)]
    told: list[str] = []

    def run() -> None:
        told.append(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    whole = measured("R, end to end", len(counts), run, 1)
    loop = Figure("R, the loop", *(float(word) for word in told[-1].split()[-2:]), len(counts))
    more = series / len(counts)
    clock, processor = whole.clock + loop.clock * (more - 1), whole.processor + loop.processor * (more - 1)
    return [loop, whole, Figure("R, end to end, reckoned", clock, processor, series)], _table(out)


def _table(out: Path) -> NDArray[np.float64]:
    return np.genfromtxt(out, missing_values="NA", ndmin=2)


def end_to_end(counts: NDArray[np.int64], folder: Path, way: str) -> Figure:
    """Ours in a process of its own: start, read an array (R reads a CSV), judge, write."""
    given, out = folder / "counts.npy", folder / "ours.txt"
    np.save(given, counts)
    command = [sys.executable, "-c", OURS, str(given), str(out), way]
    return measured(f"{way}, end to end", len(counts), lambda: subprocess.run(command, check=True), 3)


def ours(counts: NDArray[np.int64]) -> tuple[list[Figure], FarringtonVerdicts, FarringtonVerdicts]:
    """Plain and fast, in this process."""
    values, plain, fast = counts.astype(np.float64), Farrington(), Farrington(fast=True)
    figures = [
        measured("plain", len(counts), lambda: judge(values, plain)),
        measured("fast", len(counts), lambda: judge(values, fast)),
    ]
    return figures, judge(values, plain), judge(values, fast)


def install_r() -> None:
    """Debian's R and surveillance."""
    subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", "r-cran-surveillance"], check=True)


def has_r() -> bool:
    if not shutil.which("Rscript"):
        return False
    return subprocess.run(["Rscript", "-e", "library(surveillance)"], capture_output=True, check=False).returncode == 0


def shown(figures: list[Figure], peer: dict[str, Figure]) -> None:
    """A table of times and, per part, how many times R's processor time a series-week is."""
    print("| part | series | seconds | processor s | processor ms a series-week | R takes so many times as long |")
    print("|---|---|---|---|---|---|")
    for figure in figures:
        against = peer.get("end" if "end" in figure.name else "loop")
        ratio = f"{against.each / figure.each:,.0f}" if against else "-"
        times = f"{figure.clock:.3f} | {figure.processor:.3f} | {figure.each:.4f}"
        print(f"| {figure.name} | {figure.series:,} | {times} | {ratio} |")


def farrington(series: int, weeks: int, in_r_series: int) -> None:
    """S1 and S2."""
    counts = made(series, weeks)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        figures, exact, quick = ours(counts)
        figures += [end_to_end(counts, folder, "plain"), end_to_end(counts, folder, "fast")]
        peer = {}
        if has_r():
            theirs, found = in_r(counts[:in_r_series], folder, series)
            figures += theirs
            peer = {"loop": theirs[0], "end": theirs[2]}
            np.testing.assert_array_equal(exact.upper[:in_r_series, -1], found[:, 0])
            np.testing.assert_array_equal(exact.signal[:in_r_series, -1], found[:, 1] == 1)
        else:
            print("R surveillance is not installed: no ratios (--install-r installs Debian's r-cran-surveillance).\n")
        shown(figures, peer)
    both = (exact.reason == 0) & (quick.reason == 0)
    bounds, signals = (exact.upper != quick.upper)[both].mean(), int((exact.signal != quick.signal).sum())
    print(f"\n{(exact.reason == 0).mean():.0%} of the series can be judged; with a bound in both ways, {bounds:.3%} of")
    print(f"the fast bounds differ from the plain ones, and {signals} of {series:,} verdicts.")


def main(arguments: list[str] | None = None) -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--series", type=int, default=10_000)
    options.add_argument("--weeks", type=int, default=313)
    options.add_argument("--in-r", type=int, default=300, help="series that R judges as well")
    options.add_argument("--install-r", action="store_true")
    chosen = options.parse_args(arguments)
    if chosen.install_r:
        install_r()
    farrington(chosen.series, chosen.weeks, min(chosen.in_r, chosen.series))


if __name__ == "__main__":
    main()
