"""What must hold at a desk whatever people do, said without the code that is to keep it: tables written by hand.

In: a desk before and after a step. Out: nothing, or Illegal with what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from ewarn.terms import Alert, CaseFile, Person
from tests.assess.walking import Desk, Done, Left, print_of

WITHIN = {
    "E09000007": {"E09000007", "E12000007", "K02000001"},
    "E09000019": {"E09000019", "E12000007", "K02000001"},
    "E09000008": {"E09000008", "E12000007", "K02000001"},
    "E12000007": {"E12000007", "K02000001"},
    "K02000001": {"K02000001"},
}
NEXT = {
    "draft": {"review", "superseded"},
    "review": {"approved", "superseded"},
    "approved": {"issued", "updated", "stood down", "withdrawn", "superseded"},
    "issued": {"updated", "stood down", "withdrawn"},
    "updated": set(), "stood down": set(), "withdrawn": set(), "superseded": set(),
}  # fmt: skip
HAD = {"issued", "updated", "stood down", "withdrawn"}
TWO, DESK, GRADING = "formal alert", {"duty", "panel", "coordinator"}, {"panel", "duty"}
ON_OPEN = {"grade", "assign", "link", "close", "outcome", "verify", "lead", "split", "merge", "move"}
BANK_HOLIDAYS = {
    date.fromisoformat(day)
    for day in (
        *("2025-04-18", "2025-04-21", "2025-05-05", "2025-05-26", "2025-08-25", "2025-12-25", "2025-12-26"),
        *("2026-01-01", "2026-04-03", "2026-04-06", "2026-05-04", "2026-05-25", "2026-08-31", "2026-12-25"),
    )
}


class Illegal(AssertionError):
    """A state that must never be."""


def demand(holds: object, words: str) -> None:
    if not holds:
        raise Illegal(words)


def may(person: Person, area: str, roles: set[str]) -> bool:
    return person.active and bool({r.value for r in person.roles} & roles) and bool(set(person.areas) & WITHIN[area])


def out_of_hours(at: datetime) -> bool:
    local = at.astimezone(ZoneInfo("Europe/London"))
    demand(local.year < 2027, "the table of bank holidays ends")
    free = local.weekday() >= 5 or local.date() in BANK_HOLIDAYS
    return free or not time(9) <= local.time() < time(17)


def after_a_step(desk: Desk, cases: dict[str, CaseFile], alerts: dict[str, list[Alert]], done: int, left: int) -> None:
    """In: what there was before the step; how many acts were let through and versions had left by then."""
    for act in desk.done[done:]:
        of_act(desk, act)
    for one in desk.left[left:]:
        of_leaving(desk, one)
    for alert_id, versions in desk.alerts.items():
        if alerts.get(alert_id) != versions:
            of_versions(desk, alert_id, alerts.get(alert_id, []), versions)
    if cases != desk.cases:
        of_cases(desk, cases)


def of_act(desk: Desk, act: Done) -> None:
    if act.case is not None:
        allowed = GRADING if act.act in ("grade", "outcome") else DESK
        demand(may(act.person, act.case.lead_area, allowed), f"{act.person.id} may not {act.act} {act.case.ref}")
        demand(act.act not in ON_OPEN or act.case.status == "open", f"{act.act} on the closed {act.case.ref}")
        demand(act.act != "draft" or not act.case.merged_into, f"a draft for {act.case.ref}, which was merged")
    if act.act == "write":
        demand(act.alert and may(act.person, act.alert.area, DESK), f"{act.person.id} may not write this text")
    if act.act in ("approve", "alone") and act.alert is not None:
        name = f"{act.person.id} on {act.alert.id} v{act.alert.version}"
        demand(may(act.person, act.alert.area, {"panel"}), f"approved without the role for the area: {name}")
        demand(act.words == print_of(act.alert), f"approved what was not before them: {name}")
        demand(act.person.id not in writers(desk, act.alert), f"approved an own text: {name}")
        if act.act == "alone":
            demand(out_of_hours(act.at), f"alone in working hours: {name}")
            demand(act.alert.product.value == TWO and not act.alert.kind.closes, f"alone on the wrong text: {name}")


def writers(desk: Desk, alert: Alert) -> set[str]:
    """Who wrote this version or one before it."""
    texts = [(d.person.id, d.alert) for d in desk.done if d.act == "write" and d.alert]
    return {who for who, text in texts if text.id == alert.id and text.version <= alert.version} | {alert.author}


def of_leaving(desk: Desk, one: Left) -> None:
    alert, name = one.alert, f"{one.alert.id} v{one.alert.version} to {one.audience}"
    given = [d for d in desk.done if d.act in ("approve", "alone") and d.alert and d.alert.id == alert.id]
    given = [d for d in given if d.alert and d.alert.version == alert.version and d.words == print_of(alert)]
    people = {d.person.id for d in given}
    wanted = 2 if alert.product.value == TWO else 1
    alone = any(d.act == "alone" for d in given) and one.audience == "professional"
    demand(len(people) >= wanted or alone, f"left with {len(people)} approvals of its very words: {name}")
    demand(not people & writers(desk, alert), f"left with an own approval: {name}")
    demand(alert.standing is desk.cases[alert.case].standing, f"left under another standing: {name}")
    of_this = [o.alert for o in desk.left if o.alert.id == alert.id and o is not one]
    later = [v for v in desk.alerts[alert.id] if v.version > alert.version and v.status.value in {"approved", *HAD}]
    demand(not later, f"left although a later one was approved: {name}")
    ended = [v for v in of_this if v.kind.closes and v.version < alert.version]
    demand(not ended, f"left after the alert was ended: {name}")
    before = max((v.version for v in of_this if v.version < alert.version), default=0)
    said = str(alert.content.get("replaces") or "")
    demand(
        said.startswith(f"version {before} of ") if before else not said, f"does not say it replaces {before}: {name}"
    )


def of_versions(desk: Desk, alert_id: str, before: list[Alert], after: list[Alert]) -> None:
    was = {v.version: v for v in before}
    demand([v.version for v in after] == list(range(1, len(after) + 1)), f"{alert_id} misses a version")
    in_force = [v.version for v in after if v.status.value == "issued"]
    demand(len(in_force) <= 1, f"{alert_id} has {in_force} in force")
    left = {o.alert.version for o in desk.left if o.alert.id == alert_id}
    for now in after:
        then, name = was.get(now.version), f"{alert_id} v{now.version}"
        if then is None:
            demand(now.status.value == "draft" and not now.hash, f"{name} did not begin as a draft")
            continue
        step = f"{then.status.value} -> {now.status.value}"
        demand(now.status is then.status or now.status.value in NEXT[then.status.value], f"{name}: {step}")
        demand(then.status.value == "draft" or now.hash == then.hash, f"{name} changed its hash: {step}")
        demand(print_of(now) == print_of(then), f"{name} changed its words: {step}")
        demand(now.status.value not in HAD or now.version in left, f"{name} is {now.status.value} and never left")
        demand(now.status.value != "superseded" or now.version not in left, f"{name} left and is superseded")
    had = max(left, default=0)
    waits = [v.version for v in after if had < v.version < len(after) and v.status.value != "superseded"]
    demand(not waits, f"{alert_id}: {waits} wait to leave although a later version is being written")
    over = [v.version for v in after if v.kind.closes and v.status.value in HAD]
    demand(not over or not in_force, f"{alert_id} is ended and still in force")
    demand(not over or max(over) == len(after), f"{alert_id} goes on after its end")


def of_cases(desk: Desk, before: dict[str, CaseFile]) -> None:
    demand(set(before) <= set(desk.cases), "a case is gone")
    for ref, case in desk.cases.items():
        if case == before.get(ref):
            continue
        ends = (case.closed_at, case.closed_as, case.closed_note)
        demand(case.status in ("open", "closed"), f"{ref} is {case.status}")
        demand(all(ends) if case.status == "closed" else not any(ends), f"{ref} is {case.status} with {ends}")
        demand((case.next_action == "none: closed") == (case.status == "closed"), f"{ref}: {case.next_action}")
        demand(case.status == "closed" or not case.merged_into, f"{ref} is open and was merged")
        demand(
            {s.signal.standing for s in case.signals} <= {case.standing}, f"{ref} mixes what is real and what is not"
        )
        ids = [s.signal.id for s in case.signals]
        demand(len(ids) == len(set(ids)), f"{ref} holds a signal twice")
        demand(not case.merged_into or goes_on(desk, case), f"{ref} was merged in a circle")
        demand(case.signals or case.merged_into, f"{ref} holds nothing")
    held = set(joined(desk.cases.values()))
    lost = [s.id for s in desk.signals.values() if s.id not in held and s.id in set(joined(before.values()))]
    demand(not lost, f"signals that no case holds any more: {lost}")


def joined(cases: Iterable[CaseFile]) -> list[str]:
    return [s.signal.id for case in cases for s in case.signals if not s.suggested]


def goes_on(desk: Desk, case: CaseFile) -> bool:
    seen = {case.ref}
    while case.merged_into:
        if case.merged_into in seen:
            return False
        seen.add(case.merged_into)
        case = desk.cases[case.merged_into]
    return True
