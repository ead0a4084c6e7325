"""When a signal belongs to a case: the same matter, near enough, soon enough; and what makes it more urgent.

In: one case file, one signal, the catalogue. Out: reasons in words; an empty answer means no.
It must never change a case.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import polars as pl

from ewarn.catalogue import Catalogue
from ewarn.matching.subjects import class_of_batch, parts_of_pair
from ewarn.terms import (
    UK,
    CaseFile,
    CaseSignal,
    Family,
    Signal,
    Subject,
    SubjectKind,
    Tier,
    london_day,
)

UNKNOWN = Subject(kind=SubjectKind.NONE, id="", name="")
NEIGHBOUR_RULE = (
    "the area of any signal already joined, an area bordering the lead area, or an area that contains the lead area "
    "or lies in it; the UK as a whole only where the signal rests on the same records"
)


def subject_of(signal: Signal, catalogue: Catalogue) -> Subject:
    """What a case opened by this signal is about: the class (of a batch, of a pair), the key, or the unknown drug."""
    subject = signal.subject
    if signal.family is Family.BATCH and class_of_batch(subject.id) in catalogue.classes:
        return catalogue.subject(class_of_batch(subject.id))
    if signal.family is Family.COMBINATION and (watched := _watched(subject.id, catalogue)):
        return catalogue.subject(watched)
    if subject.kind is SubjectKind.SUBSTANCE:
        return catalogue.subject(catalogue.class_of.get(subject.id, subject.id))
    if subject.kind is SubjectKind.CLASS:
        return subject
    if signal.family in (Family.SILENCE, Family.UNKNOWN_NAME):
        return Subject(
            kind=SubjectKind.KEY,
            id=subject.id or signal.family.value.replace(" ", "-"),
            name=subject.name or signal.family,
        )
    if subject.kind is SubjectKind.KEY and signal.family is Family.MISSOLD:
        return subject
    return UNKNOWN


def _watched(pair: str, catalogue: Catalogue) -> str:
    """The class of the first of two substances that is on watch; empty where none is."""
    classes = (catalogue.class_of[part] for part in parts_of_pair(pair) if catalogue.is_watched(part))
    return next(classes, "")


def keys_of(subject: Subject, window_days: int) -> tuple[str, ...]:
    """What a signal must share to join, in words."""
    if subject.kind is SubjectKind.NONE:
        matter = "overdoses without a named substance"
    elif subject.kind is SubjectKind.KEY:
        matter = f"the same thing: {subject.name}"
    else:
        matter = f"{subject.name}, or a substance of that class"
    return (matter, f"place: {NEIGHBOUR_RULE}", f"known within {window_days} days of the case's last signal")


def joined(case: CaseFile) -> list[CaseSignal]:
    """The signals that joined, without those only suggested for linking."""
    return [held for held in case.signals if not held.suggested]


def meets(case: CaseFile, signal: Signal, catalogue: Catalogue) -> str:
    """Why this signal belongs to this case, or '' where it does not."""
    if case.standing is not signal.standing or not same_matter(case, subject_of(signal, catalogue)):
        return ""
    close = near(case, signal, catalogue)
    return f"{_matter(case)}; {close}; {_gap(case, signal)}" if close and in_window(case, signal) else ""


def same_matter(case: CaseFile, subject: Subject) -> bool:
    """Whether a case is about this; names may have changed since, ids have not."""
    return (case.subject.kind, case.subject.id) == (subject.kind, subject.id)


def near(case: CaseFile, signal: Signal, catalogue: Catalogue) -> str:
    """How the signal's area lies to the case's, in words; '' where it is too far."""
    area, lead = signal.area, catalogue.area_ref(case.lead_area)
    if area.code == lead.code or any(held.signal.area.code == area.code for held in joined(case)):
        return f"the same area ({area.name})"
    if area.code in bordering(lead.code, catalogue):
        return f"{area.name} borders {lead.name}"
    if area.code != UK and area.code in {a.code for a in catalogue.ancestors(lead.code)}:
        return f"{area.name} contains {lead.name}"
    if lead.code != UK and lead.code in {a.code for a in catalogue.ancestors(area.code)}:
        return f"{area.name} lies in {lead.name}"
    shared = {r for held in joined(case) for r in held.signal.records}.intersection(signal.records)
    return f"it rests on {len(shared)} of the same records" if shared else ""


def bordering(code: str, catalogue: Catalogue) -> set[str]:
    return set(catalogue.neighbours.filter(pl.col("code") == code)["neighbour"])


def last_known(case: CaseFile) -> date:
    """Europe/London day on which the newest joined signal became known."""
    return max((held.signal.known_on for held in joined(case)), default=london_day(case.opened_at))


def in_window(case: CaseFile, signal: Signal) -> bool:
    return abs((signal.known_on - last_known(case)).days) <= case.window_days


def _gap(case: CaseFile, signal: Signal) -> str:
    days = abs((signal.known_on - last_known(case)).days)
    return "known the same day" if days == 0 else f"known {days} day{'s' if days > 1 else ''} apart"


def _matter(case: CaseFile) -> str:
    return (
        "no substance named in either" if case.subject.kind is SubjectKind.NONE else f"both about {case.subject.name}"
    )


def suggestible(case: CaseFile, signal: Signal, catalogue: Catalogue) -> bool:
    """An unknown-substance case and a signal of a watched class, or the other way round: suggested, never joined."""
    kinds = {case.subject.kind, subject_of(signal, catalogue).kind}
    if case.standing is not signal.standing or signal.family is Family.NOTICE:
        return False
    named = kinds & {SubjectKind.CLASS, SubjectKind.SUBSTANCE}
    return SubjectKind.NONE in kinds and bool(named) and bool(near(case, signal, catalogue)) and in_window(case, signal)


def escalations(
    case: CaseFile, held: CaseSignal | None, signal: Signal, catalogue: Catalogue, fatal_records: Collection[str]
) -> list[str]:
    """Why this signal makes the case more urgent, in words; empty where it does not.

    In: `held` is the signal as the case holds it, None for one that is new to the case. A rule that pages nobody makes
    a case more urgent by a death or a graver grade alone: its rank, place and count are for reading in daylight.
    """
    rule = catalogue.rules.get(signal.rule)
    louder = _louder(case, held, signal, catalogue) if rule is None or rule.pages else []
    return [*_graver(case, signal, catalogue), *_deaths(case, signal, fatal_records), *louder]


def _deaths(case: CaseFile, signal: Signal, fatal_records: Collection[str]) -> list[str]:
    before = {r for s in joined(case) for r in s.signal.records}
    first = fatal_records and not before.intersection(fatal_records) and set(signal.records).intersection(fatal_records)
    return ["a death is among the records for the first time"] if first else []


def _louder(case: CaseFile, held: CaseSignal | None, signal: Signal, catalogue: Catalogue) -> list[str]:
    """A rule that ranks above the others, a count that has doubled since the rota was paged, a borough more."""
    found = _outranks(case, held, signal, catalogue)
    if held is not None:
        base = held.paged_observed if held.paged_observed is not None else held.signal.observed
        if base and signal.observed is not None and signal.observed >= 2 * base:
            found.append(f"the count rose from {base:g}, when the duty rota was last paged, to {signal.observed:g}")
    boroughs = {s.signal.area.code for s in joined(case) if s.signal.area.tier is Tier.BOROUGH}
    if held is None and boroughs and signal.area.tier is Tier.BOROUGH and signal.area.code not in boroughs:
        found.append(f"{signal.area.name} is a borough the case did not hold")
    return found


def _outranks(case: CaseFile, held: CaseSignal | None, signal: Signal, catalogue: Catalogue) -> list[str]:
    rule = catalogue.rules.get(signal.rule)
    ranks = [catalogue.rules[s.signal.rule].precedence for s in joined(case) if s.signal.rule in catalogue.rules]
    if held is None and rule is not None and ranks and rule.precedence < min(ranks):
        return [f"the rule '{rule.title}' ranks above those that have fired so far"]
    return []


def _graver(case: CaseFile, signal: Signal, catalogue: Catalogue) -> list[str]:
    hours = {row.id: row.due_hours for row in catalogue.grading.grades}
    known = [hours[s.signal.grade_suggested] for s in joined(case) if s.signal.grade_suggested in hours]
    if case.grade in hours:
        known.append(hours[case.grade])
    now = hours.get(signal.grade_suggested)
    if now is not None and known and now < min(known):
        return [f"the grade suggested ('{signal.grade_suggested}') is more urgent than before"]
    return []
