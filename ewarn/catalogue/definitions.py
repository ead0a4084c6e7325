"""What a definition file may say. One frozen model a kind of file; the field descriptions are the documentation.

A definition's id is its file name. Unknown keys are faults. Nothing here reads a file.
"""

from __future__ import annotations

import re
from datetime import date, time
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from ewarn.catalogue.basics import FileId as FileId
from ewarn.catalogue.basics import Reference as Reference
from ewarn.catalogue.basics import Slug as Slug
from ewarn.catalogue.exercising import ScenarioDefinition as ScenarioDefinition
from ewarn.catalogue.routing import Route as Route
from ewarn.catalogue.routing import RoutesDefinition as RoutesDefinition
from ewarn.catalogue.substances import ClassDefinition as ClassDefinition
from ewarn.catalogue.substances import Control as Control
from ewarn.catalogue.substances import ResultsDefinition as ResultsDefinition
from ewarn.catalogue.substances import StatusDefinition as StatusDefinition
from ewarn.catalogue.substances import SubstanceDefinition as SubstanceDefinition
from ewarn.catalogue.templates import TemplateDefinition as TemplateDefinition
from ewarn.terms import Family, Frozen, Product, RecordKind, Tier

# ---------------------------------------------------------------- sources/feeds, sources/drops


LONGEST_PERSONAL_DAYS = 1826  # five years


class Handling(Frozen):
    """Conditions of the originator that travel with every record."""

    marking: Literal["TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED"] = "TLP:AMBER"
    conditions: str = ""
    classification: Literal["", "OFFICIAL", "OFFICIAL-SENSITIVE"] = ""
    code: Literal["", "P", "C"] = Field("", description="police 3x5x2 handling: P permitted, C with the conditions")

    @model_validator(mode="after")
    def _conditions_stated(self) -> Handling:
        if self.code == "C" and not self.conditions:
            raise ValueError("handling code C needs its conditions in words")
        return self

    @property
    def words(self) -> str:
        """The conditions as everything that rests on this source carries them; '' where there are none."""
        return f"Handling code C: {self.conditions}" if self.code == "C" else self.conditions


class SourceBase(Frozen):
    id: FileId
    title: str
    publisher: str
    licence: str = Field(description="licence or terms, in words")
    cadence: str = Field(description="how often it usually speaks, in words")
    expected_every_hours: float | None = Field(
        None, description="silence longer than this raises an operator notice; leave out for irregular sources"
    )
    expected_lag_days: int = Field(0, ge=0, description="usual days from reference date to our receipt")
    max_age_days: int = Field(180, ge=1, description="records older than this when they become known raise no cluster")
    personal_data: str = Field(description="what personal data it can hold and what is done about it; 'none' if none")
    strip_summary: bool = Field(False, description="feeds: keep no summary text outside the raw bytes (personal names)")
    strip_title: bool = Field(
        False, description="feeds: titles and links hold personal names too; keep neither outside the raw bytes"
    )
    retention_days: int = Field(
        365, ge=1, description="days for which raw bytes are kept after their newest receipt; 'ewarn purge' ends them"
    )
    handling: Handling = Handling()
    enabled: bool = True
    references: tuple[Reference, ...] = ()

    @property
    def personal(self) -> bool:
        """Whether a row or entry of it can say something about a person: then no cell and no file name is quoted."""
        return self.personal_data.strip().rstrip(".").casefold() != "none"

    @model_validator(mode="after")
    def _not_for_ever(self) -> Self:
        if self.personal and self.retention_days > LONGEST_PERSONAL_DAYS:
            raise ValueError(
                f"retention_days: bytes that can hold personal data are kept {LONGEST_PERSONAL_DAYS} days at most"
            )
        return self


class FeedDefinition(SourceBase):
    """sources/feeds/<id>.toml: a feed of notices (RSS, Atom or JSON Feed)."""

    url: str
    user_agent: str = ""
    default_area: str = Field("K02000001", description="GSS code of the area a notice is about when it names none")
    max_bytes: int = Field(5_000_000, ge=1_000)
    timeout_seconds: float = Field(30, gt=0, le=300)
    abroad: bool = Field(
        False, description="the publisher is abroad: a place counts as ours only where the UK is named"
    )

    @field_validator("url")
    @classmethod
    def _http(cls, value: str) -> str:
        if not re.match(r"^https?://[^\s/]+", value):
            raise ValueError("not a full address; write it with http:// or https:// in front")
        return value


class NoticeDefinition(SourceBase):
    """sources/notices/<id>.toml: notices without a feed, pasted by a person or come by e-mail."""

    default_area: str = Field("K02000001", description="GSS code of the area a notice is about when it names none")
    max_bytes: int = Field(20_000_000, ge=1_000)


