"""The file that says which processes a `make serve` started, so that the next one notices what was left behind.

In: children and addresses. Out: PREFECT_HOME/server.json. A process is ours only where both its id and the instant it
started are as written there; a process id that was given to somebody else since is left alone.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flows.children import Child, end_group

RECORD = "server.json"


class Register:
    def __init__(self, path: Path) -> None:
        self.path = path

    def settle(self) -> list[str]:
        """Look at what an earlier run left; sentences for the person. Raises: SystemExit where one is still running."""
        left = self._read()
        if not left:
            return []
        keeper = left.get("serve", {})
        if _is_same(keeper) and keeper.get("pid") != os.getpid():
            places = ", ".join(left.get("addresses", {}).values())
            raise SystemExit(f"`make serve` is already running (process {keeper['pid']}) at {places}: stop it first.")
        stale = [entry for entry in left.get("children", []) if _is_same(entry)]
        for entry in stale:
            end_group(entry["pid"], lambda: None)
        self.clear()
        words = ", ".join(f"{entry['name']} (process {entry['pid']})" for entry in stale)
        return [f"an earlier `make serve` was killed; ended what it left running: {words or 'nothing'}"]

    def write(self, children: Sequence[Child], addresses: dict[str, str], api_url: str) -> None:
        record = {
            "serve": {"name": "serve", "pid": os.getpid(), "started": started_at(os.getpid())},
            "children": [{"name": c.name, "pid": c.pid, "started": started_at(c.pid)} for c in children],
            "addresses": addresses,
            "api_url": api_url,
        }
        self.path.write_text(json.dumps(record, indent=2) + "\n")

    def clear(self) -> None:
        self.path.unlink(missing_ok=True)

    def _read(self) -> dict[str, Any]:
        try:
            left = json.loads(self.path.read_text())
        except (OSError, ValueError):
            return {}
        return left if isinstance(left, dict) else {}


def _is_same(entry: dict[str, Any]) -> bool:
    """Whether the process of an entry still lives and is the one that was written down."""
    pid, started = entry.get("pid"), entry.get("started")
    return isinstance(pid, int) and bool(started) and started_at(pid) == started


def started_at(pid: int) -> str:
    """When a process started, as the system says it; empty where there is no such process (or only its remains)."""
    if Path("/proc/self/stat").exists():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return ""
        return "" if fields[0] == "Z" else fields[19]
    shown = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip()
