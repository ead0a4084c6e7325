"""Numbers that stand for keys and lines of a large file: which occur once, which several times."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ewarn.store import known


def test_keys_of_one_part_that_occur_once_are_told_from_the_others() -> None:
    marks = np.array([7, 1, 7, 3, 1, 7, 9], dtype=np.uint64)
    assert known.single(marks).tolist() == [False, False, False, True, False, False, True]
    assert known.single(marks[:0]).tolist() == []


@given(st.lists(st.integers(0, 2**64 - 1)), st.lists(st.integers(0, 2**64 - 1)), st.integers(0, 63))
def test_numbers_are_found_by_their_first_bits_as_by_halving(have: list[int], others: list[int], crowded: int) -> None:
    sorted_ = np.sort(np.array([*have, *(one >> crowded for one in have)], dtype=np.uint64))
    asked = np.array([*have, *others, 0, 2**64 - 1], dtype=np.uint64)
    assert known.Found(sorted_).places(asked).tolist() == known.places(asked, sorted_).tolist()


def test_more_numbers_of_the_same_first_bits_than_are_looked_at_one_by_one() -> None:
    crowd = np.arange(500, dtype=np.uint64)
    asked = np.array([499, 7, 500, 1 << 40], dtype=np.uint64)
    assert known.Found(crowd).places(asked).tolist() == [499, 7, -1, -1]
