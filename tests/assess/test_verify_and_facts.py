"""Event, substance and link are judged apart, and facts come from the newest version of each record."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from ewarn.assess import verify
from ewarn.assess.facts import Event, Facts, Found, Origin, Sample, gather
from ewarn.frames import Lines, empty, shaped
from ewarn.terms import CaseFile, Subject, SubjectKind, Verification

CONFIRMED, PROBABLE, UNVERIFIED = Verification.CONFIRMED, Verification.PROBABLE, Verification.UNVERIFIED
DAY, AT = date(2025, 3, 3), datetime(2025, 3, 3, 12, tzinfo=UTC)
AMBULANCE, OUTREACH = Origin("London Ambulance", "ambulance"), Origin("Night team", "outreach")
LAB, MORTUARY, CUSTODY = Origin("WEDINOS", "drug checking"), Origin("Mortuary", "post-mortem"), Origin("Met", "custody")


def a_case(kind: SubjectKind = SubjectKind.CLASS, subject: str = "nitazene") -> CaseFile:
    return CaseFile(
        ref="LDN-2025-0001",
        title="t",
        status="open",
        lead_area="E09000007",
        subject=Subject(kind=kind, id=subject, name=subject),
        keys=(),
        opened_at=AT,
        next_action="a",
        due_at=AT,
    )


def event(record: str, origin: Origin, persons: int = 1, cumulative: bool = False, outcome: str = "non-fatal") -> Event:
    return Event(record, origin, outcome, persons, cumulative, "", DAY, DAY, "Camden")


def finding(
    record: str, origin: Origin, presumptive: bool | None = False, role: str = "major", people: bool = False
) -> Found:
    return Found(record, origin, "metonitazene", "nitazene", "metonitazene", role, presumptive, "", people)


def levels(*found: Found, events: tuple[Event, ...] = (), case: CaseFile | None = None) -> verify.Held:
    return verify.of(case or a_case(), Facts(events=events, found=found))


def test_a_presumptive_test_alone_never_confirms_a_substance():
    assert levels(finding("s", LAB, presumptive=True)).substance is UNVERIFIED
    assert levels(finding("s", LAB, presumptive=None)).substance is UNVERIFIED
    assert levels(finding("s", LAB, presumptive=False)).substance is CONFIRMED


def test_two_presumptive_results_are_probable_only_from_other_organisations_and_streams():
    strip = finding("a", LAB, presumptive=True)
    assert levels(strip, finding("b", CUSTODY, presumptive=True)).substance is PROBABLE
    assert levels(strip, finding("b", Origin("The Loop", "drug checking"), presumptive=True)).substance is UNVERIFIED
    assert levels(strip, finding("b", Origin("wedinos", "custody"), presumptive=True)).substance is UNVERIFIED


def test_a_suspicion_marked_not_presumptive_still_does_not_confirm():
    assert levels(finding("e", AMBULANCE, presumptive=False, role="suspected", people=True)).substance is UNVERIFIED


def test_what_a_laboratory_only_names_was_analysed_and_what_a_reporter_names_was_not():
    laboratory = Found("s", LAB, "metonitazene", "nitazene", "metonitazene", "named", False, "", False, sampled=True)
    assert levels(laboratory).substance is CONFIRMED
    assert levels(finding("e", AMBULANCE, presumptive=False, role="named", people=True)).substance is UNVERIFIED


def test_the_event_is_confirmed_by_those_who_attended_and_probable_from_two_others():
    assert levels(events=(event("e", AMBULANCE),)).event is CONFIRMED
    assert levels(events=(event("e", OUTREACH),)).event is UNVERIFIED
    other = Origin("Hostel", "other")
    assert levels(events=(event("e", OUTREACH), event("f", other))).event is PROBABLE


def test_a_positive_sample_does_not_confirm_what_people_took():
    held = levels(finding("s", LAB), events=(event("e", AMBULANCE, 12),))
    assert held == (CONFIRMED, CONFIRMED, UNVERIFIED)


def test_toxicology_in_the_people_themselves_confirms_the_link():
    dead = event("pm", MORTUARY, outcome="fatal")
    assert levels(finding("pm", MORTUARY, people=True), events=(dead,)).link is CONFIRMED
    assert levels(finding("pm", MORTUARY, presumptive=True, people=True), events=(dead,)).link is UNVERIFIED


def test_the_link_is_probable_when_people_and_samples_point_to_the_same_drug():
    said = finding("e", AMBULANCE, presumptive=None, role="suspected", people=True)
    assert levels(said, finding("s", LAB), events=(event("e", AMBULANCE),)).link is PROBABLE


def test_a_finding_of_another_class_says_nothing_about_the_case():
    assert levels(finding("s", LAB), case=a_case(subject="orphine")).substance is UNVERIFIED
    assert levels(finding("s", LAB), case=a_case(SubjectKind.NONE, "")).substance is CONFIRMED


def test_words_say_that_the_drug_is_not_confirmed_and_that_there_is_no_event():
    held = levels(events=(event("e", AMBULANCE),))
    words = verify.in_words(held, Facts(events=(event("e", AMBULANCE),)))
    assert words["substance"]["words"] == "We do not have confirmation of the drug involved."
    assert "No overdose" in verify.in_words(levels(), Facts())["event"]["words"]
    assert {(part, v.value) for part in ("event", "substance", "link") for v in Verification} == set(verify.WORDS)


@pytest.mark.parametrize(
    ("events", "persons"),
    [
        ((event("a", AMBULANCE, 5), event("b", AMBULANCE, 2)), (7, 7)),
        ((event("a", AMBULANCE, 5), event("b", OUTREACH, 4)), (5, 9)),
        ((event("a", AMBULANCE, 5), event("b", OUTREACH, 12, True), event("c", OUTREACH, 33, True)), (33, 50)),
        ((), (0, 0)),
    ],
)
def test_persons_are_counted_at_least_and_at_most(events, persons):
    assert Facts(events=events).persons() == persons


def test_facts_come_from_the_newest_version_and_carry_the_strictest_marking(catalogue):
    common = {
        "source": "x",
        "kind": "sample",
        "reference_date": DAY,
        "stream": "drug checking",
        "organisation": "WEDINOS",
    }
    replaced = {"visible_to": datetime(2025, 3, 5, tzinfo=UTC)}
    rows = [
        common | {"record_id": "r1", "version": 1, "sold_as": "Valium", "form": "powder"} | replaced,
        common | {"record_id": "gone", "version": 1, "sold_as": "retracted since"} | replaced,
        common
        | {"record_id": "r1", "version": 2, "sold_as": "Valium", "form": "tablet", "sold_as_subject": "nitazene"},
        common | {"record_id": "r2", "version": 1, "sold_as": "heroin"},
        common
        | {"record_id": "e1", "version": 1, "kind": "incident", "persons": 3, "outcome": "fatal", "stream": None},
    ]
    mentions = [
        {"record_id": "r1", "version": v, "ordinal": 0, "role": "major", "mention_kind": kind, "subject": subject}
        | {"presumptive": False}
        for v, kind, subject in (
            (1, "substance", "protonitazene"),
            (2, "substance", "metonitazene"),
            (2, "status", "none"),
        )
    ]
    places = [{"record_id": "r1", "version": 2, "area": "E09000007", "share": 0.5}]
    places += [{"record_id": "r1", "version": 2, "area": "E09000019", "share": 0.5}]
    lines = Lines(
        shaped("lines", pl.DataFrame(rows, infer_schema_length=None)),
        shaped("line_mentions", pl.DataFrame(mentions)),
        shaped("line_places", pl.DataFrame(places)),
        empty("line_counts"),
    )
    facts = gather(lines, {"r1", "e1", "gone"}, catalogue)
    assert facts.samples == (Sample("r1", LAB, "nitazenes", "tablet", "", "", DAY, "Camden"),)
    assert [(f.subject, f.class_id, f.confirmatory) for f in facts.found] == [("metonitazene", "nitazene", True)]
    assert facts.persons("fatal") == (3, 3) and facts.fatal_records == {"e1"}
    assert facts.marking == "TLP:RED" and facts.sources == ("x",), "nobody describes that source any more"
