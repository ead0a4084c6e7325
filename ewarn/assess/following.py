"""The versions after the first: an update says more, a stand-down or a withdrawal ends the warning.

In: the version people have, what is to change or why it ends, the catalogue. Out: a draft under the same reference that
names the version it replaces. It must never read as a new alert, nor as an all-clear.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from ewarn.assess import draft, machine
from ewarn.catalogue import Catalogue
from ewarn.errors import UsageFault
from ewarn.terms import Alert, VersionKind

# What an update may take anew from the case as it is known now; the rest people wrote.
FACTS = (
    *("also_possible", "headline", "what_happened", "what_happened_public", "figures", "verification", "sold_as"),
    *("found", "appearance", "at_risk", "marking", "handling", "audience", "cap"),
)
NOT_NEEDED = "The panel holds that this warning is no longer needed. This is not an all-clear."
ENDED = {VersionKind.STAND_DOWN: "Stood down", VersionKind.WITHDRAWAL: "Withdrawn"}


def named(alert: Alert) -> str:
    """A version as a later one names it: version 1 of 3 March 2025."""
    day = date.fromisoformat(alert.content["date"])
    return f"version {alert.version} of {day:%-d %B %Y}"


def update(
    had: Alert,
    number: int,
    changes: Mapping[str, Any],
    author: str,
    now: datetime,
    catalogue: Catalogue,
    facts_now: Mapping[str, Any] | None = None,
) -> Alert:
    """The next version of what people have, with new dates of review and end.

    In: `number` of the new version; `facts_now` the content of a fresh draft, where its facts are to be taken.
    Raises: UsageFault for a part that cannot be changed.
    """
    taken = {key: facts_now[key] for key in FACTS if key in facts_now} if facts_now else {}
    asked = draft.edit(had, changes, author, now, catalogue).content if changes else {}
    said = {key: asked[key] for key in changes}
    fixed = {"kind": VersionKind.UPDATE.value, "replaces": named(had)} | machine.before(had)
    parts = draft.dates(had.product, catalogue, now) | taken | said | fixed
    return draft.following(had, parts, number, author, now, catalogue)


def ending(
    had: Alert, kind: VersionKind, number: int, why: str, author: str, now: datetime, catalogue: Catalogue
) -> Alert:
    """A text that stands down or withdraws what people have, and says why. Raises: UsageFault without a reason."""
    why = " ".join(why.split()) or (NOT_NEEDED if kind is VersionKind.STAND_DOWN else "")
    if not why:
        raise UsageFault("a withdrawal needs a reason", where=had.id, next_step="Say --why in a sentence.")
    headline = had.content["headline"]
    parts = draft.dates(had.product, catalogue, now) | {
        "kind": kind.value,
        "replaces": named(had),
        **machine.before(had),
        "closes": had.id,
        "closes_headline": headline,
        "headline": f"{ENDED[kind]}: {headline}",
        "why": why if why[-1] in ".!?" else f"{why}.",
    }
    return draft.following(had, parts, number, author, now, catalogue)
