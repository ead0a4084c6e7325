"""Signals become cases.

In: new and grown signals, corrected records, the cases as they stand. Out: changes, each with the case as it stands
after it and the reason in words. It must never join an exercise to an actual case, nor link an unknown-substance
cluster to a laboratory result by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Literal, NamedTuple

from ewarn.assess import joining
from ewarn.assess.grade import first_clock
from ewarn.assess.wording import dismissal, growth, title
from ewarn.catalogue import Catalogue
from ewarn.catalogue.definitions import GradingDefinition
from ewarn.errors import UsageFault
from ewarn.terms import (
    LONDON,
    UK,
    Alert,
    CaseChange,
    CaseFile,
    CaseSignal,
    ClosedAs,
    Family,
    Signal,
    SubjectKind,
    Verification,
    london_day,
)

NOTICES_ONLY = (Family.SILENCE, Family.UNKNOWN_NAME)
LOOK_AGAIN_HOURS = 24.0


class Placement(NamedTuple):
    """Changes in order, and the signals that are words to the operator instead of cases."""

    changes: list[CaseChange]
    notices: list[Signal]


def place(
    changes: Iterable[tuple[Literal["new", "grown"], Signal]],
    cases: Sequence[CaseFile],
    catalogue: Catalogue,
    issuer: str,
    now: datetime,
    next_ref: Callable[[int], str],
    *,
    fatal_records: Collection[str] = frozenset(),
    window_days: int = 28,
) -> Placement:
    """Join, reopen, escalate or open cases for new and grown signals, the highest-ranking rule first.

    In: `cases` open and closed; `next_ref` gives the next reference of a year; `fatal_records` ids of records with a
    death; `issuer` is checked against the references given.
    """
    desk = {case.ref: case for case in cases}
    placing = _Placing(catalogue, now, frozenset(fatal_records), window_days, desk, next_ref, issuer)
    notices: list[Signal] = []
    for kind, signal in sorted(changes, key=lambda change: (_precedence(change[1], catalogue), change[1].id)):
        word_only = signal.family in NOTICES_ONLY and not placing.pages(signal)
        if word_only or not placing.take(signal, grown=kind == "grown"):
            notices.append(signal)
    return Placement(placing.changes, notices)


def _precedence(signal: Signal, catalogue: Catalogue) -> int:
    rule = catalogue.rules.get(signal.rule)
    return rule.precedence if rule else 50


class _Placing:
    """One run of placing: the cases as they stand so far, and the changes made."""

    def __init__(
        self,
        catalogue: Catalogue,
        now: datetime,
        fatal: frozenset[str],
        window_days: int,
        cases: dict[str, CaseFile],
        next_ref: Callable[[int], str],
        issuer: str,
    ) -> None:
        self.catalogue, self.now, self.fatal, self.window_days = catalogue, now, fatal, window_days
        self.cases, self.next_ref, self.issuer = cases, next_ref, issuer
        self.changes: list[CaseChange] = []

    def pages(self, signal: Signal) -> bool:
        rule = self.catalogue.rules.get(signal.rule)
        return rule.pages if rule else True

    def take(self, signal: Signal, *, grown: bool) -> bool:
        """Put one signal where it belongs; False where it is only a word to the operator."""
        if holding := self._holding(signal):
            for case in holding:
                self._grow(case, signal)
            return True
        if signal.family is Family.NOTICE and signal.area.code == UK:
            return self._national(signal)
        home = self._home(signal)
        ref = self._open(signal) if home is None else self._join(home[0], signal, home[1])
        self._suggest(ref, signal)
        return True

    def _holding(self, signal: Signal) -> list[CaseFile]:
        """The cases of the same standing that hold this signal already: every open one, else the newest closed one."""
        holding = [
            case
            for case in self.cases.values()
            if case.standing is signal.standing and any(s.signal.id == signal.id for s in joining.joined(case))
        ]
        newest = sorted(holding, key=lambda c: (c.opened_at, c.ref))[-1:]
        return [case for case in holding if case.status == "open"] or newest

    def _home(self, signal: Signal) -> tuple[CaseFile, str] | None:
        """The case to join and why: open before just closed, same area first, then the newest."""
        found = [
            (case, why)
            for case in self.cases.values()
            if self._joinable(case) and (why := joining.meets(case, signal, self.catalogue))
        ]
        return max(
            found,
            key=lambda f: self._closeness(f[0], signal),
            default=None,
        )

    def _closeness(self, case: CaseFile, signal: Signal) -> tuple[bool, bool, date, str]:
        return (case.status == "open", case.lead_area == signal.area.code, joining.last_known(case), case.ref)

    def _joinable(self, case: CaseFile) -> bool:
        if case.status == "open":
            return True
        recent = case.closed_at is not None and self.now - case.closed_at < timedelta(days=case.window_days)
        return recent and case.closed_as is not ClosedAs.DUPLICATE

    def _record(self, act: str, case: CaseFile, signal: Signal, why: str, *, pages: bool) -> str:
        self.cases[case.ref] = case
        self.changes.append(CaseChange(act=act, case=case, signal=signal.id, why=why, pages=pages))
        return case.ref

    def _open(self, signal: Signal) -> str:
        subject = joining.subject_of(signal, self.catalogue)
        clock = first_clock(self.catalogue.grading, self._suggested(signal), self.now)
        ref = self.next_ref(london_day(self.now).year)
        if not ref.startswith(f"{self.issuer}-"):
            raise UsageFault(
                f"the reference {ref} is not one of {self.issuer}", next_step="Give this issuer's next serial."
            )
        why = f"no open case is about {subject.name or 'an unnamed substance'} in or near {signal.area.name}"
        case = CaseFile(
            ref=ref,
            title=title(signal, subject),
            status="open",
            lead_area=signal.area.code,
            subject=subject,
            keys=joining.keys_of(subject, self.window_days),
            window_days=self.window_days,
            neighbour_rule=joining.NEIGHBOUR_RULE,
            standing=signal.standing,
            opened_at=self.now,
            next_action=clock.next_action,
            due_at=clock.due_at,
            signals=(CaseSignal(signal=signal, joined_at=self.now, why=why, paged_observed=signal.observed),),
        )
        return self._record("opened", case, signal, f"opened: {why}", pages=self.pages(signal))

    def _suggested(self, signal: Signal) -> str:
        rule = self.catalogue.rules.get(signal.rule)
        return signal.grade_suggested or (rule.grade_suggested if rule else "")

    def _join(self, case: CaseFile, signal: Signal, why: str) -> str:
        reasons = joining.escalations(case, None, signal, self.catalogue, self.fatal)
        pages = self.pages(signal) or bool(reasons)
        entry = CaseSignal(
            signal=signal, joined_at=self.now, why=why, paged_observed=signal.observed if pages else None
        )
        others = tuple(s for s in case.signals if s.signal.id != signal.id)
        updated = case.model_copy(update={"signals": (*others, entry)})
        if case.status == "closed":
            return self._reopen(updated, case, signal, f"a new signal joins it ({why})", reasons)
        if reasons:
            words = f"escalated: {'; '.join(reasons)}. The signal joins because: {why}"
            return self._record("escalated", self._hasten(updated, signal), signal, words, pages=True)
        return self._record("joined", self._hasten(updated, signal), signal, f"joined: {why}", pages=pages)

    def _grow(self, case: CaseFile, signal: Signal) -> None:
        held = next(s for s in case.signals if s.signal.id == signal.id)
        reasons = joining.escalations(case, held, signal, self.catalogue, self.fatal)
        closed = case.status == "closed"
        base = signal.observed if reasons or closed else held.paged_observed
        entry = held.model_copy(update={"signal": signal, "suggested": False, "paged_observed": base})
        entries = tuple(entry if s is held else s for s in case.signals)
        updated = case.model_copy(update={"signals": entries})
        words = growth(held.signal, signal)
        if closed:
            self._reopen(updated, case, signal, words, reasons)
        elif reasons:
            why = f"escalated: {'; '.join(reasons)} ({words})"
            self._record("escalated", self._hasten(updated, signal), signal, why, pages=True)
        elif signal != held.signal:
            self._record("updated", updated, signal, f"updated: {words}", pages=False)

    def _reopen(self, updated: CaseFile, before: CaseFile, signal: Signal, what: str, reasons: list[str]) -> str:
        clock = first_clock(self.catalogue.grading, self._suggested(signal), self.now)
        case = reopened(updated, clock.next_action, clock.due_at)
        more = f"; {'; '.join(reasons)}" if reasons else ""
        pages = self.pages(signal) or bool(reasons)
        return self._record("reopened", case, signal, f"reopened: {what}{more}. {dismissal(before)}", pages=pages)

    def _hasten(self, case: CaseFile, signal: Signal) -> CaseFile:
        """The earlier of the case's due time and the one this signal asks for."""
        clock = first_clock(self.catalogue.grading, self._suggested(signal), self.now)
        if clock.due_at >= case.due_at:
            return case
        return case.model_copy(update={"next_action": clock.next_action, "due_at": clock.due_at})

    def _national(self, signal: Signal) -> bool:
        """A notice for the whole UK: suggested to open local cases; a case of its own only where its rule pages."""
        subject = joining.subject_of(signal, self.catalogue)
        for case in list(self.cases.values()):
            same = joining.same_matter(case, subject) and subject.kind is not SubjectKind.NONE
            same = same and case.standing is signal.standing
            if case.status == "open" and same and case.lead_area != UK and joining.in_window(case, signal):
                self._hold(case, signal, f"a notice for the whole UK names {subject.name}")
        home = self._home(signal)
        if home is not None and home[0].lead_area == UK:
            self._join(home[0], signal, home[1])
        elif self.pages(signal):
            self._open(signal)
        else:
            return any(change.signal == signal.id for change in self.changes)
        return True

    def _suggest(self, ref: str, signal: Signal) -> None:
        """Put an unknown-substance cluster and a laboratory hit nearby before the panel on both cases."""
        for other in list(self.cases.values()):
            if other.ref == ref or other.status != "open" or not joining.suggestible(other, signal, self.catalogue):
                continue
            where = joining.near(other, signal, self.catalogue)
            newest = max(joining.joined(other), key=lambda s: (s.signal.known_on, s.signal.id), default=None)
            self._hold(other, signal, f"{where}; held by {ref}; the panel decides whether they are one event")
            if newest is not None:
                self._hold(
                    self.cases[ref],
                    newest.signal,
                    f"{where}; held by {other.ref}; the panel decides whether they are one event",
                )

    def _hold(self, case: CaseFile, signal: Signal, why: str) -> None:
        if any(s.signal.id == signal.id for s in case.signals):
            return
        entry = CaseSignal(signal=signal, joined_at=self.now, why=f"suggested: {why}", suggested=True)
        updated = case.model_copy(update={"signals": (*case.signals, entry)})
        self._record("suggested", updated, signal, f"suggested for linking, not joined: {why}", pages=False)


