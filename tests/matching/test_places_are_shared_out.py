"""Places: every spelling real files use, and what nobody can read."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ewarn.matching import Gazetteer
from ewarn.matching.places import outside


def areas(gazetteer: Gazetteer, text: str) -> list[str]:
    return [place.area for place in gazetteer.resolve(text)]


@pytest.mark.parametrize(
    ("text", "outward"),
    [
        ("NW1", "NW1"), ("nw1 ", "NW1"), ("NW1 8AB", "NW1"), ("NW18AB", "NW1"), ("W114", "W11"), ("DH11", "DH1"),
        ("SE01", "SE1"), ("SE01 9XX", "SE1"), ("W1G0", "W1G"), ("N11", "N11"), ("N11N", "N1"),
        ("W4 1P", "W4"), ("W41P", "W4"),
        ("12 High Street, London NW1 8AB", "NW1"),
    ],
)  # fmt: skip
def test_a_postcode_keeps_its_outward_half_only(gazetteer: Gazetteer, text: str, outward: str) -> None:
    assert {place.as_written for place in gazetteer.resolve(text)} == {outward}


@pytest.mark.parametrize("text", ["", " ", "Array", "England", "UNKNOWN - PUBLISHED DUE TO PROFILE", "Unknown", "NA",
                                  "UK", "EH", "B9LL", "ZZ99", "5051", "E99999999"])  # fmt: skip
def test_what_cannot_be_read_gives_no_area(gazetteer: Gazetteer, text: str) -> None:
    assert gazetteer.resolve(text) == ()


def test_an_outward_code_is_shared_between_areas(gazetteer: Gazetteer) -> None:
    found = gazetteer.resolve("NW1")
    assert [(p.area, p.share, p.certain) for p in found] == [("E09000007", 0.9, False), ("E09000033", 0.1, False)]
    assert gazetteer.resolve("SE1")[0].certain


def test_the_stem_of_lettered_codes_is_the_mean_of_its_members(gazetteer: Gazetteer) -> None:
    assert {(p.area, p.share) for p in gazetteer.resolve("W1")} == {("E09000033", 0.5), ("E09000007", 0.5)}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("camden", "E09000007"), ("London Borough of Camden", "E09000007"), ("Camden Council", "E09000007"),
        ("Kensington & Chelsea", "E09000020"), ("Royal Borough of Kensington and Chelsea", "E09000020"),
        ("City of London", "E09000001"), ("Westminster", "E09000033"), ("City of Westminster", "E09000033"),
        ("Richmond", "E09000027"), ("E09000007", "E09000007"), ("London", "E12000007"),
        ("Hostel in Camden, London", "E09000007"),
    ],
)  # fmt: skip
def test_an_area_is_found_by_any_of_its_names(gazetteer: Gazetteer, text: str, code: str) -> None:
    assert areas(gazetteer, text) == [code]


def test_two_areas_named_share_the_record(gazetteer: Gazetteer) -> None:
    assert [(p.area, p.share, p.certain) for p in gazetteer.resolve("Camden/Islington")] == [
        ("E09000007", 0.5, False), ("E09000019", 0.5, False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Reading the report is advised. Bath salts on sale in New York.", []),
        ("Deaths in Reading and Bath", ["E06000038", "E06000022"]),
        ("Overdoses in Camden, London", ["E09000007"]),
        ("Richmond, Virginia reports", []),
        ("City of London Police", ["E09000001"]),
        ("Kensington & Chelsea residents", ["E09000020"]),
        ("a camden lock", []),
        ("Camdenish things", []),
    ],
)
def test_everyday_words_are_places_only_beside_a_place_word(gazetteer: Gazetteer, text: str, found: list[str]) -> None:
    assert [one.area for one in gazetteer.find(text)] == found


def test_found_areas_point_at_their_words(gazetteer: Gazetteer) -> None:
    text = "Alert:  overdoses in\u00a0Camden & Islington"
    assert [text[f.start : f.end] for f in gazetteer.find(text)] == ["Camden", "Islington"]


def test_the_inward_half_is_cut_out_of_prose() -> None:
    assert outside("Flat 2, NW1 8AB near n11aa") == "Flat 2, NW1 near N1"


@given(st.text(max_size=30))
@settings(max_examples=150, deadline=None)
def test_any_text_has_shares_that_sum_to_one_or_none(gazetteer: Gazetteer, text: str) -> None:
    found = gazetteer.resolve(text)
    assert not found or abs(sum(place.share for place in found) - 1) < 1e-9
    gazetteer.find(text)
