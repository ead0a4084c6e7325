"""Cases put in order by people: merged, split, a signal moved, another lead area, an outcome.

In: cases as they stand, what a named person asks and why, `now`. Out: the cases as they stand afterwards. References
are kept for good: a merged case points to the one that goes on. It must never mix cases of different standing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from ewarn.assess import joining
from ewarn.assess.cases import still_open
from ewarn.assess.grade import first_clock
from ewarn.assess.wording import title
from ewarn.catalogue import Catalogue
from ewarn.catalogue.definitions import GradingDefinition
from ewarn.errors import UsageFault
from ewarn.report import Harm, Report
from ewarn.terms import CaseFile, CaseSignal, ClosedAs, Outcome, SubjectKind


def of_report(
    report: Report, ref: str, area: str, area_name: str, grading: GradingDefinition, now: datetime
) -> CaseFile:
    """A case that a partner's report opens: about an unknown drug until somebody says more."""
    subject = joining.UNKNOWN
    harm = {Harm.DEATH: "Death", Harm.OVERDOSE: "Overdose", Harm.UNWELL: "Somebody unwell"}.get(report.harm, "Concern")
    clock = first_clock(grading, "", now)
    return CaseFile(
        ref=ref,
        title=f"{harm} reported in {area_name}, substance not known",
        status="open",
        lead_area=area,
        subject=subject,
        keys=joining.keys_of(subject, 28),
        neighbour_rule=joining.NEIGHBOUR_RULE,
        standing=report.standing,
        opened_at=now,
        next_action=clock.next_action,
        due_at=clock.due_at,
    )


def merge(kept: CaseFile, gone: CaseFile, why: str, now: datetime) -> tuple[CaseFile, CaseFile]:
    """Two cases that are one event: the first goes on with the signals of both, the second closes and points to it.

    Of two due times the earlier stands. Raises: UsageFault.
    """
    still_open(kept)
    still_open(gone)
    _reason(why, gone.ref, "merging")
    _together(kept, gone)
    held = {entry.signal.id for entry in joining.joined(kept)}
    words = f"merged from {gone.ref}: {why.strip()}"
    came = [_entry(e, now, words) for e in joining.joined(gone) if e.signal.id not in held]
    taken = {entry.signal.id for entry in came}
    stayed = [entry for entry in kept.signals if entry.signal.id not in taken]
    offered = {entry.signal.id for entry in stayed} | taken
    waiting = [e for e in gone.signals if e.suggested and e.signal.id not in offered]
    soonest = min((kept, gone), key=lambda case: case.due_at)
    merged = kept.model_copy(
        update={
            "signals": (*stayed, *came, *waiting),
            "due_at": soonest.due_at,
            "next_action": soonest.next_action,
            "also_about": _also_about(kept, gone),
            "merged_from": (*kept.merged_from, gone.ref, *gone.merged_from),
        }
    )
    ended = gone.model_copy(
        update={
            "signals": (),
            "status": "closed",
            "closed_at": now,
            "closed_as": ClosedAs.DUPLICATE,
            "closed_note": f"merged into {kept.ref}: {why.strip()}",
            "merged_into": kept.ref,
            "next_action": "none: closed",
        }
    )
    return merged, ended


def split(
    case: CaseFile, signals: Collection[str], ref: str, why: str, now: datetime, catalogue: Catalogue
) -> tuple[CaseFile, CaseFile]:
    """Some of a case's signals become a case of their own under a new reference; grade and levels start again.

    In: `signals` ids, or their first characters. Raises: UsageFault.
    """
    still_open(case)
    _reason(why, case.ref, "splitting")
    parted = _chosen(case, signals)
    left = tuple(entry for entry in case.signals if entry not in parted)
    if not any(not entry.suggested for entry in left):
        raise UsageFault(
            "nothing would be left of this case", where=case.ref, next_step="Leave it one signal at least."
        )
    first = parted[0].signal
    subject = joining.subject_of(first, catalogue)
    words = f"split from {case.ref}: {why.strip()}"
    fresh = CaseFile(
        ref=ref,
        title=title(first, subject),
        status="open",
        lead_area=first.area.code,
        subject=subject,
        keys=joining.keys_of(subject, case.window_days),
        window_days=case.window_days,
        neighbour_rule=case.neighbour_rule,
        standing=case.standing,
        opened_at=now,
        owner=case.owner,
        next_action=case.next_action,
        due_at=case.due_at,
        signals=tuple(_entry(entry, now, words) for entry in parted),
        split_from=case.ref,
    )
    return case.model_copy(update={"signals": left}), fresh


