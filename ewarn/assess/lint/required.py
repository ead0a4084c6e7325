"""What a text must hold: every part that a local drug alert has, its dates in order, and the mark of its standing.

In: an alert. Out: findings about what is missing or does not fit. It must never ask for what a product does not need.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from ewarn.assess.lint.finding import Finding, warning
from ewarn.terms import Alert, Product, Standing

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


def _empty(value: Any) -> bool:
    return not value or (isinstance(value, dict) and "text" in value and not value["text"].strip())


def missing(alert: Alert) -> Iterator[Finding]:
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


SAFER = {
    "do not use alone": ("alone",),
    "start low and go slow": ("start low", "small amount", "go slow"),
    "do not all use at the same time": ("same time",),
    "do not mix": ("mix",),
}


def advised(alert: Alert) -> Iterator[Finding]:
    """What every warning advises, wherever in its advice it stands; a text that ends one, or only asks, needs none."""
    if alert.product is Product.CORROBORATE or alert.kind.closes or not alert.content.get("advice"):
        return
    text = " ".join(str(item.get("text", "")) for item in alert.content["advice"] if isinstance(item, dict)).casefold()
    for what, said in SAFER.items():
        if not any(words in text for words in said):
            yield warning("missing", "advice", f"no advice to '{what}'", "Add an advice text that says it.")


def day(alert: Alert, key: str) -> date | None:
    try:
        return date.fromisoformat(str(alert.content.get(key)))
    except ValueError:
        return None


def dates(alert: Alert) -> Iterator[Finding]:
    issued, review, expiry = (day(alert, key) for key in ("date", "review_on", "expires_on"))
    for key, value in (("review_on", review), ("expires_on", expiry)):
        if value is None and alert.content.get(key):
            yield Finding(code="dates", where=key, what="not a date", instead="Write it as 2025-11-30.")
        elif value is not None and issued is not None and value <= issued:
            yield Finding(code="dates", where=key, what="not after the date of issue", instead="Write a later day.")
    if review is not None and expiry is not None and expiry < review:
        yield Finding(
            code="dates", where="expires_on", what="before the review", instead="Write the review day or later."
        )


def standing(alert: Alert) -> Iterator[Finding]:
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
