"""What the verbs on texts share: a text found, reported, and put on record.

In: an open store, a house. Out: alerts and reports about them. It must never change a text.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from difflib import unified_diff
from functools import partial
from typing import Any

from ewarn.assess import decide, grade, lifecycle, lint
from ewarn.assess.following import named
from ewarn.dispatch import render, route
from ewarn.dispatch.occasion import Occasion
from ewarn.errors import ContentFault, Refused, UsageFault
from ewarn.pipeline import corrections, handling, held
from ewarn.pipeline.house import House
from ewarn.pipeline.reports import AlertLine, AlertReport
from ewarn.store import alerts, cases, decisions, operator_notices, outbox, photos, published, recipients, releases
from ewarn.terms import Alert, Decision, Payload, Person, Recipient, london_day

PROFESSIONAL, PUBLIC = "professional", "public"


def found(con: Any, alert_id: str, version: int | None = None) -> Alert:
    """A version of an alert, the newest when none is named. Raises: UsageFault."""
    alert = alerts.load(con, alert_id, version)
    if alert is None:
        what = f"there is no alert '{alert_id}'" if version is None else f"there is no version {version} of {alert_id}"
        raise UsageFault(what, next_step="See 'ewarn alerts list'.")
    return alert


def reached(con: Any, alert_id: str) -> set[int]:
    """The versions of an alert that somebody has or may have."""
    return {delivery.version or 0 for delivery in outbox.reached(con, alert_id)}


def step(con: Any, what: lifecycle.Step, alert_id: str) -> tuple[list[Alert], set[int]]:
    """The versions of an alert and which were received. Raises: UsageFault; Refused where the step is not open."""
    found(con, alert_id)
    versions, had = alerts.versions(con, alert_id), reached(con, alert_id)
    if stands := lifecycle.refusal(what, versions, had):
        raise Refused(stands.what, where=alert_id, next_step=stands.next_step)
    return versions, had


def overtake(tx: Any, versions: Sequence[Alert], had: set[int], now: datetime, by: str) -> None:
    """The versions nobody has give way to one that is being written."""
    for left in lifecycle.left_behind(versions, had):
        alerts.set_status(tx, left.id, left.version, lifecycle.moved(left, lifecycle.Act.OVERTAKE), now, by)
        supersede(tx, left, [left.version], "its approvals were taken back: a new version is written", now, by)


def supersede(tx: Any, alert: Alert, versions: Sequence[int], words: str, now: datetime, by: str) -> None:
    """Queued deliveries of these versions are not sent; whom that leaves out is told, never lost."""
    stopped = outbox.supersede(tx, alert.id, versions, words, now, by)
    if stopped:
        tell_superseded(tx, alert, [f"{d.destination} (version {d.version})" for d in stopped], words, now)


def tell_superseded(tx: Any, alert: Alert, whom: Sequence[str], words: str, now: datetime) -> None:
    """An operator notice and a line in the case's history about what was queued and does not go out."""
    said = f"{alert.id}: not sent to {', '.join(whom)}: {words}"
    operator_notices.put(tx, now, alert.id, said)
    cases.act(tx, alert.case, now, "superseded", "ewarn", said)


def tell_unset(tx: Any, house: House, alert: Alert, payloads: Sequence[Payload], now: datetime) -> None:
    """An operator notice for printed formats that could not be set: the warning goes out without them."""
    if missing := render.unset(alert, house.catalogue, payloads):
        operator_notices.put(tx, now, alert.id, f"{alert.id}: no sheet could be set from {', '.join(missing)}")


def replaces_what_people_have(con: Any, alert: Alert) -> None:
    """Raises: Refused where a version went out since this one was written, and it does not say so."""
    before = [v for v in alerts.versions(con, alert.id) if v.version < alert.version]
    had = lifecycle.out(before, reached(con, alert.id))
    if alert.content.get("replaces") != (named(had) if had else None):
        raise Refused(
            f"this text does not say that it replaces {named(had) if had else 'nothing'}",
            where=alert.id,
            next_step="It was written before that went out: start again from 'ewarn update'.",
        )


