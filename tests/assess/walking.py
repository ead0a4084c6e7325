"""A desk without a store: cases and texts moved at random by people of every role and area, in any order.

In: a catalogue, a seed. Out: the state after each step, and a log of what was let through, with what whoever acted had
before them. Every change is made by `ewarn.assess`; this only picks who tries what, right and wrong alike.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from ewarn.assess import caseload, cases, decide, draft, following, grade, lifecycle
from ewarn.assess.facts import Facts
from ewarn.assess.lifecycle import Act, Step
from ewarn.catalogue import Catalogue
from ewarn.errors import EwarnError, Refused
from ewarn.terms import (
    Alert,
    AlertStatus,
    CaseFile,
    ClosedAs,
    Decision,
    Outcome,
    Person,
    PersonRole,
    Product,
    Signal,
    Standing,
    VersionKind,
    digest,
    london_day,
)  # fmt: skip

CAMDEN, ISLINGTON, CROYDON, LONDON = "E09000007", "E09000019", "E09000008", "E12000007"
MONDAY = datetime(2025, 3, 3, 9, 30, tzinfo=UTC)
P = PersonRole
STAFF = [
    Person(id="ann", name="Ann", roles=(P.PANEL,), areas=(LONDON,)),
    Person(id="bob", name="Bob", roles=(P.PANEL,), areas=(CAMDEN, ISLINGTON)),
    Person(id="cat", name="Cat", roles=(P.PANEL, P.DUTY), areas=(LONDON,)),
    Person(id="dan", name="Dan", roles=(P.DUTY,), areas=(LONDON,)),
    Person(id="eve", name="Eve", roles=(P.PANEL,), areas=(CROYDON,)),
    Person(id="fay", name="Fay", roles=(P.PANEL,), areas=(LONDON,), active=False),
    Person(id="gus", name="Gus", roles=(P.ADMINISTRATOR,), areas=("K02000001",)),
    Person(id="hal", name="Hal", roles=(P.COORDINATOR,), areas=(LONDON,)),
    Person(id="ivy", name="Ivy", roles=(P.PARTNER, P.REPORTER), areas=(LONDON,)),
]
DESK, GRADING = (P.DUTY, P.PANEL, P.COORDINATOR), (P.PANEL, P.DUTY)
SUBJECTS = ("", "nitazene", "metonitazene", "orphine")
RULES = ("cluster-24h", "cluster-28d", "first-in-borough", "notice", "quiet-excess")


class Done(NamedTuple):
    """An act that was let through: who, as what, on which case or version, and the words they had before them."""

    act: str
    person: Person
    at: datetime
    case: CaseFile | None = None
    alert: Alert | None = None
    words: str = ""


class Left(NamedTuple):
    """A version that left for an audience."""

    alert: Alert
    audience: str
    at: datetime


def print_of(alert: Alert) -> str:
    """What is in a text, as a hash of our own."""
    said = json.dumps(alert.content, sort_keys=True, default=str)
    return hashlib.sha256(said.encode()).hexdigest()


@dataclass
class Desk:
    catalogue: Catalogue
    make_signal: Callable[..., Signal]
    rng: Random
    now: datetime = MONDAY
    people: dict[str, Person] = field(default_factory=lambda: {p.id: p for p in STAFF})
    cases: dict[str, CaseFile] = field(default_factory=dict)
    alerts: dict[str, list[Alert]] = field(default_factory=dict)
    decisions: dict[str, list[Decision]] = field(default_factory=dict)
    reached: dict[str, set[int]] = field(default_factory=dict)
    sending: set[tuple[str, int]] = field(default_factory=set)
    signals: dict[str, Signal] = field(default_factory=dict)
    done: list[Done] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)
    serial: int = 0

    def step(self) -> str:
        """One act of somebody, refused or not. Returns what was tried and how it went."""
        name = self.rng.choices(list(ACTS), list(ACTS.values()))[0]
        try:
            getattr(self, name)()
        except EwarnError as error:
            self.counted[f"{name}: refused"] += 1
            return f"{name}: {error}"
        self.counted[name] += 1
        return name

    # What comes by itself

    def signal(self) -> None:
        """A signal is raised, or one that was raised before grows."""
        grown = bool(self.signals) and self.rng.random() < 0.3
        if grown:
            before = self.rng.choice(list(self.signals.values()))
            more = (*before.records, f"{before.id}-r{len(before.records) + 1}")
            raised = before.model_copy(update={"records": more, "record_count": len(more), "observed": len(more) + 4.0})
        else:
            self.serial += 1
            raised = self.make_signal(
                f"{hashlib.sha256(str(self.serial).encode()).hexdigest()[:12]}", self.rng.choice(RULES),
                self.rng.choice(SUBJECTS), self.rng.choice([CAMDEN, CAMDEN, ISLINGTON, CROYDON, LONDON]),
                known_on=london_day(self.now),
                standing=self.rng.choice([Standing.ACTUAL, Standing.ACTUAL, Standing.EXERCISE]),
            )  # fmt: skip
        self.signals[raised.id] = raised
        kind: Any = "grown" if grown else "new"
        for change in cases.place(
            [(kind, raised)], [*self.cases.values()], self.catalogue, "LDN", self.now, self._ref
        ).changes:
            self.cases[change.case.ref] = change.case

    def corrected(self) -> None:
        records = {r for s in self.signals.values() for r in s.records}
        hit = {self.rng.choice(sorted(records))} if records else set()
        for change in cases.corrected(hit, [*self.cases.values()], self.now):
            self.cases[change.case.ref] = change.case

    def wait(self) -> None:
        self.now += self.rng.choice([timedelta(minutes=20), timedelta(hours=7), timedelta(hours=16), timedelta(days=2)])

    def staff_change(self) -> None:
        """Somebody is let go or comes back, or is given another area."""
        person = self.rng.choice(STAFF)
        held = self.people[person.id]
        away = held.active and self.rng.random() < 0.5
        self.people[person.id] = person.model_copy(update={"active": False}) if away else person

    def _ref(self, year: int) -> str:
        self.serial += 1
        return f"LDN-{year}-{self.serial:04d}"

    # What people do with cases

    def _who(self) -> Person:
        return self._one_of("ann", "bob", "cat")

    def _one_of(self, *names: str) -> Person:
        """One of these more often than not, else anybody."""
        often = [self.people[name] for name in names]
        return self.rng.choice(often if self.rng.random() < 0.7 else list(self.people.values()))

    def _case(self) -> CaseFile:
        """A case, an open one more often than not."""
        living = [c for c in self.cases.values() if c.status == "open"]
        found = living if living and self.rng.random() < 0.8 else list(self.cases.values())
        if not found:
            raise Refused("there is no case")
        return self.rng.choice(found)

    def _may(self, person: Person, area: str, roles: tuple[PersonRole, ...] = DESK) -> None:
        decide.demand(person, roles, area, self.catalogue, "do this")

    def _on_case(self, act: str, change: Callable[[CaseFile], Any], roles: tuple[PersonRole, ...] = DESK) -> None:
        case, person = self._case(), self._who()
        self._may(person, case.lead_area, roles)
        self._keep(act, person, case, change(case))

    def _keep(self, act: str, person: Person, case: CaseFile, after: CaseFile | tuple[CaseFile, ...]) -> None:
        for kept in after if isinstance(after, tuple) else (after,):
            self.cases[kept.ref] = kept
        self.done.append(Done(act, person, self.now, case=case))

    def grade(self) -> None:
        said = {q.id: "not known" for q in self.catalogue.grading.questions}
        name = self.rng.choice(["act-now", "share", "no such grade"])
        self._on_case("grade", lambda c: grade.apply(c, name, said, self.catalogue.grading, self.now), GRADING)

    def assign(self) -> None:
        self._on_case("assign", lambda c: cases.assign(c, next_action="Ring the hostel"))

    def link(self) -> None:
        def linked(case: CaseFile) -> CaseFile:
            offered = [s.signal.id for s in case.signals if s.suggested] or ["none"]
            return cases.link(case, self.rng.choice(offered), "x", self._why(), self.now)

        self._on_case("link", linked)

    def close(self) -> None:
        how = self.rng.choice(list(ClosedAs))
        self._on_case("close", lambda c: cases.close(c, how, self._why(), self.now))

    def outcome(self) -> None:
        chosen = self.rng.choice(list(Outcome))
        self._on_case("outcome", lambda c: caseload.decide_on(c, chosen, self._why()), GRADING)

    def verify(self) -> None:
        self._on_case("verify", lambda c: cases.said_of(c, {"event": "confirmed"}))

    def lead(self) -> None:
        area = self.rng.choice([CAMDEN, ISLINGTON, CROYDON])
        self._on_case("lead", lambda c: caseload.lead(c, area, self._why(), self.catalogue))

    def split(self) -> None:
        def parted(case: CaseFile) -> tuple[CaseFile, ...]:
            chosen = [s.signal.id for s in case.signals if self.rng.random() < 0.4]
            return caseload.split(case, chosen, self._ref(self.now.year), self._why(), self.now, self.catalogue)

        self._on_case("split", parted)

    def merge(self) -> None:
        self._on_two("merge", lambda one, other: caseload.merge(one, other, self._why(), self.now))

    def move(self) -> None:
        def moved(here: CaseFile, there: CaseFile) -> tuple[CaseFile, ...]:
            chosen = self.rng.choice([s.signal.id for s in here.signals] or ["none"])
            return caseload.move(here, there, chosen, self._why(), self.now)

        self._on_two("move", moved)

    def _on_two(self, act: str, change: Callable[[CaseFile, CaseFile], tuple[CaseFile, ...]]) -> None:
        one, other, person = self._case(), self._case(), self._who()
        for case in (one, other):
            self._may(person, case.lead_area)
        self._keep(act, person, one, change(one, other))
        self.done.append(Done(act, person, self.now, case=other))

    def _why(self) -> str:
        return self.rng.choice(["a reason", "a reason", "a reason", " "])

    # What people do with texts

    def draft(self) -> None:
        case, person = self._case(), self._one_of("dan", "hal")
        self._may(person, case.lead_area)
        self.cases[case.ref] = cases.with_text(case, self.now)
        product = self.rng.choice([Product.FORMAL_ALERT, Product.FORMAL_ALERT, Product.SHARE, Product.CORROBORATE])
        self.serial += 1
        known = Facts(marking="TLP:GREEN")
        written = draft.write(
            case, self.catalogue, product, person.id, self.now, known, alert_id=f"{case.ref}/A{self.serial}"
        )
        self.done.append(Done("draft", person, self.now, case=case))
        self._wrote(person, written)

    def _wrote(self, person: Person, written: Alert) -> None:
        self._put(written)
        self.decisions.setdefault(written.id, []).append(decide.on(written, "drafted", person, self.now))
        self.done.append(Done("write", person, self.now, alert=written))

    def _put(self, alert: Alert) -> None:
        others = [v for v in self.alerts.get(alert.id, []) if v.version != alert.version]
        self.alerts[alert.id] = sorted([*others, alert], key=lambda v: v.version)

    def _alert(self) -> Alert:
        """The newest version of some alert, one of the last few more often than not."""
        found = list(self.alerts.values())
        if not found:
            raise Refused("there is no text")
        return self.rng.choice(found[-2:] if self.rng.random() < 0.9 else found)[-1]

    def _open(self, step: Step, alert_id: str) -> None:
        if stands := lifecycle.refusal(step, self.alerts[alert_id], self.reached.get(alert_id, set())):
            raise Refused(stands.what)

    def _overtake(self, alert_id: str) -> None:
        for before in lifecycle.left_behind(self.alerts[alert_id], self.reached.get(alert_id, set())):
            self._put(before.model_copy(update={"status": lifecycle.moved(before, Act.OVERTAKE)}))

    def edit(self) -> None:
        alert, person = self._alert(), self._one_of("dan", "hal")
        self._may(person, alert.area)
        self._open(Step.EDIT, alert.id)
        words = {"headline": self.rng.choice(["One.", "Two.", "Three."])}
        written = draft.edit(alert, words, person.id, self.now, self.catalogue)
        self._overtake(alert.id)
        self._wrote(person, written)

    def follow(self) -> None:
        """An update, a stand-down or a withdrawal of what people have."""
        alert, person = self._alert(), self._one_of("dan", "hal")
        step = self.rng.choice([Step.UPDATE, Step.UPDATE, Step.STAND_DOWN, Step.WITHDRAW])
        self._may(person, alert.area)
        self._open(step, alert.id)
        had = lifecycle.out(self.alerts[alert.id], self.reached.get(alert.id, set()))
        if had is None:
            raise AssertionError("a step was open on a text that nobody has")
        number = alert.version + 1
        if step is Step.UPDATE:
            written = following.update(had, number, {"headline": "More."}, person.id, self.now, self.catalogue)
        else:
            kind = VersionKind.STAND_DOWN if step is Step.STAND_DOWN else VersionKind.WITHDRAWAL
            written = following.ending(had, kind, number, "It was wrong", person.id, self.now, self.catalogue)
        self._overtake(alert.id)
        self._wrote(person, written)

    def submit(self) -> None:
        alert, person = self._alert(), self._who()
        self._may(person, alert.area)
        self._names_what_people_have(alert)
        fixed = {"status": lifecycle.moved(alert, Act.SUBMIT), "hash": digest(alert.content)}
        self._put(alert.model_copy(update=fixed))
        self.decisions[alert.id].append(decide.on(self.alerts[alert.id][-1], "submitted", person, self.now))

    def _names_what_people_have(self, alert: Alert) -> None:
        before = [v for v in self.alerts[alert.id] if v.version < alert.version]
        had = lifecycle.out(before, self.reached.get(alert.id, set()))
        if alert.content.get("replaces") != (following.named(had) if had else None):
            raise Refused("it does not say what it replaces")

    def approve(self) -> None:
        """Somebody approves what they have before them: the newest version, an older one, or another text."""
        alert, person = self._alert(), self._who()
        seen = alert if self.rng.random() < 0.8 else self.rng.choice([*self.alerts[alert.id], self._alert()])
        alone = self.rng.random() < 0.15
        given = self.decisions[alert.id]
        verdict = decide.approve(alert, person, given, seen.hash, self.now, self.catalogue, out_of_hours=alone)
        self._names_what_people_have(alert)
        given.append(verdict.decision)
        act = Act.APPROVE if verdict.audiences else Act.AGREE
        self._put(alert.model_copy(update={"status": lifecycle.moved(alert, act)}))
        self.done.append(Done("alone" if alone else "approve", person, self.now, alert=alert, words=print_of(seen)))
        case = self.cases[alert.case]
        if verdict.complete and alert.product is Product.FORMAL_ALERT and case.status == "open":
            self.cases[case.ref] = cases.after_issue(case, alert, self.catalogue.grading)

    # What the sender does

    def claim(self) -> None:
        versions = self.rng.choice(list(self.alerts.values())) if self.alerts else []
        for alert in versions:
            audience = self.rng.choice(["professional", "public"])
            given = self.decisions[alert.id]
            if not decide.leaves(alert, versions, given, audience, self.catalogue):
                self.sending.add((alert.id, alert.version))
                self.reached.setdefault(alert.id, set()).add(alert.version)
                self.left.append(Left(alert, audience, self.now))
                self.counted["left"] += 1

    def settle(self) -> None:
        """What was being sent arrives, or is not heard of again."""
        if not self.sending:
            raise Refused("nothing is being sent")
        alert_id, number = self.rng.choice(sorted(self.sending))
        self.sending.discard((alert_id, number))
        alert = next(v for v in self.alerts[alert_id] if v.version == number)
        if self.rng.random() < 0.2 or alert.status is not AlertStatus.APPROVED:
            return
        self._put(alert.model_copy(update={"status": lifecycle.moved(alert, lifecycle.GOES_OUT_BY[alert.kind])}))
        ends = lifecycle.ENDS_THE_ONE_BEFORE_BY[alert.kind]
        for earlier in self.alerts[alert_id]:
            if earlier.version < number and (earlier.status, ends) in lifecycle.MOVES:
                self._put(earlier.model_copy(update={"status": lifecycle.moved(earlier, ends)}))


ACTS = {
    "signal": 5, "corrected": 2, "wait": 4, "staff_change": 1, "grade": 2, "assign": 1, "link": 3, "close": 3,
    "outcome": 1, "verify": 1, "lead": 1, "split": 4, "merge": 2, "move": 14, "draft": 3, "edit": 7, "follow": 9,
    "submit": 16, "approve": 36, "claim": 14, "settle": 14,
}  # fmt: skip
