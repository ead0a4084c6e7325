"""The versions after the first: an update says more, a stand-down or a withdrawal ends the warning.

In: the version people have, what is to change or why it ends, the catalogue. Out: a draft under the same reference that
names the version it replaces. It must never read as a new alert, nor as an all-clear.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from ewarn.assess import draft, machine
from ewarn.catalogue import Catalogue
from ewarn.disclosure.suppress import published
from ewarn.errors import UsageFault
from ewarn.terms import Alert, VersionKind

# What an update may take anew from the case as it is known now; the rest people wrote.
FACTS = (
    *("also_possible", "headline", "what_happened", "what_happened_public", "figures", "verification", "sold_as"),
    *("record_versions", "days"),
    *("found", "appearance", "at_risk", "marking", "handling", "audience", "cap", "analyses", "series"),
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
    taken |= _corrected(had, taken, now) if taken else {}
    asked = draft.edit(had, changes, author, now, catalogue).content if changes else {}
    said = {key: asked[key] for key in changes}
    fixed = {"kind": VersionKind.UPDATE.value, "replaces": named(had), "published": published(had.content)}
    fixed |= machine.before(had)
    parts = draft.dates(had.product, catalogue, now) | taken | said | fixed
    return draft.following(had, parts, number, author, now, catalogue)


def corrections(had: Mapping[str, Any], figures: Sequence[Mapping[str, Any]]) -> list[str]:
    """Each figure that is not what a version said, in words; one that is gone is said to be none."""
    before = {str(f["label"]): f["value"] for f in had.get("figures", [])}
    now = {str(f["label"]): f["value"] for f in figures}
    told = [f"{label}: {now.get(label, 0)} now, {before.get(label, 0)} before." for label in {**before, **now}
            if before.get(label, 0) != now.get(label, 0)]  # fmt: skip
    return told


def _corrected(had: Alert, taken: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """What an update from the case says first: which figures changed; the public reads only that some did."""
    told = corrections(had.content, taken.get("figures", []))
    if not told:
        return {}
    said = f"Changed since {named(had)}: {' '.join(told)}"
    shown = published({**taken, "published": published(had.content)}) != published(had.content)
    public = [f"Some numbers have changed since {named(had)}."] if shown else []
    return {
        "what_happened": [said, *taken.get("what_happened", [])],
        "what_happened_public": [*public, *taken.get("what_happened_public", [])],
    }


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
        "published": published(had.content),
        "why": why if why[-1] in ".!?" else f"{why}.",
        "photo": None,
    }
    return draft.following(had, parts, number, author, now, catalogue)
