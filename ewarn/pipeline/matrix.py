"""Who got what, who read it, who acted: the store's cells with the partners' names.

In: a house, an alert or an instant to begin at. Out: a report, or the same as a sheet or a page. It writes nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl

from ewarn.pipeline.house import House
from ewarn.review import matrix as shape
from ewarn.store import matrix as store
from ewarn.store import recipients
from ewarn.terms import Frozen

EVER = datetime(1, 1, 1, tzinfo=UTC)


class MatrixReport(Frozen):
    """`alerts`: counts of every alert; `cells`: one row per partner and alert."""

    at: datetime
    alerts: tuple[dict[str, Any], ...]
    cells: tuple[dict[str, Any], ...]


def matrix(house: House, now: datetime, alert: str | None = None, since: datetime | None = None) -> MatrixReport:
    """Every cell of one alert, or of all since an instant."""
    cells, names = _cells(house, alert, since)
    named = cells.with_columns(pl.col("destination").replace_strict(names, default="").alias("name"))
    return MatrixReport.model_construct(at=now, alerts=tuple(shape.counts(cells)), cells=tuple(named.to_dicts()))


def sheet(house: House, alert: str | None = None, since: datetime | None = None) -> str:
    """The cells as CSV, safe in a spreadsheet program."""
    return shape.sheet(*_cells(house, alert, since))


def page(house: House, now: datetime, alert: str | None = None, since: datetime | None = None) -> str:
    """The cells as one HTML file."""
    title = f"Who read {alert}" if alert else "Who read what"
    return shape.page(*_cells(house, alert, since), title, now)


def _cells(house: House, alert: str | None, since: datetime | None) -> tuple[pl.DataFrame, dict[str, str]]:
    with house.db.read() as con:
        return store.cells(con, alert, since or EVER), {r.id: r.name for r in recipients.all(con)}
