"""`make serve`: a Prefect server, its pool, deployments and worker, and the Today page; all of it stops together.

In: the environment (EWARN_HOME, EWARN_CONTENT, PREFECT_HOME). Out: the addresses, then silence until Ctrl-C.
It ends only processes that it (or an earlier run of it that was killed) started, each by its id, and never any other.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from flows.children import Child, Children, free_port, wait_until_answering
from flows.register import RECORD, Register
from flows.surroundings import POOL, ROOT, prepare_environment

WORKER_LIMIT = 3
START_SECONDS = 120


class Serving:
    """Everything `make serve` runs, from start to stop. With `desk` false the Today page is left out."""

    def __init__(self, environ: dict[str, str], *, desk: bool = True) -> None:
        self.environ = environ
        self.with_desk = desk
        state = Path(environ["PREFECT_HOME"])
        self.children = Children(state / "logs")
        self.register = Register(state / RECORD)
        self.addresses: dict[str, str] = {}

    def start(self) -> None:
        """Raises: SystemExit with a plain sentence when a part does not come up, or runs already."""
        for sentence in self.register.settle():
            print(sentence, flush=True)
        self._start_server()
        self._run("preparation", "flows.readiness")
        self._run("deployment", "prefect", "--no-prompt", "deploy", "--all")
        self._start(
            "worker", "prefect", "worker", "start", "--pool", POOL, "--type", "process", "--limit", str(WORKER_LIMIT)
        )
        if self.with_desk:
            self._start_desk()
        self._write_down()

    def stop(self) -> bool:
        """Page and worker first, the server last; each by its own id. Answers whether anything had been started."""
        started = bool(self.children)
        self.children.stop(["desk", "worker", "server"])
        if started:
            self.register.clear()
        return started

    def first_gone(self) -> Child | None:
        """A part that has ended by itself, if any."""
        return self.children.first_gone()

    def _start_server(self) -> None:
        port = free_port(4200)
        self.environ["PREFECT_API_URL"] = f"http://127.0.0.1:{port}/api"
        self.addresses["flows, runs, artifacts"] = f"http://127.0.0.1:{port}/"
        self._start("server", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port))
        self._write_down()
        wait_until_answering(f"http://127.0.0.1:{port}/api/health", self.children.named("server"), START_SECONDS)

    def _start_desk(self) -> None:
        port = free_port(8600)
        self.addresses["Today page"] = f"http://127.0.0.1:{port}/"
        self._start("desk", "ewarn.cli", "desk", "--port", str(port))
        wait_until_answering(f"http://127.0.0.1:{port}/health", self.children.named("desk"), START_SECONDS)

    def _start(self, name: str, module: str, *words: str) -> None:
        self.children.start(name, [sys.executable, "-m", module, *words], self.environ, ROOT)

    def _run(self, name: str, module: str, *words: str) -> None:
        status = self.children.run(name, [sys.executable, "-m", module, *words], self.environ, ROOT)
        if status:
            raise SystemExit(f"the {name} failed with exit status {status}: see {self.children.logs / name}.log")

    def _write_down(self) -> None:
        self.register.write(self.children.living(), self.addresses, self.environ["PREFECT_API_URL"])


def main() -> int:
    """Exit status 0 when stopped by Ctrl-C or a TERM signal; 1 when a part did not start or ended by itself."""
    signal.signal(signal.SIGTERM, _as_interrupt)
    signal.signal(signal.SIGINT, _as_interrupt)
    serving = Serving(prepare_environment(os.environ))
    try:
        print("starting the schedules (about half a minute) …", flush=True)
        serving.start()
        return _attend(serving)
    except KeyboardInterrupt:
        return 0
    except SystemExit as fault:
        print(fault, file=sys.stderr, flush=True)
        return 1
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if serving.stop():
            print("everything is stopped", flush=True)


def _attend(serving: Serving) -> int:
    for name, address in serving.addresses.items():
        print(f"{name:<24} {address}", flush=True)
    print(f"{'drop CSV files into':<24} {Path(serving.environ['EWARN_HOME']) / 'drops'}/<source>/", flush=True)
    print("Ctrl-C stops all of it", flush=True)
    while (gone := serving.first_gone()) is None:
        time.sleep(1)
    print(f"the {gone.name} ended by itself: see {gone.log}", file=sys.stderr, flush=True)
    return 1


def _as_interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