def move(here: CaseFile, there: CaseFile, signal: str, why: str, now: datetime) -> tuple[CaseFile, CaseFile]:
    """A signal that joined the wrong case goes to another open one. Raises: UsageFault."""
    still_open(here)
    still_open(there)
    _reason(why, here.ref, "moving a signal")
    _together(here, there)
    (entry,) = _chosen(here, [signal])
    left = tuple(held for held in here.signals if held is not entry)
    if not any(not held.suggested for held in left):
        raise UsageFault("nothing would be left of this case", where=here.ref, next_step="Merge the two instead.")
    words = f"moved from {here.ref}: {why.strip()}"
    others = tuple(held for held in there.signals if held.signal.id != entry.signal.id)
    arrived = there.model_copy(update={"signals": (*others, _entry(entry, now, words))})
    return here.model_copy(update={"signals": left}), arrived


def lead(case: CaseFile, area: str, why: str, catalogue: Catalogue) -> CaseFile:
    """Another area leads. Raises: UsageFault."""
    still_open(case)
    _reason(why, case.ref, "another lead area")
    if catalogue.area_ref(area).code == case.lead_area:
        raise UsageFault(f"{catalogue.area_ref(area).name} leads it already", where=case.ref, next_step="Name another.")
    return case.model_copy(update={"lead_area": area})


def decide_on(case: CaseFile, outcome: Outcome, why: str) -> CaseFile:
    """What the panel decided to do. Raises: UsageFault."""
    still_open(case)
    _reason(why, case.ref, "an outcome")
    then = {
        Outcome.NO_ACTION: "Tell the reporters, and close it",
        Outcome.SHARE: "Draft the text that is shared for information",
        Outcome.ALERT: "Draft the formal alert",
    }
    return case.model_copy(update={"outcome": outcome, "next_action": then[outcome]})


def _also_about(kept: CaseFile, gone: CaseFile) -> tuple[str, ...]:
    named = gone.subject.id if gone.subject.kind in (SubjectKind.CLASS, SubjectKind.SUBSTANCE) else ""
    found = dict.fromkeys((*kept.also_about, named, *gone.also_about))
    return tuple(one for one in found if one and one != kept.subject.id)


def _entry(entry: CaseSignal, now: datetime, words: str) -> CaseSignal:
    return entry.model_copy(update={"joined_at": now, "why": words, "suggested": False})


def _chosen(case: CaseFile, signals: Collection[str]) -> Sequence[CaseSignal]:
    chosen = []
    joined = joining.joined(case)
    for wanted in dict.fromkeys(signals):
        found = [entry for entry in joined if wanted and entry.signal.id.startswith(wanted)]
        if len(found) != 1:
            ids = ", ".join(entry.signal.id[:8] for entry in joined)
            raise UsageFault(
                f"'{wanted}' is not one signal of this case", where=case.ref, next_step=f"It holds: {ids}."
            )
        chosen += [entry for entry in found if entry not in chosen]
    if not chosen:
        raise UsageFault("no signal is named", where=case.ref, next_step="Name one with --signal.")
    return chosen


def _together(one: CaseFile, other: CaseFile) -> None:
    if one.ref == other.ref:
        raise UsageFault("these are the same case", where=one.ref, next_step="Name two cases.")
    if one.standing is not other.standing:
        raise UsageFault(
            f"{one.ref} is {one.standing.value} and {other.ref} is {other.standing.value}",
            next_step="What is an exercise stays apart from what is real.",
        )


def _reason(why: str, ref: str, what: str) -> None:
    if not why.strip():
        raise UsageFault(f"{what} needs a reason", where=ref, next_step="Say why, for those who read it later.")