def reopened(case: CaseFile, next_action: str, due_at: datetime) -> CaseFile:
    return case.model_copy(
        update={
            "status": "open",
            "closed_at": None,
            "closed_as": None,
            "closed_note": "",
            "next_action": next_action,
            "due_at": due_at,
        }
    )


def corrected(records: Collection[str], cases: Sequence[CaseFile], now: datetime) -> list[CaseChange]:
    """Cases whose signals rest on corrected or retracted records: open ones are updated, closed ones reopened."""
    changed, found = set(records), []
    due_at = now + timedelta(hours=LOOK_AGAIN_HOURS)
    for case in cases:
        hit = [s.signal for s in joining.joined(case) if changed.intersection(s.signal.records)]
        if not hit:
            continue
        count = len({r for signal in hit for r in signal.records} & changed)
        words = f"{count} of the records behind it corrected or withdrawn"
        action = f"Look again: {words}"
        if case.status == "closed":
            update, act, why = reopened(case, action, due_at), "reopened", f"reopened: {words}. {dismissal(case)}"
        else:
            soonest = min(case.due_at, due_at)
            update = case.model_copy(update={"next_action": action, "due_at": soonest})
            act, why = "updated", f"updated: {words}"
        found.append(CaseChange(act=act, case=update, signal=hit[0].id, why=why, pages=act == "reopened"))
    return found


