"""Reads a text before people do: what is missing, what advertises, what names a person.

In: an alert and the catalogue. Out: findings, each with where, what, and what to write instead. It must never change a
text, and never stop a warning for good: a blocking finding can be overridden with a reason and a name, save personal
data, the originator's handling conditions and the exercise watermark.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from ewarn.assess import contact_test
from ewarn.catalogue import Catalogue
from ewarn.terms import MARKINGS, Alert, Frozen, Product, Standing

REQUIRED = {
    "reference": "the case's reference",
    "issuer": "who issues it",
    "date": "the day it is issued",
    "area": "the area it is for",
    "headline": "one line that says what and where",
    "what_happened": "counts, dates and kinds of setting",
    "verification": "how sure we are of event, substance and link",
    "at_risk": "who is at risk",
    "report_back": "how to report back",
    "marking": "a TLP marking",
    "audience": "who may read it",
    "review_on": "the day it is reviewed",
    "expires_on": "the day it expires",
}
REQUIRED_ADVICE = {
    "signs": "the signs of overdose",
    "advice": "advice texts from the catalogue",
    "emergency": "what to do in an emergency",
}
FREE_TEXT = (
    *("headline", "what_happened", "what_happened_public", "at_risk", "appearance", "sold_as", "found", "audience"),
    *("origin", "report_back", "figures", "verification", "why", "closes_headline"),
)
CONTACT_ALLOWED = ("report_back",)
NEVER_OVERRIDDEN = ("personal-data", "handling", "watermark")


class Finding(Frozen):
    """One thing to put right before the text goes out."""

    code: str
    where: str
    what: str
    instead: str
    blocking: bool = True

    @property
    def overridable(self) -> bool:
        return self.code not in NEVER_OVERRIDDEN


Pattern = tuple[re.Pattern[str], str, str]


def _of(pattern: str, what: str, instead: str, *, exactly: bool = False) -> Pattern:
    return re.compile(pattern, 0 if exactly else re.IGNORECASE), what, instead


STRONG = r"(?:strong|potent|powerful|pure|stronger|more\s+(?:potent|powerful|pure))"
ADVERTISING = (
    _of(rf"\btimes\s+(?:as\s+)?{STRONG}\b", "a multiplier of strength", "Say that a very small amount can kill."),
    _of(rf"\b\d+\s*(?:x|×|-?fold)\s+(?:as\s+)?{STRONG}\b", "a multiplier of strength", "Say that it is dangerous."),
    _of(rf"\b{STRONG}\s+than\b", "a comparison of strength", "Say that a very small amount can kill."),
    _of(r"[£$€]\s?\d|\b\d+\s?(?:pounds|quid|gbp)\b", "a price", "Leave the price out."),
    _of(r"(?<![\w.+-])@\w{2,}", "a handle", "Leave the seller's handle out."),
    _of(
        r"\b(?:dealer|seller|vendor|supplier|shop|site)\s+(?:called|named|known as)\b",
        "a seller",
        "Leave the seller out; describe the item.",
    ),
    _of(r"\b(?:telegram|whatsapp|snapchat|wickr|t\.me|\w+\.onion)\b", "a sales channel", "Leave the channel out."),
    _of(r"\b(?:top|high|best|premium)[ -]quality\b", "words that praise the drug", "Describe form and colour only."),
)
INWARD = r"(?!\d(?:st|nd|rd|th|hr)\b)\d[ABD-HJLNP-UW-Z]{2}"
PERSONAL = (
    _of(rf"\b[A-Z]{{1,2}}\d[A-Z\d]?\s*{INWARD}\b", "a full postcode", "Write the outward half or the borough."),
    _of(
        r"\b\d{1,3}[- ]?(?:years?[- ]old|y/?o|yrs?[- ]old)\b|\baged\s+\d{1,3}\b(?!\s*(?:-|–|to|and)\s*\d|\s*or\b)",
        "somebody's age",
        "Leave the age out, or write a range such as 'adults'.",
    ),
    _of(r"\b(?:d\.?o\.?b\.?|date of birth|born on)\s*:?\s*\d", "a date of birth", "Leave it out."),
    _of(r"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr)\.?\s+[A-Z][\w'’-]+", "a name", "Leave the name out.", exactly=True),
    _of(r"\bnamed\s+(?:as\s+)?[A-Z][a-z]+\s+[A-Z][a-z]+", "a name", "Leave the name out.", exactly=True),
)
CONTACTS = (
    _of(r"[\w.+-]+@[\w-]+\.[\w.-]+", "an e-mail address", "Leave it out; how to answer is said under 'report back'."),
    _of(r"(?<!\d)(?:\+44\s?\(?0?\)?|0)[1-9](?:[\s-]?\d){8,9}(?!\d)", "a telephone number", "Leave it out."),
)


def findings(alert: Alert, catalogue: Catalogue) -> list[Finding]:
    """Everything to put right, in order of weight: missing parts, dates, standing, handling, words."""
    if alert.product is Product.CONTACT_TEST:
        wrong = contact_test.faults(alert, catalogue)
        return [Finding(code="watermark", where=f.where, what=f.what, instead=f.instead) for f in wrong]
    return [
        *_missing(alert),
        *_dates(alert),
        *_standing(alert),
        *_handling(alert),
        *_advice(alert, catalogue),
        *_words(alert),
    ]


def blocking(found: list[Finding], overridden: frozenset[str] | set[str] = frozenset()) -> list[Finding]:
    """The findings that stop a submission; `overridden` holds codes that a named person overrode with a reason."""
    return [f for f in found if f.blocking and not (f.overridable and f.code in overridden)]


def _empty(value: Any) -> bool:
    return not value or (isinstance(value, dict) and "text" in value and not value["text"].strip())


def _missing(alert: Alert) -> Iterator[Finding]:
    wanted = REQUIRED if alert.product is Product.CORROBORATE else REQUIRED | REQUIRED_ADVICE
    if alert.kind.closes:
        wanted = wanted | {"why": "why the alert is stood down or withdrawn", "replaces": "the version it ends"}
    for key, meaning in wanted.items():
        if _empty(alert.content.get(key)):
            yield Finding(code="missing", where=key, what="missing", instead=f"Write {meaning}.")
    for part in ("event", "substance", "link"):
        if not alert.content.get("verification", {}).get(part, {}).get("words"):
            yield Finding(
                code="missing",
                where=f"verification.{part}",
                what="missing",
                instead="Write how sure we are, such as 'We do not have confirmation of the drug involved.'",
            )
    emergency = alert.content.get("emergency") or {}
    text = emergency.get("text", "").lower()
    if "emergency" in wanted and text and not ("999" in text and "naloxone" in text):
        yield Finding(
            code="missing", where="emergency", what="999 or naloxone is not named", instead="Name 999 and naloxone."
        )


def _day(alert: Alert, key: str) -> date | None:
    try:
        return date.fromisoformat(str(alert.content.get(key)))
    except ValueError:
        return None


def _dates(alert: Alert) -> Iterator[Finding]:
    issued, review, expiry = (_day(alert, key) for key in ("date", "review_on", "expires_on"))
    for key, value in (("review_on", review), ("expires_on", expiry)):
        if value is None and alert.content.get(key):
            yield Finding(code="dates", where=key, what="not a date", instead="Write it as 2025-11-30.")
        elif value is not None and issued is not None and value <= issued:
            yield Finding(code="dates", where=key, what="not after the date of issue", instead="Write a later day.")
    if review is not None and expiry is not None and expiry < review:
        yield Finding(
            code="dates", where="expires_on", what="before the review", instead="Write the review day or later."
        )


def _standing(alert: Alert) -> Iterator[Finding]:
    mark = str(alert.content.get("watermark", ""))
    if alert.standing is not Standing.ACTUAL and not mark.startswith(alert.standing.value.upper()):
        yield Finding(
            code="watermark",
            where="watermark",
            what=f"an {alert.standing.value} without its watermark",
            instead=f"Begin it with {alert.standing.value.upper()}.",
        )
    if alert.standing is Standing.ACTUAL and mark:
        yield Finding(
            code="watermark", where="watermark", what="an actual alert watermarked", instead="Leave it empty."
        )


def _handling(alert: Alert) -> Iterator[Finding]:
    marking, strictest = str(alert.content.get("marking", "")), alert.content.get("handling", {}).get("marking")
    if marking not in MARKINGS:
        yield Finding(
            code="handling", where="marking", what=f"'{marking}' is no marking", instead=f"Use {', '.join(MARKINGS)}."
        )
    elif strictest in MARKINGS and MARKINGS.index(marking) < MARKINGS.index(strictest):
        yield Finding(
            code="handling",
            where="marking",
            what=f"{marking} is wider than a record's {strictest}",
            instead=f"Write {strictest}, or record the originator's release.",
        )
    for condition in alert.content.get("handling", {}).get("conditions", []):
        if condition not in str(alert.content.get("audience", "")):
            yield Finding(
                code="handling",
                where="audience",
                what="an originator's condition is missing",
                instead=f"Add: {condition}",
            )


def _advice(alert: Alert, catalogue: Catalogue) -> Iterator[Finding]:
    issued = _day(alert, "date")
    for advice_id, version in sorted(alert.advice_versions.items()):
        text = catalogue.advice.get(advice_id)
        where = f"advice {advice_id}"
        if text is None or text.version != version:
            yield Finding(
                code="advice-version",
                where=where,
                what=f"version {version} is no longer in force",
                instead="Edit the text, which takes the version in force.",
            )
        elif issued is not None and text.review_by < issued:
            yield Finding(
                code="advice-review",
                where=where,
                what=f"was to be reviewed by {text.review_by}",
                instead=f"Ask {text.owner} to review it.",
            )


def _words(alert: Alert) -> Iterator[Finding]:
    for key in FREE_TEXT:
        personal = PERSONAL if key in CONTACT_ALLOWED else (*PERSONAL, *CONTACTS)
        for where, text in _texts(key, alert.content.get(key)):
            yield from _hits("advertising", where, text, ADVERTISING if key not in CONTACT_ALLOWED else ())
            yield from _hits("personal-data", where, text, personal)


def _hits(code: str, where: str, text: str, patterns: tuple[Pattern, ...]) -> Iterator[Finding]:
    for pattern, what, instead in patterns:
        if hit := pattern.search(text):
            yield Finding(code=code, where=where, what=f"{what}: '{hit.group().strip()}'", instead=instead)


def _texts(where: str, value: Any) -> Iterator[tuple[str, str]]:
    """Every text inside a part of the content, with its place."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key not in ("signal", "records"):
                yield from _texts(f"{where}.{key}", inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value, start=1):
            yield from _texts(f"{where} {index}", inner)