def on_record(tx: Any, act: str, alert: Alert, person: Person, now: datetime, note: str = "") -> None:
    """A person's act on a text: in the case's history and among the decisions."""
    words = f"{alert.product.value} {alert.id} v{alert.version}" + (f": {note}" if note else "")
    cases.act(tx, alert.case, now, act, person.id, words)
    decisions.append(tx, decide.on(alert, act, person, now, note))


def routed(
    con: Any,
    house: House,
    alert: Alert,
    payloads: Sequence[Payload],
    audiences: Sequence[str],
    now: datetime | None = None,
) -> route.Routed:
    """Who gets this version: those its area concerns, and everybody who has an earlier one.

    In: `now` for what depends on the hour; without it, as in working hours.
    """
    known: list[Recipient] = recipients.all(con)
    when = occasion_of(con, house, alert, now)
    had = has_earlier(con, alert)
    return route.destinations(alert, known, house.catalogue, payloads, audiences=audiences, earlier=had, when=when)


def has_earlier(con: Any, alert: Alert) -> set[str]:
    """The recipients who have an earlier version, or may have."""
    return {d.destination for d in outbox.reached(con, alert.id) if (d.version or 0) < alert.version}


def occasion_of(con: Any, house: House, alert: Alert, now: datetime | None) -> Occasion:
    """How severe the alert's case is, and the hour."""
    case = cases.going_on(con, alert.case)
    severity = grade.severity(case, house.catalogue.grading).grade if case else ""
    return Occasion(severity=severity, now=now)


def known_of(con: Any, house: House, alert: Alert) -> lint.Known:
    """What the checker is told beside the text: what the case's records allow now, and how sure the case is now."""
    case = cases.going_on(con, alert.case) or cases.load(con, alert.case)
    if case is None:
        return lint.Known()
    held = handling.of_case(con, house, case, alert.id)
    parts = ("event", "substance", "link")
    levels = {part: getattr(case, f"verification_{part}").value for part in parts}
    words = tuple(release.words for release in held.releases)
    return lint.Known(held.marking, held.conditions, held.classification, levels, words)


def findings(con: Any, house: House, alert: Alert) -> list[lint.Finding]:
    """What stands against a text now."""
    return lint.findings(alert, house.catalogue, known_of(con, house, alert))


def let_pass(tx: Any, alert: Alert, chosen: Sequence[lint.Finding], reason: str, person: Person, now: datetime) -> None:
    """A person's override of findings, each by itself, bound to the exact text."""
    for finding in chosen:
        told = (finding.id, finding.code, finding.where, finding.what)
        releases.let_pass(tx, now, (alert.id, alert.version, alert.hash), told, reason.strip(), person.id)
        on_record(tx, "overrode finding", alert, person, now, f"{finding.code} in {finding.where}: {reason.strip()}")


def _told(con: Any, house: House, alert: Alert) -> tuple[dict[str, Any], ...]:
    """Findings as a report shows them: with their id, and who let them pass and why."""
    passed = {row["finding"]: row for row in releases.passed(con, alert.id, alert.hash)}
    return tuple(
        {"id": f.id, **f.model_dump(mode="json"), "overridden": _by(passed.get(f.id))}
        for f in findings(con, house, alert)
    )


def _by(row: dict[str, Any] | None) -> str:
    return f"{row['person']}: {row['reason']}" if row else ""


def report(
    con: Any, house: House, alert: Alert, payloads: Sequence[Payload] = (), now: datetime | None = None
) -> AlertReport:
    """One version with its approvals, findings, destinations, dates, and what changed since the one people have."""
    decided: list[Decision] = decisions.of_alert(con, alert.id)
    shown = payloads or stored_or_rendered(con, house, alert)
    goes = routed(con, house, alert, shown, decide.EVERYBODY, now)
    sent = [d for d in outbox.all(con, alert.id) if d.version == alert.version]
    deliveries = tuple(sent or (goes.deliveries if alert.status is not alert.status.SUPERSEDED else ()))
    public = readable(shown, PUBLIC) if any(d.audience == PUBLIC for d in deliveries) else ""
    return AlertReport(
        **dict(line(con, alert, decided, now)),
        hash=alert.hash,
        author=alert.author,
        findings=_told(con, house, alert),
        releases=known_of(con, house, alert).releases,
        figures=tuple(figures_of(alert)),
        deliveries=deliveries,
        withheld=tuple(w._asdict() for w in goes.withheld),
        changes=_changes(con, house, alert, shown),
        text=readable(shown, PROFESSIONAL),
        public_text=public,
    )