def close(case: CaseFile, closed_as: ClosedAs, note: str, now: datetime) -> CaseFile:
    """The case closed with what it turned out to be and what was done. Raises: UsageFault."""
    if case.status != "open":
        raise UsageFault("the case is closed already", where=case.ref, next_step=dismissal(case))
    if not note.strip():
        raise UsageFault(
            "closing needs a note", where=case.ref, next_step="Say what it turned out to be and what was done."
        )
    return case.model_copy(
        update={
            "status": "closed",
            "closed_at": now,
            "closed_as": closed_as,
            "closed_note": note.strip(),
            "next_action": "none: closed",
        }
    )


def records_of(case: CaseFile) -> set[str]:
    """The records that the joined signals rest on."""
    return {record for held in joining.joined(case) for record in held.signal.records}


def assign(
    case: CaseFile, *, owner: str | None = None, next_action: str | None = None, due_at: datetime | None = None
) -> CaseFile:
    """The case with another owner, next action or due time; what is not given stays. Raises: UsageFault."""
    still_open(case)
    said = {"owner": owner, "next_action": next_action and next_action.strip(), "due_at": due_at}
    update = {key: value for key, value in said.items() if value}
    if not update:
        raise UsageFault("nothing to change", where=case.ref, next_step="Give an owner, a next action or a due time.")
    return case.model_copy(update=update)


