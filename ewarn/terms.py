"""The nouns: enums and frozen types that every room shares. Nothing here computes more than a label or a hash."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

LONDON = ZoneInfo("Europe/London")
UK = "K02000001"
LONDON_REGION = "E12000007"


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RecordKind(StrEnum):
    SAMPLE = "sample"
    INCIDENT = "incident"
    COUNT = "count"
    NOTICE = "notice"


class SubjectKind(StrEnum):
    SUBSTANCE = "substance"
    CLASS = "class"
    KEY = "key"
    NONE = "none"


class MentionKind(StrEnum):
    """What a written name came out as. `queued` waits for a person; `status` is a result such as 'Unable to identify'."""

    SUBSTANCE = "substance"
    CLASS = "class"
    QUEUED = "queued"
    STATUS = "status"


class Role(StrEnum):
    """The part a substance plays in its record."""

    MAJOR = "major"
    MINOR = "minor"
    TRACE = "trace"
    CONFIRMED = "confirmed"
    SUSPECTED = "suspected"
    NAMED = "named"


class Tier(StrEnum):
    """Area tiers. `borough` is the local tier: a London borough, or outside London a local authority district."""

    BOROUGH = "borough"
    REGION = "region"
    UK = "uk"


class Family(StrEnum):
    FIRST = "first detection"
    REPEAT = "repeat detection"
    MISSOLD = "mis-sold content"
    CLUSTER = "cluster"
    EXCEEDANCE = "exceedance"
    NOTICE = "notice"
    UNKNOWN_NAME = "unknown name"
    SILENCE = "silence"


class Verification(StrEnum):
    """Our own scale, not an official one."""

    CONFIRMED = "confirmed"
    PROBABLE = "probable"
    UNVERIFIED = "unverified"
    DISCOUNTED = "discounted"


class Standing(StrEnum):
    """actual, exercise or test; it travels with every case, draft, alert and message."""

    ACTUAL = "actual"
    EXERCISE = "exercise"
    TEST = "test"


class Product(StrEnum):
    FORMAL_ALERT = "formal alert"
    SHARE = "share for information"
    CORROBORATE = "request for corroboration"


class AlertStatus(StrEnum):
    DRAFT = "draft"
    REVIEW = "review"
    APPROVED = "approved"
    ISSUED = "issued"
    UPDATED = "updated"
    STOOD_DOWN = "stood down"
    WITHDRAWN = "withdrawn"


class DeliveryState(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    DEAD = "dead"


class PersonRole(StrEnum):
    DUTY = "duty"
    PANEL = "panel"
    COORDINATOR = "coordinator"
    ADMINISTRATOR = "administrator"


class ClosedAs(StrEnum):
    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not confirmed"
    ARTEFACT = "artefact"
    DUPLICATE = "duplicate"
    UNKNOWN = "unknown"


class Subject(Frozen):
    kind: SubjectKind
    id: str = Field(description="lower-case slug; empty where the kind is none")
    name: str


class AreaRef(Frozen):
    code: str
    name: str
    tier: Tier


class Period(Frozen):
    """Reference dates the records span; `end` is inclusive."""

    start: date
    end: date


class PossibleArea(Frozen):
    code: str
    name: str
    share: float | None = None


class Signal(Frozen):
    """An unverified indication that a rule raises: one per rule x subject x area x tier x episode."""

    id: str
    rule: str
    family: Family
    subject: Subject
    area: AreaRef
    also_possible: tuple[PossibleArea, ...] = ()
    period: Period
    observed: float | None
    expected: float | None = None
    upper_bound: float | None = None
    p_value: float | None = None
    records: tuple[str, ...]
    record_count: int
    why: str
    would_have_stopped_it: str = ""
    certain: int | None = Field(None, description="how many of the records are certainly in the area")
    persons_min: int | None = None
    persons_max: int | None = None
    learning: bool = Field(False, description="raised while the history is shorter than the rule's learning period")
    known_on: date = Field(description="Europe/London day on which the newest of its records became known")
    first_raised_on: date = Field(description="first Europe/London day of the episode on which the rule fired")
    history_days: int | None = None
    grade_suggested: str = ""
    standing: Standing = Standing.ACTUAL
    beneath: tuple[Signal, ...] = Field((), description="the same event seen by other rules and tiers")

    def public(self) -> dict[str, Any]:
        """The signal as the command line's JSON prints it."""
        return self.model_dump(mode="json")


class NotEvaluable(Frozen):
    """A rule that had no answer, for how many strata, and why. Never to be read as 'no signal'."""

    rule: str
    family: Family
    reason: str
    strata: int
    areas: tuple[str, ...] = Field((), description="the first few area codes")


def london_day(instant: datetime) -> date:
    """The Europe/London day an instant falls on."""
    return instant.astimezone(LONDON).date()


def day_end(day: date) -> datetime:
    """23:59:59 Europe/London on a day, in UTC: the instant at which that day is evaluated."""
    return datetime.combine(day, time(23, 59, 59), LONDON).astimezone(UTC)


def day_start(day: date) -> datetime:
    """00:00 Europe/London on a day, in UTC."""
    return datetime.combine(day, time(0), LONDON).astimezone(UTC)


def days_between(start: date, end: date) -> list[date]:
    """Every day from start to end, both inclusive."""
    return [start + timedelta(days=offset) for offset in range((end - start).days + 1)]


def canonical(value: Any) -> bytes:
    """The one JSON spelling of a value that hashes are taken over: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str).encode()


def digest(value: Any, length: int = 64) -> str:
    """SHA-256 over the canonical spelling, in hex, cut to a length."""
    raw = value if isinstance(value, bytes) else canonical(value)
    return hashlib.sha256(raw).hexdigest()[:length]


def signal_id(rule: str, subject: Subject, area: AreaRef, episode_day: date) -> str:
    """Identity of a signal: rule, subject, area, tier and the first day of its episode."""
    parts = [rule, subject.kind.value, subject.id, area.code, area.tier.value, episode_day.isoformat()]
    return digest(parts, 20)


