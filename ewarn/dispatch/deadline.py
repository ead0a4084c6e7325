"""An attempt that takes too long is left behind, so that one dead server delays nobody else.

In: what to do and the seconds it has. Out: what it answered, or nothing in time. It must never end the act itself: what
was left behind may still arrive, and whoever asked has to treat it so.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import TypeVar

Answer = TypeVar("Answer")


def within(
    seconds: float, act: Callable[[], Answer], places: threading.BoundedSemaphore | None = None, patience: float = 1.0
) -> Answer | None:
    """The answer, or None where there is none in time. Raises: whatever the act raises in time.

    In: `places` for so many acts at once; one that has done nothing but wait for longer than `patience` seconds gives
    its place to another, so that servers that hang take no place from those that answer.
    """
    done: list[Answer] = []
    fault: list[BaseException] = []

    def run() -> None:
        try:
            done.append(act())
        except BaseException as error:
            fault.append(error)

    thread = threading.Thread(target=run, daemon=True, name="ewarn-send")
    with places or nullcontext():
        thread.start()
        thread.join(min(patience, seconds) if places else seconds)
    if thread.is_alive() and places:
        thread.join(max(0.0, seconds - patience))
    if fault:
        raise fault[0]
    return done[0] if done else None


def side_by_side(acts: Sequence[Callable[[], Answer]], at_once: int = 32) -> list[Answer]:
    """What each act answers, in their order; so many run at once. Raises: the first fault, when all have ended."""
    answers: dict[int, Answer] = {}
    faults: list[BaseException] = []
    waiting = iter(range(len(acts)))
    turn = threading.Lock()

    def run() -> None:
        while True:
            with turn:
                index = next(waiting, None)
            if index is None:
                return
            try:
                answers[index] = acts[index]()
            except BaseException as error:
                faults.append(error)

    threads = [threading.Thread(target=run, daemon=True, name="ewarn-queue") for _ in acts[:at_once]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    return [answers[index] for index in range(len(acts))]