def said_of(case: CaseFile, levels: Mapping[str, str]) -> CaseFile:
    """The case with how sure a person says we are of its event, substance or link. Raises: UsageFault."""
    still_open(case)
    held = {f"verification_{part}": Verification(level) for part, level in levels.items()}
    return case.model_copy(update={**held, "verified_by_person": tuple(sorted({*case.verified_by_person, *levels}))})


def with_text(case: CaseFile, now: datetime) -> CaseFile:
    """The case that a new text is written for: a closed one opens again, so that somebody watches what goes out.

    Raises: UsageFault where another case goes on with it.
    """
    if case.merged_into:
        raise UsageFault(
            f"this case goes on as {case.merged_into}", where=case.ref, next_step=f"Draft for {case.merged_into}."
        )
    if case.status == "open":
        return case
    return reopened(case, "Finish the text that is being written", now + timedelta(hours=LOOK_AGAIN_HOURS))


def after_issue(case: CaseFile, alert: Alert, grading: GradingDefinition) -> CaseFile:
    """The case once its formal alert has every approval: answers are read, and the text is looked at again in time."""
    day = date.fromisoformat(alert.content["review_on"])
    due_at = datetime.combine(day, grading.working_hours[1], LONDON).astimezone(UTC)
    then = "close the case if nothing is left to do" if alert.kind.closes else "look at it again"
    return assign(case, next_action=f"Read the answers to {alert.id} and {then}", due_at=due_at)


def link(case: CaseFile, signal: str, person: str, why: str, now: datetime) -> CaseFile:
    """The case with a suggested signal joined, because a person says so. `signal`: its id or the first characters.

    Raises: UsageFault.
    """
    still_open(case)
    found = [held for held in case.signals if held.suggested and signal and held.signal.id.startswith(signal)]
    if len(found) != 1:
        waiting = ", ".join(held.signal.id[:8] for held in case.signals if held.suggested) or "none"
        raise UsageFault(
            f"'{signal}' is not one suggested signal of this case", where=case.ref, next_step=f"Suggested: {waiting}."
        )
    if not why.strip():
        raise UsageFault("linking needs a reason", where=case.ref, next_step="Say why they are one event.")
    words = {"suggested": False, "joined_at": now, "why": f"linked by {person}: {why.strip()}"}
    entries = (held.model_copy(update=words) if held is found[0] else held for held in case.signals)
    return case.model_copy(update={"signals": tuple(entries)})


def still_open(case: CaseFile) -> None:
    if case.status != "open":
        raise UsageFault(
            "the case is closed", where=case.ref, next_step="A new signal or a corrected record reopens it."
        )
