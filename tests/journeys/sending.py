"""A sender in a process of its own, to be killed: everything it needs is loaded before it is forked."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

# Loaded here so that the fork server has it: a sender then starts in milliseconds.
import apprise.plugins.email

from ewarn.pipeline import respond
from ewarn.pipeline.house import open_house

import apprise.plugins.custom_json  # noqa: F401  isort: skip


def send(home: str, content: str, instant: float, ready: Any) -> None:
    """One run of the sender, at a scripted instant; `ready` is set when it begins."""
    now = datetime.fromtimestamp(instant, UTC)
    house = open_house(Path(home), Path(content), {}, clock=lambda _: now)
    ready.set()
    respond.send(house, now)
