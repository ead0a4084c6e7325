"""The alert object as a JSON document with a schema of its own, for programs that take neither e-mail nor CAP.

In: an alert and its content as one audience may read it. Out: canonical JSON, format `ewarn-alert`. Within a
`format_version` keys are added and never renamed, removed or given another meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ewarn.dispatch import cap
from ewarn.terms import Alert, canonical

FORMAT_VERSION = 1


class Part(BaseModel):
    """A part of the document; what the schema does not name is left out of it."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Area(Part):
    code: str = Field("", description="ONS (GSS) code")
    name: str = ""
    tier: str = Field("", description="borough | region | uk")


class Figure(Part):
    label: str
    value: int | float | str = Field(
        description="a number; for the public '*' for 1 to 7, others rounded to 5, as text"
    )
    signal: str = Field("", description="id of the signal it rests on; empty for the public")
    records: tuple[str, ...] = Field((), description="ids of the records it rests on; empty for the public")


class Sure(Part):
    level: str = Field(description="confirmed | probable | unverified | discounted; the scale is ewarn's own")
    words: str


class Verification(Part):
    event: Sure | None = Field(None, description="did it happen")
    substance: Sure | None = Field(None, description="what was it")
    link: Sure | None = Field(None, description="was it this that did it")


class Found(Part):
    name: str
    role: str = Field("", description="confirmed | major | minor | trace | named")
    presumptive: bool = Field(False, description="a quick test, which confirms nothing")


class Advice(Part):
    id: str = ""
    version: int = 0
    title: str = ""
    text: str = ""
    html: str = Field("", description="the text again, as HTML of paragraphs and lists")


class Graded(Part):
    urgency: str = Field("Unknown", description="CAP 1.2 urgency that the panel's grade stands for")
    severity: str = Field("Unknown", description="CAP 1.2 severity that the panel's grade stands for")
    certainty_of: str = Field("event", description="what CAP certainty is taken from: event | substance")


class Photo(Part):
    alt: str = Field(description="what it shows, in words")
    scale: str = Field("", description="what in it gives the scale")
    where: str = Field(
        "in the e-mail of the same alert and on its printed sheets", description="where the picture itself is"
    )
    sha256: str = Field(description="of its bytes, a JPEG without metadata")
    width: int
    height: int


class Earlier(Part):
    version: int
    sent: str
    marking: str = ""


class Content(Part):
    """What the alert says, in plain sentences and lists."""

    reference: str = Field("", description="of the case: LDN-2025-0007")
    alert_id: str = Field("", description="LDN-2025-0007/A1")
    version: int = 1
    kind: str = Field("alert", description="alert | update | stand-down | withdrawal")
    product: str = Field("", description="formal alert | share for information | request for corroboration")
    standing: str = Field("actual", description="actual | exercise | test")
    watermark: str = Field("", description="what an exercise or a test says of itself; empty where actual")
    issuer: str = ""
    sender: str = ""
    date: str = ""
    review_on: str = ""
    expires_on: str = ""
    marking: str = Field("", description="TLP 2.0")
    audience: str = Field("", description="who may read it, with the originators' conditions")
    area: Area = Area()
    also_possible: tuple[str, ...] = ()
    headline: str = ""
    what_happened: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    verification: Verification = Verification()
    sold_as: tuple[str, ...] = ()
    found: tuple[Found, ...] = ()
    appearance: tuple[str, ...] = ()
    photo: Photo | None = Field(None, description="for the public only where the panel released it")
    at_risk: str = ""
    signs: Advice | None = None
    emergency: Advice | None = None
    advice: tuple[Advice, ...] = ()
    report_back: str = ""
    origin: str = Field("", description="where the facts come from, where that must be said")
    replaces: str | None = Field(None, description="the version that this one replaces, in words")
    closes: str = Field("", description="the alert that this version ends")
    closes_headline: str = ""
    why: str = Field("", description="why it ends")
    answer: str = Field("", description="the recipient's own link for an answer; empty in copies for everybody")
    answer_code: str = Field("", description="the recipient's own code for an answer")
    answer_at: str = Field("", description="where such a code is typed in")
    verify: str = Field("", description="the page that says whether this alert is genuine and in force")
    cap: Graded = Graded()
    earlier: tuple[Earlier, ...] = Field((), description="every earlier version that people had")


class Document(Part):
    """One version of one alert for one audience."""

    format: Literal["ewarn-alert"] = "ewarn-alert"
    format_version: Literal[1] = 1
    identifier: str = Field(description="one for each version and audience; the CAP message has the same")
    sent: str = Field(description="when this version was written: Europe/London with its offset, no fraction")
    subject: str = Field(description="one line, with the marking and, where it is none, that it is not actual")
    alert: Content


def payload(alert: Alert, content: Mapping[str, Any], audience: str, subject: str) -> bytes:
    """The document's bytes, in the one spelling that hashes are taken over."""
    made = Document(
        identifier=cap.identifier(alert.id, alert.version, audience),
        sent=cap.stamp(alert.created_at),
        subject=subject,
        alert=Content.model_validate(dict(content)),
    )
    return canonical(made.model_dump(mode="json"))


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the document, as docs/schemas/alert-1.schema.json holds it."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:ewarn:schema:alert:1"}
    return dialect | Document.model_json_schema(mode="serialization")
