"""A real home worked on at random by people of every role, over its store and its sender: what is stored stays legal.

What must hold is asked of the tables themselves, in SQL, not of the code that keeps them.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from ewarn.errors import EwarnError
from ewarn.pipeline import assess, caseload, respond, sessions, signin, versions
from ewarn.pipeline.house import House
from ewarn.pipeline.read import add_person
from ewarn.pipeline.reports import Actor
from ewarn.store import audit, doctor, tables
from ewarn.terms import Person, PersonRole
from tests.journeys.conftest import at

ROW = {
    "laboratory": "Laboratory (synthetic)", "stream": "drug-checking", "date_sampled": "2025-05-17",
    "date_reported": "2025-05-17", "sold_as": "diazepam", "test_type": "confirmatory", "status": "",
}  # fmt: skip
SAMPLES = [
    ("E09000007", "metonitazene"), ("E09000007", "protonitazene"), ("E09000007", "cychlorphine"),
    ("E08000035", "metonitazene"),
]  # fmt: skip
BEGIN = at("2025-05-19", "10:00")
P = PersonRole
MORE = {
    "hal": ((P.COORDINATOR,), "E12000007"), "gus": ((P.ADMINISTRATOR,), "K02000001"),
    "eve": ((P.PANEL,), "E08000035"), "ivy": ((P.PARTNER, P.REPORTER), "E12000007"),
}  # fmt: skip
PANEL, LEEDS = {"author", "ann", "ben"}, "E08000035"
NEXT = {
    "draft": {"review", "superseded"}, "review": {"approved", "superseded"},
    "approved": {"issued", "updated", "stood down", "withdrawn", "superseded"},
    "issued": {"updated", "stood down", "withdrawn"},
    "updated": set(), "stood down": set(), "withdrawn": set(), "superseded": set(),
}  # fmt: skip
# What reached somebody, with how many different people approved those very bytes, and whether one alone did at night.
UNAPPROVED = """
    WITH given AS (
        SELECT alert, version, hash, count(DISTINCT person) AS people, bool_or(act = 'out-of-hours') AS alone
        FROM decision WHERE act IN ('approved', 'reviewed', 'out-of-hours') GROUP BY ALL
    )
    SELECT d.id FROM delivery d JOIN delivery_receipt r ON r.delivery = d.id JOIN alert a USING (version)
    LEFT JOIN given g ON g.alert = a.id AND g.version = a.version AND g.hash = a.hash
    WHERE d.alert = a.id AND r.state = 'sent' AND (a.hash = '' OR coalesce(g.people, 0)
        < CASE WHEN (a.body->>'product') <> 'formal alert' OR (g.alone AND d.audience = 'professional')
        THEN 1 ELSE 2 END)
"""
OWN = """
    SELECT g.alert, g.person FROM decision g JOIN decision w ON w.alert = g.alert AND w.person = g.person
    WHERE g.act IN ('approved', 'reviewed', 'out-of-hours') AND w.act = 'drafted' AND w.version <= g.version
"""
UNGRANTED = """
    SELECT d.person FROM decision d WHERE d.act = 'graded' AND d.person IN ('hal', 'gus') AND NOT EXISTS (
        SELECT 1 FROM role_grant r WHERE r.person = d.person AND r.role = 'duty'
        AND r.given_at <= d.decided_at AND r.ends_at > d.decided_at)
