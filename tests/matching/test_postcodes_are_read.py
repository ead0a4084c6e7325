"""Postcodes: every way people write one gives the same outward code, and no inward half ever comes out."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ewarn.matching.postcodes import Postcodes

LIVE = ["NW1", "W11", "W1", "W1G", "W4", "SE1", "SE15", "DH1", "N1", "N11", "SW1A", "HA0", "EC1", "EC1A", "OX1", "IP1",
        "E1", "E10", "E17", "S1", "BN1", "NP1X"]  # fmt: skip
INWARD = st.tuples(st.integers(0, 9), st.sampled_from("ABDEFGHJLNPQRSTUWXYZ"), st.sampled_from("ABDEFGHJLNPQRSTUWXYZ"))


@pytest.fixture(scope="module")
def postcodes() -> Postcodes:
    return Postcodes(LIVE, ["SO1", "CF4"])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("NW1", "NW1"), ("nw1 8ab", "NW1"), ("NW18AB", "NW1"), ("NW1-", "NW1"), ("NW1 -", "NW1"), ("NW1 8-", "NW1"),
        ("NW1 ***", "NW1"), ("NW1 8**", "NW1"), ('"NW1"', "NW1"), ("NW1,", "NW1"), ("N W1", "NW1"), ("NW 1", "NW1"),
        ("W114", "W11"), ("DH11", "DH1"), ("SE01", "SE1"), ("SE01 9XX", "SE1"), ("SE019XX", "SE1"), ("E017AA", "E1"),
        ("SW1A 1", "SW1A"), ("SW1A1", "SW1A"), ("SW1A 1AA", "SW1A"), ("sw1a1aa", "SW1A"), ("NW1 XXX", "NW1"),
        ("N1 1", "N1"), ("N11", "N11"), ("N1 1AA", "N1"), ("N111AA", "N11"), ("E1 7", "E1"), ("E17", "E17"),
    ],
)  # fmt: skip
def test_a_postcode_is_read_in_any_spelling(postcodes: Postcodes, text: str, code: str) -> None:
    read = postcodes.read(text)
    assert read is not None and (read.code, read.certain) == (code, True)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SWIA 1AA", "SW1A"), ("W4IP", "W4"), ("HAO", "HA0"), ("HAO 1AA", "HA0"), ("SEI5", "SE15"), ("SEI", "SE1"),
        ("ECI", "EC1"), ("0X1", "OX1"), ("1P1 2AB", "IP1"), ("E1O", "E10"), ("NW1OAA", "NW1"),
    ],
)  # fmt: skip
def test_a_letter_for_a_digit_is_put_right_and_never_certain(postcodes: Postcodes, text: str, code: str) -> None:
    read = postcodes.read(text)
    assert read is not None and (read.code, read.certain) == (code, False)


@pytest.mark.parametrize(
    "text", ["BRI", "NI", "EI", "LEO", "B9LL", "5051", "", "-", "Brixton", "SOHO", "OI", "N\u0661"]
)
def test_a_word_is_no_postcode(postcodes: Postcodes, text: str) -> None:
    assert postcodes.read(text) is None


def test_a_code_no_longer_in_use_counts_only_as_it_stands(postcodes: Postcodes) -> None:
    assert [postcodes.read(text).what for text in ("SO1", "SO1 2AB", "CF4")] == ["former outward code"] * 3  # type: ignore[union-attr]
    assert postcodes.read("CF41") is None, "the live codes here know no CF, so a run-together CF4 1 says nothing"


@pytest.mark.parametrize(
    ("text", "what", "word"),
    [
        ("IM1 1AA", "outside", "Isle of Man"), ("JE2", "outside", "Jersey"), ("GY10", "outside", "Guernsey"),
        ("BX1 1AA", "nowhere", "bulk"), ("GIR 0AA", "nowhere", "Girobank"), ("BF1 2AA", "nowhere", "Forces"),
        ("XX1 1XX", "nowhere", "without a place"), ("ZZ99 3VZ", "nowhere", "no fixed or known address"),
    ],
)  # fmt: skip
def test_codes_off_the_map_say_why(postcodes: Postcodes, text: str, what: str, word: str) -> None:
    read = postcodes.read(text)
    assert read is not None and read.what == what and word in read.why


def test_letters_alone_are_a_postcode_area_unless_they_are_a_point_of_the_compass(postcodes: Postcodes) -> None:
    assert postcodes.read("BN").what == "postcode area"  # type: ignore[union-attr]
    assert [postcodes.read(text) for text in ("NW", "SE", "SW", "N", "XQ")] == [None] * 5


def test_an_unknown_code_says_its_postcode_area_only(postcodes: Postcodes) -> None:
    assert [(r.code, r.what) for r in (postcodes.read("BN77"), postcodes.read("BN77 1AA")) if r] == [
        ("BN", "area of a code"), ("BN", "area of a code"),
    ]  # fmt: skip


@given(st.sampled_from(LIVE), INWARD, st.sampled_from(["", " ", "  ", "\t"]), st.booleans(), st.booleans())
@settings(max_examples=300, deadline=None)
def test_spacing_case_and_padding_make_no_difference(
    outward: str, inward: tuple[int, str, str], gap: str, lower: bool, padded: bool
) -> None:
    letters = outward.rstrip("0123456789")
    written = f"{letters}0{outward[-1]}" if padded and len(outward) - len(letters) == 1 else outward
    text = f"{written}{gap}{inward[0]}{inward[1]}{inward[2]}"
    read = Postcodes(LIVE).read(text.lower() if lower else text)
    assert read is not None and (read.code, read.what, read.certain) == (outward, "full postcode", True)


@given(st.text(max_size=14))
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_known_code_or_none(text: str) -> None:
    read = Postcodes(LIVE, ["SO1"]).read(text)
    assert read is None or read.code in {*LIVE, "SO1"} or read.what not in ("full postcode", "outward code")
