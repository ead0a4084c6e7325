"""RESPOND, once more: a formal alert that nobody answered is sent again once, and then taken further.

In: a house, `now`. Out: deliveries of their own in the outbox, with the approved bytes and a fixed line; escalations,
each once; one operator notice an alert that lists who has not read it. It must never nudge for an alert that is not in
force, for somebody who answered or whose mail came back, nor send other words than the approved ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ewarn.catalogue import hours
from ewarn.catalogue.routing import Nudge
from ewarn.dispatch import occasion
from ewarn.pipeline import texts
from ewarn.pipeline.house import House
from ewarn.store import alerts, answers, cases, operator_notices, outbox, recipients
from ewarn.store import matrix as cells
from ewarn.terms import Alert, AlertStatus, Delivery, DeliveryState, Frozen, Product, Recipient, digest

AGAIN, FURTHER = "nudge", "escalate"
TOPIC = "not read"


class NudgeReport(Frozen):
    """What was written now: nudges, and who was taken further."""

    nudges: tuple[Delivery, ...] = ()
    escalated: tuple[str, ...] = ()


def nudge(house: House, now: datetime) -> NudgeReport:
    """Write what is due, in one transaction; nothing where nothing is."""
    with house.db.read() as con:
        over, quiet = _over(con), not _due(con, house, now)
    if over:
        with house.db.write("nudges") as tx:
            operator_notices.close(tx, now, "ewarn", source="dispatch", topics=_over(tx))
    if quiet:
        return NudgeReport()
    with house.db.write("nudges") as tx:
        due = _due(tx, house, now)
        known = {r.id: r for r in recipients.all(tx)}
        written = [d for alert, row, step in due if (d := _again(tx, house, alert, row, known, step)) is not None]
        outbox.put(tx, written, now)
        for delivery in written:
            act = "escalated" if delivery.contact else "nudged"
            cases.act(tx, _case(due, delivery.alert), now, act, "ewarn", f"{delivery.alert}: {delivery.why}")
        further = [(alert, row) for alert, row, step in due if step == FURTHER]
        for alert, row in further:
            told = "out-of-hours contact, operator" if _other(known.get(row["destination"])) else "operator"
            answers.escalate(tx, alert.id, alert.version, row["destination"], told, now)
        for alert in {alert.id: alert for alert, _ in further}.values():
            _tell(tx, alert, now)
    house.db.publish()
    return NudgeReport(nudges=tuple(written), escalated=tuple(row["destination"] for _, row in further))


def _due(con: Any, house: House, now: datetime) -> list[tuple[Alert, dict[str, Any], str]]:
    """Each unread delivery with what is due for it now."""
    found = []
    loaded: dict[tuple[str, int], tuple[Alert | None, Nudge | None]] = {}
    for row in cells.unread(con).iter_rows(named=True):
        key = (row["alert"], row["version"])
        if key not in loaded:
            loaded[key] = _rule(con, house, *key, now)
        alert, rule = loaded[key]
        if alert is not None and rule is not None and (step := _step(row, rule, now)):
            found.append((alert, row, step))
    return found


def _rule(con: Any, house: House, alert_id: str, version: int, now: datetime) -> tuple[Alert | None, Nudge | None]:
    """The alert and the times that hold for it; None where it is not in force, cannot be answered, or never nudges."""
    alert = alerts.load(con, alert_id, version)
    routes, grading = house.catalogue.routes, house.catalogue.grading
    in_force = alert is not None and alert.status is AlertStatus.ISSUED and not alert.kind.closes
    if alert is None or not in_force or alert.product is not Product.FORMAL_ALERT or not alert.content.get("answer"):
        return None, None
    if texts.past(alert, now) == "expired":
        return None, None
    case = cases.load(con, alert.case)
    grade = case.grade if case else ""
    fits = [n for n in routes.nudges if grade in n.severities] or [n for n in routes.nudges if not n.severities]
    if not fits or (fits[0].hours == "working" and not hours.is_open(hours.WORKING, now, grading.working_hours)):
        return None, None
    return alert, fits[0]


def _step(row: Mapping[str, Any], rule: Nudge, now: datetime) -> str:
    waited = now - row["sent_at"]
    if row["escalated_at"] is None and row["nudged"] and waited >= timedelta(minutes=rule.escalate_after_minutes):
        return FURTHER
    return AGAIN if not row["nudged"] and waited >= timedelta(minutes=rule.after_minutes) else ""


def _again(
    tx: Any, house: House, alert: Alert, row: Mapping[str, Any], known: Mapping[str, Recipient], step: str
) -> Delivery | None:
    """The same delivery once more: to the same contact, or when it is taken further to the other one."""
    first, recipient = outbox.load(tx, row["delivery"]), known.get(row["destination"])
    if first is None or recipient is None or not recipient.active or first.audience != "professional":
        return None
    update: dict[str, Any] = {"why": f"{row['destination']} has not answered: the same text once more"}
    if step == FURTHER:
        if not _other(recipient) or first.contact == occasion.OUT_OF_HOURS:
            return None
        channel = house.catalogue.channels.get(recipient.night_channel or recipient.channel)
        if channel is None or not _stored(tx, alert, first.audience, channel.format):
            return None
        update = {
            "why": f"{row['destination']} has not answered: its out-of-hours contact gets it",
            "contact": occasion.OUT_OF_HOURS, "channel": channel.id, "format": channel.format,
        }  # fmt: skip
    return first.model_copy(
        update=update
        | {
            "id": digest([alert.id, alert.version, row["destination"], step], 16),
            "nudge": True, "state": DeliveryState.WAITING, "attempts": 0, "next_attempt_at": None, "last_error": "",
        }
    )  # fmt: skip


def _stored(con: Any, alert: Alert, audience: str, form: str) -> bool:
    return any((p.audience, p.format) == (audience, form) for p in alerts.payloads(con, alert.id, alert.version))


def _other(recipient: Recipient | None) -> str:
    return recipient.night_address if recipient else ""


def _case(due: Sequence[tuple[Alert, dict[str, Any], str]], alert_id: str) -> str:
    return next(alert.case for alert, _, _ in due if alert.id == alert_id)


def _silent(con: Any) -> dict[str, list[str]]:
    """Who was reminded and has not answered, by alert."""
    found: dict[str, list[str]] = {}
    for row in cells.unread(con).iter_rows(named=True):
        if row["nudged"]:
            found.setdefault(row["alert"], []).append(row["destination"])
    return found


def _open(con: Any) -> list[str]:
    return [t for t in operator_notices.open(con)["topic"].to_list() if t.startswith(f"{TOPIC} ")]


def _over(con: Any) -> list[str]:
    """Open notices of alerts that everybody has answered by now, or that are not in force any more."""
    topics = _open(con)
    silent = _silent(con) if topics else {}
    named = {topic: topic.removeprefix(f"{TOPIC} ").rpartition(": ")[0] for topic in topics}
    return [topic for topic, name in named.items() if name not in silent or not _stands(con, name)]


def _stands(con: Any, alert_id: str) -> bool:
    alert = alerts.load(con, alert_id)
    return alert is not None and not alert.kind.closes


def _tell(tx: Any, alert: Alert, now: datetime) -> None:
    """One notice an alert, brought up to date: everybody who was reminded and has still not answered."""
    names = sorted(_silent(tx).get(alert.id, ()))
    words = f"{alert.id} version {alert.version} was not answered after a reminder by: {', '.join(names)}. Ring them."
    topic = f"{TOPIC} {alert.id}: {digest(names, 8)}"  # more names are another matter, told anew
    earlier = [t for t in _open(tx) if t.startswith(f"{TOPIC} {alert.id}: ") and t != topic]
    operator_notices.close(tx, now, "ewarn", source="dispatch", topics=earlier)
    operator_notices.put(tx, now, "dispatch", words, topic)
    cases.act(tx, alert.case, now, "escalated", "ewarn", words)
