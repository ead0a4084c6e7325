"""An alert that says everything a machine format can carry, and words that try to be more than words. All synthetic."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ewarn.disclosure.suppress import for_audience
from ewarn.terms import Alert, AlertStatus, Product, Standing

GOLDEN = Path(__file__).parent / "golden"
SCHEMA = Path(__file__).resolve().parents[3] / "shared" / "schemas" / "cap12.xsd"
PLACES = {"Camden": "E09000007", "Islington": "E09000019"}
SENT = datetime(2025, 7, 3, 14, 5, 6, 789, tzinfo=UTC)
CONTENT: dict[str, Any] = {
    "reference": "LDN-2025-0001",
    "alert_id": "LDN-2025-0001/A1",
    "version": 1,
    "issuer": "Test service (synthetic)",
    "sender": "alerts@example.org",
    "standing": "actual",
    "product": "formal alert",
    "kind": "alert",
    "area": {"code": "E09000007", "name": "Camden", "tier": "borough"},
    "also_possible": ["Islington", "Somewhere"],
    "headline": "Metonitazene in tablets sold as diazepam, Camden",
    "what_happened": ["On 3 July 2025, 3 people collapsed.", "A laboratory found metonitazene."],
    "what_happened_public": ["In July 2025, fewer than 8 people collapsed."],
    "figures": [{"label": "People affected", "value": 3, "signal": "s1", "records": ["r1", "r2"]}],
    "verification": {
        "event": {"level": "confirmed", "words": "Confirmed: an ambulance service attended."},
        "substance": {"level": "probable", "words": "Probable: two sources."},
        "link": {"level": "unverified", "words": "We do not know whether this drug caused it."},
    },
    "sold_as": ["diazepam"],
    "found": [{"name": "metonitazene", "role": "trace", "presumptive": True}],
    "appearance": ["tablet, blue, marked D 10"],
    "at_risk": "Anyone who uses tablets sold as diazepam.",
    "signs": {"id": "overdose-signs", "version": 2, "title": "Signs", "text": "- Not waking", "html": "<p>x</p>"},
    "advice": [{"id": "harm", "version": 1, "title": "Stay safer", "text": "Not alone.", "html": "<p>x</p>"}],
    "emergency": {
        "id": "naloxone-999",
        "version": 3,
        "title": "Call 999",
        "text": "Give naloxone.",
        "html": "<p>x</p>",
    },
    "report_back": "Please tell the test service.",
    "marking": "TLP:CLEAR",
    "handling": {"marking": "TLP:CLEAR", "conditions": []},
    "audience": "Professionals. Not for publication.",
    "replaces": None,
    "watermark": "",
    "origin": "",
    "date": "2025-07-03",
    "review_on": "2025-07-17",
    "expires_on": "2025-07-31",
    "cap": {"urgency": "Immediate", "severity": "Extreme", "certainty_of": "event"},
    "earlier": [],
    "answer": "https://answer.invalid/PERSONAL",
    "answer_code": "ANSWER-CODE",
    "answer_at": "https://alerts.example.org/a",
    "verify": "https://alerts.example.org/v/LDN-2025-0001",
}
PHOTO = {
    "alt": "A round blue tablet marked D and 10.", "scale": "Ruler in millimetres; the tablet is 8 mm across.",
    "sha256": "0" * 64, "cid": "0@photo.ewarn.invalid", "width": 1280, "height": 853, "released": "",
}  # fmt: skip
EARLIER = [
    {"version": 1, "sent": "2025-01-03T14:00:00+00:00", "marking": "TLP:AMBER"},
    {"version": 2, "sent": "2025-07-01T14:00:00+00:00", "marking": "TLP:CLEAR"},
]
HOSTILE = (
    "<script>alert(1)</script>",
    "]]><alert xmlns='urn:oasis:names:tc:emergency:cap:1.2'><status>Actual</status></alert>",
    "<![CDATA[<b>]]>",
    "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>&e;",
    "--><!-- a & b <?xml version='1.0'?>",
    "zero\x00one\x01bell\x07escape\x1bdelete\x7fc1\x9f",
    "lone \ud800 surrogate, \ufffe and \uffff",
    "\u202egnihtemos \u2066isolate\u2069 \u200bzero width\ufeff \U000e0041tag",
    "one\r\ntwo\u2028three\u2029four",
    "=cmd|' /C calc'!A0",
)


def told(standing: str = "actual", version: int = 1, **content: Any) -> Alert:
    """One version of a synthetic alert."""
    mark = "" if standing == "actual" else f"{standing.upper()} {standing.upper()}: not a real event"
    values = {**CONTENT, "standing": standing, "watermark": mark, "version": version, **content}
    return Alert(
        id="LDN-2025-0001/A1",
        case="LDN-2025-0001",
        version=version,
        product=Product(values["product"]),
        status=AlertStatus.DRAFT,
        standing=Standing(standing),
        area="E09000007",
        author="ann",
        template_versions={},
        advice_versions={},
        content=values,
        created_at=SENT,
    )


def read_by(alert: Alert, audience: str) -> dict[str, Any]:
    return {
        k: v for k, v in for_audience(alert.content, audience).items() if k not in ("handling", "what_happened_public")
    }


def hostile_everywhere(words: str) -> dict[str, Any]:
    """The content with the words in every field that people or sources fill."""

    def put(value: Any) -> Any:
        if isinstance(value, list):
            return [put(item) for item in value]
        if isinstance(value, dict):
            return {
                key: put(item) if key in ("words", "name", "title", "text", "label", "alt", "scale") else item
                for key, item in value.items()
            }
        return words if isinstance(value, str) else value

    every = CONTENT | {"photo": PHOTO, "closes": words, "closes_headline": words, "why": words, "origin": words}
    kept = ("marking", "date", "review_on", "expires_on", "kind", "product", "standing", "earlier", "cap", "watermark")
    return {key: value if key in kept else put(value) for key, value in every.items() if key != "also_possible"}


def same_as_golden(made: bytes, name: str) -> None:
    """Compare with a golden file; delete the file and run again to take what is made now, then read it."""
    path = GOLDEN / name
    if not path.exists():
        path.write_bytes(made)
        pytest.fail(f"{name} was not there and is written now: read it")
    assert made == path.read_bytes()
