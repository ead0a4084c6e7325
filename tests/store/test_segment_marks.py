"""Numbers that stand for keys and lines of a large file: which occur once, which several times."""

from __future__ import annotations

import numpy as np

from ewarn.store import segments


def test_keys_of_one_part_that_occur_once_are_told_from_the_others() -> None:
    marks = np.array([7, 1, 7, 3, 1, 7, 9], dtype=np.uint64)
    assert segments.single(marks).tolist() == [False, False, False, True, False, False, True]
    assert segments.single(marks[:0]).tolist() == []
