"""Who keeps the lists: anybody while a home is set up, then only administrators and coordinators."""

from __future__ import annotations

from typing import Any

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY

from ewarn.errors import Refused
from ewarn.pipeline import identity, read
from ewarn.pipeline.reports import Actor
from ewarn.terms import Person, PersonRole, Recipient


def person(name: str, *roles: PersonRole) -> Person:
    return Person(id=name, name=f"Test {name}", roles=roles, areas=("E12000007",))


def test_one_shell_user_cannot_make_two_approvers_once_an_administrator_is_registered(corridor: Any) -> None:
    now = corridor.at("2025-05-01")
    house = corridor.house(now)
    read.add_person(house, person("ann", PersonRole.PANEL), "the token of ann", now)
    read.add_person(house, person("adam", PersonRole.ADMINISTRATOR), "the token of adam", now)
    made = person("ben", PersonRole.PANEL)
    for actor in (None, Actor("ann", "the token of ann"), Actor("adam", "a guess at adam's")):
        with pytest.raises(Refused):
            read.add_person(house, made, "the token of ben", now, actor)
    read.add_person(house, made, "the token of ben", now, Actor("adam", "the token of adam"))
    assert {p.id for p in read.list_people(house)} == {"ann", "adam", "ben"}


def test_recipients_are_changed_by_a_coordinator_all_or_none(corridor: Any) -> None:
    now = corridor.at("2025-05-01")
    house = corridor.house(now)
    read.add_person(house, person("cora", PersonRole.COORDINATOR), "the token of cora", now)
    read.add_person(house, person("adam", PersonRole.ADMINISTRATOR), "the token of adam", now)
    good = Recipient(id="one", name="One", areas=("E09000007",), channel="exercise-email", address="a@example.org")
    with pytest.raises(Refused):
        read.add_recipient(house, good, now)
    cora = Actor("cora", "the token of cora")
    with pytest.raises(Exception, match="no channel"):
        read.add_recipients(house, [good, good.model_copy(update={"id": "two", "channel": "nowhere"})], now, cora)
    assert read.list_recipients(house) == []
    read.add_recipient(house, good, now, cora)
    assert [r.id for r in read.list_recipients(house)] == ["one"]


def test_a_deactivated_person_can_no_longer_act(corridor: Any) -> None:
    now = corridor.at("2025-05-01")
    corridor.staff(now)
    house = corridor.house(now)
    read.deactivate_person(house, "ann", now)
    assert not next(p for p in read.list_people(house) if p.id == "ann").active
    from ewarn.pipeline.identity import proved

    with house.db.read() as con, pytest.raises(Refused):
        proved(con, corridor.actor("ann"))


def test_a_secret_is_hashed_as_rfc_9106_asks_and_an_unknown_person_costs_the_same(
    quick_secrets: PasswordHasher,
) -> None:
    kept = quick_secrets.hash("a secret of some length")
    assert extract_parameters(kept) == extract_parameters(identity._NOBODY) == RFC_9106_LOW_MEMORY
