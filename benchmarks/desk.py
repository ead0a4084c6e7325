"""`make bench-desk`: how soon the desk answers four people at once, over a million records and five hundred open cases.

A home is made of generated results taken in by the real intake, a night's overdoses, one detection, and cases up to
five hundred; the desk runs in a process of its own, as `ewarn desk` starts it. What the rules say is of the night and
the first 20,000 results, as a house has it that grew; the others, up to a million, come after it. Four people sign in
with secret and one-time code and open every page that their roles may, in turn, each of them another case or signal,
twice: without a pause, and with a second to think after each page. The floor is `/health`, asked in the same way in the
same run: what the server itself costs. With `busy` the whole of `make serve` runs beside it (Prefect's server, worker
and schedules), and an intake of as many further results, again and again, niced, with one thread.
`make bench-desk ARGS="1000000 60 busy home=/a/folder"` chooses records, seconds (of each of the two), whether, and
where the home made is kept for the next run, which works on a copy of it. Prints tables; asserts nothing.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pyotp

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import made_results  # noqa: E402
from ewarn.desk.access import LINES, may  # noqa: E402
from ewarn.pipeline import assess, read, reporting, standing, validate  # noqa: E402
from ewarn.pipeline.house import House, open_house  # noqa: E402
from ewarn.pipeline.receive import intake  # noqa: E402
from ewarn.pipeline.reports import Actor  # noqa: E402
from ewarn.report import Harm, Origin, Told  # noqa: E402
from ewarn.store import cases  # noqa: E402
from ewarn.terms import Person, PersonRole, Recipient  # noqa: E402
from flows.children import free_port  # noqa: E402
from flows.serve import Serving  # noqa: E402
from flows.surroundings import prepare_environment  # noqa: E402

CASES = 500
USERS = ("duty", "panel", "coordinator", "administrator")
SECRET = "a long secret of {}"
NOT_ASKED = ("/file", ".js", ".json", "/openid", "/back", "/photograph", "/device", "/code", "/sign-in")
HEADER = "incident_ref,organisation,event_date,event_time,area_code,outcome,setting,suspected_substances\n"


def main() -> None:
    plain = [word for word in sys.argv[1:] if word != "busy" and "=" not in word]
    rows = int(plain[0]) if plain else 1_000_000
    seconds = float(plain[1]) if len(plain) > 1 else 60
    busy = "busy" in sys.argv
    with tempfile.TemporaryDirectory(prefix="ewarn-bench-", dir=os.environ.get("EWARN_BENCH_FOLDER")) as name:
        folder = Path(name)
        kept = next((Path(word[5:]) for word in sys.argv if word.startswith("home=")), folder / "made")
        words = made(kept, rows)
        shutil.copytree(kept / "home", folder / "home")
        environ = surroundings(folder / "home") | {"PREFECT_HOME": str(folder / "prefect")}
        serving = Serving(prepare_environment(environ)) if busy else None
        desk = beside = None
        try:
            if serving is not None:
                serving.start()
                port = int(serving.addresses["Today page"].rstrip("/").rpartition(":")[2])
            else:
                port = free_port(8600)
                desk = subprocess.Popen([sys.executable, "-m", "ewarn.cli", "desk", "--port", str(port)], env=environ)
            address = f"http://127.0.0.1:{port}"
            began = time.perf_counter()
            answering(address)
            print(f"  the desk answers after {time.perf_counter() - began:.1f} s", flush=True)
            served = desk.pid if desk is not None else serving.children.named("desk").process.pid
            people = {person: signed_in(address, person) for person in USERS}
            beside = Beside(kept, environ) if busy else None
            for pause in (0.0, 1.0):
                spent, published = cpu_of(served), newest(folder / "home")
                times, faults = asked(people, words, seconds, pause)
                told(times, faults, pause)
                asked_for = sum(map(len, times.values()))
                print(f"desk: {1000 * (cpu_of(served) - spent) / asked_for:.0f} ms of processor time an answer, "
                      f"{memory_of(served)} MB; {newest(folder / 'home') - published} copies published meanwhile; "
                      f"load {os.getloadavg()[0]:.1f}")  # fmt: skip
            if beside is not None:
                print(f"further intakes ended: {beside.ended}")
        finally:
            if beside is not None:
                beside.stop()
            if desk is not None:
                desk.terminate()
                desk.wait(60)
            if serving is not None:
                serving.stop()


def surroundings(home: Path) -> dict[str, str]:
    return dict(os.environ) | {"EWARN_HOME": str(home), "EWARN_STANDING": "test"}


def made(kept: Path, rows: int) -> dict[str, str]:
    """The home and the further file in a folder, made where they are not there; the words of the pages' addresses."""
    ready = kept / f"words-{rows}.json"
    if not ready.is_file():
        kept.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(kept / "home", ignore_errors=True)
        words = prepared(kept, rows, surroundings(kept / "home"))
        made_results.write(kept / "further.csv", rows, seed=8, first=first_day(), start=rows)
        ready.write_text(json.dumps(words))
    found: dict[str, str] = json.loads(ready.read_text())
    return found


