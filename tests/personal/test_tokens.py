"""A link or code is believed where one of our keys made it for that delivery, and nowhere else."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ewarn.errors import Refused
from ewarn.personal import keys, tokens

NEW, OLD, OTHER = "n" * 64, "o" * 64, "x" * 64
DAY = date(2025, 4, 1)
MADE = tokens.token([NEW], "0123456789abcdef", DAY)


def test_a_token_says_its_delivery_and_its_last_day_the_same_at_every_attempt() -> None:
    assert tokens.token([NEW], "0123456789abcdef", DAY) == MADE
    assert tokens.opened([NEW], MADE) == tokens.Opened(delivery="0123456789abcdef", until=DAY)


def test_a_key_that_was_replaced_is_still_believed_until_it_is_taken_away() -> None:
    before = tokens.token([OLD], "d1", DAY)
    assert tokens.opened([NEW, OLD], before) == tokens.Opened(delivery="d1", until=DAY)
    assert tokens.token([NEW, OLD], "d1", DAY) == tokens.token([NEW], "d1", DAY), "the newest signs"
    assert tokens.opened([NEW], before) is None


@given(st.integers(0, len(MADE) - 1), st.characters(min_codepoint=33, max_codepoint=126))
def test_one_changed_character_spoils_a_token(place: int, letter: str) -> None:
    changed = MADE[:place] + letter + MADE[place + 1 :]
    same = changed == MADE
    # The last letter of 256 bits in base64 carries two bits that mean nothing.
    assert (tokens.opened([NEW], changed) is not None) == same or place == len(MADE) - 1


@given(st.text(max_size=300))
def test_no_other_words_are_a_token_or_break_the_reading_of_one(words: str) -> None:
    assert tokens.opened([NEW], words) is None
    assert tokens.code_as_typed(words) == "" or len(tokens.code_as_typed(words)) == 11


def test_a_code_is_as_long_as_its_placeholder_and_differs_by_delivery_and_key() -> None:
    found = {tokens.code(key, f"d{n}") for key in (NEW, OLD) for n in range(500)}
    assert len(found) == 1000 and {len(code) for code in found} == {len("ANSWER-CODE")}


@pytest.mark.parametrize("typed", ["0ik3m-q2xd9", "OIK3M-Q2XD9", " 01k3mq2xd9 ", "0l k3m q2 xd9"])
def test_a_code_may_be_typed_as_people_do(typed: str) -> None:
    assert tokens.code_as_typed(typed) == "01K3M-Q2XD9"


@pytest.mark.parametrize("typed", ["", "01K3M", "01K3MQ2XD9U", "01K3M-Q2XD!", "U1K3MQ2XD9"])
def test_what_cannot_be_a_code_is_none(typed: str) -> None:
    assert tokens.code_as_typed(typed) == ""


def test_a_home_makes_its_own_key_once_for_its_owner_alone(tmp_path: Path) -> None:
    first = keys.read((), str, tmp_path / "keys")
    assert keys.read((), str, tmp_path / "keys") == first and len(first[0]) == 64
    assert (tmp_path / "keys" / "answer.key").stat().st_mode & 0o777 == 0o600
    assert [p.name for p in (tmp_path / "keys").iterdir()] == ["answer.key"]


def test_a_key_that_could_be_guessed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="shorter than 32"):
        keys.read(("one",), lambda _: "secret", tmp_path)
