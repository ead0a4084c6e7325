"""Which numbers of a text the public has from another alert already, or is about to have: those are not told again.

In: an open store, a house, a text. Out: the text with `told_in`, family of figures -> the alert that told it first. It
is looked at again when the text is submitted, in the transaction that fixes its bytes: of two, the later one gives way.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ewarn.disclosure import jointly
from ewarn.disclosure.jointly import Counted
from ewarn.pipeline.house import House
from ewarn.store import alerts
from ewarn.terms import Alert, AlertStatus, Product

CLEAR = "TLP:CLEAR"
NOT_TOLD = (AlertStatus.DRAFT, AlertStatus.SUPERSEDED)


def on_text(con: Any, house: House, alert: Alert) -> Alert:
    found = jointly.told_in(_counted(house, alert), _others(con, house, alert))
    if found == (alert.content.get("told_in") or {}):
        return alert
    return alert.model_copy(update={"content": alert.content | {"told_in": found}})


def _others(con: Any, house: House, alert: Alert) -> Iterator[Counted]:
    """What every other public text of the same standing tells in numbers, or will once it is approved."""
    for newest in alerts.all(con):
        if newest.id == alert.id or newest.product is not Product.FORMAL_ALERT or newest.standing is not alert.standing:
            continue
        for version in alerts.versions(con, newest.id):
            if version.status not in NOT_TOLD and version.content.get("marking") == CLEAR:
                yield from (c for c in _counted(house, version) if jointly.shows(version.content, c.family))


def _counted(house: House, alert: Alert) -> list[Counted]:
    above = {area.code for area in house.catalogue.ancestors(alert.area)}
    return jointly.counted(alert.id, alert.area, above, alert.content)