class ColumnMap(Frozen):
    """Where one of our fields comes from. Give `column`, or `value` for a constant."""

    column: str | None = None
    value: str | None = None
    other_names: tuple[str, ...] = Field((), description="other headers that mean the same column")
    required: bool = False
    blank: tuple[str, ...] = Field((), description="values that mean 'not stated', compared without case")
    holds: Literal["", "coroner area", "police area"] = Field(
        "", description="for place: what the column names. Names of that kind are then believed before others"
    )
    split: str | None = Field(None, description="separator when the cell is a list, such as |")
    values: dict[str, str] = Field(default_factory=dict, description="source value (lower-case) -> our value")
    formats: tuple[str, ...] = Field((), description="strptime formats tried in order; %+ is ISO 8601 with its offset")

    @model_validator(mode="after")
    def _one_origin(self) -> ColumnMap:
        if (self.column is None) == (self.value is None):
            raise ValueError("both or neither of column and value; write one of the two")
        return self


SAMPLE_FIELDS = {"organisation", "stream", "sold_as", "form", "colour", "label"}
INCIDENT_FIELDS = {
    "organisation", "stream", "outcome", "persons", "cumulative", "setting", "place_label", "reference_end",
}  # fmt: skip
COUNT_FIELDS = {"organisation", "indicator", "period_days", "value", "denominator"}
SHARED_FIELDS = {
    "reference_date", "reference_time", "known_date", "published_date", "status", "place", "area_code", "latitude",
    "longitude", "easting", "northing",
}  # fmt: skip
PAIRS = (("latitude", "longitude"), ("easting", "northing"))
MENTION_FIELDS = {
    "substances", "major", "minor", "trace", "confirmed", "suspected", "method", "presumptive", "concentration", "unit",
}  # fmt: skip
FIELDS_OF = {
    RecordKind.SAMPLE: SAMPLE_FIELDS | SHARED_FIELDS | MENTION_FIELDS,
    RecordKind.INCIDENT: INCIDENT_FIELDS | SHARED_FIELDS | MENTION_FIELDS,
    RecordKind.COUNT: COUNT_FIELDS | SHARED_FIELDS,
}


class DropDefinition(SourceBase):
    """sources/drops/<id>.toml: a CSV drop. `columns` maps our fields to the source's headers."""

    kind: RecordKind
    key: tuple[str, ...] = Field(min_length=1, description="source headers that together name a record")
    key_where_given: tuple[str, ...] = Field(
        (), description="further key headers that a file may lack; an absent or blank cell is a value of its own"
    )
    key_other_names: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="key header -> other headers that mean it, where no column maps it"
    )
    columns: dict[str, ColumnMap] = Field(description="our field -> where it comes from")
    ignored: tuple[str, ...] = Field((), description="headers we know and do not use")
    documented: dict[str, str] = Field(default_factory=dict, description="header -> meaning, for the drop's readers")
    default_area: str = Field("K02000001", description="GSS code where the place cannot be read")
    date_formats: tuple[str, ...] = ("%Y-%m-%d",)
    dates_basis: str = Field("", description="how the clocks were read, in words, where the source mixes them")
    max_bytes: int = Field(2_000_000_000, ge=1_000)

    @property
    def personal(self) -> bool:
        """Incidents happen to people, whatever the definition says of itself."""
        return self.kind is RecordKind.INCIDENT or super().personal

    @model_validator(mode="after")
    def _fields_known(self) -> DropDefinition:
        if self.kind is RecordKind.NOTICE:
            raise ValueError("kind: a drop holds no notices; write sample, incident or count, and notices as a feed")
        allowed = FIELDS_OF[self.kind]
        if unknown := sorted(set(self.columns) - allowed):
            raise ValueError(
                f"columns.{', columns.'.join(unknown)}: not a field of a {self.kind}; "
                f"write one of {', '.join(sorted(allowed))}"
            )
        for one, other in PAIRS:
            if (one in self.columns) != (other in self.columns):
                raise ValueError(f"columns.{one} and columns.{other}: one is missing; write both or neither")
        if any(column.holds and field != "place" for field, column in self.columns.items()):
            raise ValueError("columns.*.holds: only the column of place names areas; leave it out of the others")
        if "reference_date" not in self.columns:
            raise ValueError("columns.reference_date is missing; write which column holds the date it happened")
        return self


# ---------------------------------------------------------------- alerts/rules


class ExampleRow(Frozen):
    """One line of a worked example. `day` counts from 0; `hour` is Europe/London local time."""

    day: int
    hour: float | None = None
    known_day: int | None = None
    area: str = Field("E09000007", description="GSS code, or an outward code, as the place was written")
    substance: str = ""
    role: str = "major"
    sold_as: str = ""
    form: str = ""
    kind: RecordKind = RecordKind.SAMPLE
    outcome: str = "non-fatal"
    persons: int = 1
    setting: str = ""
    place_label: str = ""
    colour: str = ""
    label: str = ""
    found_with: tuple[str, ...] = Field((), description="further substances found in the same sample")
    concentration: float | None = None
    unit: str = ""
    stream: str = ""
    title: str = ""
    count: int = Field(1, ge=1, description="repeat this row so many times")
    every_days: int = Field(0, description="days between repeats")
    value: float | None = None
    indicator: str = ""


