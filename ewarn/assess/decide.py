"""Approval: an act of a named person with the panel role for that area, bound to the exact bytes that person saw.

In: an alert version, the person (already proved by token), the decisions so far, the hash that was seen, the instant.
Out: a decision and what it allows, or Refused with the reason. It must never count an approval of another hash, of the
author, or of somebody whose area does not cover the alert's.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from ewarn.assess import lifecycle
from ewarn.assess.due import in_working_hours, second_review_by
from ewarn.catalogue import Catalogue
from ewarn.errors import Refused
from ewarn.terms import (
    UK,
    Alert,
    AlertStatus,
    Decision,
    Frozen,
    Person,
    PersonRole,
    Product,
    Standing,
)

APPROVING = ("approved", "reviewed", "out-of-hours")
SENT = (*lifecycle.OUT, AlertStatus.SUPERSEDED)
NO_MORE = (AlertStatus.UPDATED, AlertStatus.STOOD_DOWN, AlertStatus.WITHDRAWN, AlertStatus.SUPERSEDED)
EVERYBODY = ("professional", "public")
# A contact test holds no drug: whoever keeps the list may agree to it, though not its author.
APPROVERS = {Product.CONTACT_TEST: (PersonRole.COORDINATOR, PersonRole.PANEL)}


class Verdict(Frozen):
    """What one approval makes of an alert."""

    decision: Decision
    status: AlertStatus
    approvals: tuple[Decision, ...]
    needed: int
    audiences: tuple[str, ...]
    second_review_by: datetime | None = None
    tell_panel: bool = False
    why: str

    @property
    def complete(self) -> bool:
        return len(self.approvals) >= self.needed


def needed(product: Product) -> int:
    """Two people for a formal alert, one for the light products."""
    return 2 if product is Product.FORMAL_ALERT else 1


def covers(person: Person, area: str, catalogue: Catalogue) -> bool:
    """Whether a person's areas hold this one: itself, an area that contains it, or the whole UK."""
    return UK in person.areas or not {area, *(a.code for a in catalogue.ancestors(area))}.isdisjoint(person.areas)


def demand(person: Person, roles: Collection[PersonRole], area: str, catalogue: Catalogue, what: str) -> None:
    """Raises: Refused unless the person is active, holds one of the roles, and covers the area."""
    names = " or ".join(role.value for role in roles)
    if not person.active:
        raise Refused(f"{person.id} is no longer active and cannot {what}", next_step="Ask an administrator.")
    if not set(roles) & set(person.roles):
        raise Refused(
            f"{person.id} has no {names} role and cannot {what}", next_step=f"Ask somebody with the {names} role."
        )
    if not covers(person, area, catalogue):
        place = catalogue.area_ref(area).name
        raise Refused(
            f"{person.id}'s areas do not cover {place}: another area's panel cannot {what}",
            next_step=f"Ask somebody with the {names} role for {place}.",
        )


def approvals(alert: Alert, decisions: Sequence[Decision]) -> tuple[Decision, ...]:
    """The approvals that count: of this version and this exact hash, one for each person, in order of time."""
    found: dict[str, Decision] = {}
    for decision in sorted(decisions, key=lambda d: d.at):
        bound = (decision.alert, decision.version, decision.hash) == (alert.id, alert.version, alert.hash)
        if bound and alert.hash and decision.act in APPROVING:
            found.setdefault(decision.person, decision)
    return tuple(found.values())


def authors(alert: Alert, decisions: Sequence[Decision]) -> set[str]:
    """Everybody who wrote a version of this text up to this one."""
    wrote = {d.person for d in decisions if d.alert == alert.id and d.act == "drafted"}
    return wrote | {alert.author}


def approve(
    alert: Alert,
    person: Person,
    decisions: Sequence[Decision],
    seen_hash: str,
    now: datetime,
    catalogue: Catalogue,
    *,
    out_of_hours: bool = False,
    note: str = "",
) -> Verdict:
    """The verdict of one more approval. `person` is proved by token beforehand; `seen_hash` is what they looked at.

    Raises: Refused with the reason.
    """
    demand(person, APPROVERS.get(alert.product, (PersonRole.PANEL,)), alert.area, catalogue, "approve this alert")
    so_far = approvals(alert, decisions)
    _approvable(alert, so_far)
    _same_text(alert, seen_hash, decisions)
    if any(d.person == person.id for d in so_far):
        raise Refused(
            f"{person.id} has approved this text already", where=alert.id, next_step="Ask a second panel member."
        )
    if person.id in authors(alert, decisions):
        others = "two other members" if needed(alert.product) == 2 else "another member"
        raise Refused(f"{person.id} wrote this text and cannot approve it", where=alert.id, next_step=f"Ask {others}.")
    if out_of_hours:
        _out_of_hours_allowed(alert, so_far, now, catalogue)
    decision = on(alert, _act(so_far, out_of_hours), person, now, note)
    return _verdict(alert, decision, (*so_far, decision), now, catalogue)


def on(alert: Alert, act: str, person: Person, now: datetime, note: str = "") -> Decision:
    """A person's act on a version of a text, bound to its hash."""
    return Decision(
        act=act,
        person=person.id,
        at=now,
        case=alert.case,
        alert=alert.id,
        version=alert.version,
        hash=alert.hash,
        note=note,
    )