"""


@dataclass
class Night:
    """One home, its people, the clock; picks who tries what."""

    house: House
    rng: Random
    now: datetime = BEGIN
    tokens: dict[str, str] = field(default_factory=dict)
    counted: Counter[str] = field(default_factory=Counter)

    def actor(self, *often: str) -> Actor:
        everybody = ["duty", "author", "ann", "ben", *MORE]
        who = self.rng.choice(list(often) if often and self.rng.random() < 0.7 else everybody)
        if who not in self.tokens or self.rng.random() < 0.1:
            with self.house.db.write("sign in") as tx:
                self.tokens[who] = sessions.begin(tx, who, "code", self.now, self.now)
        stale = self.rng.random() < 0.1
        return Actor(who, session=self.tokens[who], at=self.now) if stale else Actor(who, f"a secret for {who}")

    def one(self, sql: str) -> Any:
        with self.house.db.read() as con:
            found = tables.rows(con, sql)
        return self.rng.choice(found) if found else {}

    def case(self) -> str:
        return str(self.one("SELECT DISTINCT ref FROM case_file")["ref"])

    def text(self) -> Any:
        sql = "SELECT id, version, hash FROM alert QUALIFY version = max(version) OVER (PARTITION BY id)"
        return self.one(f"{sql} ORDER BY created_at DESC LIMIT 2" if self.rng.random() < 0.85 else sql)

    def why(self) -> str:
        return self.rng.choice(["a reason", "a reason", "a reason", " "])

    # Acts, by name

    def grade(self) -> None:
        questions = {q.id: "not known" for q in self.house.catalogue.grading.questions}
        name = self.house.catalogue.grading.grades[0].id
        assess.grade_case(self.house, self.case(), name, questions, self.actor("duty", "hal", "ann"), self.now)

    def verify(self) -> None:
        assess.verify_case(self.house, self.case(), event="probable", actor=self.actor(), now=self.now)

    def assign(self) -> None:
        assess.assign_case(self.house, self.case(), next_action="Ring", actor=self.actor(), now=self.now)

    def close(self) -> None:
        assess.close_case(self.house, self.case(), "unknown", self.why(), self.actor(), self.now)

    def outcome(self) -> None:
        caseload.outcome(self.house, self.case(), "formal alert", self.why(), self.actor(), self.now)

    def lead(self) -> None:
        area = self.rng.choice(["E09000007", "E09000019"])
        caseload.lead(self.house, self.case(), area, self.why(), self.actor(), self.now)

    def merge(self) -> None:
        caseload.merge(self.house, self.case(), self.case(), self.why(), self.actor(), self.now)

    def split(self) -> None:
        ref = self.case()
        held = [s.signal.id for s in assess.show_case(self.house, ref).case.signals]
        caseload.split(self.house, ref, held[:1], self.why(), self.actor("duty"), self.now)

    def move(self) -> None:
        ref = self.case()
        held = [s.signal.id for s in assess.show_case(self.house, ref).case.signals]
        caseload.move(self.house, ref, (held or ["none"])[0], self.case(), self.why(), self.actor(), self.now)

    def laboratory(self) -> None:
        ref, who = self.case(), self.actor("duty")
        asked = caseload.ask_laboratory(self.house, ref, "tablet", "A laboratory", "urgent", who, self.now)
        if self.rng.random() < 0.5:
            self.now += timedelta(minutes=1)
            caseload.laboratory_answered(self.house, asked.id, "nothing found", who, self.now)

    def draft(self) -> None:
        product = self.rng.choice(["formal alert", "formal alert", "share for information"])
        assess.draft(self.house, self.case(), product, self.actor("duty", "hal"), self.now)

    def edit(self) -> None:
        words = {"headline": self.rng.choice(["One", "Two", "Three"])}
        assess.edit(self.house, self.text()["id"], words, self.actor("duty", "hal"), self.now)

    def submit(self) -> None:
        assess.submit(self.house, self.text()["id"], self.actor("duty", "hal"), self.now)

    def approve(self) -> None:
        text = self.text()
        seen = text if self.rng.random() < 0.85 else self.one("SELECT hash FROM alert")
        alone, note = self.rng.random() < 0.15, self.rng.choice(["as it stands", ""])
        who = self.actor("ann", "ben", "author", "eve")
        assess.approve(self.house, text["id"], seen["hash"], who, self.now, out_of_hours=alone, note=note)

    def update(self) -> None:
        versions.update(self.house, self.text()["id"], {"headline": "More"}, self.actor("duty"), self.now)

    def end(self) -> None:
        verb = self.rng.choice([versions.stand_down, versions.withdraw])
        verb(self.house, self.text()["id"], "It was wrong.", self.actor("duty"), self.now)

    def break_glass(self) -> None:
        reason = self.rng.choice(["The duty officer cannot be reached", "short"])
        role = self.rng.choice(["duty", "duty", "panel"])
        signin.break_glass(self.house, role, 4, reason, self.actor("hal", "gus"), self.now)

    def send(self) -> None:
        respond.send(self.house, self.now)

    def wait(self) -> None:
        self.now += self.rng.choice([timedelta(minutes=30), timedelta(hours=9), timedelta(days=1)])
        versions.fall_due(self.house, self.now)


ACTS = {
    "grade": 4, "verify": 2, "assign": 2, "close": 2, "outcome": 2, "lead": 3, "merge": 2, "split": 4, "move": 5,
    "laboratory": 2, "draft": 5, "edit": 4, "submit": 9, "approve": 24, "update": 5, "end": 2, "break_glass": 5,
    "send": 6, "wait": 3,
}  # fmt: skip
BESIDES = ("send", "wait")  # these are not acts of a person: they may do nothing, and are refused nothing


class Illegal(AssertionError):
    """A stored state that must never be."""


def stored(night: Night) -> dict[str, Any]:
    """What the tables say: where the chain ends, each version's state and bytes, each case."""
    with night.house.db.read() as con:
        payloads = (
            "SELECT alert, version, md5(string_agg(md5(body), '' ORDER BY ordinal)) AS bytes FROM payload GROUP BY ALL"
        )
        texts = tables.rows(
            con,
            f"SELECT a.*, p.bytes FROM alert a LEFT JOIN ({payloads}) p ON p.alert = a.id AND p.version = a.version",
        )
        newest = "SELECT ref, body FROM case_file QUALIFY version = max(version) OVER (PARTITION BY ref)"
        return {
            "head": audit.last(con)[2],
            "texts": {(t["id"], t["version"]): (t["status"], t["hash"], t["bytes"]) for t in texts},
            "cases": {row["ref"]: json.loads(row["body"]) for row in tables.rows(con, newest)},
            "wrong": {name: tables.rows(con, sql) for name, sql in WRONG.items()},
        }  # fmt: skip