class Example(Frozen):
    title: str
    rows: tuple[ExampleRow, ...]
    as_of_day: int
    fires: bool
    subject: str | None = None
    area: str | None = None
    observed: float | None = None
    not_evaluable: bool = False


class BacktestFigures(Frozen):
    """What `ewarn backtest --keep` found for a rule. Written by it, read by people."""

    made_on: date
    start: date = Field(alias="from")
    end: date = Field(alias="to")
    content: str = Field(description="the first characters of the content's hash")
    signals_per_week: float
    pages_per_week: float
    items_per_week: float
    confirmed_share: float | None = None
    lead_days: dict[str, int] = Field(default_factory=dict, description="episode -> days from it to the first signal")
    not_named: tuple[str, ...] = Field((), description="episodes that no signal named")


class RuleDefinition(Frozen):
    """alerts/rules/<id>.toml: what, over which lines, in which strata, with which method and numbers, and why."""

    id: FileId
    title: str
    family: Family
    method: Literal[
        "first", "window", "missold", "ears", "farrington", "notice", "unknown_name", "silence", "batch",
        "combination", "potency", "ladder", "sparse",
    ]  # fmt: skip
    enabled: bool = True
    precedence: int = Field(50, description="lower wins when one event could raise several signals")
    tiers: tuple[Tier, ...] = (Tier.BOROUGH,)
    subjects: Literal["substance", "class", "substance-and-class", "none"] = "none"
    classes: tuple[str, ...] = Field((), description="class ids looked at; empty = every class on watch")
    kinds: tuple[RecordKind, ...] = (RecordKind.SAMPLE,)
    numbers: dict[str, float | int | str | bool | tuple[str, ...]] = Field(
        default_factory=dict, description="the method's parameters; each method names its own"
    )
    fires_for_days: float = Field(
        28, gt=0, description="how long it stands after the event that raised it became known"
    )
    learning_days: int = Field(0, ge=0, description="signals raised with less history than this say so")
    grade_suggested: str = ""
    pages: bool = Field(True, description="a new signal pages the duty rota")
    why: str = Field(min_length=20, description="why these numbers")
    known_false_alarms: tuple[str, ...] = Field(min_length=1)
    references: tuple[Reference, ...] = ()
    backtest: BacktestFigures | None = Field(None, description="what the rule did on the past, and when that was asked")
    examples: tuple[Example, ...] = Field(
        min_length=2, alias="example", description="at least one that fires and one that must not"
    )

    @model_validator(mode="after")
    def _both_ways(self) -> RuleDefinition:
        if not any(e.fires for e in self.examples) or all(e.fires for e in self.examples):
            raise ValueError("example: all say the same; write one [[example]] that fires and one that must not")
        return self


# ---------------------------------------------------------------- alerts/advice, templates, channels, routes, grading


class AdviceDefinition(Frozen):
    """alerts/advice/<id>.md: TOML between +++ lines, then the text in Markdown. Owned, versioned, dated, sourced."""

    id: FileId
    title: str
    version: int = Field(ge=1)
    owner: str
    dated: date
    review_by: date
    sources: tuple[Reference, ...] = Field(min_length=1)
    applies_to: tuple[str, ...] = Field((), description="class ids; empty = always")
    audience: tuple[Literal["professional", "public"], ...] = ("professional", "public")
    text: str


class ChannelDefinition(Frozen):
    """alerts/channels/<id>.toml: one way of sending. `url` is an Apprise address with {address} and secrets by name."""

    id: FileId
    title: str
    url: str = Field(
        description="Apprise address; {address} is the recipient's own, {secret:NAME} a secret by reference"
    )
    format: Literal["email", "slack", "teams", "sms", "text", "json", "cap"]
    live: bool = Field(description="true: reaches real partners; an exercise can never use it")
    sign: str = Field("", description="{secret:NAME}: signs what is posted to a web address (HMAC-SHA256)")
    internal: bool = Field(False, description="true: may carry pages and operator notices")
    timeout_seconds: float = Field(10, gt=0, le=120)
    max_attempts: int = Field(6, ge=1, le=20)
    attachments: tuple[Slug, ...] = Field((), description="printed formats that every e-mail by this channel carries")


class GradeRow(Frozen):
    id: Slug
    name: str
    meaning: str
    first_action: str
    due_hours: float = Field(gt=0)
    product: Product | Literal["none"]
    cap_urgency: Literal["Immediate", "Expected", "Future", "Past", "Unknown"]
    cap_severity: Literal["Extreme", "Severe", "Moderate", "Minor", "Unknown"]


class GradingQuestion(Frozen):
    id: Slug
    text: str
    source: str = ""


class GradingDefinition(Frozen):
    """alerts/grading.toml: editable content, labelled as ours."""

    title: str
    note: str
    questions: tuple[GradingQuestion, ...] = Field(min_length=1, alias="question")
    grades: tuple[GradeRow, ...] = Field(min_length=2, alias="grade")
    answer_reports_within_hours: float = 48
    next_review_days: int = 14
    working_hours: tuple[time, time] = (time(9), time(17))
