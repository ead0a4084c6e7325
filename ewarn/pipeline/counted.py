"""VALIDATE: how many, where and when, as it was known at an instant: counts for people who ask.

In: a house, an area, a drug, days, an instant. Out: one row per area, drug and period, zeros present, with how many
were tested beside them; or the months in which records became known. Writes nothing.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

import polars as pl
from pydantic import Field

from ewarn.catalogue.definitions import RuleDefinition
from ewarn.errors import UsageFault
from ewarn.pipeline import casework
from ewarn.pipeline.asking import area_code, subject_id
from ewarn.pipeline.house import House
from ewarn.rules import dense
from ewarn.rules.prepare import Ground, prepare
from ewarn.store import lines
from ewarn.terms import UK, Frozen, RecordKind

MOST_ROWS = 100_000
DAYS = {"day": 1, "week": 7}


class CountsReport(Frozen):
    """Counts as known at `as_of`: `rows` have `area`, `subject`, `period` (first day) and `observed`; of samples also
    `tested` and `positivity` (empty where nothing was tested). With `backlog` the months instead of periods."""

    as_of: datetime
    rows: list[dict[str, Any]]
    near: bool = False
    marking: str = ""
    conditions: tuple[str, ...] = ()
    columns: tuple[str, ...] = Field(())


def counts(
    house: House,
    now: datetime,
    first: date,
    last: date,
    *,
    area: str = "",
    substance: str = "",
    kind: Literal["sample", "incident"] = "sample",
    by: Literal["day", "week"] = "week",
    near: bool = False,
    backlog: bool = False,
    as_of: datetime | None = None,
) -> CountsReport:
    """Counts from the period of `first` to that of `last`; one area (by default the home area) and one drug or all
    that is on watch and was found. `near` adds the areas that border each. Raises: UsageFault."""
    if last < first:
        raise UsageFault("the range ends before it begins", next_step="Give --from a day not after --to.")
    code = area_code(house, area or house.settings.home_area) or UK
    subject = subject_id(house, substance or None)
    with house.db.read() as con:
        known = lines.as_known(con, casework.ages(house), until=as_of or now)
    ground = prepare(known, as_of or now, house.catalogue)
    found = _counted(house, _question(house, code, kind), ground, first, last, by, near, backlog)
    if kind == "incident" and subject is None:
        every = _counted(house, _question(house, code, kind, "none"), ground, first, last, by, near, backlog)
        found = pl.concat([every, found])
    found = found.filter(pl.col("area") == code)
    found = found if subject is None else found.filter(pl.col("subject") == subject)
    if found.height > MOST_ROWS:
        raise UsageFault(f"that is {found.height:,} rows", next_step="Ask for one substance, or for fewer days.")
    marking, conditions = house.catalogue.handling(_sources(ground, kind))
    rows = _told(house, found)
    return CountsReport(
        as_of=as_of or now,
        rows=rows.to_dicts(),
        columns=tuple(rows.columns),
        near=near,
        marking=marking,
        conditions=conditions,
    )


def _counted(
    house: House, question: RuleDefinition, ground: Ground, first: date, last: date, by: str, near: bool, backlog: bool
) -> pl.DataFrame:
    if backlog:
        months = pl.col("reference_month").is_between(first.replace(day=1), last)
        return dense.backlog(question, ground).filter(months)
    found = dense.tested(question, ground, first, last, DAYS[by])
    return dense.around(found, house.catalogue.neighbours) if near else found


def _question(
    house: House, code: str, kind: str, subjects: Literal["none", "substance-and-class"] = "substance-and-class"
) -> RuleDefinition:
    """What the counts of rules ask, for one tier: everything on watch, or records whatever was found in them."""
    asked: dict[str, Any] = {"kinds": (RecordKind(kind),), "tiers": (house.catalogue.area_ref(code).tier,)}
    return next(iter(house.catalogue.rules.values())).model_copy(
        update=asked | {"classes": (), "subjects": subjects, "numbers": {}}
    )


def _sources(ground: Ground, kind: str) -> list[str]:
    return ground.versions.filter(pl.col("kind") == kind)["source"].unique().to_list()


def _told(house: House, found: pl.DataFrame) -> pl.DataFrame:
    """The rows in words: names beside codes, and the share of what was tested."""
    when = [name for name in ("period", "reference_month", "known_month") if name in found.columns]
    names = {s: house.catalogue.name_of(s) or "any" for s in found["subject"].unique()}
    areas = {a: house.catalogue.area_ref(a).name for a in found["area"].unique()}
    told = found.with_columns(
        name=pl.col("subject").replace_strict(names, default="", return_dtype=pl.String),
        area_name=pl.col("area").replace_strict(areas, default="", return_dtype=pl.String),
    )
    numbers = ["observed"]
    if "tested" in found.columns:
        share = pl.when(pl.col("tested") > 0).then((pl.col("observed") / pl.col("tested")).round(4))
        told, numbers = told.with_columns(positivity=share), ["observed", "tested", "positivity"]
    return told.select("area", "area_name", "subject", "name", *when, *numbers).sort("subject", *when)