def _act(so_far: Sequence[Decision], out_of_hours: bool) -> str:
    if out_of_hours:
        return "out-of-hours"
    return "reviewed" if any(d.act == "out-of-hours" for d in so_far) else "approved"


def _approvable(alert: Alert, so_far: Sequence[Decision]) -> None:
    if alert.status is AlertStatus.DRAFT or not alert.hash:
        raise Refused("this text has not been submitted", where=alert.id, next_step=f"ewarn submit {alert.id}")
    if alert.status in NO_MORE:
        raise Refused(f"this alert is {alert.status.value}", where=alert.id, next_step="Draft a new one.")
    if len(so_far) >= needed(alert.product):
        raise Refused("this text has all its approvals", where=alert.id, next_step="Send it: ewarn send")


def _same_text(alert: Alert, seen_hash: str, decisions: Sequence[Decision]) -> None:
    if seen_hash == alert.hash:
        return
    earlier = sorted(
        {d.version for d in decisions if d.alert == alert.id and d.hash == seen_hash and d.version != alert.version},
        key=lambda v: v or 0,
    )
    if earlier:
        what = f"that is the hash of version {earlier[-1]}; the text is now version {alert.version}"
    else:
        what = f"that hash is not of version {alert.version}: the text, a template, an advice text or the bytes changed"
    raise Refused(
        f"{what}, and earlier approvals do not count for it",
        where=alert.id,
        next_step=f"Read it again and approve what you see: its hash begins {alert.hash[:12]}.",
    )


def _out_of_hours_allowed(alert: Alert, so_far: Sequence[Decision], now: datetime, catalogue: Catalogue) -> None:
    if needed(alert.product) == 1:
        raise Refused(
            f"a {alert.product.value} needs one approver at any hour",
            where=alert.id,
            next_step="Approve it without --out-of-hours.",
        )
    if alert.kind.closes:
        raise Refused(
            f"a {alert.kind.value} takes two members at any hour",
            where=alert.id,
            next_step="Approve it without --out-of-hours and ask a second member.",
        )
    if so_far:
        raise Refused("one member has approved it already", where=alert.id, next_step="Approve it as the second.")
    if in_working_hours(now, catalogue.grading):
        opens, closes = catalogue.grading.working_hours
        raise Refused(
            f"the panel can be convened now ({opens:%H:%M} to {closes:%H:%M} on working days)",
            where=alert.id,
            next_step="Approve it without --out-of-hours and ask a second member.",
        )


def _verdict(
    alert: Alert, decision: Decision, counted: tuple[Decision, ...], now: datetime, catalogue: Catalogue
) -> Verdict:
    alone = decision.act == "out-of-hours"
    count, wanted = len(counted), needed(alert.product)
    review_by = second_review_by(now, catalogue.grading) if alone else None
    if alone:
        why = "one member out of hours: professional audiences only; the panel is told and reviews it next working day"
    elif count >= wanted:
        why = "all approvals are given on this exact text"
    else:
        why = f"{count} of {wanted} approvals; a second panel member who did not write it is needed"
    return Verdict(
        decision=decision,
        status=status(alert, counted),
        approvals=counted,
        needed=wanted,
        audiences=audiences(alert, counted, catalogue),
        second_review_by=review_by,
        tell_panel=alone,
        why=why if alert.standing is Standing.ACTUAL else f"{why} ({alert.standing.value}: never to a live channel)",
    )


def status(alert: Alert, decisions: Sequence[Decision]) -> AlertStatus:
    """Where this version stands by its decisions; what has gone out stays gone out."""
    if alert.status in SENT:
        return alert.status
    counted = approvals(alert, decisions)
    if len(counted) >= needed(alert.product) or any(d.act == "out-of-hours" for d in counted):
        return AlertStatus.APPROVED
    submitted = any((d.act, d.alert, d.version) == ("submitted", alert.id, alert.version) for d in decisions)
    return AlertStatus.REVIEW if submitted or alert.status is AlertStatus.REVIEW else AlertStatus.DRAFT


def audiences(alert: Alert, decisions: Sequence[Decision], catalogue: Catalogue) -> tuple[str, ...]:
    """The audiences this version may go to now; none before approval, professionals only after one out of hours."""
    counted = approvals(alert, decisions)
    if len(counted) >= needed(alert.product):
        return EVERYBODY
    if any(d.act == "out-of-hours" for d in counted):
        return catalogue.routes.professional_audiences
    return ()


def leaves(
    alert: Alert, versions: Sequence[Alert], decisions: Sequence[Decision], audience: str, catalogue: Catalogue
) -> str:
    """Why this version must not leave for an audience now, in words; '' where it may."""
    if overtaken := lifecycle.overtaken(alert.version, versions):
        return overtaken
    going = alert.status in (AlertStatus.APPROVED, AlertStatus.ISSUED)
    if not going and not (alert.kind.closes and alert.status in lifecycle.OUT):
        return f"version {alert.version} is {alert.status.value}"
    if audience not in audiences(alert, decisions, catalogue):
        return f"no approval on record allows the {audience} audience"
    return ""


def changed(before: Alert, after: Alert) -> list[str]:
    """The parts that differ between two versions, by key of the content object, template or advice."""
    keys = sorted({*before.content, *after.content})
    parts = [key for key in keys if before.content.get(key) != after.content.get(key)]
    parts += ["templates"] if before.template_versions != after.template_versions else []
    return parts + (["advice versions"] if before.advice_versions != after.advice_versions else [])
