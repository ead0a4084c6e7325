"""Grading: the questions answered and the grade a person gave, and the clocks that follow from it.

In: a case file and the grading matrix of alerts/grading.toml (ours, editable). Out: a case file with grade, next action
and due time. It must never grade by itself: a suggested grade only sets the first clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from ewarn.catalogue.definitions import GradeRow, GradingDefinition
from ewarn.errors import UsageFault
from ewarn.terms import CaseFile

UNGRADED_ACTION = "Assess: read the signal and its records, ask the network, grade"
UNGRADED_HOURS = 24.0


class Clock(NamedTuple):
    next_action: str
    due_at: datetime


def row(grading: GradingDefinition, grade_id: str) -> GradeRow | None:
    return next((g for g in grading.grades if g.id == grade_id), None)


def first_clock(grading: GradingDefinition, suggested: str, now: datetime) -> Clock:
    """What to do first and by when, from the grade a rule suggests; 24 h where it suggests none."""
    found = row(grading, suggested)
    if found is None:
        return Clock(UNGRADED_ACTION, now + timedelta(hours=UNGRADED_HOURS))
    return Clock(found.first_action, now + timedelta(hours=found.due_hours))


class Severity(NamedTuple):
    """A grade's id, and where it comes from in words."""

    grade: str
    words: str


def severity(case: CaseFile, grading: GradingDefinition) -> Severity:
    """The grade that routing goes by: the one a person gave, else the most urgent that a joined rule suggests."""
    if case.grade:
        return Severity(case.grade, f"graded {case.grade}")
    suggested = {held.signal.grade_suggested for held in case.signals if not held.suggested}
    found = next((g.id for g in grading.grades if g.id in suggested), "")
    if found:
        return Severity(found, f"not graded by a person; the rules suggest {found}")
    return Severity("", "no grade: it counts as the most urgent")


def apply(
    case: CaseFile, grade_id: str, answers: Mapping[str, str], grading: GradingDefinition, now: datetime
) -> CaseFile:
    """The case with the grade a person gave, every question answered. Raises: UsageFault."""
    found = row(grading, grade_id)
    if found is None:
        raise UsageFault(
            f"there is no grade '{grade_id}'", where="alerts/grading.toml", next_step=f"Use one of {_grades(grading)}."
        )
    if case.status != "open":
        raise UsageFault(
            "a closed case cannot be graded", where=case.ref, next_step="A new or corrected record reopens it."
        )
    questions = {q.id: q.text for q in grading.questions}
    if strangers := sorted(set(answers) - set(questions)):
        raise UsageFault(
            f"no such grading question: {', '.join(strangers)}",
            where="alerts/grading.toml",
            next_step=f"The questions are {', '.join(questions)}.",
        )
    if missing := [q for q in questions if not answers.get(q, "").strip()]:
        raise UsageFault(
            f"not answered: {', '.join(missing)}",
            where=case.ref,
            next_step=f"Answer '{questions[missing[0]]}' (write 'not known' where it is not).",
        )
    return case.model_copy(
        update={
            "grade": grade_id,
            "grade_answers": {q: answers[q].strip() for q in questions},
            "next_action": found.first_action,
            "due_at": now + timedelta(hours=found.due_hours),
        }
    )


def _grades(grading: GradingDefinition) -> str:
    return ", ".join(g.id for g in grading.grades)
