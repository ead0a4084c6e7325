"""The answer service as it runs: a process of its own on loopback, with a folder and nothing else."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from ewarn.personal import shown

KEY = "k" * 64


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def pages(folder: Path, key: str = KEY, public: Path | None = None) -> Iterator[httpx.Client]:
    """A client of a service that runs over this folder."""
    port = free_port()
    words = ["--folder", str(folder), "--key", "env:EWARN_TEST_KEY", "--port", str(port)]
    words += ["--public", str(public)] if public else []
    environ = {**os.environ, "EWARN_TEST_KEY": key}
    process = subprocess.Popen([sys.executable, "-m", "ewarn.answers", *words], env=environ)
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, headers={"X-Process": str(process.pid)})
    try:
        for _ in range(300):
            try:
                client.get("/health")
                break
            except httpx.TransportError:
                assert process.poll() is None, "the service ended"
                time.sleep(0.1)
        yield client
    finally:
        client.close()
        process.terminate()
        process.wait(10)


def alert(name: str = "LDN-2025-0001/A1", **more: object) -> shown.ShownAlert:
    values = {
        "id": name, "reference": name.split("/")[0], "title": "Harm <b>in</b> Camden", "marking": "TLP:AMBER",
        "issuer": "Test service", "standing": "actual", "state": shown.IN_FORCE, "expires_on": "2999-01-01",
        "versions": [{"version": 1, "dated": "2025-03-03", "kind": "alert"}],
    }  # fmt: skip
    return shown.ShownAlert.model_validate(values | more)
