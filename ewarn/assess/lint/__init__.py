"""Reads a text before people do: what is missing, what advertises, what names a person, what is hard to read.

In: an alert, the catalogue, and what is known of its case now. Out: findings, each with where, what, and what to write
instead. It must never change a text, and never stop a warning for good: an error can be overridden with a reason and a
name, save personal data, the originator's handling conditions and the exercise watermark.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ewarn.assess import contact_test
from ewarn.assess.lint import advised, handled, pictured, reading, required, verified, wording
from ewarn.assess.lint.finding import NEVER_OVERRIDDEN, Finding, Known, error
from ewarn.catalogue import Catalogue
from ewarn.terms import Alert, Product

__all__ = ["NEVER_OVERRIDDEN", "Finding", "Known", "blocking", "findings"]


def findings(alert: Alert, catalogue: Catalogue, known: Known | None = None) -> list[Finding]:
    """Everything to put right, errors and warnings, in order of weight; the same finding once."""
    known = known or Known()
    if alert.product is Product.CONTACT_TEST:
        wrong = contact_test.faults(alert, catalogue)
        return [error("watermark", f.where, f.what, f.instead) for f in wrong]
    found = [
        *required.missing(alert),
        *required.advised(alert),
        *required.dates(alert),
        *required.standing(alert),
        *handled.handling(alert, known),
        *verified.verification(alert, known),
        *advised.advice(alert, catalogue),
        *wording.words(alert, catalogue),
        *wording.public_counts(alert),
        *pictured.photograph(alert),
        *reading.ages(alert, catalogue),
    ]
    once = list(dict.fromkeys(found))
    return sorted(once, key=lambda f: not f.blocking)


def blocking(found: Sequence[Finding], overridden: Collection[str] = ()) -> list[Finding]:
    """The errors that stop an approval; `overridden` holds ids or codes that a named person overrode with a reason."""
    return [f for f in found if f.blocking and not (f.overridable and {f.id, f.code} & set(overridden))]
