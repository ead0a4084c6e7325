"""Where things stand, put in order and in words: the corridor's looking glass.

In: a house and `now`. Out: the Today page's content with its pictures, and the situation report. Writes nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from ewarn import review as review_room
from ewarn.charts import Cell, cartogram, weekly_bars
from ewarn.pipeline import freshness, read, standing, today, versions
from ewarn.pipeline.house import House
from ewarn.pipeline.reports import TodayReport
from ewarn.review import pack
from ewarn.store import looking
from ewarn.terms import Frozen, Tier, london_day

MOST_FAILED = 50


class AreaRow(Frozen):
    """One row of the map's table: a home area and the signals that name it first."""

    code: str
    name: str
    signals: int


class Overview(Frozen):
    """The Today page: signals and open cases by urgency, the map with its table, the weekly series."""

    today: TodayReport
    issuer_name: str
    area_names: dict[str, str]
    overdue: tuple[str, ...]
    alerts: tuple[versions.InForce, ...] = ()
    map_svg: str
    map_rows: tuple[AreaRow, ...]
    wider_signals: int
    weekly_svg: str
    weekly_rows: tuple[tuple[str, int], ...]


def overview(house: House, now: datetime) -> Overview:
    """Today, from the published copy."""
    today = read.today(house, now)
    signals = tuple(review_room.signals_by_urgency(today.signals))
    cases = tuple(review_room.cases_by_urgency(today.status.open_cases))
    ordered = today.model_copy(
        update={"signals": signals, "status": today.status.model_copy(update={"open_cases": cases})}
    )
    rows, map_svg = _map(house, today)
    weeks = review_room.raised_per_week(signals, london_day(now))
    return Overview(
        today=ordered,
        issuer_name=house.settings.issuer_name,
        area_names=_area_names(house),
        alerts=versions.in_force(house, now),
        overdue=tuple(case.ref for case in cases if review_room.is_overdue(case, now)),
        map_svg=map_svg,
        map_rows=rows,
        wider_signals=len(signals) - sum(row.signals for row in rows),
        weekly_svg=weekly_bars(
            list(weeks),
            title="Signals that stand, by the week they were first raised",
            description="; ".join(f"week of {day:%-d %B}: {count}" for day, count in weeks),
        ),
        weekly_rows=tuple((f"{day:%-d %B %Y}", count) for day, count in weeks),
    )


class _Failed(NamedTuple):
    id: str
    destination: str
    last_error: str


def situation(house: House, now: datetime) -> str:
    """The situation report as markdown, from the answer that is kept ready."""
    report = standing.current(house, now)
    with house.db.read() as con:
        failed, waiting = looking.failed_deliveries(con, MOST_FAILED), looking.waiting(con)["waiting"]
    return review_room.situation(
        at=now,
        issuer_name=house.settings.issuer_name,
        origin=house.settings.origin,
        standing=house.settings.standing,
        signals=report.signals,
        not_evaluable=report.not_evaluable,
        cases=today.open_of(house),
        sources=freshness.sources(house, now),
        failed_deliveries=[_Failed(row["id"], row["destination"], row["last_error"] or "") for row in failed],
        waiting_deliveries=waiting,
        area_names=_area_names(house),
    )


def in_parts(house: House, now: datetime) -> tuple[str, tuple[pack.Section, ...]]:
    """The situation report as a title and sections, for a page."""
    return pack.of_markdown(situation(house, now))


def bold(words: str) -> list[tuple[str, bool]]:
    """Words of a section in pieces, each with whether it is strong."""
    return pack.bold(words)


def _area_names(house: House) -> dict[str, str]:
    return dict(house.catalogue.areas.select("code", "name").iter_rows())


def _map(house: House, today: TodayReport) -> tuple[tuple[AreaRow, ...], str]:
    """The areas that have a place on the cartogram, by name, and the picture."""
    counts = review_room.signals_by_area(today.signals)
    areas = house.catalogue.areas.filter(tier=Tier.BOROUGH.value).drop_nulls(["hex_column", "hex_row"]).sort("name")
    placed = list(areas.select("code", "name", "hex_column", "hex_row").iter_rows())
    rows = tuple(AreaRow(code=code, name=name, signals=counts.get(code, 0)) for code, name, _, _ in placed)
    cells = [Cell(name=name, column=x, row=y, value=counts.get(code, 0)) for code, name, x, y in placed]
    named = ", ".join(f"{row.name} {row.signals}" for row in rows if row.signals) or "no borough"
    picture = cartogram(
        cells,
        title="Signals by borough",
        description=f"One cell a borough. Signals in: {named}. The same numbers stand in the table beside it.",
    )
    return rows, picture
