"""What a contact test showed: who was reached, who answered, who never did, and which addresses are wrong.

In: deliveries, acknowledgements and bounces of one test. Out: one row a recipient, and counts by group and area. Pure.
It must never hold an address.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from pydantic import Field

from ewarn.terms import Delivery, DeliveryState, Frozen, Recipient

ANSWERED, SILENT, WRONG, FAILED, WAITING, WITHHELD = (
    "answered", "never answered", "wrong address", "not delivered", "waiting", "not asked",
)  # fmt: skip
OUTCOMES = (ANSWERED, SILENT, WRONG, FAILED, WAITING, WITHHELD)
REFUSED_ADDRESS = re.compile(r"\bSMTP (?:501|550|551|553|554)\b|error=(?:400|404|410)\b", re.IGNORECASE)


class Answer(Frozen):
    """One recipient of a contact test."""

    recipient: str
    name: str
    group: str
    areas: tuple[str, ...]
    outcome: str = Field(description="answered | never answered | wrong address | not delivered | waiting | not asked")
    words: str = ""
    delivered_at: datetime | None = None
    answered_at: datetime | None = None


class Count(Frozen):
    name: str
    asked: int
    delivered: int
    answered: int
    silent: int
    wrong: int
    failed: int


def answers(
    deliveries: Sequence[Delivery],
    delivered_at: Mapping[str, datetime],
    answered_at: Mapping[str, datetime],
    bounced: Collection[str],
    recipients: Mapping[str, Recipient],
    withheld: Mapping[str, str],
) -> list[Answer]:
    """One row a recipient. In: instants and bounces by delivery id; `withheld` reason by recipient id."""
    found = [
        _answer(d, delivered_at.get(d.id), answered_at.get(d.id), d.id in bounced, recipients.get(d.destination))
        for d in deliveries
    ]
    for name, why in withheld.items():
        person = recipients.get(name)
        if person is not None:
            found.append(_row(name, person, WITHHELD, why))
    return sorted(found, key=lambda a: (OUTCOMES.index(a.outcome) if a.outcome != ANSWERED else 9, a.recipient))


def _answer(
    delivery: Delivery, arrived: datetime | None, said: datetime | None, bounced: bool, person: Recipient | None
) -> Answer:
    outcome, words = _outcome(delivery, said, bounced)
    row = _row(delivery.destination, person, outcome, words)
    return row.model_copy(update={"delivered_at": arrived, "answered_at": said})


def _outcome(delivery: Delivery, said: datetime | None, bounced: bool) -> tuple[str, str]:
    if said is not None:
        return ANSWERED, ""
    if bounced:
        return WRONG, "it came back"
    if delivery.state is DeliveryState.SENT:
        return SILENT, ""
    if delivery.state in (DeliveryState.DEAD, DeliveryState.FAILED) and REFUSED_ADDRESS.search(delivery.last_error):
        return WRONG, delivery.last_error
    if delivery.state in (DeliveryState.DEAD, DeliveryState.FAILED):
        return FAILED, delivery.last_error
    return WAITING, delivery.last_error


def _row(name: str, person: Recipient | None, outcome: str, words: str) -> Answer:
    return Answer(
        recipient=name,
        name=person.name if person else name,
        group=person.group if person else "",
        areas=person.areas if person else (),
        outcome=outcome,
        words=words,
    )


def counts(rows: Sequence[Answer], keys: Callable[[Answer], Sequence[str]]) -> tuple[Count, ...]:
    """By group or by area; those with most silence and wrong addresses first."""
    by_key: dict[str, Counter[str]] = {}
    for row in rows:
        for key in keys(row):
            by_key.setdefault(key, Counter())[row.outcome] += 1
    found = [
        Count(
            name=key,
            asked=sum(c[o] for o in OUTCOMES if o != WITHHELD),
            delivered=c[ANSWERED] + c[SILENT],
            answered=c[ANSWERED],
            silent=c[SILENT],
            wrong=c[WRONG],
            failed=c[FAILED] + c[WAITING],
        )
        for key, c in by_key.items()
    ]
    return tuple(sorted(found, key=lambda c: (-(c.silent + c.wrong + c.failed), c.name)))
