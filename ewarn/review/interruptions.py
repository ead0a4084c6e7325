"""What a service asks of the people who keep it: pages, and things to read, a week, and which rule asks most.

In: a frame of interruptions, one row each: `at` (UTC), `kind`, `rule`, `area`, `ours` (it concerns the home area or
the UK as a whole). Out: weekly numbers, the same by rule, and whether a budget is kept. Never a subject, a record or
a person.

- *page*: a message to the duty rota, whatever for.
- *signal*: a new main signal; what lies beneath one is read with it.
- *name*: a name that waits to be named; its signal is the same matter and is not counted again.
- *operator notice*: a word about ewarn or its sources.

*Items to read* are signals, names and operator notices. A page about something new is the page of an item; one that
says that an older matter grew is a page alone. *Everything* adds pages and items. Weeks are seven days, counted from
the first day; a last week that is cut short counts in the mean but not among the fullest.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

KINDS = ("page", "signal", "name", "operator notice")
ITEMS = KINDS[1:]
MOST_PAGES, MOST_ITEMS = 2.0, 6.0
SHAPE: dict[str, pl.DataType | type[pl.DataType]] = {
    "at": pl.Datetime("us", "UTC"),
    "kind": pl.String,
    "rule": pl.String,
    "area": pl.String,
    "ours": pl.Boolean,
}


@dataclass(frozen=True)
class Load:
    """Means a week over the whole range, and the fullest whole weeks."""

    weeks: float
    pages: float
    items: float
    most_pages: int
    most_items: int
    weeks_over: int
    everything: float
    most_everything: int

    @property
    def kept(self) -> bool:
        """Whether the means stay within the budget; single full weeks are told apart."""
        return self.pages <= MOST_PAGES and self.items <= MOST_ITEMS


def framed(rows: list[tuple[datetime, str, str, str, bool]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SHAPE, orient="row")


def weekly(found: pl.DataFrame, start: date, end: date) -> pl.DataFrame:
    """One row per week from `start`, those without anything included: week, whole, one column a kind, items."""
    days = (end - start).days + 1
    weeks = pl.DataFrame({"number": range(-(-days // 7))}).with_columns(
        week=pl.lit(start) + pl.duration(days=pl.col("number") * 7), whole=(pl.col("number") + 1) * 7 <= days
    )
    counted = (
        _within(found, start, end)
        .with_columns(number=(pl.col("day") - start).dt.total_days() // 7)
        .group_by("number")
        .agg((pl.col("kind") == kind).sum().cast(pl.Int64).alias(kind) for kind in KINDS)
    )
    filled = weeks.join(counted, on="number", how="left").with_columns(pl.col(KINDS).fill_null(0)).sort("number")
    items = filled.with_columns(items=pl.sum_horizontal(ITEMS))
    return items.with_columns(everything=pl.col("items") + pl.col("page")).drop("number")


def load(found: pl.DataFrame, start: date, end: date) -> Load:
    """The load of a range, both days inclusive."""
    weeks = weekly(found, start, end)
    length = ((end - start).days + 1) / 7
    whole = weeks.filter("whole")
    over = whole.filter((pl.col("page") > MOST_PAGES) | (pl.col("items") > MOST_ITEMS)).height

    def most(column: str) -> int:
        return int(whole.select(pl.col(column).max().fill_null(0)).item())

    def mean(column: str) -> float:
        return round(int(weeks.select(pl.col(column).sum()).item()) / length, 3)

    return Load(
        weeks=round(length, 1),
        pages=mean("page"),
        items=mean("items"),
        most_pages=most("page"),
        most_items=most("items"),
        weeks_over=over,
        everything=mean("everything"),
        most_everything=most("everything"),
    )


def by_rule(found: pl.DataFrame, start: date, end: date) -> pl.DataFrame:
    """One row per rule, the most asking first: pages, items, and both a week."""
    length = ((end - start).days + 1) / 7
    return (
        _within(found, start, end)
        .group_by("rule")
        .agg(
            pages=(pl.col("kind") == "page").sum().cast(pl.Int64),
            items=pl.col("kind").is_in(ITEMS).sum().cast(pl.Int64),
        )
        .with_columns(a_week=((pl.col("pages") + pl.col("items")) / length).round(3))
        .sort(["a_week", "rule"], descending=[True, False])
    )


def _within(found: pl.DataFrame, start: date, end: date) -> pl.DataFrame:
    day = pl.col("at").dt.convert_time_zone("Europe/London").dt.date()
    return found.with_columns(day=day).filter(pl.col("day").is_between(start, end))
