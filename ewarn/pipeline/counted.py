"""VALIDATE: how many, where and when, as it was known at an instant: counts for people who ask.

In: a house, an area, a drug, days, an instant. Out: one row per area, drug and period, zeros present, with how many
were tested beside them; or the months in which records became known. Writes nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import date, datetime
from threading import Lock
from typing import Any, Literal

import polars as pl
from pydantic import Field

from ewarn.catalogue.definitions import RuleDefinition
from ewarn.errors import UsageFault
from ewarn.pipeline import casework, tallied
from ewarn.pipeline.asking import area_code, subject_id
from ewarn.pipeline.house import House
from ewarn.rules import dense
from ewarn.rules.prepare import prepare
from ewarn.store import lines, periods
from ewarn.terms import UK, Frozen, RecordKind, Tier

MOST_ROWS = 100_000
DAYS = {"day": 1, "week": 7}
Subjects = Literal["none", "substance-and-class"]
Asked = tuple[date, date, str, str, Literal["sample", "incident"], Literal["day", "week"]]
MOST_ANSWERS, MOST_HELD = 8, 20_000
_ANSWERS: OrderedDict[tuple[object, ...], tuple[tuple[object, ...], CountsReport]] = OrderedDict()
_LOCK = Lock()


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
    asked = (first, last, area, substance, kind, by)
    if as_of is not None or near or backlog:
        return _counts(house, now, asked, near=near, backlog=backlog, as_of=as_of)
    with house.db.read() as con:
        mark = (*tallied.of(house, con, now).mark, house.catalogue.content_hash)
    key = (str(house.settings.home), *asked)
    with _LOCK:
        found = _ANSWERS.get(key)
    if found is None or found[0] != mark:
        found = mark, _counts(house, now, asked)
        with _LOCK:
            _ANSWERS.pop(key, None)
            if len(found[1].rows) <= MOST_HELD:
                _ANSWERS[key] = found
            while len(_ANSWERS) > MOST_ANSWERS:
                _ANSWERS.popitem(last=False)
    return found[1].model_copy(update={"as_of": now})


def _counts(
    house: House, now: datetime, asked: Asked, *, near: bool = False, backlog: bool = False,
    as_of: datetime | None = None,
) -> CountsReport:  # fmt: skip
    first, last, area, substance, kind, by = asked
    if last < first:
        raise UsageFault("the range ends before it begins", next_step="Give --from a day not after --to.")
    code = area_code(house, area or house.settings.home_area) or UK
    subject = subject_id(house, substance or None)
    if near or backlog:
        found, sources = _of_lines(house, _question(house, code, kind), as_of or now, first, last, by, near, backlog)
    else:
        found, sources = _of_days(house, code, kind, now, as_of, first, last, by)
    if kind == "incident" and subject is None and not (near or backlog):
        every, _ = _of_days(house, code, kind, now, as_of, first, last, by, "none")
        found = pl.concat([every, found])
    elif kind == "incident" and subject is None:
        question = _question(house, code, kind, "none")
        every, _ = _of_lines(house, question, as_of or now, first, last, by, near, backlog)
        found = pl.concat([every, found])
    found = found.filter(pl.col("area") == code)
    found = found if subject is None else found.filter(pl.col("subject") == subject)
    if found.height > MOST_ROWS:
        raise UsageFault(f"that is {found.height:,} rows", next_step="Ask for one substance, or for fewer days.")
    marking, conditions = house.catalogue.handling(sources)
    rows = _told(house, found)
    return CountsReport(
        as_of=as_of or now,
        rows=rows.to_dicts(),
        columns=tuple(rows.columns),
        near=near,
        marking=marking,
        conditions=conditions,
    )


def _of_lines(
    house: House, question: RuleDefinition, at: datetime, first: date, last: date, by: str, near: bool, backlog: bool
) -> tuple[pl.DataFrame, frozenset[str]]:
    """Counts that need every record: of areas that border one another, or of the months of before."""
    with house.db.read() as con:
        known = lines.as_known(con, casework.ages(house), until=at)
    ground = prepare(known, at, house.catalogue)
    kinds = [kind.value for kind in question.kinds]
    sources = frozenset(ground.versions.filter(pl.col("kind").is_in(kinds))["source"].unique().to_list())
    if backlog:
        months = pl.col("reference_month").is_between(first.replace(day=1), last)
        return dense.backlog(question, ground).filter(months), sources
    found = dense.tested(question, ground, first, last, DAYS[by])
    return dense.around(found, house.catalogue.neighbours), sources


def _of_days(
    house: House, code: str, kind: str, now: datetime, as_of: datetime | None, first: date, last: date, by: str,
    subjects: Subjects = "substance-and-class",
) -> tuple[pl.DataFrame, frozenset[str]]:  # fmt: skip
    """Counts of one area, from the rows of these days alone; with zeros for whatever was found anywhere."""
    asked = periods.Asked(**dense.question(_question(house, code, kind, subjects), house.catalogue))
    anywhere = asked._replace(tiers=[tier.value for tier in Tier])
    with house.db.read() as con:
        if as_of is None:
            found, tested = tallied.of_area(house, con, now, asked, code, first, last, DAYS[by])
            every = tallied.known_at_all(house, con, now, anywhere)  # last: no count without its source
        else:
            every = periods.known(con, anywhere, as_of)
            found, tested = periods.of_area(con, asked, code, as_of, first, last, DAYS[by])
    there = code in every.areas or bool(tested)
    ever = {(of, subject) for of, subject, tier in every.subjects if tier in asked.tiers}
    named = sorted(ever | {(of, subject) for of, subject, _ in found}) if there else []
    rows = [
        (*subject, code, asked.tiers[0], start, found.get((*subject, start), 0), tested.get(start, 0))
        for subject in named
        for start in periods.starts(first, last, DAYS[by])
    ]
    return pl.DataFrame(rows, schema=dense.TESTED, orient="row"), every.sources


def _question(house: House, code: str, kind: str, subjects: Subjects = "substance-and-class") -> RuleDefinition:
    """What the counts of rules ask, for one tier: everything on watch, or records whatever was found in them."""
    asked: dict[str, Any] = {"kinds": (RecordKind(kind),), "tiers": (house.catalogue.area_ref(code).tier,)}
    return next(iter(house.catalogue.rules.values())).model_copy(
        update=asked | {"classes": (), "subjects": subjects, "numbers": {}}
    )


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
