"""Approving by people who enforce the law: the exact text, and nothing of what lies behind it.

In: a house, an officer, `now`. Out: the texts that wait for approval and that an officer may read, whole; what an
approval answers, without findings and recipients. A text that an originator keeps from enforcement, or in which a
person is left, is not shown to an officer and not approved by one, at the desk or by command.
"""

from __future__ import annotations

from typing import Any

from ewarn.assess import decide
from ewarn.disclosure import never
from ewarn.dispatch import enforcement
from ewarn.errors import Refused
from ewarn.pipeline import texts
from ewarn.pipeline.house import House
from ewarn.pipeline.reports import AlertReport
from ewarn.store import alerts, decisions, recipients
from ewarn.terms import Alert, AlertStatus, Frozen, Payload, Person, Purpose


class Format(Frozen):
    audience: str
    format: str
    sha256: str
    words: str = ""


class ToApprove(Frozen):
    """One text as it will be sent; `words` of the formats that are plain text."""

    id: str
    version: int
    product: str
    standing: str
    hash: str
    approvals: int
    approvals_needed: int
    formats: tuple[Format, ...]


def served(con: Any, house: House) -> frozenset[str]:
    """The people to whom messages for a group that enforces the law go."""
    groups = house.catalogue.routes.enforcement_groups
    return frozenset(recipient.person for recipient in recipients.all(con) if recipient.group in groups)


def waiting(house: House, person: Person) -> tuple[ToApprove, ...]:
    """The texts of their areas that lack an approval, the newest first."""
    found = []
    with house.db.read() as con:
        for alert in alerts.all(con):
            payloads = alerts.payloads(con, alert.id, alert.version)
            if alert.status is not AlertStatus.REVIEW or not _near(house, alert, person):
                continue
            if not kept_from(house, alert, payloads):
                found.append(_shown(con, alert, payloads))
    return tuple(found)


def _near(house: House, alert: Alert, person: Person) -> bool:
    return bool({alert.area, *(area.code for area in house.catalogue.ancestors(alert.area))} & set(person.areas))


def _shown(con: Any, alert: Alert, payloads: list[Payload]) -> ToApprove:
    return ToApprove(
        id=alert.id,
        version=alert.version,
        product=alert.product.value,
        standing=alert.standing.value,
        hash=alert.hash,
        approvals=len(decide.approvals(alert, decisions.of_alert(con, alert.id))),
        approvals_needed=decide.needed(alert.product),
        formats=tuple(
            Format(
                audience=payload.audience,
                format=payload.format,
                sha256=payload.sha256,
                words=texts.readable([payload], payload.audience),
            )
            for payload in payloads
        ),
    )


def kept_from(house: House, alert: Alert, payloads: list[Payload]) -> str:
    """Why an officer does not get to read a text, in words; '' where they may."""
    if stops := enforcement.stops(alert, house.catalogue.routes):
        return stops
    words = [texts.readable([payload], payload.audience) for payload in payloads]
    named = any(hit.kind == never.PERSONAL for one in words for hit in never.hits(one))
    return "words in it may name a person" if named else ""


def demand(con: Any, house: House, alert: Alert, payloads: list[Payload], person: Person) -> bool:
    """Whether an officer approves. Raises: Refused where they may not read what they would approve."""
    if person.purpose is not Purpose.ENFORCEMENT and person.id not in served(con, house):
        return False
    if why := kept_from(house, alert, payloads):
        raise Refused(f"this text is not for enforcement: {why}", where=alert.id,
                      next_step="Let another member of the panel read and approve it.")  # fmt: skip
    return True


def bare(report: AlertReport) -> AlertReport:
    """What an approval answers, for an officer: the text and who agreed to it."""
    return report.model_copy(
        update={
            "findings": (),
            "releases": (),
            "asks": (),
            "figures": (),
            "deliveries": (),
            "withheld": (),
            "changes": (),
        }
    )
