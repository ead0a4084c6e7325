"""How sure we are: of the event, of the substance and of the link between them, each by itself. The scale is ours.

In: a case and its facts. Out: three levels and their words. It must never let a presumptive result alone confirm a
substance, nor a sample confirm what people took, nor discount anything: discounting is a person's act.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ewarn.assess.facts import FIRST_HAND, Facts, Found, Origin, unique
from ewarn.terms import CaseFile, SubjectKind, Verification

CONFIRMED, PROBABLE, UNVERIFIED = Verification.CONFIRMED, Verification.PROBABLE, Verification.UNVERIFIED

WORDS = {
    ("event", "confirmed"): "Confirmed: an organisation that attended or treated people reported it.",
    ("event", "probable"): "Probable: two independent sources report it.",
    ("event", "unverified"): "Not verified: we have not yet confirmed that it happened as described.",
    ("event", "discounted"): "Discounted: the event as reported did not happen.",
    ("substance", "confirmed"): "Confirmed by laboratory analysis.",
    ("substance", "probable"): "Probable: two independent sources name it. We await confirmatory analysis.",
    ("substance", "unverified"): "We do not have confirmation of the drug involved.",
    ("substance", "discounted"): "The drug first named has been ruled out.",
    ("link", "confirmed"): "Confirmed: it was found in at least one of the people affected.",
    ("link", "probable"): "Probable, not confirmed: people affected and samples point to the same drug.",
    ("link", "unverified"): "We do not know whether this drug caused harm to the people affected.",
    ("link", "discounted"): "The harm was not caused by this drug.",
}
NO_EVENT = "No overdose or other harm has been reported to us with this finding."
NO_LINK = "There is no reported harm to link it to."


class Held(NamedTuple):
    event: Verification
    substance: Verification
    link: Verification


def of(case: CaseFile, facts: Facts) -> Held:
    """The three levels that the facts support. A person may set others on the case."""
    event, named = _event(facts), [f for f in facts.found if about(case, f)]
    substance = _substance(named)
    return Held(event, substance, _link(event, substance, named, facts))


def about(case: CaseFile, found: Found) -> bool:
    """Whether a finding is of the case's substance or class; a case of an unknown substance takes any."""
    if case.subject.kind in (SubjectKind.NONE, SubjectKind.KEY):
        return True
    return bool({case.subject.id, *case.also_about} & {found.subject, found.class_id})


def independent(origins: Iterable[Origin]) -> bool:
    """Two sources that differ in organisation and in stream."""
    all_of = list(set(origins))
    return any(
        a.organisation.casefold() != b.organisation.casefold() and a.stream != b.stream for a in all_of for b in all_of
    )


def _event(facts: Facts) -> Verification:
    if any(e.origin.stream in FIRST_HAND for e in facts.events):
        return CONFIRMED
    return PROBABLE if independent(e.origin for e in facts.events) else UNVERIFIED


def _substance(named: list[Found]) -> Verification:
    if any(f.confirmatory for f in named):
        return CONFIRMED
    by_matter: dict[str, list[Origin]] = {}
    for f in named:
        by_matter.setdefault(f.class_id or f.subject, []).append(f.origin)
    return PROBABLE if any(independent(origins) for origins in by_matter.values()) else UNVERIFIED


def _link(event: Verification, substance: Verification, named: list[Found], facts: Facts) -> Verification:
    people = {e.record for e in facts.events}
    if event is CONFIRMED and any(f.confirmatory and f.in_persons for f in named):
        return CONFIRMED
    told = [f for f in named if f.record in people]
    tested = [f for f in named if f.record not in people and f.confirmatory]
    same = {f.class_id or f.subject for f in told} & {f.class_id or f.subject for f in tested}
    both = event in (CONFIRMED, PROBABLE) and substance is CONFIRMED
    return PROBABLE if both and same and independent(f.origin for f in [*told, *tested]) else UNVERIFIED


def in_words(held: Held, facts: Facts) -> dict[str, dict[str, str]]:
    """{event, substance, link: {level, words}} for the alert; without an event the words say so."""
    words = {
        part: {"level": level.value, "words": WORDS[part, level.value]}
        for part, level in zip(("event", "substance", "link"), held, strict=True)
    }
    if not facts.events:
        words["event"]["words"] = NO_EVENT
        if held.link is UNVERIFIED:
            words["link"]["words"] = NO_LINK
    return words


def methods(facts: Facts) -> tuple[str, ...]:
    """The analytical methods behind the findings."""
    return unique(f.method for f in facts.found)