def first_day() -> date:
    """Generated results are of a thousand days: up to yesterday."""
    return datetime.now(UTC).date() - timedelta(days=1000)


def cpu_of(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    said = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(said[11]) + int(said[12])) / os.sysconf("SC_CLK_TCK")


def memory_of(pid: int) -> int:
    """Megabytes that a process holds."""
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) // 1024 if found else 0


def newest(home: Path) -> int:
    return int(json.loads((home / "published" / "CURRENT").read_text())["number"])


def prepared(folder: Path, rows: int, environ: dict[str, str]) -> dict[str, str]:
    """A home as described, and the words that stand in the pages' addresses."""
    now = datetime.now(UTC)
    house = open_house(folder / "home", ROOT, environ, clock=lambda _: datetime.now(UTC))
    for person in USERS:
        made = Person(id=person, name=f"Test {person}", roles=(PersonRole(person),), areas=("E12000007",))
        read.add_person(house, made, SECRET.format(person), now)
    few = min(rows, 20_000)
    made_results.write(folder / "first.csv", few, first=first_day())
    step(f"intake of {few:,} results", lambda: intake(house, now, "wedinos", folder / "first.csv", backfill=True))
    night = now - timedelta(hours=12)
    events = [night + timedelta(minutes=40 * n) for n in range(8)]
    told = [
        f"n{n},Outreach,{at:%Y-%m-%d},{at:%H:%M},E09000007,non-fatal,hostel,heroin\n" for n, at in enumerate(events)
    ]
    (folder / "night.csv").write_text(HEADER + "".join(told))
    intake(house, now, "overdose_incidents", folder / "night.csv", False)
    step("detection", lambda: validate.detect(house, now))
    ref = filled_up(house, now)
    assess.draft(house, ref, "formal alert", Actor("duty", SECRET.format("duty")), now)
    report = Told(
        area="Camden", origin=Origin.FIRST_HAND, harm=Harm.UNWELL, what="Somebody fell.", contact="020 7946 0000"
    )
    reporting.receive(house, report, now, ref="R-2222-2222")
    partner = {"id": "team0", "name": "Test team", "group": "health", "areas": ("E09000007",), "channel": "email"}
    keeper = Actor("coordinator", SECRET.format("coordinator"))
    read.add_recipient(house, Recipient(**partner, address="team0@example.org"), now, keeper)
    house.db.publish()
    signals = [one.id for one in standing.current(house, now).signals]
    if rows > few:
        made_results.write(folder / "million.csv", rows - few, seed=9, first=first_day(), start=few)
        path = folder / "million.csv"
        step(f"intake of {rows - few:,} more", lambda: intake(house, now, "wedinos", path, backfill=True))
        path.unlink()
        house.db.publish()
    return {"signal": ",".join(signals[:200]), "ref": ref, "report": "R-2222-2222", "recipient": "team0",
            "number": "A1"}  # fmt: skip


def filled_up(house: House, now: datetime) -> str:
    """Cases up to five hundred, alike but for their reference; returns the first one's."""
    with house.db.write("bench") as tx:
        found = cases.all(tx, "open")
        first = next(case for case in found if case.lead_area == "E09000007")
        for number in range(CASES - len(found)):
            due = now + timedelta(hours=number % 72 - 24)
            ref = cases.next_ref(tx, house.settings.issuer, now.year)
            cases.save(
                tx, first.model_copy(update={"ref": ref, "title": f"{first.title} {number}", "due_at": due}), now
            )
            cases.act(tx, ref, now, "opened", "ewarn", "a case of the benchmark")
    return first.ref


def step(what: str, work: Any) -> None:
    began = time.perf_counter()
    work()
    print(f"  {what}: {time.perf_counter() - began:.0f} s", flush=True)


def answering(address: str) -> None:
    for _ in range(240):
        try:
            if httpx.get(f"{address}/health", timeout=5).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.5)
    raise SystemExit("the desk does not answer")


