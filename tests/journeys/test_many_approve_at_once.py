"""However many press the button at once, a text is issued once, by two different people."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import pytest

from ewarn.errors import EwarnError
from ewarn.pipeline import assess
from tests.journeys.conftest import NITAZENE_ROW, at

NOW = at("2025-05-19")
CASE = "LDN-2025-0001"


def pressed(corridor: Any, times: int) -> tuple[Counter[str], Any]:
    """Two panel members press the button so often each, all at once; who is refused says why."""
    corridor.staff(at("2025-05-17"))
    corridor.drop("test_results", [NITAZENE_ROW], NOW)
    corridor.detect(NOW)
    house = corridor.house(NOW)
    drafted = assess.draft(house, CASE, "formal alert", corridor.actor("author"), NOW)
    fixed = assess.submit(house, drafted.id, corridor.actor("author"), NOW)
    ends: Counter[str] = Counter()
    together = threading.Barrier(2 * times)

    def press(person: str) -> None:
        together.wait()
        try:
            assess.approve(corridor.house(NOW), fixed.id, fixed.hash, corridor.actor(person), NOW, note="exercise")
            ends[person] += 1
        except EwarnError as error:
            ends[type(error).__name__] += 1

    threads = [threading.Thread(target=press, args=(person,)) for person in ("ann", "ben") for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return ends, assess.show_alert(house, fixed.id)


@pytest.mark.parametrize("times", [6, pytest.param(100, marks=pytest.mark.slow)])
def test_a_text_is_issued_once(corridor: Any, times: int) -> None:
    ends, shown = pressed(corridor, times)
    assert sum(ends.values()) == 2 * times
    assert (ends["ann"], ends["ben"], shown.status) == (1, 1, "approved"), ends
    assert [decision.act for decision in shown.approvals] == ["approved", "approved"]
    assert len({delivery.destination for delivery in shown.deliveries}) == len(shown.deliveries) == 2
