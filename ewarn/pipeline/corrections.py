"""ASSESS, again: records under an alert that people have were corrected, retracted, or told apart; its panel is asked.

In: an open transaction, ids of records that changed, `now`. Out: the case reopened with reason and due time, a word to
panel and operator, once for each change. It must never change a text: people update or withdraw it, and every version
with its figures stays as it was.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from ewarn.assess import cases as casebook
from ewarn.assess import draft as drafting
from ewarn.assess import facts, following
from ewarn.dispatch import page as paging
from ewarn.frames import Lines
from ewarn.pipeline import casework
from ewarn.pipeline.house import House
from ewarn.store import alerts, cases, lines, operator_notices, pages, releases
from ewarn.terms import Alert, AlertStatus, CaseFile, Product, digest

CORRECTED = "corrected"
DUE_IN = timedelta(hours=4)  # ours: a wrong number about deaths does not wait for the next day


def ask(tx: Any, house: House, changed: Collection[str], now: datetime, why: str = "") -> list[str]:
    """Ask about every alert in force that rests on these records. In: `why` where no record's own version says it.

    Returns the alerts asked about now. The same change is asked about once.
    """
    if not changed:
        return []
    hit = [(alert, rests) for alert in in_force(tx) if (rests := sorted(_records(alert) & set(changed)))]
    if not hit:
        return []
    known = lines.as_known(tx, casework.ages(house), until=now)
    return [alert.id for alert, rests in hit if _ask(tx, house, alert, rests, known, now, why)]


def in_force(con: Any) -> list[Alert]:
    """Every version that warns and that people have."""
    found = [version for alert in alerts.all(con) for version in alerts.versions(con, alert.id)]
    return [a for a in found if a.status is AlertStatus.ISSUED and not a.kind.closes]


def asks(con: Any, alert: Alert) -> tuple[str, ...]:
    """What the panel was asked about a version and has not answered with a later one, in words."""
    if alert.status is not AlertStatus.ISSUED:
        return ()
    return tuple(
        f"{row['what']} Update or withdraw it by {paging.london(row['due_at'])}."
        for row in releases.asked(con, alert.id, alert.version)
    )


def _records(alert: Alert) -> set[str]:
    figures = {record for figure in alert.content.get("figures", []) for record in figure.get("records", [])}
    return figures | set(alert.content.get("record_versions", {}))


def _ask(tx: Any, house: House, alert: Alert, rests: list[str], known: Lines, now: datetime, why: str) -> bool:
    case = cases.going_on(tx, alert.case) or cases.load(tx, alert.case)
    if case is None or alert.product is Product.CONTACT_TEST:
        return False
    current = known.lines.filter(pl.col("record_id").is_in(rests) & pl.col("visible_to").is_null())
    versions: dict[str, int] = dict(current.select("record_id", "version").iter_rows())
    said = alert.content.get("record_versions", {})
    moved = [r for r in rests if versions.get(r) != said.get(r)]
    told = following.corrections(alert.content, _figures(house, alert, case, known, now))
    if not (moved or (why and told)):
        return False
    what = (
        f"{alert.id} version {alert.version}: {_what(moved, versions, why)}. {' '.join(told) or 'No figure changes.'}"
    )
    name = digest([alert.id, alert.version, [(r, versions.get(r)) for r in moved], why], 16)
    due_at = now + DUE_IN
    if not releases.ask(tx, name, now, alert.id, alert.version, rests, what, due_at):
        return False
    _reopen(tx, case, alert, what, now, due_at)
    operator_notices.put(tx, now, alert.id, f"{what} Update or withdraw it.", CORRECTED)
    _tell_panel(tx, house, case, alert, what, now, due_at)
    return True


def _what(moved: list[str], versions: dict[str, int], why: str) -> str:
    gone = sum(record not in versions for record in moved)
    parts = [f"{gone} of the records behind it withdrawn by their source"] if gone else []
    parts += [f"{len(moved) - gone} corrected"] if len(moved) > gone else []
    return ", ".join([*parts, *([why] if why else [])])


def _figures(house: House, alert: Alert, case: CaseFile, known: Lines, now: datetime) -> list[dict[str, Any]]:
    """The figures that a text drawn up now would have."""
    found = facts.gather(known, casebook.records_of(case), house.catalogue)
    fresh = drafting.write(case, house.catalogue, alert.product, alert.author, now, found, alert_id=alert.id)
    return list(fresh.content["figures"])


def _reopen(tx: Any, case: CaseFile, alert: Alert, what: str, now: datetime, due_at: datetime) -> None:
    action = f"{alert.id}: records behind it changed: update or withdraw it"
    soonest = min(due_at, case.due_at) if case.status == "open" else due_at
    cases.save(tx, casebook.reopened(case, action, soonest), now)
    cases.act(tx, case.ref, now, "reopened" if case.status != "open" else "asked to correct", "ewarn", what)


def _tell_panel(
    tx: Any, house: House, case: CaseFile, alert: Alert, what: str, now: datetime, due_at: datetime
) -> None:
    page = paging.correction_notice(case, alert.id, what, due_at, now)
    pages.put(tx, page)
    casework.call(tx, house, page, alert.area, now, group="panel")
