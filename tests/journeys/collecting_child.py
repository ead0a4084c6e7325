"""A collector in a process of its own that is killed at a named point: before the store has it, after, or half way."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ewarn.personal import spool, told
from ewarn.pipeline import collecting
from ewarn.pipeline.house import open_house
from ewarn.store import answers, partner_reports


def die(*_: Any, **__: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def collect(home: str, instant: float, point: str, after: int) -> None:
    """Take the spool in, and die at the `after`-th call of `point`."""
    calls = {
        "store": (answers, "put"), "file": (spool, "put_away"), "report": (partner_reports, "save"),
        "report file": (told, "taken_in"),
    }  # fmt: skip
    room, name = calls[point]
    inner, seen = getattr(room, name), []

    def counted(*words: Any, **more: Any) -> Any:
        seen.append(1)
        return die() if len(seen) > after else inner(*words, **more)

    setattr(room, name, counted)
    now = datetime.fromtimestamp(instant, UTC)
    collecting.collect(open_house(Path(home), None, {}, clock=lambda _: now), now)
