"""A stretch of the past walked through as if it were live: which signals, pages and words each step would have brought.

In: a house, an evaluation over the stretch, the line lists behind it. Out: interruptions, one row each (the frame of
`review.interruptions`). Signals join cases and page by the same code as in service, in memory alone: nothing is
written and nobody is called. Nobody closes a case on the walk, as nobody did when it was walked.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Literal

import polars as pl

from ewarn.assess import cases as casebook
from ewarn.dispatch import page as paging
from ewarn.frames import Lines
from ewarn.pipeline.house import House
from ewarn.review import interruptions
from ewarn.rules import Evaluation
from ewarn.rules import signals as signal_room
from ewarn.store import asked
from ewarn.store import signals as kept
from ewarn.terms import UK, CaseFile, Family, Signal, day_end, day_start

Moved = tuple[Literal["new", "grown"], Signal]
Row = tuple[datetime, str, str, str, bool]


class Walk:
    """Signals and cases as they stand so far."""

    def __init__(self, house: House, evaluation: Evaluation, known: Lines) -> None:
        self.house, self.evaluation = house, evaluation
        self.told: dict[str, dict[str, Any]] = {}
        self.cases: dict[str, CaseFile] = {}
        self.serial = 0
        fatal = known.lines.filter(pl.col("outcome") == "fatal").group_by("record_id").agg(pl.col("visible_from").min())
        self.fatal_since: dict[str, datetime] = dict(fatal.iter_rows())

    def step(self, instant: datetime) -> list[Row]:
        """What one evaluation at an instant brings beyond what was told before."""
        standing = self.house.settings.standing
        found = signal_room.at(self.evaluation, instant, self.house.catalogue, self.evaluation.rules)
        moved = list(self._moved([s.model_copy(update={"standing": standing}) for s in found]))
        if not moved:
            return []
        placement = casebook.place(
            moved,
            list(self.cases.values()),
            self.house.catalogue,
            self.house.settings.issuer,
            instant,
            self._next,
            fatal_records=frozenset(r for r, since in self.fatal_since.items() if since <= instant),
        )
        self.cases |= {change.case.ref: change.case for change in placement.changes}
        rows = [self._item(instant, signal) for kind, signal in moved if kind == "new"]
        return rows + self._pages(instant, placement.changes, dict((s.id, s) for _, s in moved))

    def _moved(self, found: list[Signal]) -> Iterator[Moved]:
        for signal in found:
            change = kept.change(signal, self.told.get(signal.id))
            self.told[signal.id] = kept.remembered(signal, self.told.get(signal.id))
            if change == "new":
                yield "new", signal
            elif change == "grown":
                yield "grown", signal

    def _next(self, year: int) -> str:
        self.serial += 1
        return f"{self.house.settings.issuer}-{year}-{self.serial:04d}"

    def _item(self, instant: datetime, signal: Signal) -> Row:
        kind = {Family.UNKNOWN_NAME: "name", Family.SILENCE: "operator notice"}.get(signal.family, "signal")
        areas = (signal.area.code, *(area.code for area in signal.also_possible))
        ours = any(concerns(self.house, area) for area in areas)
        return instant, kind, signal.rule, signal.area.code, ours

    def _pages(self, instant: datetime, changes: list[Any], signals: dict[str, Signal]) -> list[Row]:
        """One row a page, named for the rule whose signal paged first."""
        first: dict[str, str] = {}
        for change in changes:
            if change.pages:
                first.setdefault(change.case.ref, change.signal)
        rows = []
        for page in paging.compose(changes, instant):
            area = self.cases[page.case].lead_area
            rule = signals[first[page.case]].rule if first[page.case] in signals else ""
            rows.append((instant, "page", rule, area, concerns(self.house, area)))
        return rows


def concerns(house: House, area: str) -> bool:
    """Whether an area is the home area, lies in it or contains it."""
    home = house.settings.home_area
    around = {home, UK, *(above.code for above in house.catalogue.ancestors(home))}
    return area in around or home in {above.code for above in house.catalogue.ancestors(area)}


def walked(house: House, evaluation: Evaluation, known: Lines, start: date, end: date) -> pl.DataFrame:
    """Interruptions from `start` to `end`, both inclusive: one look whenever something begins to stand.

    What stood before the first day is taken as told.
    """
    walk = Walk(house, evaluation, known)
    walk.step(day_start(start))
    spells = evaluation.spells.filter(pl.col("fires_from").is_between(day_start(start), day_end(end)))
    instants = spells["fires_from"].unique().sort().to_list()
    return interruptions.framed([row for instant in instants for row in walk.step(instant)])


def stored(house: House, start: date, end: date) -> pl.DataFrame:
    """Interruptions from `start` to `end` as the store has them: what the service did ask of people."""
    with house.db.read() as con:
        found = asked.between(con, day_start(start), day_end(end))
    rows = [(at, kind, rule, area, not area or concerns(house, area)) for at, kind, rule, area in found.iter_rows()]
    return interruptions.framed(rows)
