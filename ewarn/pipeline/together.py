"""Acts on the store that are asked for at the same time share one transaction.

In: acts, from many threads. Out: to each what its act answered, once that is on disk. Whoever gets the pen writes for
all who wait. An act that fails takes no other with it: they are then written one by one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from ewarn.errors import EwarnError

Answer = TypeVar("Answer")
Act = Callable[[Any], Any]


class Together:
    """In: `write` opens a transaction that commits when it is left; `shared` makes of it what the acts are given."""

    def __init__(self, write: Callable[[], AbstractContextManager[Any]], shared: Callable[[Any], Any]) -> None:
        self._write, self._shared = write, shared
        self._asked: list[tuple[Act, Future[Any]]] = []
        self._asking, self._pen = threading.Lock(), threading.Lock()

    def __call__(self, act: Callable[[Any], Answer]) -> Answer:
        """Raises: what the act raises, and StoreBusy and StoreFault for everybody who waited."""
        future: Future[Answer] = Future()
        with self._asking:
            self._asked.append((act, future))
        with self._pen:
            with self._asking:
                turn, self._asked = self._asked, []
            if turn:
                self._written(turn)
        return future.result()

    def _written(self, turn: Sequence[tuple[Act, Future[Any]]]) -> None:
        try:
            with self._write() as tx:
                shared = self._shared(tx)
                answers = [act(shared) for act, _ in turn]
        except Exception as fault:
            if len(turn) > 1 and not isinstance(fault, EwarnError):
                for one in turn:
                    self._written([one])
                return
            for _, future in turn:
                future.set_exception(fault)
            return
        for (_, future), answer in zip(turn, answers, strict=True):
            future.set_result(answer)
