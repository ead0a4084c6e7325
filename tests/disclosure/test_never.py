"""What identifies a person is left out whole: no surname, no street and no year of a birth stays behind it."""

from __future__ import annotations

import pytest

from ewarn.disclosure import never

LEFT = never.LEFT_OUT


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Mr John Smith died in Camden", f"{LEFT} died in Camden"),
        ("Mr J. Smith of Camden", f"{LEFT} of Camden"),
        ("Mrs Zofia Wierzbicka was seen", f"{LEFT} was seen"),
        ("a friend, John Smith, was there", f"a {LEFT}, was there"),
        ("a man named John Paul Smith said", f"a man {LEFT} said"),
        ("seen by John McDonald and Mary O'Neill-Jones", f"seen by {LEFT} and {LEFT}"),
        ("John de Souza and John García", f"{LEFT} and {LEFT}"),
        ("at Flat 12 Mary Smith Road, Camden", f"at {LEFT}, Camden"),
        ("DOB 01/02/1990, seen", f"{LEFT}, seen"),
        ("date of birth: 1 February 1990.", f"{LEFT}."),
        ("born on the 4th of May 1990 in Camden", f"{LEFT} in Camden"),
        ("born in May 1990", LEFT),
    ],
)
def test_a_person_is_left_out_whole(text: str, wanted: str) -> None:
    assert never.cleared(text) == wanted
    assert never.hits(wanted) == []


@pytest.mark.parametrize(
    "text",
    [
        "Victoria Elizabeth Hospital", "King Charles Street", "James Paget University Hospital", "St James Park",
        "Charlotte Street", "Camden and Islington",
    ],
)  # fmt: skip
def test_places_named_after_people_stay(text: str) -> None:
    assert never.cleared(text) == text


def test_words_that_two_patterns_share_are_one_hit_of_a_person() -> None:
    (hit,) = never.hits("text me for John Smith to order")
    assert (hit.kind, hit.words) == (never.PERSONAL, "text me for John Smith to order")
