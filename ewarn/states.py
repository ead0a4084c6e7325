"""The states that cases, alerts and deliveries pass through; `ewarn.terms` hands them on with the other nouns."""

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


class Verification(StrEnum):
    """Our own scale, not an official one."""

    CONFIRMED = "confirmed"
    PROBABLE = "probable"
    UNVERIFIED = "unverified"
    DISCOUNTED = "discounted"


class ClosedAs(StrEnum):
    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not confirmed"
    ARTEFACT = "artefact"
    DUPLICATE = "duplicate"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    """What the panel decided to do about a case (LDIS)."""

    NO_ACTION = "no further action"
    SHARE = "share for information"
    ALERT = "formal alert"


class Product(StrEnum):
    FORMAL_ALERT = "formal alert"
    SHARE = "share for information"
    CORROBORATE = "request for corroboration"
    CONTACT_TEST = "contact test"


class Purpose(StrEnum):
    """What somebody looks for. Who enforces the law reads neither reporters' nor sellers' details."""

    CARE = "care"
    ENFORCEMENT = "enforcement"


class PersonRole(StrEnum):
    REPORTER = "reporter"
    DUTY = "duty"
    PANEL = "panel"
    COORDINATOR = "coordinator"
    PARTNER = "partner"
    ADMINISTRATOR = "administrator"