WRONG = {
    "left without its approvals": UNAPPROVED,
    "approved an own text": OWN,
    "graded without a grant that held": UNGRANTED,
    "two versions in force": "SELECT id FROM alert WHERE status = 'issued' GROUP BY id HAVING count(*) > 1",
    "approved by another area's panel, or by no panel": """
        SELECT g.person FROM decision g JOIN alert a ON a.id = g.alert AND a.version = g.version
        WHERE g.act IN ('approved', 'reviewed', 'out-of-hours') AND g.person NOT IN ('author', 'ann', 'ben')
        AND NOT (g.person = 'eve' AND (a.body->>'area') = 'E08000035')""",
    "sent after its end": """
        SELECT a.id FROM alert a JOIN alert e ON e.id = a.id AND e.version > a.version
        WHERE e.status IN ('stood down', 'withdrawn') AND a.status = 'issued'""",
}


def check(before: dict[str, Any], after: dict[str, Any], act: str, refused: bool) -> None:
    """Raises: Illegal."""
    for words, rows in after["wrong"].items():
        if rows:
            raise Illegal(f"{words}: {rows[:3]}")
    if refused and (before["texts"], before["cases"]) != (after["texts"], after["cases"]):
        raise Illegal(f"{act} was refused and changed something")
    if not refused and act not in BESIDES and before["head"] == after["head"]:
        raise Illegal(f"{act} left nothing on the chain")
    for name, (status, hashed, said) in after["texts"].items():
        was = before["texts"].get(name, ("draft", "", None))
        if was[0] != status and status not in NEXT[was[0]] and (was[0], status) != ("draft", "review"):
            raise Illegal(f"{name}: {was[0]} -> {status}")
        if was[0] != "draft" and (was[1], was[2]) != (hashed, said):
            raise Illegal(f"{name} changed its bytes after it was submitted")
    for ref, case in before["cases"].items():
        then = after["cases"][ref]
        if case["status"] == then["status"] == "closed" and case != then:
            raise Illegal(f"{act} changed the closed {ref}")


