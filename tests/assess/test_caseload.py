"""Cases are merged, split and handed on; no signal is lost and references are kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ewarn.assess import caseload, cases
from ewarn.errors import UsageFault
from ewarn.terms import CaseFile, ClosedAs, Outcome, Standing

CAMDEN, ISLINGTON, CROYDON = "E09000007", "E09000019", "E09000008"


@pytest.fixture
def opened(catalogue: Any, now: Any, next_ref: Any, make_signal: Any) -> Any:
    """A case holding these signals."""

    def run(*names: str, area: str = CAMDEN) -> CaseFile:
        signals = [make_signal(name, "cluster-28d", area=area, records=[f"{name}-r"]) for name in names]
        first, *others = signals
        case = cases.place([("new", first)], [], catalogue, "LDN", now, next_ref).changes[-1].case
        for signal in others:
            case = cases.place([("new", signal)], [case], catalogue, "LDN", now, next_ref).changes[-1].case
        return case

    return run


def held(case: CaseFile) -> set[str]:
    return {entry.signal.id for entry in case.signals if not entry.suggested}


def test_a_merged_case_points_to_the_one_that_goes_on(opened: Any, now: Any) -> None:
    kept, gone = opened("s1"), opened("s2", "s3")
    gone = gone.model_copy(update={"due_at": kept.due_at - timedelta(minutes=5), "next_action": "ring the hostel"})
    merged, ended = caseload.merge(kept, gone, "the same night", now)
    assert held(merged) == {"s1", "s2", "s3"} and merged.merged_from == (gone.ref,)
    assert (merged.due_at, merged.next_action) == (gone.due_at, "ring the hostel")
    assert (ended.status, ended.closed_as, ended.merged_into, ended.signals) == (
        "closed", ClosedAs.DUPLICATE, kept.ref, (),
    )  # fmt: skip
    assert all(f"merged from {gone.ref}: the same night" == e.why for e in merged.signals if e.signal.id != "s1")


def test_a_signal_that_grows_after_the_merger_grows_in_the_case_that_goes_on(
    opened: Any, now: Any, catalogue: Any, next_ref: Any, make_signal: Any
) -> None:
    merged, ended = caseload.merge(opened("s1"), opened("s2"), "one event", now)
    more = make_signal("s2", "cluster-28d", records=["s2-r", "s2-q"])
    (change,) = cases.place([("grown", more)], [merged, ended], catalogue, "LDN", now, next_ref).changes
    assert change.case.ref == merged.ref


def test_a_split_starts_grade_and_levels_again_and_leaves_the_rest(opened: Any, now: Any, catalogue: Any) -> None:
    case = opened("s1", "s2", "s3").model_copy(update={"grade": "act-now", "outcome": Outcome.ALERT})
    left, fresh = caseload.split(case, ["s3"], "LDN-2025-0042", "another drug", now, catalogue)
    assert (held(left), held(fresh), fresh.split_from) == ({"s1", "s2"}, {"s3"}, case.ref)
    assert (fresh.grade, fresh.outcome, left.grade) == ("", None, "act-now")


def test_what_would_leave_a_case_empty_or_mix_standings_is_refused(opened: Any, now: Any, catalogue: Any) -> None:
    one, other = opened("s1"), opened("s2")
    with pytest.raises(UsageFault, match="nothing would be left"):
        caseload.split(one, ["s1"], "LDN-2025-0042", "x", now, catalogue)
    with pytest.raises(UsageFault, match="nothing would be left"):
        caseload.move(one, other, "s1", "x", now)
    with pytest.raises(UsageFault, match="same case"):
        caseload.merge(one, one, "x", now)
    with pytest.raises(UsageFault, match="needs a reason"):
        caseload.merge(one, other, "  ", now)
    drill = other.model_copy(update={"standing": Standing.EXERCISE})
    with pytest.raises(UsageFault, match="is exercise"):
        caseload.merge(one, drill, "x", now)


def test_another_area_leads_with_a_reason(opened: Any, catalogue: Any) -> None:
    led = caseload.lead(opened("s1"), ISLINGTON, "most live there", catalogue)
    assert led.lead_area == ISLINGTON
    with pytest.raises(UsageFault, match="leads it already"):
        caseload.lead(led, ISLINGTON, "x", catalogue)


def test_a_closed_case_takes_no_level_and_a_text_for_it_opens_it_again(opened: Any, now: Any) -> None:
    case = opened("s1")
    said = cases.said_of(case, {"event": "confirmed"})
    assert said.verification_event == "confirmed" and said.verified_by_person == ("event",)
    closed = cases.close(case, ClosedAs.UNKNOWN, "nothing found", now)
    with pytest.raises(UsageFault, match="the case is closed"):
        cases.said_of(closed, {"event": "confirmed"})
    again = cases.with_text(closed, now)
    assert (again.status, again.closed_as, again.due_at) == ("open", None, now + timedelta(hours=24))
    assert cases.with_text(case, now) is case


def test_a_text_for_a_case_that_was_merged_is_drafted_for_the_one_that_goes_on(opened: Any, now: Any) -> None:
    kept, gone = caseload.merge(opened("s1"), opened("s2"), "one event", now)
    with pytest.raises(UsageFault, match=f"goes on as {kept.ref}"):
        cases.with_text(gone, now)


def test_an_outcome_says_what_comes_next(opened: Any) -> None:
    decided = caseload.decide_on(opened("s1"), Outcome.SHARE, "efficacy low")
    assert decided.outcome is Outcome.SHARE and "shared for information" in decided.next_action


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from(["merge", "split", "move"]), st.integers(0, 9), st.integers(0, 9))))
def test_no_signal_is_lost_and_each_stands_in_one_open_case(
    opened: Any, now: Any, catalogue: Any, steps: list[tuple[str, int, int]]
) -> None:
    desk = {case.ref: case for case in (opened("a1", "a2", "a3"), opened("b1", "b2"), opened("c1"))}
    for number, (act, left, right) in enumerate(steps):
        living = [case for case in desk.values() if case.status == "open"]
        one, other = living[left % len(living)], living[right % len(living)]
        signal = sorted(held(one))[right % len(held(one))]
        try:
            if act == "merge":
                changed = caseload.merge(one, other, "x", now)
            elif act == "split":
                changed = caseload.split(one, [signal], f"LDN-2025-{900 + number}", "x", now, catalogue)
            else:
                changed = caseload.move(one, other, signal, "x", now)
        except UsageFault:
            continue
        desk |= {case.ref: case for case in changed}
    everywhere = [signal for case in desk.values() if case.status == "open" for signal in sorted(held(case))]
    assert sorted(everywhere) == ["a1", "a2", "a3", "b1", "b2", "c1"]
    for case in desk.values():
        assert case.status == "open" or desk[case.merged_into].ref != case.ref
