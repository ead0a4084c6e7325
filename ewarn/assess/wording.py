"""What a case and its changes are called, in words.

In: signals and case files. Out: short sentences. It must never print a closing note, which can hold what a page may
not.
"""

from __future__ import annotations

from ewarn.terms import CaseFile, Family, Signal, Subject, SubjectKind, london_day


def title(signal: Signal, subject: Subject) -> str:
    """What the case is called: the substance that opened it, or that none is named, and where."""
    if signal.family is Family.NOTICE:
        return f"Notice about {signal.subject.name or subject.name or 'a drug'} ({signal.area.name})"
    if subject.kind is SubjectKind.NONE:
        return f"Overdoses in {signal.area.name}, substance not known"
    name = signal.subject.name or subject.name
    return f"{name[:1].upper()}{name[1:]} in {signal.area.name}"


def growth(before: Signal, after: Signal) -> str:
    if before.observed is not None and after.observed is not None and before.observed != after.observed:
        return f"the count went from {before.observed:g} to {after.observed:g}"
    if set(before.records) != set(after.records):
        return f"it now rests on {after.record_count} records, {before.record_count} before"
    return "the signal was seen again with other details"


def dismissal(case: CaseFile) -> str:
    """How and when a closed case was closed, in words."""
    if case.closed_at is None or case.closed_as is None:
        return ""
    return f"It was closed on {london_day(case.closed_at):%-d %B %Y} as '{case.closed_as.value}'."
