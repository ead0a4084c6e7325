"""Whatever a count is inside its public cell, every public format of every version has the same bytes."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from ewarn.assess import draft, following
from ewarn.assess.facts import Event, Facts, Found, Origin, Sample
from ewarn.catalogue import Catalogue
from ewarn.dispatch import render
from ewarn.terms import Alert, CaseFile, Product, Standing, Subject, SubjectKind
from tests.content.messages import shipped

CAMDEN = "E09000007"
NOW = datetime(2025, 3, 7, 9, tzinfo=UTC)
AMBULANCE, LAB = Origin("Ambulance (synthetic)", "ambulance"), Origin("Laboratory (synthetic)", "drug-checking")
# Counts that the public reads as the same: hidden ones, and ones rounded to the same five.
ALIKE = [((2, 1), (6, 5)), ((7, 0), (1, 0)), ((33, 9), (37, 12)), ((18, 3), (21, 7)), ((113, 23), (116, 27))]


def case() -> CaseFile:
    return CaseFile(
        ref="LDN-2025-0007", title="A case", status="open", lead_area=CAMDEN,
        subject=Subject(kind=SubjectKind.CLASS, id="nitazene", name="nitazenes"), keys=("x",),
        standing=Standing.ACTUAL, opened_at=NOW, next_action="x", due_at=NOW,
    )  # fmt: skip


def facts(people: int, dead: int) -> Facts:
    """So many people, of whom so many died, one a row, over the same days; the same samples whatever happened."""
    first = date(2025, 3, 3)
    events = tuple(
        Event(
            record=f"e{number:04d}", origin=AMBULANCE, outcome="fatal" if number < dead else "non-fatal", persons=1,
            cumulative=False, setting="street", start=first, end=first, place="Camden",
            at=datetime(2025, 3, 3, tzinfo=UTC) + timedelta(minutes=7 * number % 1440), areas=CAMDEN,
        )
        for number in range(people)
    )  # fmt: skip
    sample = Sample("s1", LAB, "diazepam", "tablet", "blue", "20", first, "Camden")
    found = Found("s1", LAB, "metonitazene", "nitazene", "Metonitazene", "major", False, "GC-MS", False, True)
    return Facts(events=events, samples=(sample,), found=(found,), sources=("test_results",), marking="TLP:CLEAR")


def first_version(catalogue: Catalogue, count: tuple[int, int]) -> Alert:
    return draft.write(case(), catalogue, Product.FORMAL_ALERT, "ann", NOW, facts(*count), issuer_name="ewarn (test)")


def public(alert: Alert, catalogue: Catalogue) -> dict[str, bytes]:
    found = {p.format: p.body for p in render.payloads(alert, catalogue, paper=True) if p.audience == "public"}
    assert len(found) >= 5, sorted(found)
    return found


def unlike(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    return [name for name in sorted({*one, *other}) if one.get(name) != other.get(name)]


@pytest.mark.parametrize(("left", "right"), ALIKE)
def test_counts_of_one_public_cell_give_the_same_bytes_in_every_public_format(left: Any, right: Any) -> None:
    catalogue = shipped()
    one, other = (public(first_version(catalogue, count), catalogue) for count in (left, right))
    assert unlike(one, other) == []


@pytest.mark.parametrize(
    "steps", [(((2, 0), (5, 0)), ((4, 0), (4, 0))), (((33, 9), (34, 10)), ((36, 11), (33, 12)))]
)  # fmt: skip
def test_a_later_version_gives_no_difference_away(steps: Any) -> None:
    catalogue = shipped()
    seconds = []
    for before, after in steps:
        had = first_version(catalogue, before)
        fresh = first_version(catalogue, after).content
        seconds.append(following.update(had, 2, {}, "ann", NOW + timedelta(days=1), catalogue, fresh))
    one, other = (public(second, catalogue) for second in seconds)
    assert unlike(one, other) == []


def test_professionals_read_the_counts_themselves() -> None:
    catalogue = shipped()
    bodies = [
        {p.format: p.body for p in render.payloads(first_version(catalogue, count), catalogue, paper=False)
         if p.audience == "professional"}
        for count in ((2, 1), (6, 5))
    ]  # fmt: skip
    assert {"text", "email"} <= set(unlike(*bodies))


def test_what_another_alert_told_is_told_again_in_no_public_format() -> None:
    catalogue = shipped()
    found = []
    for count in ((12, 3), (40, 20)):
        alert = first_version(catalogue, count)
        elsewhere = {"told_in": {"people": "LDN-2025-0003/A1", "samples": "LDN-2025-0003/A1"}}
        said = public(alert.model_copy(update={"content": alert.content | elsewhere}), catalogue)
        assert {"text", "email", "cap", "json", "sms", "flyer", "poster"} <= set(said)
        assert not re.search(r"about \d|fewer than \d", said["text"].decode()) and "LDN-2025-0003" not in str(said)
        assert "people were reported to have overdosed or died" in said["text"].decode()
        found.append(said)
    assert unlike(*found) == [], "the same bytes whatever the numbers are"