def prepared(corridor: Any) -> House:
    """A home with people of every role, a few cases in two regions, and one alert that went out."""
    corridor.staff(at("2025-05-17"))
    house = corridor.house(BEGIN)
    house.db.keep_open()
    for who, (roles, area) in MORE.items():
        made = Person(id=who, name=who, roles=roles, areas=(area,))
        keeper = Actor("gus", "a secret for gus") if who not in ("hal", "gus") else None
        add_person(house, made, f"a secret for {who}", BEGIN, keeper)
    rows = [ROW | {"sample_ref": f"S{n}", "area_code": a, "major": m} for n, (a, m) in enumerate(SAMPLES)]
    corridor.drop("test_results", rows, BEGIN)
    corridor.detect(BEGIN)
    corridor.issue("LDN-2025-0001", BEGIN)
    respond.send(house, BEGIN)
    return house


def walk(corridor: Any, seed: int, steps: int) -> Counter[str]:
    house = prepared(corridor)
    night = Night(house, Random(seed))
    before, trail = stored(night), []
    for _ in range(steps):
        act, refused = night.rng.choices(list(ACTS), list(ACTS.values()))[0], False
        night.now += timedelta(seconds=30)
        try:
            getattr(night, act)()
        except (EwarnError, KeyError) as error:
            refused = True
            trail.append(f"{act}: {error}")
        else:
            trail.append(act)
        night.counted[f"{act}: refused" if refused else act] += 1
        after = stored(night)
        try:
            check(before, after, act, refused)
        except Illegal as illegal:
            raise Illegal(f"seed {seed}: {illegal}; after {trail[-10:]}") from illegal
        before = after
    night.house.db.publish()
    said = {c.name: c for c in doctor.examine(night.house.db, night.now)}
    said.pop("room on the disk")
    said.pop("outbox")
    if bad := [c for c in said.values() if not c.ok]:
        raise Illegal(f"the doctor: {bad}")
    planted(night)
    night.counted["arrived"] = len(corridor.mailbox.messages) + len(corridor.partner_calls)
    return night.counted


PLANTED = {
    "left without its approvals": "UPDATE decision SET hash = 'another' WHERE act IN ('approved', 'out-of-hours')",
    "approved an own text": """INSERT INTO decision SELECT seq + 9000, 'drafted', person, decided_at, case_ref, alert,
        version, '', '' FROM decision WHERE act = 'approved'""",
    "graded without a grant that held": """INSERT INTO decision SELECT seq + 9000, 'graded', 'hal',
        decided_at - INTERVAL 9 DAYS, case_ref, '', NULL, '', '' FROM decision LIMIT 1""",
    "two versions in force": """INSERT INTO alert SELECT id, version + 90, case_ref, status, hash, created_at, body
        FROM alert WHERE status = 'issued'""",
    "approved by another area's panel, or by no panel": "UPDATE decision SET person = 'ivy' WHERE act = 'approved'",
    "sent after its end": """INSERT INTO alert SELECT id, version + 90, case_ref, 'withdrawn', hash, created_at, body
        FROM alert WHERE status = 'issued'""",
}


class Undone(Exception):
    """Nothing of what was planted stays."""


def planted(night: Night) -> None:
    """What is looked for is found where it is planted, in every home in which something went out."""
    with night.house.db.read() as con:
        if not tables.one(con, "SELECT count(*) FROM alert WHERE status = 'issued'"):
            return
    for words, sql in PLANTED.items():
        with pytest.raises(Undone), night.house.db.write("planted") as tx:
            tx.execute(sql)
            assert tables.rows(tx, WRONG[words]), f"not seen: {words}"
            raise Undone
    night.counted["planted"] += 1


@pytest.mark.slow
def test_acts_in_any_order_leave_a_store_that_is_legal(corridor: Any) -> None:
    counted = walk(corridor, seed=1, steps=30)
    assert sum(counted[act] for act in ACTS) >= 5 and counted["approve: refused"], counted


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3, 4])
def test_many_more_acts_in_any_order_leave_a_store_that_is_legal(corridor: Any, seed: int) -> None:
    counted = walk(corridor, seed, steps=500)
    assert {act for act in ACTS if not counted[act] + counted[f"{act}: refused"]} == set(), counted
    assert min(counted[act] for act in ("draft", "edit", "submit", "approve", "update", "send")), counted
    assert counted["arrived"] and counted["planted"], counted
