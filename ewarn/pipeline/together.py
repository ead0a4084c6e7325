"""What is asked of the store at the same time is written in one transaction, and like with like in one statement.

In: asks, from many threads. Out: to each its answer, once that is on disk. One thread alone writes, each time for all
who wait by then; who has an answer goes on at once and waits for no other. An ask that fails takes no other with it:
they are then written one by one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any, Generic, TypeVar

from ewarn.errors import StoreBusy, StoreFault

Ask = TypeVar("Ask")


class Together(Generic[Ask]):
    """In: `write` opens a transaction that commits when it is left; `entered` answers several asks in it, in order."""

    def __init__(
        self,
        write: Callable[[], AbstractContextManager[Any]],
        entered: Callable[[Any, Sequence[Ask]], Sequence[Any]],
    ) -> None:
        self._write, self._entered = write, entered
        self._asked: list[tuple[Ask, Future[Any]]] = []
        self._asking = threading.Lock()
        self._pen = ThreadPoolExecutor(1, thread_name_prefix="ewarn-pen")

    def __call__(self, ask: Ask) -> Any:
        """Raises: what the ask raises, and StoreBusy and StoreFault for everybody who waited."""
        future: Future[Any] = Future()
        with self._asking:
            self._asked.append((ask, future))
        self._pen.submit(self._all_asked)
        return future.result()

    def _all_asked(self) -> None:
        with self._asking:
            turn, self._asked = self._asked, []
        if turn:
            self._written(turn)

    def _written(self, turn: Sequence[tuple[Ask, Future[Any]]]) -> None:
        try:
            with self._write() as tx:
                answers = self._entered(tx, [ask for ask, _ in turn])
        except Exception as fault:
            if len(turn) > 1 and not isinstance(fault, (StoreBusy, StoreFault)):
                for one in turn:
                    self._written([one])
                return
            for _, future in turn:
                future.set_exception(fault)
            return
        for (_, future), answer in zip(turn, answers, strict=True):
            future.set_result(answer)
