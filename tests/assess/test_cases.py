"""Signals join, reopen, escalate and open cases, and every change says why."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from ewarn.assess import cases, grade
from ewarn.errors import UsageFault
from ewarn.terms import ClosedAs, Standing

CAMDEN, ISLINGTON, CROYDON = "E09000007", "E09000019", "E09000008"
LONDON, UK = "E12000007", "K02000001"


@pytest.fixture
def put(catalogue, now, next_ref):
    def run(signals, existing=(), kind="new", at=None, **more):
        changes = [(kind, s) for s in signals]
        return cases.place(changes, list(existing), catalogue, "LDN", at or now, next_ref, **more)

    return run


def test_first_signal_opens_a_case_with_keys_owner_action_and_due_time(put, make_signal, now):
    (change,) = put([make_signal()]).changes
    case = change.case
    assert (change.act, change.pages, case.ref) == ("opened", True, "LDN-2025-0001")
    assert case.title == "Overdoses in Camden, substance not known"
    assert case.next_action == "do act-now" and case.due_at == now + timedelta(hours=2)
    assert case.owner == "duty" and case.status == "open"
    assert any("28 days" in key for key in case.keys) and any("bordering" in key for key in case.keys)


def test_the_grade_suggested_sets_the_clock_and_24_hours_where_there_is_none(put, make_signal, now):
    low = make_signal(rule="unheard-of")
    assert put([low]).changes[0].case.due_at == now + timedelta(hours=24)


def test_bordering_area_joins_and_a_distant_one_opens_its_own(put, make_signal):
    opened = put([make_signal()]).changes[0].case
    near = put([make_signal("s2", "cluster-28d", area=ISLINGTON)], [opened]).changes
    far = put([make_signal("s3", "cluster-28d", area=CROYDON)], [opened]).changes
    assert [c.act for c in near] == ["escalated"] and near[0].case.ref == opened.ref
    assert "Islington borders Camden" in near[0].why and "a borough the case did not hold" in near[0].why
    assert [c.act for c in far] == ["opened"]


def test_same_class_joins_and_another_class_does_not(put, make_signal):
    opened = put([make_signal("s1", "first-in-borough", "metonitazene")]).changes[0].case
    assert opened.subject.id == "nitazene"
    same = put([make_signal("s2", "cluster-28d", "protonitazene")], [opened]).changes
    other = put([make_signal("s3", "cluster-28d", "cychlorphine")], [opened]).changes
    assert same[0].act == "joined" and "both about nitazenes" in same[0].why
    assert other[0].act == "opened" and other[0].case.subject.id == "orphine"


def test_region_joins_its_borough_but_the_uk_only_with_the_same_records(put, make_signal):
    opened = put([make_signal("s1", "first-in-borough", "metonitazene", records=["r1"])]).changes[0].case
    region = put([make_signal("s2", "cluster-28d", "nitazene", LONDON)], [opened]).changes
    uk = put([make_signal("s3", "cluster-28d", "nitazene", UK)], [opened]).changes
    uk_same = put([make_signal("s4", "cluster-28d", "nitazene", UK, records=["r1"])], [opened]).changes
    assert region[0].act == "joined" and uk[0].act == "opened" and uk_same[0].act == "joined"


def test_outside_the_window_a_new_case_is_opened(put, make_signal):
    opened = put([make_signal()]).changes[0].case
    inside = put([make_signal("s2", "cluster-28d", known_on=date(2025, 3, 31))], [opened]).changes
    outside = put([make_signal("s3", "cluster-28d", known_on=date(2025, 4, 1))], [opened]).changes
    assert inside[0].act == "joined" and outside[0].act == "opened"


def test_a_growing_cluster_is_updated_quietly_and_pages_when_it_doubles(put, make_signal):
    case = put([make_signal(observed=5)]).changes[0].case
    acts = []
    for observed in range(6, 13):
        grown = make_signal(observed=observed, records=[f"r{i}" for i in range(observed)])
        (change,) = put([grown], [case], "grown").changes
        case = change.case
        acts.append((change.act, change.pages))
    assert acts == [("updated", False)] * 4 + [("escalated", True)] + [("updated", False)] * 2
    assert case.signals[0].signal.observed == 12 and len(case.signals) == 1


def test_the_first_death_escalates(put, make_signal):
    case = put([make_signal(records=["r1"])]).changes[0].case
    grown = make_signal(records=["r1", "r2"])
    (change,) = put([grown], [case], "grown", fatal_records={"r2"}).changes
    assert change.act == "escalated" and change.pages and "a death is among the records" in change.why


def test_a_higher_ranking_rule_escalates_and_hastens(put, make_signal, now):
    opened = put([make_signal("s1", "cluster-28d")]).changes[0].case
    later = now + timedelta(hours=1)
    (change,) = put([make_signal("s2", "cluster-24h")], [opened], at=later).changes
    assert change.act == "escalated" and "ranks above" in change.why
    assert change.case.due_at == later + timedelta(hours=2)


def test_a_rule_that_pages_nobody_pages_by_a_death_alone(put, make_signal, now):
    """Neither its rank, nor another borough, nor the reopening of a closed case calls anybody."""
    opened = put([make_signal()]).changes[0].case
    excess = make_signal("s2", "quiet-excess", area=ISLINGTON, records=["r9"])
    (change,) = put([excess], [opened]).changes
    assert (change.act, change.pages) == ("joined", False)
    (deadly,) = put([excess], [opened], fatal_records=frozenset({"r9"})).changes
    assert (deadly.act, deadly.pages) == ("escalated", True) and "a death" in deadly.why
    closed = cases.close(opened, ClosedAs.ARTEFACT, "one site reported twice", now)
    (again,) = put([excess], [closed]).changes
    assert (again.act, again.pages) == ("reopened", False) and "artefact" in again.why


def test_nothing_new_changes_nothing(put, make_signal):
    case = put([make_signal()]).changes[0].case
    assert put([make_signal()], [case], "grown").changes == []


def test_a_dismissed_signal_that_grows_reopens_its_case_with_the_dismissal_shown(put, make_signal, now):
    case = put([make_signal()]).changes[0].case
    closed = cases.close(case, ClosedAs.ARTEFACT, "Mr Smith double counted", now)
    (change,) = put([make_signal(observed=7)], [closed], "grown", at=now + timedelta(days=2)).changes
    assert change.act == "reopened" and change.pages and change.case.status == "open"
    assert "closed on 3 March 2025 as 'artefact'" in change.why and "Smith" not in change.why


def test_a_new_signal_reopens_a_case_closed_lately_but_not_one_closed_long_ago(put, make_signal, now):
    case = put([make_signal()]).changes[0].case
    closed = cases.close(case, ClosedAs.NOT_CONFIRMED, "nothing found", now)
    fresh = make_signal("s2", known_on=date(2025, 3, 10))
    assert put([fresh], [closed], at=now + timedelta(days=7)).changes[0].act == "reopened"
    assert put([fresh], [closed], at=now + timedelta(days=29)).changes[0].act == "opened"


def test_unknown_cluster_and_laboratory_hit_are_suggested_on_both_and_never_joined(put, make_signal):
    lab = put([make_signal("lab", "first-in-borough", "metonitazene")]).changes[0].case
    placed = put([make_signal("twelve", "cluster-24h")], [lab]).changes
    assert [c.act for c in placed] == ["opened", "suggested", "suggested"]
    assert not any(c.pages for c in placed[1:])
    final = {c.case.ref: c.case for c in placed}
    assert len(final) == 2
    for case in final.values():
        assert [s.suggested for s in case.signals] == [False, True]
        assert case.signals[1].why.startswith("suggested")


def test_an_exercise_never_joins_an_actual_case(put, make_signal):
    actual = put([make_signal()]).changes[0].case
    (change,) = put([make_signal("s2", "cluster-28d", standing="exercise")], [actual]).changes
    assert change.act == "opened" and change.case.standing is Standing.EXERCISE


def test_a_silent_source_and_an_unknown_name_are_notices_to_the_operator(put, make_signal):
    placed = put([make_signal("q", "quiet-source"), make_signal("n", "new-name", "zonkazene")])
    assert placed.changes == [] and [s.id for s in placed.notices] == ["n", "q"]


def test_a_national_notice_is_suggested_to_local_cases_and_opens_one_only_where_its_rule_pages(put, make_signal):
    local = put([make_signal("lab", "first-in-borough", "metonitazene")]).changes[0].case
    quiet = put([make_signal("n1", "quiet-notice", "nitazene", UK)], [local])
    loud = put([make_signal("n2", "notice", "nitazene", UK)], [local])
    alone = put([make_signal("n3", "quiet-notice", "nitazene", UK)])
    assert [c.act for c in quiet.changes] == ["suggested"] and quiet.notices == []
    assert [c.act for c in loud.changes] == ["suggested", "opened"]
    assert alone.changes == [] and [s.id for s in alone.notices] == ["n3"]


def test_a_second_national_notice_joins_the_first_case(put, make_signal):
    first = put([make_signal("n1", "notice", "nitazene", UK)]).changes[0].case
    (change,) = put([make_signal("n2", "quiet-notice", "nitazene", UK)], [first]).changes
    assert change.act == "joined" and not change.pages


def test_the_order_of_signals_does_not_matter(put, make_signal, catalogue, now):
    signals = [make_signal("a", "cluster-28d"), make_signal("b"), make_signal("c", "first-in-borough", "metonitazene")]
    runs = []
    for order in (signals, signals[::-1]):
        refs = iter(f"LDN-2025-{n}" for n in range(1, 9))
        placed = cases.place([("new", s) for s in order], [], catalogue, "LDN", now, lambda _, r=refs: next(r))
        runs.append([(c.act, c.signal, c.case.ref) for c in placed.changes])
    assert runs[0] == runs[1]


def test_a_corrected_record_reopens_a_closed_case_and_updates_an_open_one(put, make_signal, now):
    case = put([make_signal(records=["r1", "r2"])]).changes[0].case
    closed = cases.close(case, ClosedAs.CONFIRMED, "alert issued", now)
    (reopened,) = cases.corrected({"r2", "zz"}, [closed], now)
    (updated,) = cases.corrected({"r2"}, [case], now)
    assert (reopened.act, reopened.pages, reopened.case.status) == ("reopened", True, "open")
    assert (updated.act, updated.pages) == ("updated", False)
    assert "1 of the records" in updated.why and updated.case.next_action.startswith("Look again")
    assert cases.corrected({"zz"}, [case], now) == []


def test_closing_needs_a_note_and_an_open_case(put, make_signal, now):
    case = put([make_signal()]).changes[0].case
    with pytest.raises(UsageFault, match="note"):
        cases.close(case, ClosedAs.UNKNOWN, " ", now)
    closed = cases.close(case, ClosedAs.UNKNOWN, "no answer came", now)
    with pytest.raises(UsageFault, match="closed already"):
        cases.close(closed, ClosedAs.UNKNOWN, "again", now)


def test_grading_asks_for_every_answer_and_sets_the_clock(put, make_signal, catalogue, now):
    case = put([make_signal()]).changes[0].case
    with pytest.raises(UsageFault, match="not answered: plausible"):
        grade.apply(case, "share", {"local": "yes"}, catalogue.grading, now)
    with pytest.raises(UsageFault, match="no grade 'red'"):
        grade.apply(case, "red", {}, catalogue.grading, now)
    graded = grade.apply(case, "share", {"local": "yes", "plausible": "not known"}, catalogue.grading, now)
    assert graded.grade == "share" and graded.due_at == now + timedelta(hours=24)


def test_a_reference_of_another_issuer_is_refused(make_signal, catalogue, now):
    with pytest.raises(UsageFault, match="not one of LDN"):
        cases.place([("new", make_signal())], [], catalogue, "LDN", now, lambda year: f"XYZ-{year}-0001")
