"""The originators' handling conditions: no text is marked wider than the strictest of its case's records.

In: an alert, and what its case's records allow now (with the originators' recorded releases). Out: findings; a breach
can never be overridden: only the originator releases.
"""

from __future__ import annotations

from collections.abc import Iterator

from ewarn.assess.lint.finding import Finding, Known, error, warning
from ewarn.terms import CLASSIFICATIONS, MARKINGS, Alert, strictest

RELEASE = "or record the originator's release: ewarn release"


def handling(alert: Alert, known: Known) -> Iterator[Finding]:
    """The marking, the classification and the conditions against those of the records, as written and as known now."""
    inside = alert.content.get("handling", {})
    marking = str(alert.content.get("marking", ""))
    wanted = known.marking or strictest([str(inside.get("marking", ""))])
    if marking not in MARKINGS:
        yield error("handling", "marking", f"'{marking}' is no marking", f"Use {', '.join(MARKINGS)}.")
    elif wanted and strictest([marking, wanted]) != marking:
        yield error(
            "handling", "marking", f"{marking} is wider than a record's {wanted}", f"Write {wanted}, {RELEASE}."
        )
    yield from _classified(alert, known)
    for condition in known.conditions if known.marking else inside.get("conditions", []):
        if condition not in str(alert.content.get("audience", "")):
            yield error("handling", "audience", "an originator's condition is missing", f"Add: {condition}")
    for words in known.releases:
        yield warning("released", "marking", words, "Nothing to write: the originator's release is on record.")


def _classified(alert: Alert, known: Known) -> Iterator[Finding]:
    said = str(alert.content.get("classification", ""))
    wanted = known.classification or str(alert.content.get("handling", {}).get("classification", ""))
    if said not in CLASSIFICATIONS or CLASSIFICATIONS.index(said) < CLASSIFICATIONS.index(wanted):
        what = f"'{said}' is below a record's {wanted}" if wanted else f"'{said}' is no classification"
        yield error(
            "handling", "classification", what, f"Edit any part of the text: it then takes {wanted}, {RELEASE}."
        )
    if said == CLASSIFICATIONS[-1] and alert.content.get("marking") == MARKINGS[0]:
        yield error("handling", "marking", f"{said} cannot be {MARKINGS[0]}", f"Write a stricter marking, {RELEASE}.")
