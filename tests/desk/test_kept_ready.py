"""What pages show is looked up when a copy is published, and what was written is in it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from ewarn.pipeline import caseload, caseshelf, held, today, warming
from ewarn.pipeline.house import open_house
from tests.desk.conftest import NOW
from tests.desk.test_purpose import CASE, by


def within(seconds: float, true: Any) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.05)
    return bool(true())


def test_a_new_copy_is_looked_at_before_anybody_asks(desk: Any, clock: Any) -> None:
    house = desk.house
    ended = warming.keep(house, lambda: NOW)
    try:
        shelf = caseshelf._SHELVES.of(house)
        assert shelf.number == house.db.number()
        caseload.remark(house, CASE, "seen", by("duty"), NOW)
        number = house.db.publish()
        assert within(20, lambda: shelf.number == number)
    finally:
        ended.set()
    assert [case.ref for case in today.open_of(house)] == [CASE]


def test_an_empty_database_in_a_homes_place_leaves_no_case_of_the_one_before(desk: Any, tmp_path: Path) -> None:
    (tmp_path / "ewarn.toml").write_text('issuer = "TST"\nstanding = "test"\n')
    shelf = caseshelf._Shelf()
    assert [case.ref for case in shelf.current(desk.house).open] == [CASE]
    with open_house(tmp_path, None, {}, clock=lambda _: NOW).db.read() as con:
        shelf._read_on(con)
    assert shelf.cases.open == ()


def test_what_takes_long_is_answered_as_it_was_while_it_is_made_anew(desk: Any, monkeypatch: Any) -> None:
    house, made = desk.house, []

    def slow() -> int:
        time.sleep(0.3)
        made.append(1)
        return len(made)

    assert held.lately(house, "slow", slow) == held.lately(house, "slow", slow) == 1
    monkeypatch.setattr("ewarn.store.looking.landed", lambda con: (99, 99, 99))
    assert held.lately(house, "slow", slow) == 1
    assert within(5, lambda: held.lately(house, "slow", slow) == 2)
