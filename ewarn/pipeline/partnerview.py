"""What a partner may read of the alerts: texts approved for professionals, out now, for an area of theirs.

In: a house, an alert, a person, `now`. Out: the alert with the text as approved, or nothing. A condition 'not for
enforcement' holds for the people of groups that enforce the law. Writes nothing. It must never show a partner a draft,
a destination, who is behind a signal, or anything but the approved words.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ewarn.assess import decide
from ewarn.dispatch import enforcement, render
from ewarn.errors import UsageFault
from ewarn.pipeline import publishing, texts
from ewarn.pipeline.house import House
from ewarn.pipeline.reports import AlertReport
from ewarn.store import alerts, decisions, recipients
from ewarn.terms import Alert, AlertStatus, Frozen, Person, Product, Purpose

PROFESSIONAL = "professional"


class Seen(Frozen):
    """One alert as somebody may read it."""

    report: AlertReport
    headline: str
    text: str
    marking: str
    conditions: tuple[str, ...]


def one(house: House, alert_id: str, person: Person, now: datetime, *, whole: bool) -> Seen:
    """The alert. Raises: UsageFault where there is none that this person may read: the same words for both."""
    found = read(house, alert_id, person, now, whole=whole)
    if found is None:
        raise UsageFault(f"there is no alert '{alert_id}'", next_step="Take one from the list of alerts in force.")
    return found


def read(house: House, alert_id: str, person: Person, now: datetime, *, whole: bool) -> Seen | None:
    """The alert, or None where this person may not read it; `whole`: people of the desk, who read every text."""
    with house.db.read() as con:
        every = alerts.versions(con, alert_id)
        if whole:
            shown = max(every, key=lambda a: a.version, default=None)
        else:
            shown = next((a for a in every if a.status is AlertStatus.ISSUED), None)
        if shown is None or not (whole or _may(con, house, shown, person)):
            return None
        report = texts.report_shown(con, house, shown, alerts.payloads(con, shown.id, shown.version), now)
    marking, conditions = _handling(shown)
    headline = str(shown.content.get("headline", ""))
    return Seen(report=report, headline=headline, text=report.text, marking=marking, conditions=conditions)


def marked(house: House, person: Person, *, whole: bool) -> dict[tuple[str, int], tuple[str, tuple[str, ...]]]:
    """(alert, version) -> marking and conditions, of every version out now that this person may read."""
    with house.db.read() as con:
        out = [v for found in alerts.all(con) for v in alerts.versions(con, found.id) if v.status is AlertStatus.ISSUED]
        return {(v.id, v.version): _handling(v) for v in out if whole or _may(con, house, v, person)}


def _handling(alert: Alert) -> tuple[str, tuple[str, ...]]:
    said = alert.content.get("handling") or {}
    return str(alert.content.get("marking", "")), tuple(said.get("conditions") or ())


def _may(con: Any, house: House, alert: Alert, person: Person) -> bool:
    """Whether a partner may read this version."""
    ours = alert.standing is house.settings.standing and alert.product is not Product.CONTACT_TEST
    approved = PROFESSIONAL in decide.audiences(alert, decisions.of_alert(con, alert.id), house.catalogue)
    marked = alert.content.get("marking") in publishing.MARKED[PROFESSIONAL]
    payloads = alerts.payloads(con, alert.id, alert.version)
    whole = bool(payloads) and render.bundle_hash(alert, payloads) == alert.hash
    if not (ours and approved and marked and whole and _near(house, alert.area, person)):
        return False
    behind = [r for r in recipients.all(con) if r.person == person.id]
    if person.purpose is Purpose.ENFORCEMENT and enforcement.stops(alert, house.catalogue.routes):
        return False
    return not any(enforcement.withheld_from(r, alert, house.catalogue.routes) for r in behind)


def _near(house: House, area: str, person: Person) -> bool:
    """Whether one of the person's areas holds the alert's, or lies in it."""
    above = {area, *(one.code for one in house.catalogue.ancestors(area))}
    within = {one.code for code in person.areas for one in house.catalogue.ancestors(code)}
    return bool(above & set(person.areas)) or area in within
