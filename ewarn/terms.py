"""The nouns: enums and frozen types that every room shares. Nothing here computes more than a label or a hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from ewarn.states import AlertStatus as AlertStatus
from ewarn.states import ClosedAs as ClosedAs
from ewarn.states import DeliveryState as DeliveryState
from ewarn.states import Outcome as Outcome
from ewarn.states import PersonRole as PersonRole
from ewarn.states import Product as Product
from ewarn.states import Purpose as Purpose
from ewarn.states import Verification as Verification
from ewarn.states import VersionKind as VersionKind

LONDON = ZoneInfo("Europe/London")
UK = "K02000001"
LONDON_REGION = "E12000007"
CLASSIFICATIONS = ("", "OFFICIAL", "OFFICIAL-SENSITIVE")
MARKINGS = ("TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED")


def strictest(markings: Iterable[str]) -> str:
    """The strictest of some TLP markings; a word that is none of them is stricter than all, nothing at all is none."""
    return max(filter(None, markings), key=lambda m: MARKINGS.index(m) if m in MARKINGS else 9, default="")


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
    """What a written name came out as.

    `queued` waits for a person; `status` is a result such as 'Unable to identify'.
    """

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
    BATCH = "contaminated batch"
    COMBINATION = "combination change"
    POTENCY = "potency"
    CLUSTER = "cluster"
    EXCEEDANCE = "exceedance"
    NOTICE = "notice"
    UNKNOWN_NAME = "unknown name"
    SILENCE = "silence"


class Standing(StrEnum):
    """actual, exercise or test; it travels with every case, draft, alert and message."""

    ACTUAL = "actual"
    EXERCISE = "exercise"
    TEST = "test"


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
    q_value: float | None = Field(None, description="level of false discoveries at which it was accepted, where asked")
    by_chance_per_year: float | None = Field(None, description="signals so unlikely that chance alone brings in a year")
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
    marking: str = Field("", description="the strictest TLP marking of its records' sources; empty = not looked up")
    conditions: tuple[str, ...] = Field((), description="what the originators of its records ask, each once")
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


class Person(Frozen):
    """Somebody registered in the store. The personal token is kept only as an Argon2 hash, never here."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    name: str
    roles: tuple[PersonRole, ...]
    areas: tuple[str, ...] = Field(description="GSS codes; a region covers its boroughs, K02000001 covers everything")
    active: bool = True
    purpose: Purpose = Purpose.CARE


class Recipient(Frozen):
    """Where messages go: a partner, or a place on the duty rota."""

    id: str
    name: str
    organisation: str = ""
    group: str = Field("", description="health, council, outreach, police, ...; 'duty' and 'panel' are internal")
    audience: str = Field("professional", description="professional | public | internal")
    areas: tuple[str, ...]
    channel: str = Field(description="channel id")
    address: str = Field("", description="fills {address} of the channel's Apprise address")
    rota_order: int | None = Field(None, description="duty rota: 1 is first on call, 2 the back-up, ...")
    person: str = Field("", description="the registered person behind it, where there is one")
    active: bool = True
    hours: str = Field("always", description="when it is read: always, working, 08:00-20:00 daily, ...")
    night_channel: str = Field("", description="channel outside its hours; empty = the same channel")
    night_address: str = Field("", description="address outside its hours; empty = no out-of-hours contact")
    confirmed_on: date | None = Field(None, description="day on which its keeper last said that it is right")


class CaseSignal(Frozen):
    signal: Signal
    joined_at: datetime
    why: str
    suggested: bool = Field(False, description="suggested for linking, not joined")
    paged_observed: float | None = Field(None, description="what was observed when the duty rota was last paged")


class CaseFile(Frozen):
    """What the panel works on, as it stands now."""

    ref: str = Field(description="issuer code, year, serial: LDN-2025-0007")
    title: str
    status: str = Field(description="open | closed")
    lead_area: str = Field(description="GSS code")
    subject: Subject = Field(description="class or substance the case is about; kind none for unknown")
    keys: tuple[str, ...] = Field(description="what a signal must share to join, in words")
    window_days: int = Field(28, description="a signal joins when it is known within so many days of the case's last")
    neighbour_rule: str = Field("same area, an area bordering it, or the region they share", description="in words")
    standing: Standing = Standing.ACTUAL
    opened_at: datetime
    owner: str = Field("duty", description="person id or 'duty'")
    next_action: str
    due_at: datetime
    grade: str = ""
    grade_answers: dict[str, str] = Field(default_factory=dict)
    verification_event: Verification = Verification.UNVERIFIED
    verification_substance: Verification = Verification.UNVERIFIED
    verification_link: Verification = Verification.UNVERIFIED
    verified_by_person: tuple[str, ...] = Field((), description="what of event, substance and link a person has set")
    corroborated_by: tuple[str, ...] = Field((), description="independent streams that point at its class, if enough")
    signals: tuple[CaseSignal, ...] = ()
    closed_at: datetime | None = None
    closed_as: ClosedAs | None = None
    closed_note: str = ""
    outcome: Outcome | None = Field(None, description="what the panel decided to do; None: not decided")
    merged_into: str = Field("", description="the case that goes on with it, once it was merged")
    also_about: tuple[str, ...] = Field((), description="classes or substances of the cases merged into it")
    merged_from: tuple[str, ...] = Field((), description="references of the cases merged into it")
    split_from: str = Field("", description="the case that its first signals came from")


