"""`make bench-ingest`: what it costs to take in a large file of test results, as ratios to what it costs at the least.

Generated results (seed 7, 1 % of the rows faulty, every kind alike) go through the whole of intake: kept and encrypted,
read, validated, named, placed, versioned, landed. Beside them, in the same run: DuckDB's own `read_csv` of the same
columns, typed, into a checkpointed table (the peer); hashing and copying the file (the physical limits); pydantic row
by row on a sample. Every part is a process of its own, so that its memory is its own. While the first load runs another
process asks for the write lock again and again, as an approval does. Prints a table; asserts nothing.
`make bench-ingest ARGS=1000000` chooses the rows, 10,000,000 otherwise.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import ewarn  # noqa: E402, F401  (first, as in every command: it says how Polars is to use memory)
from benchmarks import made_results  # noqa: E402

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
SAMPLE = 200_000
PART_MINUTES = 30
TYPES = {"date_received": "DATE", "analysed": "BOOLEAN"}


def main() -> None:
    if len(sys.argv) > 2:
        part(sys.argv[1], Path(sys.argv[2]))
        return
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    with tempfile.TemporaryDirectory(prefix="ewarn-bench-", dir=os.environ.get("EWARN_BENCH_FOLDER")) as name:
        folder = Path(name)
        results: dict[str, dict[str, Any]] = {}
        small = max(rows // 100, 1_000)
        made_results.write(folder / "small.csv", small)
        made_results.write(folder / "first.csv", rows)
        size = (folder / "first.csv").stat().st_size
        print(f"{rows:,} rows, {size / 1e6:,.0f} MB, {os.cpu_count()} processors", flush=True)
        for title in ("copy", "hash", "bare", "pydantic", "small", "first", "again"):
            results[title] = run(title, folder)
        (folder / "shuffled.csv").touch()
        made_results.write_shuffled(folder / "shuffled.csv", rows)
        results["shuffled"] = run("shuffled", folder)
    show(rows, small, results)


def run(title: str, folder: Path) -> dict[str, Any]:
    """One part in a process of its own."""
    command = [sys.executable, __file__, title, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as work:
        highest = watched(work)
        out, err = work.communicate(timeout=60)
    if work.returncode:
        raise SystemExit(f"{title}: {err[-2000:]}")
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    found["peak"] = max(highest, found["peak"])
    print(f"  {title:<10} {found['seconds']:8.1f} s  {found['peak'] / 1e6:6.0f} MB", flush=True)
    return found


def watched(work: subprocess.Popen[str]) -> int:
    """The most memory a process was seen to hold, looked at ten times a second until it ends."""
    highest, deadline = 0, time.monotonic() + PART_MINUTES * 60
    while work.poll() is None and time.monotonic() < deadline:
        try:
            status = Path(f"/proc/{work.pid}/status").read_text()
        except OSError:
            break
        if "VmRSS:" in status:
            highest = max(highest, int(status.split("VmRSS:")[1].split()[0]) * 1024)
        time.sleep(0.1)
    return highest


def part(title: str, folder: Path) -> None:
    """Run one part and print its figures as JSON."""
    work, more = {
        "copy": lambda: copying(folder), "hash": lambda: hashing(folder), "bare": lambda: bare(folder),
        "pydantic": lambda: pydantic(folder), "small": lambda: taking(folder, "small.csv", "small", 0),
        "first": lambda: taking(folder, "first.csv", "home", 0, asking=True),
        "again": lambda: taking(folder, "first.csv", "home", 1),
        "shuffled": lambda: taking(folder, "shuffled.csv", "home", 2),
        "approving": lambda: approving(folder),
    }[title]()  # fmt: skip
    started = time.perf_counter()
    answer = work()
    seconds = time.perf_counter() - started
    peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024
    print(json.dumps({"seconds": seconds, "peak": peak, **more(answer)}))


Part = tuple[Callable[[], Any], Callable[[Any], dict[str, Any]]]


def copying(folder: Path) -> Part:
    def work() -> None:
        with (folder / "first.csv").open("rb") as source, (folder / "copy").open("wb") as out:
            while block := source.read(1 << 22):
                out.write(block)
            out.flush()
            os.fsync(out.fileno())
        (folder / "copy").unlink()

    return work, lambda _: {}


def hashing(folder: Path) -> Part:
    def work() -> str:
        with (folder / "first.csv").open("rb") as source:
            return hashlib.file_digest(source, "sha256").hexdigest()

    work()
    return work, lambda _: {}


def bare(folder: Path) -> Part:
    """DuckDB alone: the columns that intake maps, typed, faults into its reject list, into a checkpointed table."""
    import duckdb

    header = made_results.HEADER.strip().split(",")
    columns = {name: TYPES.get(name, "VARCHAR") for name in header}
    used = (
        "sample_ref",
        "date_received",
        "postcode",
        "purchase_intent",
        "package_label",
        "colour",
        "form",
        "major",
        "minor",
    )

    def work() -> int:
        with duckdb.connect(str(folder / "bare.duckdb")) as con:
            con.execute(
                f"CREATE TABLE results AS SELECT {', '.join(used)} FROM read_csv(?, header = true, "
                "auto_detect = false, delim = ',', quote = '\"', escape = '\"', columns = ?, store_rejects = true, "
                "rejects_limit = 0)",
                [str(folder / "first.csv"), columns],
            )
            con.execute("CHECKPOINT")
            answer = con.execute("SELECT count(*) FROM results").fetchone()
        return int(answer[0]) if answer else 0

    return work, lambda rows: {"rows": rows}


def pydantic(folder: Path) -> Part:
    """A model a row, on a sample."""
    from datetime import date

    from pydantic import BaseModel, ValidationError

    class Result(BaseModel):
        sample_ref: str
        date_received: date
        postcode: str
        purchase_intent: str
        package_label: str
        colour: str
        form: str
        major: str
        minor: str

    def work() -> int:
        good = 0
        with (folder / "first.csv").open(newline="") as source:
            for _, row in zip(range(SAMPLE), csv.DictReader(source), strict=False):
                try:
                    Result.model_validate({name: row[name] for name in Result.model_fields})
                    good += 1
                except ValidationError:
                    continue
        return good

    return work, lambda rows: {"rows": SAMPLE, "good": rows}


def taking(folder: Path, file: str, home: str, hours: int, *, asking: bool = False) -> Part:
    """The whole of intake, as `ewarn intake --file` does it."""
    from ewarn.pipeline.house import open_house
    from ewarn.pipeline.landing import take

    now = NOW + timedelta(hours=hours)
    house = open_house(folder / home, ROOT, {}, clock=lambda _: now)
    definition = house.catalogue.sources["wedinos"].model_copy(update={"max_bytes": 1 << 40})
    waits: list[dict[str, Any]] = []

    def work() -> Any:
        asker = None
        if asking:
            command = [sys.executable, __file__, "approving", str(folder)]
            asker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        report = take(house, definition, folder / file, now, True, file=file)
        house.db.publish()
        if asker is not None:
            (folder / "stop").touch()
            answer, _ = asker.communicate(timeout=60)
            waits.append(json.loads(answer.splitlines()[-1]))
        return report

    def more(report: Any) -> dict[str, Any]:
        counts = {
            name: getattr(report, name) for name in ("records", "new", "changed", "unchanged", "rejects", "detections")
        }
        return counts | {"error": report.error, **(waits[0] if waits else {})}

    return work, more


def approving(folder: Path) -> Part:
    """Ask for the write lock twice a second, as an approval does, until told to stop."""
    from ewarn.pipeline.house import open_house
    from ewarn.store import operator_notices

    house = open_house(folder / "home", ROOT, {}, clock=lambda _: NOW)
    waits: list[float] = []

    def work() -> None:
        while not (folder / "stop").exists():
            asked = time.perf_counter()
            with house.db.write("approving") as tx:
                waits.append(time.perf_counter() - asked)
                operator_notices.put(tx, NOW, "bench", f"asked {len(waits)} times")
            time.sleep(0.5)

    return work, lambda _: {"asked": len(waits), "longest_wait": max(waits, default=0.0)}


def show(rows: int, small: int, results: dict[str, dict[str, Any]]) -> None:
    seconds = {name: found["seconds"] for name, found in results.items()}
    first = results["first"]
    counts = {name: first[name] for name in ("records", "new", "changed", "unchanged", "rejects", "detections")}
    per_row = {"small": seconds["small"] / small, "first": seconds["first"] / rows}
    taken = results["pydantic"]["rows"]
    print(f"\nfirst load: {counts}")
    print(f"shuffled:   { {name: results['shuffled'][name] for name in counts} }")
    table = (
        ("first load, rate of DuckDB's bare load", seconds["bare"] / seconds["first"], "at least 0.5"),
        ("first load, rate of pydantic row by row", seconds["pydantic"] / taken / per_row["first"], ""),
        ("first load, time of copy and fsync", seconds["first"] / seconds["copy"], ""),
        ("the same bytes again, time of hashing them", seconds["again"] / seconds["hash"], "at most 2"),
        ("another order, one row more, time of the first load", seconds["shuffled"] / seconds["first"], "at most 0.5"),
        (f"time a row at {rows:,} to time a row at {small:,}", per_row["first"] / per_row["small"], "flat"),
        ("longest wait for the write lock, s", first["longest_wait"], "at most 1"),
        ("peak memory of the first load, GB", first["peak"] / 1e9, "at most 2"),
        ("peak memory of the other order, GB", results["shuffled"]["peak"] / 1e9, "at most 2"),
    )
    for words, figure, wanted in table:
        print(f"  {words:<56} {figure:8.2f}  {wanted}")


if __name__ == "__main__":
    main()
