"""What is written together fails apart: an ask that is refused takes no other with it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from ewarn.errors import ContentFault, EwarnError, StoreBusy
from ewarn.pipeline.together import Together

FIRST, GOOD, BAD = "first", "good", "bad"


def asked(fault: EwarnError) -> tuple[dict[str, Any], list[list[str]]]:
    """What a good and a bad ask hear that wait while another is written; and what was committed, by transaction."""
    begun, held = threading.Event(), threading.Event()
    committed: list[list[str]] = []

    @contextmanager
    def write() -> Iterator[list[str]]:
        tx: list[str] = []
        yield tx
        committed.append(tx)

    def entered(tx: list[str], asks: Sequence[str]) -> list[str]:
        if FIRST in asks:
            begun.set()
            held.wait(5)
        if BAD in asks:
            raise fault
        tx += asks
        return [f"{ask}: done" for ask in asks]

    together: Together[str] = Together(write, entered)
    with ThreadPoolExecutor(3) as crew:
        futures = {FIRST: crew.submit(together, FIRST)}
        assert begun.wait(5)
        futures |= {ask: crew.submit(together, ask) for ask in (GOOD, BAD)}
        until = time.monotonic() + 5
        while len(together._asked) < 2 and time.monotonic() < until:
            time.sleep(0.005)
        held.set()
        heard = {ask: future.exception() or future.result() for ask, future in futures.items()}
    return heard, committed


def test_a_message_that_was_sent_is_settled_though_another_cannot_be_claimed() -> None:
    fault = ContentFault("the template cannot be rendered")
    heard, committed = asked(fault)
    assert heard == {FIRST: "first: done", GOOD: "good: done", BAD: fault}
    assert committed == [[FIRST], [GOOD]]


@pytest.mark.parametrize("fault", [StoreBusy("another writer holds the lock")])
def test_a_store_that_cannot_be_written_is_said_to_everybody_at_once(fault: EwarnError) -> None:
    heard, committed = asked(fault)
    assert heard[BAD] is fault and heard[GOOD] is fault and committed == [[FIRST]]


def test_who_has_an_answer_goes_on_and_asks_again_while_others_are_written() -> None:
    """Or those who ask next would be written one by one, behind all who have their answers already."""
    committed: list[int] = []

    @contextmanager
    def write() -> Iterator[None]:
        time.sleep(0.01)
        yield

    def entered(tx: None, asks: Sequence[int]) -> Sequence[int]:
        committed.append(len(asks))
        return asks

    together: Together[int] = Together(write, entered)

    def many(first: int) -> list[int]:
        return [together(ask) for ask in range(first, first + 10)]

    with ThreadPoolExecutor(40) as crew:
        heard = [answer for answers in crew.map(many, range(0, 400, 10)) for answer in answers]
    assert heard == list(range(400)) and sum(committed) == 400
    assert len(committed) < 100, "four or more at a time"
