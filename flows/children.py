"""Processes that `make serve` starts and ends, each by its own id.

In: a name and a command. Out: a living process whose words go to a log file. Never touches a process it did not start.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

GRACE_SECONDS = 12


@dataclass(frozen=True)
class Child:
    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.poll() is None


class Children:
    """Every child leads its own process group, so that Ctrl-C reaches us alone and we end each part in order."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self._children: dict[str, Child] = {}

    def __len__(self) -> int:
        return len(self._children)

    def start(self, name: str, command: Sequence[str], environ: Mapping[str, str], folder: Path) -> Child:
        log = self._log(name)
        with log.open("ab") as out:
            process = subprocess.Popen(
                command, env=dict(environ), cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True,
            )  # fmt: skip
        self._children[name] = Child(name, process, log)
        return self._children[name]

    def run(self, name: str, command: Sequence[str], environ: Mapping[str, str], folder: Path) -> int:
        """Start, wait, and answer the exit status."""
        child = self.start(name, command, environ, folder)
        status = child.process.wait()
        del self._children[name]
        return status

    def named(self, name: str) -> Child:
        return self._children[name]

    def living(self) -> list[Child]:
        return [child for child in self._children.values() if child.alive]

    def first_gone(self) -> Child | None:
        return next((child for child in self._children.values() if not child.alive), None)

    def stop(self, order: Sequence[str]) -> None:
        """TERM in that order (then any others), each with a grace, then KILL; the whole group of each, nothing else."""
        names = [name for name in order if name in self._children]
        for name in [*names, *(name for name in self._children if name not in names)]:
            child = self._children[name]
            end_group(child.pid, child.process.poll)
        self._children.clear()

    def _log(self, name: str) -> Path:
        self.logs.mkdir(parents=True, exist_ok=True)
        return self.logs / f"{name.replace(' ', '-')}.log"


def end_group(pid: int, reap: Callable[[], object], grace_seconds: float = GRACE_SECONDS) -> None:
    """End the process group that `pid` leads: TERM, a grace, then KILL. `reap` collects the ended leader."""
    for number, patience in ((signal.SIGTERM, grace_seconds), (signal.SIGKILL, 5.0)):
        deadline = time.monotonic() + patience
        if not _signal_group(pid, number):
            return
        while time.monotonic() < deadline:
            reap()
            if not _signal_group(pid, 0):
                return
            time.sleep(0.1)


def _signal_group(pid: int, number: int) -> bool:
    """Whether there was anybody left to receive it."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def free_port(preferred: int) -> int:
    """The preferred loopback port where it is free, another free one otherwise."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise SystemExit("no free port on 127.0.0.1")


def wait_until_answering(address: str, child: Child, patience_seconds: float) -> None:
    """Raises: SystemExit with a plain sentence when the child ends, or does not answer in time."""
    deadline = time.monotonic() + patience_seconds
    while time.monotonic() < deadline:
        if not child.alive:
            raise SystemExit(f"the {child.name} ended with exit status {child.process.returncode}: see {child.log}")
        if answers(address):
            return
        time.sleep(0.2)
    raise SystemExit(f"the {child.name} did not answer within {patience_seconds:.0f} seconds: see {child.log}")


def answers(address: str) -> bool:
    """Whether a loopback address answers with success; a proxy in the environment is not asked."""
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=2) as reply:
            return 200 <= int(reply.status) < 300
    except OSError:
        return False
