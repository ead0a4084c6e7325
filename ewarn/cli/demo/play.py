"""The play: each step of the scenario through the real pipeline, at the scripted instant.

In: an opened house, running servers, the cast. Out: what happened, as lines of a table, and the alerts issued.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from ewarn.cli.demo import scenario
from ewarn.cli.demo.scenario import CAMDEN, Row, Step
from ewarn.cli.demo.servers import Servers
from ewarn.cli.demo.stage import SOURCE, Cast
from ewarn.cli.output import plural
from ewarn.errors import UnusableInput
from ewarn.pipeline import assess, receive, respond, validate
from ewarn.pipeline.house import House
from ewarn.pipeline.reports import AlertReport, DetectReport, IntakeReport
from ewarn.terms import CaseFile, Tier

MINUTE = timedelta(minutes=1)
NOTICES = {"march": scenario.MARCH_NOTICE, "december": scenario.DECEMBER_NOTICE}


@dataclass
class Happening:
    """One line of the demo's table."""

    at: datetime
    what: str
    numbers: str


@dataclass
class Play:
    """What has happened so far."""

    house: House
    served: Servers
    cast: Cast
    say: Callable[[str], None]
    happened: list[Happening] = field(default_factory=list)
    notices: list[tuple[datetime, tuple[str, str]]] = field(default_factory=list)
    issued: list[AlertReport] = field(default_factory=list)
    alerted_cases: set[str] = field(default_factory=set)
    signals: dict[str, str] = field(default_factory=dict)

    def note(self, at: datetime, what: str, numbers: str) -> None:
        self.happened.append(Happening(at, what, numbers))

    def run(self) -> None:
        """Every step in order."""
        boroughs = london_boroughs(self.house)
        for step in scenario.steps(boroughs):
            self.say(step.title)
            self._receive(step)
            if not step.backfill:
                self._detect(step)
            if step.alert:
                self._decide(step.at + 30 * MINUTE)

    def _receive(self, step: Step) -> None:
        for source, rows in step.drops:
            drop(self.house.settings.drops / source, step.at - MINUTE, rows)
        if step.notice:
            self.notices.append((step.at, NOTICES[step.notice]))
        self.served.feed = scenario.feed(self.notices)
        reports = [receive.intake(self.house, step.at, backfill=step.backfill, kinds=("drop",))]
        if step.notice:
            reports.append(receive.intake(self.house, step.at, source=SOURCE))
        self.note(step.at, step.title, counted(reports))

    def _detect(self, step: Step) -> None:
        at = step.at + MINUTE
        report = validate.detect(self.house, at)
        sent = respond.send(self.house, at)
        for signal in report.signals:
            self.signals.setdefault(signal.id, signal.why)
        self.note(at, "  the rules", detected(report))
        if report.pages:
            self.note(at, "  duty rota paged", f"{plural(sent.sent, 'page')} by webhook, taken in 4 minutes")
        for page in report.pages:
            respond.acknowledge(self.house, page, self.cast.duty, at + 4 * MINUTE)

    def _decide(self, at: datetime) -> None:
        case = self._case()
        duty, (first, second) = self.cast.duty, self.cast.panel
        grading = self.house.catalogue.grading
        grade = next(row.id for row in grading.grades if row.product == "formal alert")
        answers = {
            question.id: scenario.ANSWERS.get(question.id, "not known (exercise)") for question in grading.questions
        }
        assess.grade_case(self.house, case.ref, grade, answers, first, at)
        self.note(at, f"Case {case.ref} graded by {first.person}", grade)
        draft = assess.draft(self.house, case.ref, "formal alert", duty, at + 5 * MINUTE)
        submitted = assess.submit(self.house, draft.id, duty, at + 10 * MINUTE)
        self.note(at + 10 * MINUTE, f"{draft.id} submitted by {duty.person}", f"hash {submitted.hash[:12]}")
        for minutes, person in ((20, first), (30, second)):
            report = assess.approve(self.house, draft.id, submitted.hash, person, at + minutes * MINUTE)
            agreed = f"{len(report.approvals)} of {report.approvals_needed}"
            self.note(at + minutes * MINUTE, f"  approved by {person.person}", agreed)
        sent = respond.send(self.house, at + 31 * MINUTE)
        again = respond.send(self.house, at + 32 * MINUTE)
        self.note(at + 31 * MINUTE, "  sent", f"{sent.sent} sent, {sent.failed} failed; again: {again.sent}")
        self.alerted_cases.add(case.ref)
        self.issued.append(assess.show_alert(self.house, draft.id))

    def _case(self) -> CaseFile:
        """The open Camden case with most signals that has no alert yet."""
        cases = assess.list_cases(self.house, "open")
        found = [case for case in cases if case.lead_area == CAMDEN and case.ref not in self.alerted_cases]
        if not found:
            raise UnusableInput("the rules opened no case for Camden", next_step="Run `ewarn check` on the rules.")
        return max(found, key=lambda case: (len(case.signals), case.ref))


def london_boroughs(house: House) -> list[tuple[str, str]]:
    """GSS code and name of the 33 London boroughs, by code."""
    areas = house.catalogue.areas
    london = areas.filter((areas["tier"] == Tier.BOROUGH.value) & (areas["parent"] == "E12000007")).sort("code")
    return list(zip(london["code"].to_list(), london["name"].to_list(), strict=True))


def drop(folder: Path, at: datetime, rows: Sequence[Row]) -> None:
    """One complete CSV file into a drop folder: written aside, dated by the scripted clock, then renamed."""
    folder.mkdir(parents=True, exist_ok=True)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(dict.fromkeys(key for row in rows for key in row)), restval="")
    writer.writeheader()
    writer.writerows(rows)
    name = f"{at:%Y%m%dT%H%M}.csv"
    part = folder / f"{name}.part"
    part.write_text(text.getvalue(), encoding="utf-8", newline="")
    os.utime(part, (at.timestamp(), at.timestamp()))
    part.rename(folder / name)


def counted(reports: Sequence[IntakeReport]) -> str:
    sources = [source for report in reports for source in report.sources]
    words = [f"{sum(getattr(s, name) for s in sources)} {name}" for name in ("new", "changed", "unchanged", "rejects")]
    failed = [f"{s.source} failed: {s.error}" for s in sources if s.error]
    return ", ".join(word for word in [*words, *failed] if not word.startswith("0 ")) or "nothing new"


def detected(report: DetectReport) -> str:
    words = [f"{plural(len(report.signals), 'signal')} ({len(report.new)} new)"]
    words += [f"cases {', '.join(report.cases)}"] if report.cases else []
    strata = sum(n.strata for n in report.not_evaluable)
    return ", ".join(words + ([f"{strata} not evaluable"] if strata else []))
