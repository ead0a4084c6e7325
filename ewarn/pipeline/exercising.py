"""Exercises in the home people really work in: a scenario's bytes become a case whose standing is exercise.

In: a house, a scenario, who starts it, a clock. Out: the case, paged by exercise channels; from there people do what
they always do. Its records never stand among real ones, no real signal joins its case, no live channel carries it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from ewarn.assess import decide
from ewarn.catalogue.exercising import ScenarioDefinition, ScenarioDrop
from ewarn.errors import Refused, UnusableInput, UsageFault
from ewarn.pipeline import casework, exercise_home, receive, validate
from ewarn.pipeline.contacts import SCENARIO as CONTACT_TEST
from ewarn.pipeline.house import House
from ewarn.pipeline.identity import proved
from ewarn.pipeline.reports import Actor
from ewarn.store import cases, exercises
from ewarn.terms import LONDON, CaseChange, CaseFile, Frozen, PersonRole, Standing

ROLES = (PersonRole.COORDINATOR, PersonRole.PANEL)
ORIGIN = "Exercise '{title}': every row behind this is made up"


class StartReport(Frozen):
    """What an exercise began with."""

    scenario: str
    title: str
    folder: str
    bytes_at: datetime
    signal_at: datetime
    cases: tuple[str, ...]
    pages: tuple[str, ...]
    nobody_paged: bool


def scenarios(house: House) -> list[ScenarioDefinition]:
    return list(house.catalogue.scenarios.values())


def begun(house: House) -> list[exercises.Begun]:
    """Every exercise begun in this home, the newest first."""
    with house.db.read() as con:
        return [one for one in exercises.all(con) if one.scenario != CONTACT_TEST]


def start(house: House, scenario_id: str, actor: Actor, clock: Callable[[], datetime]) -> StartReport:
    """Receive a scenario's bytes now, let the rules judge them, open the case here and page the rota.

    Raises: Refused in a test home or without the role; UsageFault, UnusableInput where the scenario opens no case.
    """
    scenario = house.catalogue.scenarios.get(scenario_id)
    if scenario is None:
        known = ", ".join(sorted(house.catalogue.scenarios)) or "none"
        raise UsageFault(f"there is no scenario '{scenario_id}'", next_step=f"The scenarios are: {known}.")
    if house.settings.standing is Standing.TEST:
        raise Refused(
            "a test home exercises nobody", next_step="Use the live home, or a home whose standing is exercise."
        )
    with house.db.read() as con:
        decide.demand(proved(con, actor), ROLES, house.settings.home_area, house.catalogue, "start an exercise")
    bytes_at = clock()
    name = f"{scenario.id}-{bytes_at.astimezone(LONDON):%Y%m%d-%H%M%S}"
    origin = ORIGIN.format(title=scenario.title)
    apart = exercise_home.make(house, name, origin, bytes_at)
    _receive(apart, scenario, bytes_at)
    signal_at = clock()
    validate.detect(apart, signal_at)
    with apart.db.read() as con:
        found = [case for case in cases.all(con, "open") if case.signals]
    if not found:
        raise UnusableInput(
            f"the rules open no case for '{scenario.id}'", next_step="Look at its rows, and `ewarn check`."
        )
    return _opened(house, scenario, name, origin, found, actor, bytes_at, signal_at)


def _receive(apart: House, scenario: ScenarioDefinition, now: datetime) -> None:
    with TemporaryDirectory() as folder:
        for number, drop in enumerate(scenario.drops):
            file = Path(folder) / f"{number}-{drop.source}.csv"
            file.write_text(written(drop, now), encoding="utf-8", newline="")
            report = receive.intake(apart, now, drop.source, file)
            if report.exit_status or not sum(s.new for s in report.sources):
                said = "; ".join(s.error or f"{s.rejects} rows rejected" for s in report.sources)
                raise UnusableInput(
                    f"the scenario's rows cannot be used: {said}", where=f"alerts/scenarios/{scenario.id}"
                )


def written(drop: ScenarioDrop, now: datetime) -> str:
    """The CSV text of one source's rows, as if they had happened just before `now`."""
    text = io.StringIO(newline="")
    heads = list(dict.fromkeys(head for row in drop.rows for head in row.cells))
    writer = csv.DictWriter(text, heads, restval="")
    writer.writeheader()
    for row in drop.rows:
        at = (now - timedelta(minutes=row.minutes_ago)).astimezone(LONDON)
        said = {"{day}": f"{at:%Y-%m-%d}", "{time}": f"{at:%H:%M}"}
        writer.writerow({head: _filled(cell, said) for head, cell in row.cells.items()})
    return text.getvalue()


def _filled(cell: str, said: dict[str, str]) -> str:
    for place, words in said.items():
        cell = cell.replace(place, words)
    return cell


def _opened(
    house: House,
    scenario: ScenarioDefinition,
    name: str,
    origin: str,
    found: list[CaseFile],
    actor: Actor,
    bytes_at: datetime,
    signal_at: datetime,
) -> StartReport:
    """The exercise's cases opened in this home under references of their own, and the rota paged."""
    speaking = replace(house, settings=house.settings.model_copy(update={"origin": origin}))
    with house.db.write("exercise") as tx:
        changes = []
        for case in found:
            ref = cases.next_ref(tx, f"{house.settings.issuer}-EX", bytes_at.year)
            here = case.model_copy(update={"ref": ref, "standing": Standing.EXERCISE, "opened_at": signal_at})
            exercises.put(
                tx,
                exercises.Begun(
                    case_ref=ref,
                    scenario=scenario.id,
                    folder=f"{exercise_home.FOLDER}/{name}",
                    started_by=actor.person,
                    bytes_at=bytes_at,
                    signal_at=signal_at,
                ),
            )
            signal = case.signals[0].signal
            changes.append(CaseChange(act="opened", case=here, signal=signal.id, why=case.signals[0].why, pages=True))
        pages = casework.keep(tx, speaking, changes, signal_at)
        called = [d for page in pages for d in casework.called(tx, page)]
    house.db.publish()
    return StartReport(
        scenario=scenario.id,
        title=scenario.title,
        folder=f"{exercise_home.FOLDER}/{name}",
        bytes_at=bytes_at,
        signal_at=signal_at,
        cases=tuple(change.case.ref for change in changes),
        pages=tuple(page.id for page in pages),
        nobody_paged=not called,
    )
