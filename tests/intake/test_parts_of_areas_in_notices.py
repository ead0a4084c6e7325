"""Outward codes and parts of London are places where words say so; on a tablet or below a letter they are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from ewarn import catalogue
from ewarn.catalogue import Catalogue
from ewarn.intake import notice_facts, vocabulary

CAMDEN, HACKNEY, WESTMINSTER, SOUTHWARK = "E09000007", "E09000012", "E09000033", "E09000028"


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return catalogue.load(Path(__file__).parents[2])


def areas(shipped: Catalogue, text: str) -> dict[str, tuple[float, bool]]:
    found = notice_facts.read("Warning: protonitazene", text, vocabulary.of(shipped)).places
    return {one.area: (round(one.share, 3), one.certain) for one in found if one.precision != "unplaced"}


@pytest.mark.parametrize(
    ("text", "area"),
    [
        ("Orange powder is sold in E8 and N16.", HACKNEY),
        ("Three deaths in the NW1 area.", CAMDEN),
        ("Sold around SE1 postcodes", SOUTHWARK),
        ("Two overdoses near NW1 0AB last night", CAMDEN),
        ("Overdoses in London E8 after tablets", HACKNEY),
        ("People in the E5, E8 & N16 areas collapsed", HACKNEY),
        ("Found within W1; more to follow", WESTMINSTER),
    ],
)
def test_a_code_as_the_place(shipped: Catalogue, text: str, area: str) -> None:
    found = areas(shipped, text)
    assert area in found and sum(share for share, _ in found.values()) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    "text",
    [
        "Blue tablets with the imprint E8.",
        "Fake oxycodone in M30 tablets and in M30.",
        "Deficiency in B12 was seen.",
        "In E8 tablets it was found twice.",
        "A rise in Q3 and in H1 2025.",
        "See table S1 and figure E2.",
        "Sold in e8 packets",
    ],
)
def test_what_only_looks_like_one(shipped: Catalogue, text: str) -> None:
    assert not areas(shipped, text)


def test_an_address_is_no_place_of_an_event(shipped: Catalogue) -> None:
    assert areas(shipped, "Enquiries to 10 South Colonnade, London E14 4PU.") == {"E12000007": (1.0, True)}


def test_a_named_borough_is_not_watered_down(shipped: Catalogue) -> None:
    assert areas(shipped, "Deaths in Hackney, in E8 and in the N16 area") == {HACKNEY: (1.0, True)}


def test_the_words_kept_hold_no_full_postcode(shipped: Catalogue) -> None:
    found = notice_facts.read("Warning: metonitazene", "Two overdoses near NW1 0AB", vocabulary.of(shipped))
    assert "0AB" not in found.evidence_text() and all("0AB" not in one.as_written for one in found.places)


LAMBETH, EALING, WALTHAM = "E09000022", "E09000009", "E09000031"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Two people died in Southall on May 26.", {EALING}),
        ("Tablets are going round near Brixton and Peckham", {LAMBETH, SOUTHWARK}),
        ("Overdoses in King\u2019s Cross", {CAMDEN, "E09000019"}),
        ("Metropolitan Police of the North East Borough Command Unit found it", {WALTHAM, "E09000025"}),
        ("Deaths in Brixton, Lambeth", {LAMBETH}),
    ],
)
def test_parts_of_london(shipped: Catalogue, text: str, wanted: set[str]) -> None:
    found = areas(shipped, text)
    assert set(found) == wanted and sum(share for share, _ in found.values()) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    "text",
    [
        "The report by Brixton was read.",
        "Tablets sold in Brixton Road, Birmingham",
        "People in Chelsea Manning's book",
        "An arrest in Southall, Ontario",
    ],
)
def test_what_only_sounds_like_a_part_of_london(shipped: Catalogue, text: str) -> None:
    assert not set(areas(shipped, text)) & {LAMBETH, EALING, "E09000020"}
