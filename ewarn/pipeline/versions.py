"""RESPOND, again: an alert that people have is updated, stood down or withdrawn; its dates come due by themselves.

In: a house, an actor, `now`. Out: a draft under the same reference, which goes the way of the first one: read,
submitted, approved as exact bytes, sent. It must never change a version that went out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ewarn.assess import cases as casebook
from ewarn.assess import draft as drafting
from ewarn.assess import facts, following, lifecycle
from ewarn.assess.lint import advised
from ewarn.frames import Lines
from ewarn.pipeline import assess, casework, corrections, exercise_home, handling, texts
from ewarn.pipeline.house import House
from ewarn.pipeline.identity import proved
from ewarn.pipeline.reports import Actor, AlertReport
from ewarn.store import alerts, cases, lines, operator_notices
from ewarn.terms import Alert, AlertStatus, Frozen, Product, VersionKind

Step = lifecycle.Step
STEPS = {VersionKind.STAND_DOWN: Step.STAND_DOWN, VersionKind.WITHDRAWAL: Step.WITHDRAW}
REVIEW_DUE, EXPIRED = "review due", "expired"


class InForce(Frozen):
    """A version that warns and that people have, as the desk shows it."""

    id: str
    version: int
    standing: str
    headline: str
    dated: str
    review_on: str
    expires_on: str
    past: str
    asks: tuple[str, ...] = ()


def in_force(house: House, now: datetime) -> tuple[InForce, ...]:
    """Every warning that stands, those past their day first."""
    with house.db.read() as con:
        standing = [alert for found in alerts.all(con) for alert in alerts.versions(con, found.id)]
        asked = {alert.id: corrections.asks(con, alert) for alert in standing if alert.status is AlertStatus.ISSUED}
    shown = [
        InForce(
            id=alert.id,
            version=alert.version,
            standing=alert.standing.value,
            headline=alert.content["headline"],
            dated=alert.content["date"],
            review_on=alert.content.get("review_on", ""),
            expires_on=alert.content.get("expires_on", ""),
            past=texts.past(alert, now),
            asks=(*asked[alert.id], *_old_advice(house, alert)),
        )
        for alert in standing
        if alert.status is AlertStatus.ISSUED and not alert.kind.closes and alert.product is not Product.CONTACT_TEST
    ]
    return tuple(sorted(shown, key=lambda a: (not a.past and not a.asks, a.expires_on, a.id)))


def _old_advice(house: House, alert: Alert) -> list[str]:
    """Advice that an alert carries in a version which is no longer in force, in words."""
    return [
        f"Carries the advice '{advice_id}' in version {version}; "
        + (f"version {now} is in force: update it." if now else "it is no longer there: update it.")
        for advice_id, version, now in advised.superseded(alert, house.catalogue)
    ]


def update(
    house: House,
    alert_id: str,
    changes: Mapping[str, Any],
    actor: Actor,
    now: datetime,
    *,
    from_case: bool = False,
) -> AlertReport:
    """The next version of what people have, from its text; with `from_case` its facts as the case knows them now."""
    with house.db.write("update") as tx:
        versions, had, current = _current(tx, Step.UPDATE, alert_id)
        person = proved(tx, actor)
        assess.may(house, person, current.area, "update this alert")
        taken = _facts_now(tx, house, current, now) if from_case else None
        number = max(v.version for v in versions) + 1
        written = following.update(current, number, changes, person.id, now, house.catalogue, taken)
        written = drafting.answerable(written, house.settings.public_url)
        written = handling.on_text(tx, house, written, afresh=from_case and "marking" not in changes)
        texts.overtake(tx, versions, had, now, person.id)
        alerts.save(tx, written, at=now, by=person.id)
        texts.on_record(tx, "drafted", written, person, now, f"update of version {current.version}")
        return texts.report(tx, house, written, now=now)


def stand_down(house: House, alert_id: str, why: str, actor: Actor, now: datetime) -> AlertReport:
    """Draft the text that says the warning is no longer needed. Raises: UsageFault, Refused."""
    return _end(house, alert_id, VersionKind.STAND_DOWN, why, actor, now)


def withdraw(house: House, alert_id: str, why: str, actor: Actor, now: datetime) -> AlertReport:
    """Draft the text that says the warning was wrong or should not have gone out, and why. Raises: UsageFault."""
    return _end(house, alert_id, VersionKind.WITHDRAWAL, why, actor, now)


def _end(house: House, alert_id: str, kind: VersionKind, why: str, actor: Actor, now: datetime) -> AlertReport:
    step = STEPS[kind]
    with house.db.write(step.value) as tx:
        versions, had, current = _current(tx, step, alert_id)
        person = proved(tx, actor)
        assess.may(house, person, current.area, f"{step.value} this alert")
        number = max(v.version for v in versions) + 1
        written = following.ending(current, kind, number, why, person.id, now, house.catalogue)
        written = handling.on_text(tx, house, drafting.answerable(written, house.settings.public_url))
        texts.overtake(tx, versions, had, now, person.id)
        alerts.save(tx, written, at=now, by=person.id)
        texts.on_record(tx, "drafted", written, person, now, f"{kind.value}: {written.content['why']}")
        return texts.report(tx, house, written, now=now)


def _current(tx: Any, step: Step, alert_id: str) -> tuple[list[Alert], set[int], Alert]:
    versions, had = texts.step(tx, step, alert_id)
    current = lifecycle.out(versions, had)
    assert current is not None  # the step is open only where somebody has a version
    return versions, had, current


def _facts_now(tx: Any, house: House, alert: Alert, now: datetime) -> dict[str, Any]:
    """The content of a fresh draft of the same product: the case's facts as they are known now."""
    case = cases.going_on(tx, alert.case) or assess.case_of(tx, alert.case)
    known = _lines_of(tx, house, alert.case, now)
    gathered = facts.gather(known, casebook.records_of(case), house.catalogue)
    return drafting.write(
        case, house.catalogue, alert.product, alert.author, now, gathered, issuer_name=house.settings.issuer_name
    ).content


