"""What alerts/routes.toml may say: which product reaches whom, where, how severe and at which hour.

The field descriptions are the documentation. Nothing here reads a file or knows a recipient.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from ewarn.catalogue.basics import FileId, Slug
from ewarn.catalogue.exercising import Targets
from ewarn.terms import Frozen, Product

ANY = "any"


class Route(Frozen):
    """One line of the list; the first that fits a recipient counts."""

    title: str = Field("", description="what it is called where the list is explained")
    product: tuple[Product, ...] = tuple(Product)
    audience: Literal["professional", "public"]
    least_severity: Slug | Literal[""] = Field("", description="this grade of alerts/grading.toml or a more urgent one")
    severities: tuple[Slug, ...] = Field((), description="only these grades; empty = all")
    hours: Literal["any", "working", "out of hours"] = Field(
        "any", description="Europe/London, working hours of alerts/grading.toml, weekends and bank holidays apart"
    )
    waits: bool = Field(False, description="hours = working: sent when working hours begin, instead of not at all")
    channels: tuple[FileId, ...] = Field((), description="only these channels; empty = whichever the recipient names")
    groups: tuple[str, ...] = Field(
        (), description="recipient groups such as health, council, outreach, police; empty = all"
    )
    neighbours: bool = Field(True, description="recipients of neighbouring areas get it too")
    upward: bool = Field(True, description="recipients of the region and the country that contain the area get it too")
    format: str = Field("", description="another format than the channel's own")
    attachments: tuple[str, ...] = Field((), description="formats of the same alert that go along as files")

    @model_validator(mode="after")
    def _one_way(self) -> Route:
        if self.least_severity and self.severities:
            raise ValueError("least_severity and severities: both are given; write one of the two")
        if self.waits and self.hours != "working":
            raise ValueError('waits: only a route with hours = "working" can wait for them')
        return self


class Nudge(Frozen):
    """When an unread formal alert is sent once more, and when somebody is told who has not read it."""

    severities: tuple[Slug, ...] = Field((), description="for these grades; empty = for all that no other names")
    after_minutes: int = Field(ge=5, description="once more after so long without an answer")
    escalate_after_minutes: int = Field(ge=10, description="taken further after so long without an answer")
    hours: Literal["any", "working"] = Field("any", description="working: it waits for working hours")

    @model_validator(mode="after")
    def _in_order(self) -> Nudge:
        if self.escalate_after_minutes <= self.after_minutes:
            raise ValueError("escalate_after_minutes: it comes after the nudge; write a larger number")
        return self


class RoutesDefinition(Frozen):
    """alerts/routes.toml"""

    routes: tuple[Route, ...] = Field(min_length=1, alias="route")
    page_backup_after_minutes: int = Field(15, ge=1)
    professional_audiences: tuple[str, ...] = ("professional",)
    out_of_hours_from: Slug | Literal[""] = Field(
        "",
        description="from this grade on a recipient's out-of-hours contact is used outside its hours; empty = always",
    )
    enforcement_groups: tuple[str, ...] = Field(("police",), description="groups that enforce the law")
    not_for_enforcement: Literal["with the condition", "withhold"] = Field(
        "with the condition",
        description="what those groups get of texts that an originator marked 'not for enforcement'",
    )
    exercise_targets: Targets = Field(Targets(), description="minutes from the bytes to each step of an exercise")
    nudges: tuple[Nudge, ...] = Field((), alias="nudge", description="the first that fits counts; none = never")
    attachments_at_most_kb: int = Field(
        3000, ge=50, le=20_000, description="the files of one e-mail together; what is beyond stays out, and is said"
    )
    confirm_recipients_every_days: int = Field(365, ge=1, description="after so long a recipient is confirmed again")
