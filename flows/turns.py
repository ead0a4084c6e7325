"""Who may write now, and what is worth trying again.

In: a plain function that calls one verb. Out: what the verb answered. The write slot keeps flow runs in order; the
store's own file lock is what protects the data. Never decides anything about the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from prefect.concurrency.asyncio import concurrency

from ewarn.errors import StoreBusy, TransientSourceError
from ewarn.pipeline.house import House, open_house

Answer = TypeVar("Answer")

WRITE_SLOT = "ewarn-write"
WAIT_SECONDS = 120
RETRYABLE = (TransientSourceError, StoreBusy)
STORE_RETRIES = {"retries": 3, "retry_delay_seconds": 5}
FEED_RETRIES = {"retries": 2, "retry_delay_seconds": [5, 20], "retry_jitter_factor": 0.3}


def worth_retrying(task: Any, run: Any, state: Any) -> bool:
    """Prefect's retry condition: a busy store or a passing fault of a source, and nothing else."""
    return isinstance(state.data, RETRYABLE)


@asynccontextmanager
async def write_turn() -> AsyncIterator[None]:
    """Hold the one write slot. Raises: StoreBusy when it is not free in time, which is worth a retry."""
    try:
        async with concurrency(WRITE_SLOT, occupy=1, timeout_seconds=WAIT_SECONDS, lease_duration=60, strict=True):
            yield
    except TimeoutError as error:
        raise StoreBusy(
            "another flow run holds the write slot",
            where=WRITE_SLOT,
            next_step="It is tried again; if it stays so, look for a run that hangs.",
        ) from error


async def in_turn(act: Callable[[House, datetime], Answer]) -> Answer:
    """Open the house, then act in it while holding the write slot; in threads, so that heartbeats go on."""
    house = await asyncio.to_thread(open_house)
    async with write_turn():
        return await asyncio.to_thread(_act, act, house)


async def reading(act: Callable[[House, datetime], Answer]) -> Answer:
    """The same for acts that write nothing: no slot."""
    house = await asyncio.to_thread(open_house)
    return await asyncio.to_thread(_act, act, house)


async def out_of_turn(act: Callable[[House, datetime], Answer]) -> Answer:
    """The same for an act that waits for others' servers: each of its short writes takes the store's own lock."""
    return await reading(act)


def _act(act: Callable[[House, datetime], Answer], house: House) -> Answer:
    return act(house, datetime.now(UTC))
