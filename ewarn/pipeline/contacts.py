"""Contact tests: does the live list reach people? A TEST without any drug goes to live channels; answers are counted.

In: a house, an actor, `now`. Out: a text before its approver; afterwards the scorecard. One approver who did not write
it agrees to the exact text. It must never go out from a home whose standing is test, and in an exercise home it goes by
exercise channels alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from ewarn.assess import contact_test, decide, lifecycle
from ewarn.dispatch import render
from ewarn.errors import Refused, UsageFault
from ewarn.personal import placeholders
from ewarn.pipeline import texts
from ewarn.pipeline.house import House
from ewarn.pipeline.identity import proved
from ewarn.pipeline.reports import Actor, AlertReport
from ewarn.review import contact_score
from ewarn.review.contact_score import Answer
from ewarn.review.contact_score import Count as Count
from ewarn.store import alerts, bounces, cases, exercises, outbox, recipients
from ewarn.terms import Frozen, PersonRole, Standing

SCENARIO = "contact test"
ROLES = (PersonRole.COORDINATOR, PersonRole.PANEL)
STANDINGS = {Standing.ACTUAL: Standing.TEST, Standing.EXERCISE: Standing.EXERCISE}


class ContactReport(Frozen):
    """The scorecard of one contact test."""

    at: datetime
    reference: str
    alert: str
    standing: str
    status: str
    answer_by: str
    asked: int
    delivered: int
    answered: int
    silent: int
    wrong: int
    failed: int
    rows: tuple[Answer, ...] = Field((), description="those who need something done first")
    by_group: tuple[Count, ...] = ()
    by_area: tuple[Count, ...] = ()


def start(
    house: House,
    actor: Actor,
    now: datetime,
    *,
    area: str | None = None,
    groups: Sequence[str] = (),
    contacts: str = "",
    days: int = 5,
) -> AlertReport:
    """Write a contact test and put it before its approver. In: `contacts` 'out of hours' to test those instead.

    Raises: Refused in a home whose standing is test, UsageFault for an unknown area or group.
    """
    standing = STANDINGS.get(house.settings.standing)
    if standing is None:
        raise Refused(
            "a test home has no list to test", next_step="Use the live home, or an exercise home to rehearse."
        )
    where = area or house.settings.home_area
    house.catalogue.area_ref(where)
    with house.db.write("contact test") as tx:
        person = proved(tx, actor)
        decide.demand(person, ROLES, where, house.catalogue, "start a contact test")
        _known_groups(tx, groups)
        ref = cases.next_ref(tx, f"{house.settings.issuer}-CT", now.year)
        held = contact_test.case(ref, where, standing, now, days)
        alert = contact_test.write(
            held,
            house.catalogue,
            person.id,
            now,
            alert_id=alerts.next_id(tx, ref),
            issuer_name=house.settings.issuer_name,
            origin=house.settings.origin,
            groups=groups,
            contacts=contacts,
            answers=placeholders.parts(house.settings.public_url, ref),
        )
        payloads = render.payloads(alert, house.catalogue)
        if wrong := contact_test.faults(alert, house.catalogue, payloads):
            raise Refused(f"{wrong[0].where}: {wrong[0].what}", where=ref, next_step=wrong[0].instead)
        fixed = alert.model_copy(update={"hash": render.bundle_hash(alert, payloads)})
        fixed = fixed.model_copy(update={"status": lifecycle.moved(fixed, lifecycle.Act.SUBMIT)})
        cases.save(tx, held, now, person.id)
        cases.act(tx, ref, now, "opened", person.id, "contact test of the list of recipients")
        begun = exercises.Begun(case_ref=ref, scenario=SCENARIO, started_by=person.id, bytes_at=now, signal_at=now)
        exercises.put(tx, begun)
        alerts.save(tx, fixed, payloads, at=now, by=person.id)
        for act in ("drafted", "submitted"):
            texts.on_record(tx, act, fixed, person, now)
        return texts.report(tx, house, fixed, payloads, now)


def _known_groups(con: Any, groups: Sequence[str]) -> None:
    known = {r.group for r in recipients.all(con) if r.active}
    if strangers := sorted(set(groups) - known):
        raise UsageFault(f"nobody is in the group {', '.join(strangers)}", next_step=f"Use {', '.join(sorted(known))}.")


def report(house: House, reference: str, now: datetime) -> ContactReport:
    """Who was reached and who answered, as it stands; kept where it says something new. Raises: UsageFault."""
    with house.db.write("contact test") as tx:
        begun = exercises.load(tx, reference.split("/")[0])
        if begun is None or begun.scenario != SCENARIO:
            raise UsageFault(f"there is no contact test '{reference}'", next_step="See 'ewarn contacts test list'.")
        card = _card(tx, house, begun.case_ref, now)
        exercises.keep_scorecard(tx, begun.case_ref, card, now)
    house.db.publish()
    return card


def listed(house: House) -> list[exercises.Begun]:
    """Every contact test, the newest first."""
    with house.db.read() as con:
        return [begun for begun in exercises.all(con) if begun.scenario == SCENARIO]


def _card(con: Any, house: House, ref: str, now: datetime) -> ContactReport:
    alert = next(a for a in alerts.all(con) if a.case == ref)
    sent = [d for d in outbox.all(con, alert.id) if d.version == alert.version and not d.nudge]
    people = {r.id: r for r in recipients.all(con)}
    payloads = alerts.payloads(con, alert.id, alert.version)
    held = texts.routed(con, house, alert, payloads, decide.EVERYBODY, now).withheld
    arrived = {r["delivery"]: r["at"] for r in reversed(outbox.receipts(con, alert.id)) if r["state"] == "sent"}
    said = {a["delivery"]: a["at"] for a in reversed(outbox.acknowledgements(con, alert.id))}
    written = {d.destination for d in sent}
    withheld = {w.destination: w.reason for w in held if w.destination not in written}
    came_back = {b["delivery"] for b in bounces.all(con) if b["kind"] == "permanent"}
    rows = contact_score.answers(sent, arrived, said, came_back, people, withheld)
    total = contact_score.counts(rows, lambda row: ["all"]) or (
        Count(name="all", asked=0, delivered=0, answered=0, silent=0, wrong=0, failed=0),
    )
    return ContactReport(
        at=now,
        reference=ref,
        alert=alert.id,
        standing=alert.standing.value,
        status=alert.status.value,
        answer_by=str(alert.content["answer_by"]),
        **total[0].model_dump(exclude={"name"}),
        rows=tuple(rows),
        by_group=contact_score.counts(rows, lambda row: [row.group or "no group"]),
        by_area=contact_score.counts(rows, lambda row: [house.catalogue.area_ref(a).name for a in row.areas]),
    )
