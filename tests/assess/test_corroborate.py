"""Independent streams raise a case; they page nobody by themselves, and one sample told of twice is one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from ewarn.assess import corroborate
from ewarn.assess.facts import Event, Facts, Found, Origin, Sample
from ewarn.catalogue import Catalogue
from ewarn.terms import CaseChange, CaseFile, Subject, SubjectKind

DAY, AT = date(2025, 3, 3), datetime(2025, 3, 3, 12, tzinfo=UTC)
LAB, CUSTODY = Origin("WEDINOS", "drug checking"), Origin("Met", "custody")
MORTUARY, LOOP = Origin("Mortuary", "post-mortem"), Origin("The Loop", "drug checking")


def a_case(kind: SubjectKind = SubjectKind.CLASS, subject: str = "nitazene", **more: object) -> CaseFile:
    return CaseFile(
        ref="LDN-2025-0001", title="t", status="open", lead_area="E09000007",
        subject=Subject(kind=kind, id=subject, name=subject), keys=(), opened_at=AT, next_action="a",
        due_at=AT + timedelta(hours=40), **more,  # type: ignore[arg-type]
    )  # fmt: skip


def facts(*told: tuple[str, Origin, bool], label: str = "", days: tuple[int, ...] = (), said: tuple = ()) -> Facts:
    """One sample each: record, origin, whether by a confirmatory method; `days` earlier than the case's day."""
    samples, found = [], []
    for i, (record, origin, confirmed) in enumerate(told):
        day = DAY - timedelta(days=days[i] if days else 0)
        look = label or record
        samples.append(Sample(record, origin, "diazepam", "tablet", "blue", look, day, "Camden"))
        found.append(Found(record, origin, "metonitazene", "nitazene", "m", "major", not confirmed, "", False, True))
    return Facts(samples=tuple(samples), found=tuple(found), said=said)


@pytest.mark.parametrize(
    ("told", "holds", "score"),
    [
        ([("a", LAB, True), ("b", CUSTODY, False)], True, 1.5),
        ([("a", LAB, True), ("b", CUSTODY, True), ("c", MORTUARY, True)], True, 3.0),
        ([("a", LAB, False), ("b", CUSTODY, False)], False, 1.0),
        ([("a", LAB, True), ("b", LOOP, True)], False, 1.0),
        ([("a", LAB, True), ("b", Origin("wedinos", "custody"), True)], False, 1.0),
        ([("a", LAB, True)], False, 1.0),
        ([], False, 0.0),
    ],
)
def test_streams_are_independent_when_organisation_and_stream_both_differ(
    told: list[tuple[str, Origin, bool]], holds: bool, score: float
) -> None:
    found = corroborate.of(a_case(), facts(*told))
    assert (found.holds, found.score) == (holds, score)


def test_one_sample_delivered_by_two_sources_is_one() -> None:
    twice = facts(("a", LAB, True), ("b", Origin("Council", "custody"), True), label="M30")
    assert not corroborate.of(a_case(), twice).holds
    linked = facts(("a", LAB, True), ("b", CUSTODY, True), said=(("a", "b", "confirmed"),))
    assert not corroborate.of(a_case(), linked).holds


def test_what_is_older_than_the_window_or_of_another_class_does_not_count() -> None:
    old = facts(("a", LAB, True), ("b", CUSTODY, True), days=(0, 40))
    assert not corroborate.of(a_case(), old).holds
    both = facts(("a", LAB, True), ("b", CUSTODY, True))
    assert not corroborate.of(a_case(subject="orphine"), both).holds
    assert not corroborate.of(a_case(SubjectKind.NONE, ""), both).holds


def test_a_suspicion_in_a_person_and_a_sample_corroborate_each_other() -> None:
    ambulance = Origin("London Ambulance", "ambulance")
    event = Event("e", ambulance, "non-fatal", 1, False, "", DAY, DAY, "Camden")
    named = Found("e", ambulance, "", "nitazene", "nitazene", "suspected", None, "", True)
    sample = facts(("a", LAB, True))
    found = corroborate.of(a_case(), Facts(events=(event,), samples=sample.samples, found=(*sample.found, named)))
    assert found.holds and found.words.startswith("2 independent streams")


def test_it_raises_the_case_and_never_pages_by_itself(catalogue: Catalogue) -> None:
    change = CaseChange(act="joined", case=a_case(), signal="s", why="joined: near", pages=False)
    both = facts(("a", LAB, True), ("b", CUSTODY, True))
    once = corroborate.raised(change, both, (), catalogue.grading, AT)
    assert not once.pages and once.act == "joined"
    assert "Corroborated: 2 independent streams" in once.why
    assert once.case.due_at < change.case.due_at and len(once.case.corroborated_by) == 2
    again = corroborate.raised(
        change.model_copy(update={"case": once.case}), both, once.case.corroborated_by, catalogue.grading, AT
    )
    assert again.why == change.why and again.case.due_at == once.case.due_at
