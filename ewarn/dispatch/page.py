"""Pages to the duty rota: composed by the pipeline itself, internal, one for each case and run.

In: changes of cases. Out: pages with short text. It must never hold personal data, a seller, or a place closer than the
area; and it must always say its standing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from ewarn.disclosure import inert
from ewarn.terms import LONDON, CaseChange, CaseFile, Family, Page, Signal, Standing, digest

PANEL = "panel-"
OPERATOR = "operator-"
CANARY = f"{OPERATOR}canary-"  # the one page that leaves by the channels of partners: it says nothing
QUIET = f"{OPERATOR}quiet-"
MOST_NOTICES = 10
SHOUTED = {Standing.ACTUAL: "", Standing.EXERCISE: "EXERCISE: ", Standing.TEST: "TEST: "}
FOOT = {
    Standing.ACTUAL: "Actual event. Not verified by a person yet.",
    Standing.EXERCISE: "EXERCISE: not a real event.",
    Standing.TEST: "TEST: not a real event.",
}


FOOT_OPERATOR = {
    Standing.ACTUAL: "This is about ewarn and its sources, not about a case. Missing data is never an all-clear.",
    Standing.EXERCISE: FOOT[Standing.EXERCISE],
    Standing.TEST: FOOT[Standing.TEST],
}


def london(instant: datetime) -> str:
    """An instant as the rota's clocks show it."""
    return f"{instant.astimezone(LONDON):%-d %b %Y %H:%M} London time"


# Families whose signals quote a publisher's or a laboratory's words.
QUOTING = (Family.NOTICE, Family.UNKNOWN_NAME, Family.SILENCE)


def compose(
    changes: Sequence[CaseChange], now: datetime, area_name: Callable[[str], str] = str, origin: str = ""
) -> list[Page]:
    """One page for each case with a change that pages, first on the rota first.

    In: `changes` of one run, in order; `area_name` turns a GSS code into a name; `origin` says where an
    exercise's records come from.
    """
    by_case: dict[str, list[CaseChange]] = {}
    for change in changes:
        if change.pages:
            by_case.setdefault(change.case.ref, []).append(change)
    newest = {change.case.ref: change.case for change in changes}
    return [_page(newest[ref], paging, now, area_name, origin) for ref, paging in by_case.items()]


def _page(
    case: CaseFile, changes: list[CaseChange], now: datetime, area_name: Callable[[str], str], origin: str
) -> Page:
    page_id = digest(["page", case.ref, now.isoformat(), [(c.act, c.signal) for c in changes]], 12)
    acts = " and ".join(dict.fromkeys(c.act for c in changes))
    lead = f"{SHOUTED[case.standing]}{case.ref} {acts}"
    signals = {held.signal.id: held.signal for held in case.signals}
    lines = [f"Reference: {case.ref}. Area: {area_name(case.lead_area)}"]
    for change in changes[:5]:
        signal = signals.get(change.signal)
        if signal is not None:
            lines += [f"What: {_what(signal)}", f"How sure: {_sure(signal)}"]
        lines.append(f"Why you are paged: {change.why}")
    if len(changes) > 5:
        lines.append(f"And {len(changes) - 5} more changes of this case.")
    lines += [
        f"Do: {case.next_action}. Due {london(case.due_at)}.",
        f"Acknowledge: ewarn duty ack {page_id} --as YOU",
        " ".join(part for part in (FOOT[case.standing], origin and f"{origin}.") if part),
    ]
    return Page(
        id=page_id,
        case=case.ref,
        at=now,
        subject=inert.words(f"{lead}: {case.title}"),
        text="\n".join(map(inert.words, lines)),
        standing=case.standing,
    )


def _what(signal: Signal) -> str:
    """The rule's own sentences, which hold counts, days, areas and drugs; not where they quote what others wrote."""
    if signal.family not in QUOTING and signal.why:
        return f"{signal.family.value}. {signal.why}"
    subject = signal.subject.name or "substance not known"
    count = f"{signal.observed:g} counted" if signal.observed is not None else f"{signal.record_count} records"
    days = f"{signal.period.start:%d %b}" + (
        f" to {signal.period.end:%d %b %Y}" if signal.period.end != signal.period.start else f" {signal.period.end:%Y}"
    )
    return f"{signal.family.value}, {subject}, {signal.area.name}, {count}, {days}"


