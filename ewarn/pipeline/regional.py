"""The regional report gathered from the store and written as files.

In: a house, the days, the report's own marking. Out: two CSV tables, one Markdown and one HTML page in a folder. What
is marked beyond the report's marking is counted and never shown; originators' conditions travel with what is shown.
A report for everybody (TLP:CLEAR) is made of the public alerts' stored bytes alone and counts nothing else: whoever
lays it beside alerts and feeds learns nothing more, so no figure that they hide can be had by comparing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

from ewarn.assess import lifecycle
from ewarn.errors import UsageFault
from ewarn.pipeline import counting_once, exports, handling, publishing
from ewarn.pipeline.house import House
from ewarn.review import regional
from ewarn.review.regional import AlertRow, Asked, CaseRow
from ewarn.store import alerts, cases, decisions, files, outbox, records
from ewarn.terms import MARKINGS, Alert, CaseFile, Frozen, Product, london_day, strictest

Row = TypeVar("Row", AlertRow, CaseRow)


class RegionalReport(Frozen):
    """What was written."""

    since: date
    until: date
    marking: str
    alerts: int
    cases: int
    withheld: int
    files: tuple[str, ...]


def write(house: House, since: date, until: date, marking: str, out: Path, now: datetime) -> RegionalReport:
    """Raises: UsageFault for days or a marking that cannot be."""
    if since > until:
        raise UsageFault("the first day lies after the last", where="--since", next_step="Turn the two around.")
    if marking not in MARKINGS:
        raise UsageFault(f"'{marking}' is no marking", where="--marking", next_step=f"Use {', '.join(MARKINGS)}.")
    public = marking == counting_once.CLEAR
    told, worked_on = (_public(house, since, until), []) if public else _rows(house, since, until)
    shown, opened = _within(told, marking), _within(worked_on, marking)
    asked = Asked(
        issuer_name=house.settings.issuer_name,
        standing=house.settings.standing,
        origin=house.settings.origin,
        since=since,
        until=until,
        marking=marking,
        public=public,
        made_at=now,
        alerts_withheld=len(told) - len(shown),
        cases_withheld=len(worked_on) - len(opened),
    )
    text = regional.markdown(asked, shown, opened)
    name = f"regional-{since.isoformat()}-{until.isoformat()}"
    columns = regional.PUBLIC_COLUMNS if public else regional.ALERT_COLUMNS
    bodies = {f"{name}-alerts.csv": exports.csv_of(columns, [row.cells() for row in shown])}
    if not public:
        inside = regional.by_area_and_drug(opened)
        bodies |= {f"{name}-cases.csv": exports.csv_of(regional.CASE_COLUMNS, inside)}
    bodies |= {
        f"{name}.md": text,
        f"{name}.html": regional.html(text, f"Regional report, {marking}"),
    }
    return RegionalReport(
        since=since,
        until=until,
        marking=marking,
        alerts=len(shown),
        cases=len(opened),
        withheld=asked.alerts_withheld + asked.cases_withheld,
        files=tuple(_put(out / file, body) for file, body in bodies.items()),
    )


def _put(path: Path, body: str) -> str:
    try:
        files.make_folder(path.parent)
        files.write_whole(path, body.encode())
    except OSError as error:
        raise UsageFault(
            f"the file cannot be written: {error.strerror}", where=str(path), next_step="Choose another --out."
        ) from error
    return str(path)


def _within(rows: Iterable[Row], marking: str) -> list[Row]:
    """Those whose marking the report may carry."""
    return [row for row in rows if strictest([row.marking, marking]) == marking]


def _rows(house: House, since: date, until: date) -> tuple[list[AlertRow], list[CaseRow]]:
    standing = house.settings.standing
    with house.db.read() as con:
        known = {case.ref: case for case in cases.all(con) if case.standing is standing}
        told = [
            row
            for newest in alerts.all(con)
            if newest.standing is standing and newest.product is not Product.CONTACT_TEST
            if (row := _alert(con, house, newest.id, known)) and since <= london_day(row.issued) <= until
        ]
        opened = [case for case in known.values() if since <= london_day(case.opened_at) <= until]
        worked_on = [_case(con, house, case) for case in opened]
    return sorted(told, key=lambda r: (r.issued, r.alert)), worked_on


def _public(house: House, since: date, until: date) -> list[AlertRow]:
    """Rows read from what everybody has already, and from nothing else."""
    with house.db.read() as con:
        had = [
            (alert, json.loads(payload.body)["alert"], at)
            for alert, payloads, at in publishing.public(con, house)
            for payload in payloads
            if payload.format == "json" and payload.body and since <= london_day(at) <= until
        ]
    rows = [
        AlertRow(
            alert=alert.id,
            product=said["product"],
            standing=said["standing"],
            headline=said["headline"],
            area_code=said["area"]["code"],
            area=said["area"]["name"],
            drug=", ".join(found["name"] for found in said["found"]),
            state=alert.status.value,
            versions=said["version"],
            **{part: (said["verification"].get(part) or {}).get("level", "") for part in PARTS},
            received=None,
            assessed=None,
            issued=at,
            marking=said["marking"],
            conditions=tuple((alert.content.get("handling") or {}).get("conditions") or ()),
        )
        for alert, said, at in had
    ]
    return sorted(rows, key=lambda r: (r.issued, r.alert))


def _alert(con: Any, house: House, alert_id: str, known: dict[str, CaseFile]) -> AlertRow | None:
    """None where nobody has had a version of it."""
    versions = alerts.versions(con, alert_id)
    out: list[Alert] = [v for v in versions if v.status in lifecycle.OUT]
    sent = [receipt["at"] for receipt in outbox.receipts(con, alert_id) if receipt["state"] == "sent"]
    if not out or not sent:
        return None
    newest, case = max(out, key=lambda v: v.version), known.get(out[0].case)
    marking, conditions = _of_case(con, house, case)
    graded = [d.at for d in decisions.of_case(con, newest.case) if d.act == "graded"]
    sure = {part: (newest.content["verification"].get(part) or {}).get("level", "") for part in PARTS}
    area = newest.content.get("area") or {}
    return AlertRow(
        alert=alert_id,
        product=newest.product.value,
        standing=newest.standing.value,
        headline=str(newest.content.get("headline", "")),
        area_code=str(area.get("code", "")),
        area=str(area.get("name", "")),
        drug=case.subject.name if case else "",
        state=newest.status.value,
        versions=len(out),
        **sure,
        received=records.first_received(con, _records(case)) if case else None,
        assessed=min(graded, default=None),
        issued=min(sent),
        marking=strictest([marking, str(newest.content.get("marking", ""))]),
        conditions=conditions,
    )


PARTS = ("event", "substance", "link")


def _case(con: Any, house: House, case: CaseFile) -> CaseRow:
    marking, conditions = _of_case(con, house, case)
    return CaseRow(
        area_code=case.lead_area,
        area=house.catalogue.area_ref(case.lead_area).name,
        drug=case.subject.name or "not known",
        open=case.status == "open",
        substance=case.verification_substance.value,
        marking=marking,
        conditions=conditions,
    )


def _of_case(con: Any, house: House, case: CaseFile | None) -> tuple[str, tuple[str, ...]]:
    return handling.of_records(house, con, _records(case)) if case else ("", ())


def _records(case: CaseFile) -> list[str]:
    return sorted({record for joined in case.signals if not joined.suggested for record in joined.signal.records})
