"""The life of an alert: whatever people and senders do in whatever order, nothing leaves unapproved or overtaken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ewarn.assess import decide, draft, following, lifecycle
from ewarn.assess.facts import Facts
from ewarn.assess.lifecycle import MOVES, Act, Step
from ewarn.catalogue import Catalogue
from ewarn.errors import Refused, UsageFault
from ewarn.terms import Alert, AlertStatus, CaseFile, Decision, Person, PersonRole, Product, VersionKind, digest

CAMDEN, LONDON = "E09000007", "E12000007"
NOON = datetime(2025, 3, 3, 12, tzinfo=UTC)
FINAL = (AlertStatus.UPDATED, AlertStatus.STOOD_DOWN, AlertStatus.WITHDRAWN, AlertStatus.SUPERSEDED)
PEOPLE = {n: Person(id=n, name=n.title(), roles=(PersonRole.PANEL,), areas=(LONDON,)) for n in ("ann", "bob", "cat")}
AUTHOR = "dan"


def first_draft(catalogue: Catalogue) -> Alert:
    case = CaseFile.model_validate(
        {
            "ref": "LDN-2025-0001", "title": "t", "status": "open", "lead_area": CAMDEN, "keys": ("k",),
            "subject": {"kind": "none", "id": "", "name": ""}, "opened_at": NOON, "next_action": "x", "due_at": NOON,
        }
    )  # fmt: skip
    return draft.write(case, catalogue, Product.FORMAL_ALERT, AUTHOR, NOON, Facts(marking="TLP:GREEN"))


def test_the_table_ends_where_an_alert_ends_and_reaches_every_status() -> None:
    assert not [move for move in MOVES if move[0] in FINAL]
    reached, grown = {AlertStatus.DRAFT}, True
    while grown:
        more = {after for (before, _), after in MOVES.items() if before in reached} - reached
        reached, grown = reached | more, bool(more)
    assert reached == set(AlertStatus)


def test_nothing_becomes_issued_but_by_way_of_approved() -> None:
    into = {before for (before, _), after in MOVES.items() if after is AlertStatus.ISSUED and before is not after}
    assert into == {AlertStatus.APPROVED}
    assert MOVES.get((AlertStatus.REVIEW, Act.GO_OUT)) is None and MOVES.get((AlertStatus.DRAFT, Act.APPROVE)) is None


class Life(RuleBasedStateMachine):
    """One alert, three panel members, three partners; every step a person or a sender could try, in any order."""

    catalogue: Catalogue

    @initialize()
    def begin(self) -> None:
        self.now, self.versions = NOON, [first_draft(self.catalogue)]
        self.decisions: list[Decision] = []
        self.reached: set[int] = set()
        self.sending: set[int] = set()
        self.left: list[tuple[int, int]] = []  # version, and the newest approved or out when it left

    def _newest(self) -> Alert:
        return self.versions[-1]

    def _put(self, alert: Alert) -> None:
        known = [v for v in self.versions if v.version != alert.version]
        self.versions = sorted([*known, alert], key=lambda v: v.version)

    def _write(self, step: Step, written: Alert) -> None:
        assert lifecycle.refusal(step, self.versions, self.reached) is None
        for left in lifecycle.left_behind(self.versions, self.reached):
            self._put(left.model_copy(update={"status": lifecycle.moved(left, Act.OVERTAKE)}))
        self._put(written)

    @rule(words=st.sampled_from(["One.", "Two.", "Three."]))
    def edit(self, words: str) -> None:
        self.edit_with(words)

    def edit_with(self, words: str) -> None:
        if lifecycle.refusal(Step.EDIT, self.versions, self.reached) is None:
            self._write(Step.EDIT, draft.edit(self._newest(), {"headline": words}, AUTHOR, self.now, self.catalogue))

    @rule(step=st.sampled_from([Step.UPDATE, Step.STAND_DOWN, Step.WITHDRAW]))
    def follow(self, step: Step) -> None:
        had, number = lifecycle.out(self.versions, self.reached), self._newest().version + 1
        if lifecycle.refusal(step, self.versions, self.reached) is not None:
            return
        assert had is not None, "only what somebody has can be followed"
        if step is Step.UPDATE:
            written = following.update(had, number, {"headline": "More."}, AUTHOR, self.now, self.catalogue)
        else:
            kind = VersionKind.STAND_DOWN if step is Step.STAND_DOWN else VersionKind.WITHDRAWAL
            written = following.ending(had, kind, number, "It was wrong", AUTHOR, self.now, self.catalogue)
        assert written.content["replaces"] == following.named(had)
        self._write(step, written)

    @rule()
    def submit(self) -> None:
        alert = self._newest()
        if (alert.status, Act.SUBMIT) in MOVES:
            status = lifecycle.moved(alert, Act.SUBMIT)
            self._put(alert.model_copy(update={"status": status, "hash": digest(alert.content)}))

    @rule(who=st.sampled_from(list(PEOPLE)), words=st.sampled_from(["Four.", "Five."]))
    def edit_after_one_has_approved(self, who: str, words: str) -> None:
        self.submit()
        self.approve(who, True)
        self.edit_with(words)

    @rule()
    def go_the_whole_way_to_approval(self) -> None:
        self.submit()
        for who in PEOPLE:
            self.approve(who, True)

    @rule(who=st.sampled_from([*PEOPLE, AUTHOR]), fresh=st.sampled_from([True, True, True, False]))
    def approve_once(self, who: str, fresh: bool) -> None:
        self.approve(who, fresh)

    def approve(self, who: str, fresh: bool) -> None:
        alert = self._newest()
        person = PEOPLE.get(who, PEOPLE["ann"].model_copy(update={"id": who}))
        seen = alert.hash if fresh else next((v.hash for v in self.versions if v.hash), "none")
        try:
            verdict = decide.approve(alert, person, self.decisions, seen, self.now, self.catalogue)
        except Refused:
            return
        assert alert.hash == seen and who != AUTHOR
        self.decisions.append(verdict.decision)
        act = Act.APPROVE if verdict.audiences else Act.AGREE
        self._put(alert.model_copy(update={"status": lifecycle.moved(alert, act)}))

    def _may_leave(self, alert: Alert) -> bool:
        return not decide.leaves(alert, self.versions, self.decisions, "professional", self.catalogue)

    @rule(data=st.data())
    def claim(self, data: st.DataObject) -> None:
        alert = data.draw(st.sampled_from(self.versions))
        if self._may_leave(alert):
            self._claim(alert)

    def _claim(self, alert: Alert) -> None:
        self.sending.add(alert.version)
        self.reached.add(alert.version)
        agreed = (AlertStatus.APPROVED, *lifecycle.OUT)
        newest = max((v.version for v in self.versions if v.status in agreed), default=0)
        self.left.append((alert.version, newest))

    @precondition(lambda self: self.sending)
    @rule(data=st.data(), arrived=st.sampled_from([True, True, False]))
    def settle(self, data: st.DataObject, arrived: bool) -> None:
        self._settle(data.draw(st.sampled_from(sorted(self.sending))), arrived)

    @rule()
    def send_all_that_may_leave(self) -> None:
        for alert in list(self.versions):
            if self._may_leave(alert):
                self._claim(alert)
                self._settle(alert.version, True)

    def _settle(self, number: int, arrived: bool) -> None:
        self.sending.discard(number)
        alert = next(v for v in self.versions if v.version == number)
        if arrived and alert.status is AlertStatus.APPROVED:
            self._put(alert.model_copy(update={"status": lifecycle.moved(alert, lifecycle.GOES_OUT_BY[alert.kind])}))
            ends = lifecycle.ENDS_THE_ONE_BEFORE_BY[alert.kind]
            for earlier in self.versions:
                if earlier.version < number and (earlier.status, ends) in MOVES:
                    self._put(earlier.model_copy(update={"status": lifecycle.moved(earlier, ends)}))

    @rule(days=st.integers(0, 30))
    def wait(self, days: int) -> None:
        self.now += timedelta(days=days)

    @invariant()
    def nothing_left_without_two_approvals_of_its_very_hash(self) -> None:
        for number, newest in getattr(self, "left", []):
            alert = next(v for v in self.versions if v.version == number)
            given = {d.person for d in self.decisions if (d.version, d.hash) == (number, alert.hash)}
            assert len(given) >= 2 and AUTHOR not in given and alert.hash
            assert number == newest, "an overtaken version left"

    @invariant()
    def at_most_one_version_is_in_force_and_what_went_out_is_never_superseded(self) -> None:
        versions = getattr(self, "versions", [])
        assert sum(v.status is AlertStatus.ISSUED for v in versions) <= 1
        assert not [v for v in versions if v.status is AlertStatus.SUPERSEDED and v.version in self.reached]
        assert [v.version for v in versions] == list(range(1, len(versions) + 1))

    @invariant()
    def nothing_follows_an_alert_that_was_ended(self) -> None:
        ended = [v for v in getattr(self, "versions", []) if v.kind.closes and v.status in lifecycle.OUT]
        assert all(v.version <= e.version for e in ended for v in self.versions)
        if ended:
            assert not [v for v in self.versions if v.status is AlertStatus.ISSUED]
            steps = [lifecycle.refusal(step, self.versions, self.reached) for step in Step]
            assert all(steps)


def test_random_steps_reach_no_illegal_state(catalogue: Catalogue) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    machine = type("LifeHere", (Life,), {"catalogue": catalogue})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=120, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


@pytest.mark.slow
def test_many_more_random_steps_reach_no_illegal_state(catalogue: Catalogue) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    machine = type("LifeHere", (Life,), {"catalogue": catalogue})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=2000, stateful_step_count=80, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def out_as(alert: Alert, status: AlertStatus = AlertStatus.ISSUED) -> Alert:
    return alert.model_copy(update={"status": status, "hash": "h"})


def test_an_update_has_new_days_and_names_what_it_replaces(catalogue: Catalogue) -> None:
    had, later = out_as(first_draft(catalogue)), NOON + timedelta(days=20)
    fresh = {"figures": [{"label": "People affected", "value": 33}], "report_back": "not taken"}
    new = following.update(had, 4, {"headline": "More is known"}, "bob", later, catalogue, fresh)
    assert (new.version, new.kind, new.status) == (4, VersionKind.UPDATE, AlertStatus.DRAFT)
    assert new.content["replaces"] == "version 1 of 3 March 2025"
    assert new.content["headline"] == "More is known" and new.content["figures"] == fresh["figures"]
    assert new.content["report_back"] == had.content["report_back"]
    assert new.content["review_on"] > new.content["date"] == "2025-03-23"
    with pytest.raises(UsageFault, match="cannot be edited: replaces"):
        following.update(had, 4, {"replaces": None}, "bob", later, catalogue)


def test_a_withdrawal_needs_a_reason_and_a_stand_down_has_one_of_its_own(catalogue: Catalogue) -> None:
    had = out_as(first_draft(catalogue))
    with pytest.raises(UsageFault, match="needs a reason"):
        following.ending(had, VersionKind.WITHDRAWAL, 2, "  ", "bob", NOON, catalogue)
    down = following.ending(had, VersionKind.STAND_DOWN, 2, "", "bob", NOON, catalogue)
    assert "not an all-clear" in down.content["why"]
    assert down.content["headline"] == f"Stood down: {had.content['headline']}"


def test_out_of_hours_one_member_ends_no_alert(catalogue: Catalogue) -> None:
    ending = following.ending(
        out_as(first_draft(catalogue)), VersionKind.WITHDRAWAL, 2, "Wrong.", "bob", NOON, catalogue
    )
    night = datetime(2025, 3, 2, 2, 10, tzinfo=UTC)
    alert = out_as(ending, AlertStatus.REVIEW)
    with pytest.raises(Refused, match="takes two members at any hour"):
        decide.approve(alert, PEOPLE["ann"], [], "h", night, catalogue, out_of_hours=True)
