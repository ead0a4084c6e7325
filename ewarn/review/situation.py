"""The situation report: what stands, what waits for whom, and what could not be answered, as markdown text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from ewarn.review.urgency import cases_by_urgency, is_overdue, signals_by_urgency
from ewarn.terms import LONDON, CaseFile, NotEvaluable, Signal, Standing, strictest

STANDING_WORDS = {
    Standing.ACTUAL: "Internal. Signals are unverified indications; nothing here is an alert.",
    Standing.EXERCISE: "EXERCISE EXERCISE EXERCISE: nothing below is real.",
    Standing.TEST: "TEST: nothing below is real.",
}


class SourceState(Protocol):
    """What is said of a source."""

    @property
    def title(self) -> str: ...
    @property
    def late(self) -> bool: ...
    @property
    def last_received_at(self) -> datetime | None: ...
    @property
    def last_outcome(self) -> str: ...


class FailedDelivery(Protocol):
    """What is said of a message that did not arrive."""

    @property
    def id(self) -> str: ...
    @property
    def destination(self) -> str: ...
    @property
    def last_error(self) -> str: ...


def situation(
    *,
    at: datetime,
    issuer_name: str,
    origin: str = "",
    standing: Standing,
    signals: Sequence[Signal],
    not_evaluable: Sequence[NotEvaluable],
    cases: Sequence[CaseFile],
    sources: Sequence[SourceState],
    failed_deliveries: Sequence[FailedDelivery],
    waiting_deliveries: int,
    area_names: dict[str, str],
) -> str:
    """Markdown, for the duty officer who takes over. An empty part says so; times are Europe/London."""
    parts = [
        f"# Situation report: {_text(issuer_name)}",
        f"{_time(at)} · {STANDING_WORDS[standing]} {_text(origin)}".rstrip(),
        *_handling(signals, cases),
        _part("Open cases", [_case(case, at, area_names) for case in cases_by_urgency(cases)], "No case is open."),
        _part("Signals", [_signal(signal) for signal in signals_by_urgency(signals)], "No signal stands."),
        _part(
            "Not evaluable (this is not 'no signal')",
            [f"- {n.rule}: {n.strata} strata, {_text(n.reason)}" for n in not_evaluable],
            "Every rule had an answer.",
        ),
        _part(
            "Sources",
            [_source(source) for source in sorted(sources, key=lambda s: (not s.late, s.title))],
            "No source is defined.",
        ),
        _part(
            "Deliveries",
            [f"- {waiting_deliveries} waiting."] * bool(waiting_deliveries)
            + [f"- failed: {d.id} to {d.destination}: {_text(d.last_error)}" for d in failed_deliveries],
            "Nothing waits and nothing failed.",
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _handling(signals: Sequence[Signal], cases: Sequence[CaseFile]) -> list[str]:
    """The strictest marking of everything in the report, and what the originators ask."""
    shown = [*signals, *(joined.signal for case in cases for joined in case.signals)]
    conditions = dict.fromkeys(condition for signal in shown for condition in signal.conditions)
    marking = strictest(signal.marking for signal in shown)
    return [f"Handling: {marking}. {' '.join(map(_text, conditions))}".rstrip()] if marking else []


def _part(title: str, lines: Sequence[str], empty: str) -> str:
    return f"## {title}\n\n" + ("\n".join(lines) if lines else empty)


def _case(case: CaseFile, now: datetime, area_names: dict[str, str]) -> str:
    overdue = " **OVERDUE**" if is_overdue(case, now) else ""
    standing = "" if case.standing is Standing.ACTUAL else f" [{case.standing.value.upper()}]"
    return (
        f"- **{case.ref}**{standing} {_text(case.title)} ({area_names.get(case.lead_area, case.lead_area)}): "
        f"{_text(case.next_action)}, {case.owner}, by {_time(case.due_at)}{overdue}. "
        f"Event {case.verification_event.value}, substance {case.verification_substance.value}, "
        f"link {case.verification_link.value}; grade {case.grade or 'not given'}; {len(case.signals)} signals."
    )


def _signal(signal: Signal) -> str:
    learning = " (learning period: history is short)" if signal.learning else ""
    standing = "" if signal.standing is Standing.ACTUAL else f" [{signal.standing.value.upper()}]"
    subject = _text(signal.subject.name or signal.family.value)
    return f"- {signal.area.name}, {subject}{standing}: {_text(signal.why)}{learning}"


def _source(source: SourceState) -> str:
    last = _time(source.last_received_at) if source.last_received_at else "never"
    return (
        f"- {'LATE: ' if source.late else ''}{_text(source.title)}: last received {last}, {_text(source.last_outcome)}"
    )


def _time(instant: datetime) -> str:
    return f"{instant.astimezone(LONDON):%-d %B %Y %H:%M}"


def _text(words: str) -> str:
    """Words of others on one line, with what markdown or HTML would act on taken away."""
    return re.sub(r"[<>`*_#\[\]]", "", " ".join(words.split()))
