"""Three boroughs, a region, the UK; two classes; a few rules and a grading matrix: small enough to read."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from ewarn.catalogue import Catalogue
from ewarn.catalogue.definitions import (
    AdviceDefinition,
    ClassDefinition,
    GradingDefinition,
    RoutesDefinition,
    RuleDefinition,
    TemplateDefinition,
)
from ewarn.frames import shaped
from ewarn.terms import Family, Signal

CAMDEN, ISLINGTON, CROYDON = "E09000007", "E09000019", "E09000008"
LONDON, UK = "E12000007", "K02000001"
AREAS = {
    CAMDEN: ("Camden", "borough", LONDON),
    ISLINGTON: ("Islington", "borough", LONDON),
    CROYDON: ("Croydon", "borough", LONDON),
    LONDON: ("London", "region", UK),
    UK: ("United Kingdom", "uk", None),
}
EXAMPLES = [
    {"title": "fires", "rows": [{"day": 0}], "as_of_day": 0, "fires": True},
    {"title": "does not", "rows": [{"day": 0}], "as_of_day": 0, "fires": False},
]


def rule(
    rule_id: str, family: str, method: str, precedence: int, grade: str = "", pages: bool = True
) -> RuleDefinition:
    return RuleDefinition.model_validate(
        {
            "id": rule_id,
            "title": rule_id.replace("-", " "),
            "family": family,
            "method": method,
            "precedence": precedence,
            "grade_suggested": grade,
            "pages": pages,
            "why": "numbers for the tests of the cases",
            "known_false_alarms": ["none"],
            "example": EXAMPLES,
        }
    )


def advice(advice_id: str, text: str, applies_to: tuple[str, ...] = ()) -> AdviceDefinition:
    return AdviceDefinition.model_validate(
        {
            "id": advice_id,
            "title": advice_id.replace("-", " "),
            "version": 2,
            "owner": "panel",
            "dated": date(2025, 1, 1),
            "review_by": date(2026, 1, 1),
            "sources": [{"title": "a source"}],
            "applies_to": applies_to,
            "text": text,
        }
    )


def grading() -> GradingDefinition:
    rows = [("act-now", 2, "formal alert"), ("act-today", 8, "formal alert"), ("share", 24, "share for information")]
    return GradingDefinition.model_validate(
        {
            "title": "ours",
            "note": "ours",
            "question": [{"id": "local", "text": "Is it local?"}, {"id": "plausible", "text": "Is it plausible?"}],
            "grade": [
                {
                    "id": g,
                    "name": g,
                    "meaning": g,
                    "first_action": f"do {g}",
                    "due_hours": h,
                    "product": p,
                    "cap_urgency": "Immediate",
                    "cap_severity": "Severe",
                }
                for g, h, p in rows
            ],
        }
    )


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    classes = [
        ("opioid", "opioids", "", ()),
        ("nitazene", "nitazenes", "opioid", ("metonitazene", "protonitazene")),
        ("orphine", "orphines", "opioid", ("cychlorphine",)),
    ]
    rules = [
        rule("cluster-24h", "cluster", "window", 10, "act-now"),
        rule("cluster-28d", "cluster", "window", 30, "share"),
        rule("first-in-borough", "first detection", "first", 20, "act-today"),
        rule("quiet-source", "silence", "silence", 90, pages=False),
        rule("new-name", "unknown name", "unknown_name", 80, pages=False),
        rule("notice", "notice", "notice", 60, "share"),
        rule("quiet-notice", "notice", "notice", 61, "share", pages=False),
        rule("quiet-excess", "exceedance", "ears", 5, "share", pages=False),
    ]
    texts = [
        advice("overdose-signs", "Pale, blue, **not waking**."),
        advice("naloxone-999", "Call 999. Give naloxone.\n\n- Stay."),
        advice(
            "not-alone",
            "Do not use alone. Start low. Not all at the same time. Do not mix. See <script>alert(1)</script>.",
        ),
        advice("strips-nitazene", "Strips miss some.", ("nitazene",)),
        advice("opioid-mix", "Do not mix.", ("opioid",)),
    ]
    templates = [
        {"id": "formal-text", "version": 3, "product": "formal alert", "format": "text", "audience": "professional"},
        {
            "id": "share-text",
            "version": 1,
            "product": "share for information",
            "format": "text",
            "audience": "professional",
        },
    ]
    return Catalogue(
        classes={
            c: ClassDefinition.model_validate(
                {
                    "id": c,
                    "name": plural,
                    "plural": plural,
                    "watch": c != "opioid",
                    "parent": parent,
                    "substances": [{"id": s, "name": s} for s in substances],
                }
            )
            for c, plural, parent, substances in classes
        },
        areas=shaped(
            "areas", pl.DataFrame([{"code": c, "name": n, "tier": t, "parent": p} for c, (n, t, p) in AREAS.items()])
        ),
        neighbours=pl.DataFrame({"code": [CAMDEN, ISLINGTON], "neighbour": [ISLINGTON, CAMDEN]}),
        rules={r.id: r for r in rules},
        advice={a.id: a for a in texts},
        templates={t["id"]: TemplateDefinition.model_validate({**t, "body": "x"}) for t in templates},
        grading=grading(),
        routes=RoutesDefinition.model_validate({"route": [{"audience": "professional", "channels": ["mail"]}]}),
    )


@pytest.fixture
def make_signal(catalogue: Catalogue):
    """A signal from a few words; everything else has a plain default."""

    def make(signal_id: str = "s1", rule: str = "cluster-24h", subject: str = "", area: str = CAMDEN, **more) -> Signal:
        known_on = more.pop("known_on", date(2025, 3, 3))
        records = tuple(more.pop("records", (f"{signal_id}-r1",)))
        values = {
            "id": signal_id,
            "rule": rule,
            "family": catalogue.rules[rule].family if rule in catalogue.rules else Family.CLUSTER,
            "subject": catalogue.subject(subject),
            "area": catalogue.area_ref(area),
            "period": {"start": known_on, "end": known_on},
            "observed": 5.0,
            "records": records,
            "record_count": len(records),
            "why": "so many in so long",
            "known_on": known_on,
            "first_raised_on": known_on,
        }
        return Signal.model_validate(values | more)

    return make


@pytest.fixture
def now() -> datetime:
    return datetime(2025, 3, 3, 14, tzinfo=UTC)


@pytest.fixture
def next_ref():
    serial = iter(range(1, 1000))
    return lambda year: f"LDN-{year}-{next(serial):04d}"
