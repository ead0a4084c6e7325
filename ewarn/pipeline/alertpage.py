"""Texts as the desk shows them: the list, and one with its formats, findings, destinations and answers.

In: a house, an alert's id, `now`. Out: frozen reports. Writes nothing.
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime
from typing import Any

from ewarn.errors import UsageFault
from ewarn.pipeline import held, matrix, photos, printing, texts
from ewarn.pipeline.house import House
from ewarn.pipeline.reports import AlertLine, AlertReport
from ewarn.store import alerts, decisions, people
from ewarn.terms import Alert, AlertStatus, Decision, Frozen, Payload

EDITED = {
    "headline": "Headline",
    "what_happened": "What happened, a sentence a line",
    "sold_as": "Sold as, one a line",
    "appearance": "Looks like, one a line",
    "at_risk": "Who is at risk",
    "report_back": "How to report back",
}
PICTURED = ("flyer", "poster", "clinical", "photo")


class Shown(Frozen):
    """One format of one audience: what its bytes are, and words to read where it has any."""

    audience: str
    format: str
    subject: str
    sha256: str
    size: int
    words: str = ""


class AlertPage(Frozen):
    report: AlertReport
    alert: Alert
    stored: bool
    formats: tuple[Shown, ...]
    chosen: Shown | None
    versions: tuple[Alert, ...]
    newest: int
    names: dict[str, str]
    fields: dict[str, str]
    values: dict[str, str]
    cells: tuple[dict[str, Any], ...]
    editable: bool
    had: bool
    photo: dict[str, Any] | None = None
    photographed: tuple[str, ...] = ()


def of(
    house: House, alert_id: str, now: datetime, version: int | None = None, form: str = "text", audience: str = ""
) -> AlertPage:
    """One version of a text, the newest unless named. Raises: UsageFault."""
    with house.db.read() as con:
        alert = texts.found(con, alert_id, version)
        every = alerts.versions(con, alert_id)
        stored = alerts.payloads(con, alert.id, alert.version)
        names = {person.id: person.name for person in people.all(con)}
        had = texts.reached(con, alert_id)
        shown = stored or texts.stored_or_rendered(con, house, alert)
        report = texts.report_shown(con, house, alert, shown, now)
    formats = tuple(_shown(payload) for payload in shown)
    wanted = (audience or "professional", form)
    newest = max(one.version for one in every)
    return AlertPage(
        report=report,
        alert=alert,
        stored=bool(stored),
        formats=formats,
        chosen=next((one for one in formats if (one.audience, one.format) == wanted), None),
        versions=tuple(sorted(every, key=lambda one: -one.version)),
        newest=newest,
        names=names,
        fields=EDITED,
        values={key: _written(alert.content.get(key)) for key in EDITED},
        cells=tuple(matrix.matrix(house, now, alert_id).cells) if had else (),
        editable=alert.version == newest and alert.version not in had,
        had=bool(had),
        photo=alert.content.get("photo"),
        photographed=tuple(photos.usable(house, alert)),
    )


def picture(house: House, alert_id: str, version: int | None) -> bytes:
    """The photograph of a version. Raises: UsageFault where it has none, or none any more."""
    with house.db.read() as con:
        found = texts.photo_shown(con, texts.found(con, alert_id, version))
    if not found:
        raise UsageFault(f"{alert_id} has no photograph", next_step="Go back to the text.")
    return found


def listed(house: House, now: datetime) -> tuple[AlertLine, ...]:
    """Every text, those that wait for somebody first, then the newest. None is rendered for it."""
    return held.of(house, "texts", lambda: _listed(house, now), f"{now:%Y%m%d%H}")


def _listed(house: House, now: datetime) -> tuple[AlertLine, ...]:
    order = {AlertStatus.REVIEW: 0, AlertStatus.DRAFT: 1, AlertStatus.APPROVED: 2, AlertStatus.ISSUED: 3}
    with house.db.read() as con:
        decided: defaultdict[str, list[Decision]] = defaultdict(list)
        for decision in decisions.all(con):
            decided[decision.alert].append(decision)
        found = [texts.line(con, alert, decided[alert.id], now) for alert in alerts.all(con)]
    return tuple(sorted(found, key=lambda line: (order.get(AlertStatus(line.status), 9), not line.past)))


def file(house: House, alert_id: str, form: str, audience: str, version: int | None) -> tuple[str, bytes]:
    """The bytes of one format under a name that says what it is; a draft says so. Raises: UsageFault, Refused."""
    told, body = printing.export(house, alert_id, form, audience, version, as_submitted=True)
    return told.name, body


def changes(posted: dict[str, str], alert: Alert) -> dict[str, Any]:
    """What an edit form changes: fields that differ, lists by line."""
    wanted: dict[str, Any] = {}
    for key, text in posted.items():
        before = alert.content.get(key)
        after: Any = [line.strip() for line in text.splitlines() if line.strip()] if isinstance(before, list) else text
        if after != before:
            wanted[key] = after
    return wanted


def _written(value: Any) -> str:
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value or "")


def _shown(payload: Payload) -> Shown:
    return Shown(
        audience=payload.audience,
        format=payload.format,
        subject=payload.subject,
        sha256=payload.sha256,
        size=len(payload.body),
        words=_words(payload),
    )


def _words(payload: Payload) -> str:
    """What a person can read of a format; '' for a sheet of paper."""
    if payload.gone:
        return f"Purged with the photograph it showed. Its SHA-256 stays on record: {payload.gone}"
    if payload.format in PICTURED or payload.body[:5] == b"%PDF-":
        return ""
    text = payload.body.decode(errors="replace")
    if payload.format == "email":
        return str(json.loads(text).get("text", ""))
    if payload.format in ("slack", "teams", "json"):
        return json.dumps(json.loads(text), ensure_ascii=False, indent=1) if text.startswith("{") else text
    return text
