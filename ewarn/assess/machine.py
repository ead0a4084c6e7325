"""What machine formats need beside the words: urgency, severity, what certainty is of, and the versions before.

In: a case, its facts, the catalogue; or the version that people have. Out: parts of the content object, so that the
hash people approve covers them.
"""

from __future__ import annotations

from email.utils import parseaddr
from typing import Any

from ewarn.assess.facts import Facts
from ewarn.catalogue import Catalogue
from ewarn.terms import Alert, CaseFile

PARTS = ("cap", "earlier", "sender")


def parts(case: CaseFile, facts: Facts, catalogue: Catalogue, sender: str) -> dict[str, Any]:
    """Of a first version: the words its case's grade stands for in CAP, and who sends it (a stable address)."""
    return {"cap": graded(case, facts, catalogue), "earlier": [], "sender": parseaddr(sender)[1]}


def graded(case: CaseFile, facts: Facts, catalogue: Catalogue) -> dict[str, str]:
    """Unknown until the panel has graded. Where no harm was reported, certainty is of the substance alone."""
    grades = catalogue.grading.grades if catalogue.grading else ()
    row = next((g for g in grades if g.id == case.grade), None)
    return {
        "urgency": row.cap_urgency if row else "Unknown",
        "severity": row.cap_severity if row else "Unknown",
        "certainty_of": "event" if facts.events else "substance",
    }


def before(had: Alert) -> dict[str, Any]:
    """Of a later version: every version that people had, oldest first."""
    this = {"version": had.version, "sent": had.created_at.isoformat(), "marking": had.content.get("marking", "")}
    return {"earlier": [*had.content.get("earlier", ()), this]}
