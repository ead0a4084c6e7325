"""The report: what a partner tells through the reporting form. One per submission.

What was typed freely and how to reach the reporter lie encrypted, apart from here and from each other.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from pydantic import Field

from ewarn.terms import Frozen, Standing


class Origin(StrEnum):
    FIRST_HAND = "first-hand"
    SECOND_HAND = "second-hand"
    SOCIAL_MEDIA = "social media"


class Harm(StrEnum):
    DEATH = "death"
    OVERDOSE = "overdose"
    UNWELL = "unwell"
    NONE = "none"
    NOT_KNOWN = "not known"


class ReportState(StrEnum):
    NEW = "new"
    REDACTED = "redacted"
    HOAX = "hoax"


class Told(Frozen):
    """What the form asks. Free words are read by a person before anybody else sees them."""

    area: str = Field("", max_length=80, description="area by name or code, as told")
    happened_on: date | None = None
    place: str = Field("", max_length=200, description="where exactly, in free words")
    about_when: str = Field("", max_length=60, description="at about what time, in free words")
    origin: Origin
    harm: Harm = Harm.NOT_KNOWN
    persons: int | None = Field(None, ge=0, le=1000)
    sold_as: str = Field("", max_length=120)
    looks_like: str = Field("", max_length=300)
    what: str = Field(min_length=1, max_length=5000)
    organisation: str = Field("", max_length=120)
    contact: str = Field("", max_length=300, description="how to reach the reporter; kept apart")


class Report(Frozen):
    """A report as it stands: nothing of it says who anybody is."""

    ref: str
    received_at: datetime
    standing: Standing
    area: str = Field("", description="GSS code; empty where what was told is no area of ours")
    happened_on: date | None = None
    origin: Origin
    harm: Harm
    persons: int | None = None
    state: ReportState = ReportState.NEW
    has_contact: bool = False
    has_photo: bool = False
    answer_by: datetime
    answered_at: datetime | None = None
    answer: str = Field("", description="what the reporter was told")
    redacted: str = Field("", description="the words a person wrote for others to read")
    hoax_why: str = ""
    case: str = ""
    contact_until: date | None = Field(None, description="how to reach the reporter is removed after this day")
