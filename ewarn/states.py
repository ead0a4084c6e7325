"""The states that alerts and deliveries pass through; `ewarn.terms` hands them on with the other nouns."""

from __future__ import annotations

from enum import StrEnum


class AlertStatus(StrEnum):
    DRAFT = "draft"
    REVIEW = "review"
    APPROVED = "approved"
    ISSUED = "issued"
    UPDATED = "updated"
    STOOD_DOWN = "stood down"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"


class VersionKind(StrEnum):
    """What a version of a text does: warns, says more, or ends the warning."""

    ALERT = "alert"
    UPDATE = "update"
    STAND_DOWN = "stand-down"
    WITHDRAWAL = "withdrawal"

    @property
    def closes(self) -> bool:
        return self in (VersionKind.STAND_DOWN, VersionKind.WITHDRAWAL)


class DeliveryState(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    DEAD = "dead"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
