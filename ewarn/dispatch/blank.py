"""Alert texts with gaps, to be filled in by hand when nothing else works. Pure.

In: the catalogue, who issues, the standing. Out: each plain text and text message of each kind of alert, with what a
person has to write in square brackets. It must never look like an approved text: every one begins by saying so.
"""

from __future__ import annotations

from typing import Any

from ewarn.catalogue import Catalogue
from ewarn.dispatch import render
from ewarn.errors import ContentFault
from ewarn.terms import Frozen, Standing

DAY, DATE = "31 December 2099", "2099-12-31"
KINDS = ("formal alert", "share for information", "request for corroboration", "stand-down", "withdrawal")
NOT_APPROVED = "NOT APPROVED. Fill in every [GAP]; two named people read it and approve it before it goes out."


class Blank(Frozen):
    """One text with gaps."""

    id: str
    product: str
    audience: str
    format: str
    text: str


def texts(catalogue: Catalogue, issuer: str, standing: Standing, parts: dict[str, Any], watermark: str) -> list[Blank]:
    """Every text. In: `parts`: advice of the content object (emergency, signs, advice)."""
    found = []
    for template in sorted(catalogue.templates.values(), key=lambda t: (KINDS.index(t.product), t.id)
                           if t.product in KINDS else (len(KINDS), t.id)):  # fmt: skip
        if template.product not in KINDS or template.format not in ("text", "sms"):
            continue
        content = gaps(issuer, standing, watermark) | parts
        if template.audience == "public":  # as in an alert: no small numbers
            content |= {"what_happened": content["what_happened_public"]}
        if template.product in ("stand-down", "withdrawal"):
            content |= {"replaces": "version [NUMBER]", "why": "[WHY]", "closes_headline": "[HEADLINE OF THAT ALERT]"}
        try:
            subject, body = render.written(template, content)
        except ContentFault:
            continue
        text = f"{NOT_APPROVED}\n\nSubject: {subject}\n\n{body}".replace(DAY, "[DAY]").replace(DATE, "[DAY]")
        found.append(Blank(id=template.id, product=template.product, audience=template.audience,
                           format=template.format, text=text))  # fmt: skip
    return found


def gaps(issuer: str, standing: Standing, watermark: str) -> dict[str, Any]:
    """A content object whose every fact is a gap."""
    said = {part: {"level": "unverified", "words": f"[{part.upper()}: UNVERIFIED, PROBABLE OR CONFIRMED]"}
            for part in ("event", "substance", "link")}  # fmt: skip
    return {
        "reference": "[REFERENCE]", "alert_id": "[REFERENCE]/A1", "version": 1, "issuer": issuer,
        "standing": standing.value, "product": "", "area": {"code": "", "name": "[AREA]", "tier": "borough"},
        "also_possible": [], "headline": "[HEADLINE: WHICH DRUG, WHERE, IN A LINE]",
        "what_happened": ["[WHAT HAPPENED, WHEN, WHERE, HOW MANY PEOPLE. NO NAMES]"],
        "what_happened_public": ["[WHAT HAPPENED, WITHOUT SMALL NUMBERS]"], "figures": [], "verification": said,
        "sold_as": ["[SOLD AS]"], "found": [{"name": "[FOUND TO CONTAIN]", "role": "major", "presumptive": False}],
        "appearance": ["[WHAT IT LOOKS LIKE]"], "at_risk": "[WHO IS AT RISK]",
        "report_back": "[HOW TO REPORT BACK, AND TO WHOM]", "marking": "TLP:[MARKING]", "classification": "",
        "handling": {"marking": "TLP:[MARKING]", "conditions": []}, "audience": "[FOR WHOM; WHAT ORIGINATORS ASK]",
        "kind": "alert", "replaces": None, "watermark": watermark, "origin": "", "date": DATE, "review_on": DATE,
        "expires_on": DATE, "answer_by": DATE, "contacts": [], "why": "", "closes_headline": "", "analyses": [],
        "series": [], "clinical": [],
    }  # fmt: skip