def _lines_of(tx: Any, house: House, case_ref: str, now: datetime) -> Lines:
    """The lines a case rests on: this home's, or those of the exercise it belongs to."""
    held = exercise_home.records_of(house, tx, case_ref, now)
    if held is house:
        return lines.as_known(tx, casework.ages(house), until=now)
    with held.db.read() as con:
        return lines.as_known(con, casework.ages(house), until=now)


def fall_due(house: House, now: datetime) -> list[tuple[str, str]]:
    """Alerts in force whose day of review or end has come: an operator notice, and the case's next action, once each.

    Returns what was told now, as alert and topic. Writes only where there is something new to tell.
    """
    with house.db.read() as con:
        if not _untold(con, now):
            return []
    with house.db.write("review dates") as tx:
        told = _untold(tx, now)
        for alert, topic, words in told:
            operator_notices.put(tx, now, alert.id, words, topic)
            cases.act(tx, alert.case, now, topic, "ewarn", _mark(alert))
            case = cases.going_on(tx, alert.case)
            if case is None:
                continue
            action = f"{alert.id} is past its {'end' if topic == EXPIRED else 'review'}: update or stand it down"
            due_at = min(now, case.due_at) if case.status == "open" else now
            waiting = casebook.reopened(case, action, due_at)
            cases.save(tx, waiting, now)
            if case.status != "open":
                cases.act(tx, case.ref, now, "reopened", "ewarn", f"{alert.id} still stands and is {topic}")
    house.db.publish()
    return [(alert.id, topic) for alert, topic, _ in told]


def _untold(con: Any, now: datetime) -> list[tuple[Alert, str, str]]:
    """Each alert in force that is past a day, with the topic and words; left out where the case has them already."""
    found = []
    newest = {a.id for a in alerts.all(con)}
    for alert_id in sorted(newest):
        for alert in alerts.versions(con, alert_id):
            state = texts.past(alert, now)
            topic = {"expired": EXPIRED, "due for review": REVIEW_DUE}.get(state, "")
            if topic and (topic, _mark(alert)) not in {(e["act"], e["why"]) for e in cases.history(con, alert.case)}:
                day = alert.content["expires_on" if topic == EXPIRED else "review_on"]
                verb = "ended on" if topic == EXPIRED else "was to be looked at again by"
                words = f"{alert.id} version {alert.version} {verb} {day} and still stands: update or stand it down."
                found.append((alert, topic, words))
    return found


def _mark(alert: Alert) -> str:
    return f"{alert.id} v{alert.version}"