def _sure(signal: Signal) -> str:
    """How sure in words: how many records lie certainly in the area, how many persons, how short the history."""
    parts = ["unverified signal"]
    if signal.certain is not None:
        parts.append(f"{signal.certain} of {signal.record_count} records certainly in the area")
    if signal.persons_min is not None and signal.persons_max is not None:
        same = signal.persons_min == signal.persons_max
        persons = f"{signal.persons_min}" if same else f"{signal.persons_min} to {signal.persons_max}"
        parts.append(f"{persons} persons")
    if signal.also_possible:
        parts.append(f"could also be {', '.join(a.name for a in signal.also_possible[:3])}")
    if signal.learning:
        parts.append("history still short")
    return "; ".join(parts)


def of_report(ref: str, harm: str, origin: str, area_name: str, standing: Standing, now: datetime) -> Page:
    """Calls the rota to a partner's report of harm; nothing that was typed stands in it."""
    text = [
        f"A partner reports: {harm}, {origin}. Area: {area_name}.",
        "Not verified by anybody. Read it, redact it, join it to a case or open one:",
        f"ewarn reports show {ref} --words --as YOU",
        FOOT[standing],
    ]
    page_id = digest(["report", ref], 12)
    subject = f"{SHOUTED[standing]}report {ref}: {harm} in {area_name}"
    return Page(id=page_id, case="", at=now, subject=subject, text="\n".join(text), standing=standing)


def panel_notice(case: CaseFile, alert_id: str, person: str, review_by: datetime, now: datetime) -> Page:
    """Tells the panel that one member approved a formal alert alone, and by when a second reviews it."""
    subject = f"{SHOUTED[case.standing]}{case.ref}: {alert_id} approved out of hours by one member"
    text = "\n".join(
        [
            subject,
            f"Approved by {person}; it goes to professional audiences only.",
            f"A second panel member reviews it by {london(review_by)}: ewarn approve {alert_id}",
            FOOT[case.standing] if case.standing is not Standing.ACTUAL else "Actual event.",
        ]
    )
    page_id = PANEL + digest(["panel", alert_id, person, now.isoformat()], 12)
    return Page(id=page_id, case=case.ref, at=now, subject=subject, text=text, standing=case.standing)


def operator_message(notices: Sequence[tuple[str, str]], standing: Standing, now: datetime, origin: str = "") -> Page:
    """One message about several notices, each a source and its words, in a line of its own whatever a name in it holds.
    Nobody needs to acknowledge it."""
    notices = [(inert.words(source), inert.words(text)) for source, text in notices]
    sources = list(dict.fromkeys(source for source, _ in notices))
    many = len(notices) != 1
    subject = f"{SHOUTED[standing]}ewarn: {len(notices)} operator notice{'s' if many else ''}: {', '.join(sources[:4])}"
    lines = [f"- {source}: {text}" for source, text in notices[:MOST_NOTICES]]
    if len(notices) > MOST_NOTICES:
        lines.append(f"And {len(notices) - MOST_NOTICES} more.")
    lines.append("See: ewarn status. Each notice closes by itself where its cause ends.")
    lines.append(" ".join(part for part in (FOOT_OPERATOR[standing], origin and f"{origin}.") if part))
    page_id = OPERATOR + digest(["operator", now.isoformat(), list(notices)], 12)
    return Page(
        id=page_id,
        case="",
        at=now,
        subject=subject,
        text="\n".join(lines),
        standing=standing,
        acknowledged_by="ewarn",
        acknowledged_at=now,
    )


def escalations(pages: Sequence[Page], now: datetime, backup_after_minutes: float, rota_length: int = 2) -> list[Page]:
    """The unacknowledged pages that go to the next on the rota now, with that rota order.

    The n-th on the rota is called n-1 waits after the page was made; after the last there is nobody further to call.
    What the panel is told (ids that begin with 'panel-') was sent to all of it at once and does not escalate.
    """
    due = []
    for page in pages:
        waited = now - page.at >= page.rota_order * timedelta(minutes=backup_after_minutes)
        further = page.rota_order < rota_length and not page.id.startswith(PANEL)
        if page.acknowledged_at is None and further and waited:
            due.append(page.model_copy(update={"rota_order": page.rota_order + 1}))
    return due


def correction_notice(case: CaseFile, alert_id: str, what: str, due_at: datetime, now: datetime) -> Page:
    """Tells the panel that records under an alert which people have changed, and by when it is to be put right."""
    subject = f"{SHOUTED[case.standing]}{case.ref}: {alert_id} rests on records that changed"
    text = "\n".join(
        [
            subject,
            inert.words(what),
            f"Update or withdraw it by {london(due_at)}: ewarn update {alert_id} --from-case, or ewarn withdraw.",
            FOOT[case.standing] if case.standing is not Standing.ACTUAL else "Actual event.",
        ]
    )
    page_id = PANEL + digest(["corrected", alert_id, what, now.isoformat()], 12)
    return Page(id=page_id, case=case.ref, at=now, subject=subject, text=text, standing=case.standing)