class TestRequest(Frozen):
    """Something a laboratory was asked to analyse for a case, and what came of it."""

    id: str
    case: str
    sample: str = Field(description="what is to be analysed, in words without a person: form, colour, reference")
    laboratory: str
    urgency: str = Field(description="routine | urgent | critical")
    asked_at: datetime
    asked_by: str
    due_at: datetime
    status: str = Field("asked", description="asked | answered | cancelled")
    result: str = ""
    answered_at: datetime | None = None


class CaseChange(Frozen):
    """One thing that happened to a case because of a signal or a corrected record, with its reason."""

    act: str = Field(description="opened | joined | updated | escalated | reopened | suggested")
    case: CaseFile = Field(description="the case as it stands after the change")
    signal: str = Field("", description="signal id")
    why: str
    pages: bool = Field(description="the duty rota is to be paged")


class Alert(Frozen):
    """One version of one text. `content` is the structured object that every format is rendered from."""

    id: str
    case: str
    version: int
    product: Product
    status: AlertStatus
    standing: Standing
    area: str
    author: str
    template_versions: dict[str, int]
    advice_versions: dict[str, int]
    content: dict[str, Any]
    created_at: datetime
    hash: str = Field("", description="over content, template and advice versions, payload bytes and renderer version")
    supersedes: int | None = None

    @property
    def kind(self) -> VersionKind:
        """Read from the content, so that the hash people approve covers it."""
        return VersionKind(self.content.get("kind", VersionKind.ALERT))


class Payload(Frozen):
    """The bytes of one audience and format, stored at submission and sent as stored."""

    audience: str
    format: str = Field(description="email | slack | teams | sms | text | json | cap | photo")
    subject: str
    body: bytes = Field(description="e-mail: JSON of text and html; every other format: the message")
    gone: str = Field("", description="SHA-256 of a body that was purged: nothing of it can be sent")

    @property
    def sha256(self) -> str:
        return self.gone if self.gone and not self.body else digest(self.body)


class Decision(Frozen):
    """An act of a named person, bound to the hash of what that person saw."""

    act: str = Field(description="graded | verified | closed | drafted | submitted | approved | reviewed | ...")
    person: str
    at: datetime
    case: str = ""
    alert: str = ""
    version: int | None = None
    hash: str = ""
    note: str = ""


class Delivery(Frozen):
    """Alert version (or page) x destination: the outbox."""

    id: str
    alert: str = ""
    version: int | None = None
    page: str = ""
    destination: str = Field(description="recipient id")
    channel: str
    audience: str
    format: str
    state: DeliveryState
    attempts: int = 0
    next_attempt_at: datetime | None = None
    last_error: str = ""
    standing: Standing = Standing.ACTUAL
    why: str = Field("", description="why this destination gets it")
    product: str = Field("", description="what the alert is; empty for a page")
    contact: str = Field("", description="'out of hours' where it goes to the recipient's other contact")
    attachments: tuple[str, ...] = Field((), description="formats of the same alert that go along as files")
    nudge: bool = Field(False, description="the same text once more to somebody who has not read it")


class Page(Frozen):
    """A call to the duty rota: internal, without approval, without personal data; one per case and run."""

    id: str
    case: str
    at: datetime
    subject: str
    text: str
    standing: Standing
    rota_order: int = Field(1, description="who on the rota has been called so far")
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None


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
    return hashlib.sha256(value if isinstance(value, bytes) else canonical(value)).hexdigest()[:length]


def signal_id(rule: str, subject: Subject, area: AreaRef, episode_day: date) -> str:
    """Identity of a signal: rule, subject, area, tier and the first day of its episode."""
    return digest([rule, subject.kind.value, subject.id, area.code, area.tier.value, episode_day.isoformat()], 20)
