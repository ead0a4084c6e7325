"""A contact test: a text that proves the live list of recipients, and says nothing of any drug.

In: who asks whom, the catalogue, an instant. Out: an alert in draft; what stands against one. Pure. It must never hold
a part that an alert has about a drug, an event or a place, nor the name of a substance: it is the one text that the
standing test carries to live channels.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from ewarn.assess.draft import template_versions
from ewarn.catalogue import Catalogue
from ewarn.terms import (
    Alert,
    AlertStatus,
    CaseFile,
    Payload,
    Product,
    Standing,
    Subject,
    SubjectKind,
    VersionKind,
    london_day,
)

PARTS = frozenset(
    {
        *("reference", "alert_id", "version", "issuer", "standing", "product", "area", "headline", "answer_by"),
        *("report_back", "groups", "contacts", "marking", "handling", "audience", "kind", "replaces", "watermark"),
        *("origin", "date", "review_on", "expires_on", "answer", "answer_code", "answer_at", "verify"),
    }
)
HEADLINE = "TEST of the contact list: please answer"
WATERMARKS = {
    Standing.TEST: "TEST TEST TEST: a test of the contact list. There is no alert and nothing to do but answer",
    Standing.EXERCISE: "EXERCISE EXERCISE EXERCISE: a rehearsed TEST of the contact list",
}
MARKING = "TLP:GREEN"
SHORTEST_NAME = 5


class Fault(NamedTuple):
    where: str
    what: str
    instead: str


def case(ref: str, area: str, standing: Standing, now: datetime, days: int) -> CaseFile:
    """The file that the test is kept under; no signal ever joins it."""
    return CaseFile(
        ref=ref,
        title="Contact test of the list of recipients",
        status="open",
        lead_area=area,
        subject=Subject(kind=SubjectKind.NONE, id="", name=""),
        keys=("nothing joins a contact test",),
        window_days=0,
        neighbour_rule="none",
        standing=standing,
        opened_at=now,
        next_action=f"Read who answered: ewarn contacts test report {ref}",
        due_at=now + timedelta(days=days),
    )


def write(
    held: CaseFile,
    catalogue: Catalogue,
    author: str,
    now: datetime,
    *,
    alert_id: str,
    issuer_name: str,
    origin: str = "",
    groups: Sequence[str] = (),
    contacts: str = "",
    answers: dict[str, str] | None = None,
) -> Alert:
    """The text, status draft. In: `groups` asked, all where empty; `contacts` 'out of hours' to test those instead;
    `answers` what an answer service adds."""
    today = london_day(now)
    content = {
        "reference": held.ref,
        "alert_id": alert_id,
        "version": 1,
        "issuer": issuer_name,
        "standing": held.standing.value,
        "product": Product.CONTACT_TEST.value,
        "area": catalogue.area_ref(held.lead_area).model_dump(mode="json"),
        "headline": HEADLINE,
        "answer_by": london_day(held.due_at).isoformat(),
        "report_back": f"Answer this message with your name, or tell {issuer_name or 'the co-ordinator'}.",
        "groups": list(groups),
        "contacts": contacts,
        "marking": MARKING,
        "handling": {"marking": MARKING, "conditions": []},
        "audience": "Recipients of local alerts.",
        "kind": VersionKind.ALERT.value,
        "replaces": None,
        "watermark": WATERMARKS[held.standing],
        "origin": origin,
        "date": today.isoformat(),
        "review_on": "",
        "expires_on": "",
        **(answers or {"answer": "", "answer_code": "", "answer_at": "", "verify": ""}),
    }
    return Alert(
        id=alert_id,
        case=held.ref,
        version=1,
        product=Product.CONTACT_TEST,
        status=AlertStatus.DRAFT,
        standing=held.standing,
        area=held.lead_area,
        author=author,
        template_versions=template_versions(Product.CONTACT_TEST, catalogue),
        advice_versions={},
        content=content,
        created_at=now,
    )


def faults(alert: Alert, catalogue: Catalogue, payloads: Sequence[Payload] = ()) -> list[Fault]:
    """Why this must not go out as a contact test: asked when it is written, approved, and again as it is sent."""
    found = []
    for part in sorted(set(alert.content) - PARTS):
        found.append(Fault(part, "a contact test holds no such part", "Start a contact test anew."))
    if alert.standing is Standing.ACTUAL:
        found.append(Fault("standing", "a contact test is never actual", "Start a contact test anew."))
    if not str(alert.content.get("watermark", "")).startswith(alert.standing.value.upper()):
        found.append(Fault("watermark", "missing", f"Begin it with {alert.standing.value.upper()}."))
    if alert.advice_versions:
        found.append(Fault("advice", "a contact test holds no advice", "Start a contact test anew."))
    for payload in payloads:
        text = f"{payload.subject}\n{payload.body.decode(errors='replace')}"
        if "TEST" not in payload.subject:
            found.append(Fault(payload.format, "its subject does not say TEST", "Write it into the template."))
        if drug := named(text, catalogue):
            found.append(Fault(payload.format, f"it names a drug: '{drug}'", "A contact test names none."))
    return found


def named(text: str, catalogue: Catalogue) -> str:
    """The first name of a substance or class in a text; '' where there is none."""
    hit = _names(_every_name(catalogue)).search(text)
    return hit.group() if hit else ""


def _every_name(catalogue: Catalogue) -> frozenset[str]:
    names: set[str] = set()
    for held in catalogue.classes.values():
        names |= {held.name, held.plural, *held.class_names, *held.brands}
        for substance in held.substances:
            names |= {substance.name, *substance.synonyms, *substance.brands}
    return frozenset(name.lower() for name in names if len(name) >= SHORTEST_NAME)


@lru_cache(maxsize=4)
def _names(names: Collection[str]) -> re.Pattern[str]:
    longest_first = sorted(names, key=lambda name: (-len(name), name))
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest_first)) or '(?!)'})(?![\w-])", re.IGNORECASE)
