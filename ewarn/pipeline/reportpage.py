"""Partners' reports as the desk shows them: the list, one report, and what a redaction still gives away.

In: a house, a reference, `now`. Out: frozen reports, without a word that was typed until a person has rewritten it.
What was typed is opened by `reporting.words_of` alone, which puts on record who looked.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from ewarn.disclosure import never
from ewarn.pipeline import reporting, today
from ewarn.pipeline.house import House
from ewarn.pipeline.reports import Actor
from ewarn.report import Report, ReportState
from ewarn.store import partner_reports, people
from ewarn.terms import CaseFile, Frozen

SHOWN = 200
SHORTEST_WORD = 4
LABELS = {
    "area": "Area", "place": "Where", "happened_on": "Day", "about_when": "At about", "origin": "Told as",
    "harm": "Harm", "persons": "People harmed", "sold_as": "Sold as", "looks_like": "Looks like",
    "what": "What happened", "organisation": "Organisation", "contact": "How to reach them",
}  # fmt: skip
# Words that a contact line holds and that say nothing of who it is.
COMMON = frozenset({
    "about", "after", "alcohol", "before", "call", "centre", "clinic", "council", "drug", "drugs", "email", "evening",
    "friday", "from", "health", "hospital", "hostel", "hours", "mail", "message", "mobile", "monday", "morning",
    "night", "number", "only", "outreach", "phone", "please", "reach", "ring", "service", "team", "telephone", "text",
    "that", "this", "thursday", "tuesday", "until", "wednesday", "week", "weekdays", "when", "with", "work",
})  # fmt: skip


class ReportList(Frozen):
    """Those that wait, the one to be answered first at the top; then the others, the newest first."""

    waiting: tuple[Report, ...]
    others: tuple[Report, ...]
    more: int
    late: tuple[str, ...]
    area_names: dict[str, str]


class ReportPage(Frozen):
    """One report, the cases it may join, and who did what with it."""

    report: Report
    area_name: str
    late: bool
    cases: tuple[CaseFile, ...]
    acts: tuple[dict[str, Any], ...]


def listed(house: House, now: datetime) -> ReportList:
    found = reporting.listed(house)
    waiting = [r for r in found if r.answered_at is None and r.state is not ReportState.HOAX]
    others = sorted((r for r in found if r not in waiting), key=lambda r: r.received_at, reverse=True)
    return ReportList(
        waiting=tuple(waiting),
        others=tuple(others[:SHOWN]),
        more=max(0, len(others) - SHOWN),
        late=tuple(r.ref for r in waiting if r.answer_by < now),
        area_names=today.area_names(house),
    )


def of(house: House, ref: str, now: datetime) -> ReportPage:
    """One report. Raises: UsageFault."""
    report = reporting.found(house, ref)
    with house.db.read() as con:
        names = {person.id: person.name for person in people.all(con)}
        acts = partner_reports.acts(con, ref)
    return ReportPage(
        report=report,
        area_name=today.area_names(house).get(report.area, "not placed"),
        late=report.answered_at is None and report.state is not ReportState.HOAX and report.answer_by < now,
        cases=tuple(c for c in today.open_of(house) if c.standing is report.standing and c.ref != report.case),
        acts=tuple(act | {"who": names.get(act["actor"], act["actor"])} for act in acts),
    )


def typed(
    house: House, ref: str, part: partner_reports.Part, actor: Actor, now: datetime
) -> tuple[tuple[str, str], ...]:
    """What was typed, in the form's words, or how to reach the reporter; that somebody looked is put on record."""
    raw = reporting.words_of(house, ref, part, actor, now)
    held = json.loads(raw) if raw else {}
    return tuple((LABELS.get(key, key), str(value)) for key, value in held.items() if value not in (None, ""))


def left_in(house: House, ref: str, text: str) -> tuple[str, ...]:
    """What a redaction still holds that may say who somebody is. It never says the words of the contact itself."""
    found = [f"{hit.what}: “{hit.words}”" for hit in never.hits(text, advertising=False)]
    raw = partner_reports.opened(house.settings, ref, "contact")
    held = " ".join(json.loads(raw).values()) if raw else ""
    said = _words(text) & _words(held) - COMMON
    return tuple(dict.fromkeys([*found, *(f"a word of the contact: “{word}”" for word in sorted(said))]))


def _words(text: str) -> set[str]:
    return {word for word in re.findall(r"[\w'@.-]+", text.casefold()) if len(word.strip(".-'")) >= SHORTEST_WORD}
