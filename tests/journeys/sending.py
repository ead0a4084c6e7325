"""Senders and approvers in processes of their own, to be killed: `python -m tests.journeys.sending`.

In: one JSON line a process on standard input: what it does, for whom, and after how many seconds it is killed (null:
never). Out: one JSON line: whether it was killed, and how long it took. All that they load is loaded before they fork,
and nothing else happens before: a fork would carry half of it along.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ewarn.errors import Refused
from ewarn.pipeline import assess, respond
from ewarn.pipeline.house import House, open_house
from ewarn.pipeline.reports import Actor


def send(house: House, now: datetime) -> None:
    """One run of the sender, at a scripted instant."""
    respond.send(house, now)


def approve(house: House, now: datetime, alert: str, hashed: str) -> None:
    """Both approvals of one text, one after the other; one that is on record already is left as it is."""
    for person in ("ann", "ben"):
        with suppress(Refused):
            assess.approve(house, alert, hashed, Actor(person, f"a secret for {person}"), now, note="exercise")


def one(asked: dict[str, Any]) -> dict[str, Any]:
    """Fork one, wait until it has begun, kill it in its time."""
    ours, its = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(ours)
        _child(asked, its)
    os.close(its)
    begun = os.read(ours, 1) == b"r"
    began = time.monotonic()
    left_alone = asked["seconds"] is None
    ended = bool(select.select([ours], [], [], 300 if left_alone else asked["seconds"])[0])
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    os.close(ours)
    killed = os.WIFSIGNALED(status) and not ended
    return {"begun": begun, "killed": killed, "took": time.monotonic() - began, "status": status}


def _child(asked: dict[str, Any], its: int) -> None:
    try:
        now = datetime.fromtimestamp(asked["instant"], UTC)
        house = open_house(Path(asked["home"]), Path(asked["content"]), {}, clock=lambda _: now)
        os.write(its, b"r")
        {"send": send, "approve": approve}[asked["what"]](house, now, *asked["more"])
        os.close(its)
        os._exit(0)
    except BaseException as fault:
        sys.stderr.write(f"{type(fault).__name__}: {fault}\n")
        os._exit(1)


def loaded() -> list[str]:
    """What a process has loaded once it has opened a house and sent something, found out in one that ends then."""
    words = (
        "import sys, tempfile, apprise, apprise.plugins.email, apprise.plugins.custom_json;"
        "from pathlib import Path; from tests.journeys import sending; from ewarn.pipeline.house import open_house;"
        "from datetime import datetime, UTC;"
        "h = open_house(Path(tempfile.mkdtemp()), None, {}); sending.send(h, datetime.now(UTC));"
        "print(*[m for m in sys.modules if not m.startswith('__')], sep='\\n')"
    )
    return subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True).stdout.split()


def main() -> None:
    for name in loaded():
        with suppress(Exception):
            importlib.import_module(name)
    gc.freeze()  # or each fork copies what it only counts
    print(json.dumps("loaded"), flush=True)
    for line in sys.stdin:
        print(json.dumps(one(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