def line(con: Any, alert: Alert, decided: Sequence[Decision], now: datetime | None = None) -> AlertLine:
    """What a list shows of one version; `decided`: the decisions on its text. Nothing is rendered for it."""
    return AlertLine(
        id=alert.id,
        case=alert.case,
        version=alert.version,
        kind=alert.kind.value,
        product=alert.product.value,
        status=alert.status.value,
        standing=alert.standing.value,
        review_on=alert.content.get("review_on", ""),
        expires_on=alert.content.get("expires_on", ""),
        past=past(alert, now) if now else "",
        approvals=decide.approvals(alert, decided),
        approvals_needed=decide.needed(alert.product),
        asks=corrections.asks(con, alert),
    )


def report_shown(con: Any, house: House, alert: Alert, payloads: Sequence[Payload], now: datetime) -> AlertReport:
    """The same for pages: looked up once for each copy and minute."""
    mark = (published.number(con), house.catalogue.content_hash, f"{now:%Y%m%d%H%M}")
    made = partial(report, con, house, alert, payloads, now)
    return held.while_same(house, "report of a text", mark, made, (alert.id, alert.version))


def figures_of(alert: Alert) -> list[dict[str, Any]]:
    """A version's figures, each with the records it rests on and the version of each that it was read from."""
    versions = alert.content.get("record_versions") or {}
    return [
        {"label": f["label"], "value": f["value"], "released": f.get("released", ""),
         "records": [{"record": r, "version": versions.get(r)} for r in f.get("records", [])]}
        for f in alert.content.get("figures", [])
    ]  # fmt: skip


def past(alert: Alert, now: datetime) -> str:
    """'expired', 'due for review' or '': of a version that warns and that people have."""
    if alert.status is not alert.status.ISSUED or alert.kind.closes:
        return ""
    today = london_day(now).isoformat()
    if today > str(alert.content.get("expires_on") or "9"):
        return "expired"
    return "due for review" if today >= str(alert.content.get("review_on") or "9") else ""


def _changes(con: Any, house: House, alert: Alert, shown: Sequence[Payload]) -> tuple[str, ...]:
    """Lines that came (+) and went (-) since the version that this one replaces."""
    earlier = [v for v in alerts.versions(con, alert.id) if v.version < alert.version and alert.content.get("replaces")]
    had = lifecycle.out(earlier, reached(con, alert.id))
    if had is None:
        return ()
    before, after = readable(stored_or_rendered(con, house, had), PROFESSIONAL), readable(shown, PROFESSIONAL)
    lines = unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return tuple(line for line in lines if line[1:].strip() and not line.startswith(("+++", "---", "@@")))


def stored_or_rendered(con: Any, house: House, alert: Alert) -> Sequence[Payload]:
    """The stored bytes; a draft is rendered, unless its templates have changed since it was written."""
    stored = alerts.payloads(con, alert.id, alert.version)
    if stored:
        return stored
    try:
        return render.payloads(alert, house.catalogue, paper=False, photo=photo_shown(con, alert))
    except (Refused, ContentFault):
        return []


def photo_of(con: Any, alert: Alert) -> bytes:
    """The picture that a text shows; empty where it shows none. Raises: Refused where it was purged."""
    found = photo_shown(con, alert)
    if alert.content.get("photo") and not found:
        raise Refused(
            "the photograph of this text was purged",
            where=alert.id,
            next_step=f"Attach another, or take it out: ewarn photo remove {alert.id}",
        )
    return found


def photo_shown(con: Any, alert: Alert) -> bytes:
    """The same for those who only look; empty where it was purged."""
    return photos.body(con, (alert.content.get("photo") or {}).get("sha256", ""))


def readable(payloads: Sequence[Payload], audience: str) -> str:
    """An audience's plain text, as it would arrive; '' where there is none."""
    texts = [p for p in payloads if p.format == "text" and p.audience == audience]
    return f"{texts[0].subject}\n\n{texts[0].body.decode()}" if texts else ""
