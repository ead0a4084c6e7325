"""Corroboration: independent streams that point at one class in one place. It raises the case, not another message.

In: a case and the facts of its records. Out: the streams that speak for it independently, a score, and the change of
the case with both in its words. Independent are first-hand reports of different organisations and of different streams,
each of which counts once; one sample delivered by two sources is one. Must never page by itself: a change that would
not have paged does not for this, and one that pages, pages once.

The score is ours and simple: a stream that says so by a confirmatory analysis counts 1, any other one half; two streams
with 1.5 or more together corroborate each other. Only what is dated within the case's window of its newest counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import combinations

from ewarn.assess.facts import Facts, Found, Origin, Sample
from ewarn.catalogue.definitions import GradingDefinition
from ewarn.terms import CaseChange, CaseFile, SubjectKind

LEAST_STREAMS, LEAST_SCORE = 2, 1.5
CONFIRMED, SUSPECTED = 1.0, 0.5
Stream = tuple[str, str]


@dataclass(frozen=True)
class Corroboration:
    """Independent streams, each organisation and stream once, and what they weigh together."""

    streams: tuple[Stream, ...] = ()
    score: float = 0.0

    @property
    def holds(self) -> bool:
        return len(self.streams) >= LEAST_STREAMS and self.score >= LEAST_SCORE

    @property
    def words(self) -> str:
        named = "; ".join(f"{organisation} ({stream})" for organisation, stream in self.streams)
        return f"{len(self.streams)} independent streams point at it ({named}), score {self.score:g}"


def of(case: CaseFile, facts: Facts) -> Corroboration:
    """Who speaks for the case's class independently, within its window; nobody for a case without a class."""
    if case.subject.kind not in (SubjectKind.CLASS, SubjectKind.SUBSTANCE):
        return Corroboration()
    dated = _dated(facts)
    newest = max(dated.values(), default=date.min)
    twice = _told_again(facts)
    weights: dict[Stream, float] = {}
    for found in facts.found:
        day = dated.get(found.record)
        near = day is not None and (newest - day).days <= case.window_days
        if near and found.record not in twice and case.subject.id in (found.subject, found.class_id):
            stream = _stream(found.origin)
            weights[stream] = max(weights.get(stream, 0.0), _weight(found))
    return _independent(weights)


def _dated(facts: Facts) -> dict[str, date]:
    return {e.record: e.start for e in facts.events} | {s.record: s.sampled for s in facts.samples}


def _stream(origin: Origin) -> Stream:
    return " ".join(origin.organisation.split()).casefold(), origin.stream


def _weight(found: Found) -> float:
    return CONFIRMED if found.confirmatory else SUSPECTED


def _told_again(facts: Facts) -> set[str]:
    """Records that tell of what another tells of: linked by a person, or one sample delivered by two sources."""
    again = {max(left, right) for left, right, state in facts.said if state == "confirmed"}
    held: dict[str, set[str]] = {}
    for found in facts.found:
        held.setdefault(found.record, set()).add(found.subject)
    for one, other in combinations(sorted(facts.samples, key=lambda s: s.record), 2):
        if one.origin != other.origin and _same_sample(one, other, held):
            again.add(other.record)
    return again


def _same_sample(one: Sample, other: Sample, held: Mapping[str, set[str]]) -> bool:
    """Alike in day, place, form, colour, label, sold-as and content, and not without anything to be alike in."""
    said = [(s.sampled, s.place, s.form, s.colour, s.label.casefold(), s.sold_as.casefold()) for s in (one, other)]
    return said[0] == said[1] and any(said[0][2:]) and held.get(one.record) == held.get(other.record)


def _independent(weights: Mapping[Stream, float]) -> Corroboration:
    """The heaviest set of streams of which no two share an organisation or a kind of stream; of equals the larger."""
    best = Corroboration()
    ordered = sorted(weights, key=lambda s: (-weights[s], s))

    def extend(chosen: tuple[Stream, ...], rest: Iterable[Stream]) -> None:
        nonlocal best
        found = Corroboration(chosen, sum(weights[s] for s in chosen))
        if (found.score, len(chosen)) > (best.score, len(best.streams)):
            best = found
        left = list(rest)
        for i, stream in enumerate(left):
            apart = [s for s in left[i + 1 :] if s[0] != stream[0] and s[1] != stream[1]]
            extend((*chosen, stream), apart)

    extend((), ordered[:16])
    return Corroboration(tuple(sorted(best.streams)), best.score)


def raised(
    change: CaseChange, facts: Facts, before: tuple[str, ...], grading: GradingDefinition, now: datetime
) -> CaseChange:
    """The change with what corroborates its case; where that is new or more, it says so and falls due sooner.

    In: `before` the streams that corroborated the case so far. Whether the change pages stays as it was.
    """
    found = of(change.case, facts)
    names = tuple(f"{organisation} ({stream})" for organisation, stream in found.streams) if found.holds else ()
    case = change.case.model_copy(update={"corroborated_by": names})
    if len(names) <= len(before):
        return change.model_copy(update={"case": case})
    due_at = min(case.due_at, _sooner(case, grading, now))
    why = f"{change.why}. Corroborated: {found.words}"
    return change.model_copy(update={"case": case.model_copy(update={"due_at": due_at}), "why": why})


def _sooner(case: CaseFile, grading: GradingDefinition, now: datetime) -> datetime:
    """When the next more urgent grade than the case's own would fall due."""
    hours = {row.id: row.due_hours for row in grading.grades}
    asked = [hours[g] for g in (case.grade, *(s.signal.grade_suggested for s in case.signals)) if g in hours]
    quicker = [h for h in hours.values() if h < min(asked, default=max(hours.values()))]
    return now + timedelta(hours=max(quicker, default=min(hours.values())))