def signed_in(address: str, person: str) -> httpx.Client:
    """As a new person signs in: secret, device, first code."""
    client = httpx.Client(base_url=address, timeout=60, follow_redirects=True)

    def form(page: str, **fields: str) -> httpx.Response:
        token = re.search(r'name="csrf" value="([^"]+)"', client.get(page).text)
        return client.post(page, data={"csrf": token[1] if token else "", **fields})

    form("/sign-in", person=person, secret=SECRET.format(person))
    shown = re.search(r"<code>([A-Z2-7 ]+)</code>", client.get("/sign-in/device").text)
    if shown is None:
        raise SystemExit(f"{person} could not sign in")
    form("/sign-in/device", code=pyotp.TOTP(shown[1].replace(" ", "")).now())
    return client


class Beside:
    """An intake of the further file, which begins again with other results whenever it has ended."""

    def __init__(self, kept: Path, environ: dict[str, str]) -> None:
        self.kept, self.ended, self._stopped = kept, 0, threading.Event()
        self.environ = environ | {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._go_on)
        self._thread.start()

    def _go_on(self) -> None:
        command = ["nice", "-n", "19", sys.executable, "-m", "ewarn.cli", "intake", "--source", "wedinos", "--backfill"]
        changed = Path(self.environ["EWARN_HOME"]).parent / "further.csv"
        shutil.copyfile(self.kept / "further.csv", changed)
        while not self._stopped.is_set():
            self._process = subprocess.Popen(
                [*command, "--file", str(changed)], env=self.environ, stdout=subprocess.DEVNULL
            )
            self._process.wait()
            self.ended += not self._stopped.is_set()
            subprocess.run(
                ["nice", "-n", "19", "sed", "-i", "s/,White,/,Beige,/;t;s/,Beige,/,White,/", str(changed)], check=True
            )

    def stop(self) -> None:
        self._stopped.set()
        if self._process is not None:
            self._process.terminate()
        self._thread.join(60)


def asked(
    people: dict[str, httpx.Client], words: dict[str, str], seconds: float, pause: float
) -> tuple[dict[str, list[float]], list[str]]:
    """Milliseconds by page, of all four together, and what was not answered as it should be."""
    times: defaultdict[str, list[float]] = defaultdict(list)
    faults: list[str] = []
    deadline = time.monotonic() + seconds
    chance = random.Random(1)
    first = words["ref"]

    def one_of(word: str, path: str) -> str:
        """Another signal and another case each time; the text is one."""
        if word == "ref" and "{number}" not in path:
            return first[:-4] + f"{int(first[-4:]) + chance.randrange(CASES - 50):04d}"
        return chance.choice(words.get(word, "x").split(","))

    def visit(person: str, client: httpx.Client) -> None:
        order = random.Random(person)
        roles = frozenset({PersonRole(person)})
        paths = [line.path for line in LINES if line.method == "GET" and may(line, roles)]
        paths = [path for path in paths if not path.endswith(NOT_ASKED)]
        while time.monotonic() < deadline:
            order.shuffle(paths)
            for path in paths:
                address = re.sub(r"\{(\w+)\}", lambda m, path=path: one_of(m[1], path), path)
                began = time.perf_counter()
                answer = client.get(address)
                if answer.status_code == 429:  # faster than systems may ask
                    faults.append(f"{path} for {person}: asked too often")
                    continue
                times[path].append(1000 * (time.perf_counter() - began))
                if not answer.is_success:
                    faults.append(f"{path} for {person}: {answer.status_code}")
                time.sleep(pause)

    threads = [threading.Thread(target=visit, args=one) for one in people.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times, faults


def told(times: dict[str, list[float]], faults: list[str], pause: float) -> None:
    print(f"\nfour people, {f'{pause:g} s to think after each page' if pause else 'without a pause'}\n")
    print("| page | asked | p50 ms | p95 ms | longest ms |\n|---|---|---|---|---|")
    for path, found in sorted(times.items(), key=lambda pair: -quantile(pair[1], 0.95)):
        print(
            f"| {path} | {len(found)} | {quantile(found, 0.5):.0f} | {quantile(found, 0.95):.0f} | {max(found):.0f} |"
        )
    every = [one for found in times.values() for one in found]
    print(f"| all | {len(every)} | {quantile(every, 0.5):.0f} | {quantile(every, 0.95):.0f} | {max(every):.0f} |")
    for fault in sorted(set(faults)):
        print(f"not answered: {fault}")


def quantile(found: list[float], part: float) -> float:
    return sorted(found)[min(len(found) - 1, int(part * len(found)))]


if __name__ == "__main__":
    if shutil.which("nice") is None:
        raise SystemExit("this needs `nice`")
    main()
