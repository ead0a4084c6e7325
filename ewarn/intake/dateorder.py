"""Whether a file's dates are day-first or month-first: one answer a column, for the whole file, before a row is read.

In: the date columns of a table, their formats, and the order the source wrote before. Out: the formats to read this
table with, and remarks. A day above 12 proves an order. Must never let one file be read both ways, nor let a
source change its order unseen: what cannot be settled is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from ewarn.catalogue.definitions import DropDefinition
from ewarn.errors import UnusableInput
from ewarn.intake.clocks import dated
from ewarn.intake.columns import column_named

DATES = ("reference_date", "known_date", "published_date", "reference_end")
DAY_FIRST, MONTH_FIRST = "day-first", "month-first"
_FEW = 0.05
_SAID_FROM = 3
_PLAINLY = 5
_MOST_WAITING = 200_000


@dataclass(frozen=True)
class Order:
    """formats: what to read the column with. found: the order that its days above 12 prove, '' without any."""

    formats: tuple[str, ...]
    found: str = ""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tally:
    """Cells that can only be day-first, only month-first, either, and either with another day for each."""

    day: int = 0
    month: int = 0
    either: int = 0
    differing: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.day + other.day, self.month + other.month, self.either + other.either, self.differing + other.differing
        )  # fmt: skip


class Watch:
    """Counts the orders in a table's date columns, part by part, and settles them at its end."""

    def __init__(self, definition: DropDefinition, fields: Mapping[str, str], before: Mapping[str, str]) -> None:
        """In: our fields with the table's headers, and the order each had before."""
        self.definition, self._fields, self._before = definition, fields, before
        formats = {f: definition.columns[f].formats or definition.date_formats for f in DATES if f in fields}
        self._formats = {field: forms for field, forms in formats.items() if any(map(numeric, forms))}
        self._tallies = {(f, first): Tally() for f, forms in self._formats.items() for first in _groups(forms)}
        self._waiting: dict[str, list[pl.DataFrame]] = {header: [] for header in self.columns}

    @property
    def columns(self) -> tuple[str, ...]:
        """The headers it looks at."""
        return tuple(dict.fromkeys(self._fields[field] for field in self._formats))

    @property
    def decides(self) -> bool:
        """Some column may be in either order: then how to read it is known only when all of it was seen."""
        groups = [group for forms in self._formats.values() for group in _groups(forms).values()]
        return any(len({_order_of(form) for form in group}) > 1 for group in groups)

    def add(self, frame: pl.DataFrame) -> None:
        """Count one part's cells."""
        for header, waiting in self._waiting.items():
            spelt = frame.group_by(column_named(header).alias("value")).len("count")
            waiting.append(spelt.with_columns(pl.col("value").cast(pl.String)))
            if sum(one.height for one in waiting) > _MOST_WAITING:
                self._count(header)

    def _count(self, header: str) -> None:
        """Enter the cells that wait: their spellings are looked at once for all parts."""
        waiting, self._waiting[header] = self._waiting[header], []
        if not waiting:
            return
        spelt = pl.concat(waiting).with_columns(pl.col("value").str.strip_chars()).filter(pl.col("value") != "")
        values = spelt.group_by("value").agg(pl.col("count").sum())
        for field, forms in self._formats.items():
            if self._fields[field] == header:
                for first, group in _groups(forms).items():
                    self._tallies[field, first] += tally(values, group)

    def settle(self) -> tuple[DropDefinition, dict[str, str], list[str]]:
        """The definition with each column's formats narrowed to its order, the orders, and remarks.

        Raises: UnusableInput where a column cannot be read one way.
        """
        for header in self._waiting:
            self._count(header)
        columns, orders = dict(self.definition.columns), dict[str, str]()
        remarks: list[str] = []
        for field, forms in self._formats.items():
            was = self._before.get(field, "")
            tallies = {first: self._tallies[field, first] for first in _groups(forms)}
            order = decide(self._fields[field], forms, tallies, was)
            columns[field] = columns[field].model_copy(update={"formats": order.formats})
            orders[field] = order.found or was  # a file that shows no order leaves the one proved before standing
            remarks += order.remarks
        return self.definition.model_copy(update={"columns": columns}), orders, list(dict.fromkeys(remarks))


def numeric(form: str) -> bool:
    """A format in which day and month are both numbers, so that they can be taken for one another."""
    return "%d" in form and "%m" in form


def tally(values: pl.DataFrame, formats: Sequence[str]) -> Tally:
    """How many cells formats of one group read, in each order. In: distinct values with `value` and `count`."""
    day, month = (_readable([_in_order(f, order) for f in formats]) for order in (DAY_FIRST, MONTH_FIRST))
    read = values.with_columns(day=day, month=month)
    only_day, only_month = pl.col("day") & ~pl.col("month"), pl.col("month") & ~pl.col("day")
    both = read.filter(pl.col("day") & pl.col("month"))
    found = (read.filter(only_day), read.filter(only_month), both, both.filter(_differs()))
    day_first, month_first, either, differing = (int(one["count"].sum()) for one in found)
    return Tally(day_first, month_first, either, differing)


def decide(column: str, formats: Sequence[str], tallies: Mapping[bool, Tally], before: str = "") -> Order:
    """Which of the formats a column is written in. In: a tally for formats with the year first and last.

    Raises: UnusableInput where both orders are proved, or one that the formats do not allow.
    """
    kept, found = list(formats), ""
    remarks: list[str] = []
    for first, group in _groups(formats).items():
        order = _group(column, tallies[first], group, "" if first else before)
        kept = [f for f in kept if f not in group or f in order.formats]
        remarks += order.remarks
        found = found if first else order.found
    return Order(tuple(kept), found, tuple(remarks))


def settle(column: str, values: pl.DataFrame, formats: Sequence[str], before: str = "") -> Order:
    """The same from a column's distinct values with their counts."""
    return decide(column, formats, {first: tally(values, group) for first, group in _groups(formats).items()}, before)


def _groups(formats: Sequence[str]) -> dict[bool, list[str]]:
    """Formats of numeric dates, by whether the year stands first."""
    groups = {first: [f for f in formats if numeric(f) and _year_first(f) is first] for first in (True, False)}
    return {first: group for first, group in groups.items() if group}


def _year_first(form: str) -> bool:
    return form.startswith(("%Y", "%y"))


def _group(column: str, seen: Tally, formats: Sequence[str], before: str) -> Order:
    """The order of formats that have the year at the same end."""
    proofs = {DAY_FIRST: seen.day, MONTH_FIRST: seen.month}
    allowed = {_order_of(f) for f in formats}
    proved = max(proofs, key=lambda order: proofs[order])
    if _year_first(formats[0]) and allowed == {MONTH_FIRST} and seen.day < _PLAINLY:
        return Order(tuple(formats))  # nobody writes year, day, month: these are slips, each its own row's
    if all(proofs.values()):
        few = min(proofs.values()) <= _FEW * sum(proofs.values())
        if seen.either and (len(allowed) > 1 or proved not in allowed or not few):
            raise UnusableInput(
                f"the dates in '{column}' are written both ways: {seen.day:,} can only be day-first, {seen.month:,} "
                f"only month-first, so {seen.either:,} others cannot be told",
                next_step="Export the file again with dates as YYYY-MM-DD.",
            )
        return Order(tuple(formats), proved if few else "")
    if not proofs[proved]:
        return _unproved(column, seen, formats, before)
    if proved not in allowed:
        raise UnusableInput(
            f"the dates in '{column}' are {proved}: {proofs[proved]:,} of them can be nothing else, and the definition "
            "reads them the other way",
            next_step="Correct the export, or give the column the new format once every file has it.",
        )
    words = f"the dates in '{column}' are {proved} now and were {before} before: {proofs[proved]:,} of them prove it"
    remarks = (words,) if before not in ("", proved) else ()
    return Order(tuple(f for f in formats if _order_of(f) == proved), proved, remarks)


def _unproved(column: str, seen: Tally, formats: Sequence[str], before: str) -> Order:
    """No day above 12 anywhere: the order the source had, else the first one of the definition, and that is said."""
    orders = [_order_of(f) for f in formats]
    order = before if before in orders else orders[0]
    chosen = tuple(f for f in formats if _order_of(f) == order)
    if before == order or seen.differing < _SAID_FROM or _year_first(formats[0]):
        return Order(chosen)
    was = f", though the file before was {before}" if before else ""
    words = f"each of {seen.differing:,} dates in '{column}' could be day-first or month-first: read as {order}{was}"
    return Order(chosen, "", (words,))


def _differs() -> pl.Expr:
    """The two numbers are not the same, so that the order matters."""
    parts = pl.col("value").str.extract_all(r"\d+")
    return parts.list.get(0, null_on_oob=True).str.strip_chars_start("0") != parts.list.get(
        1, null_on_oob=True
    ).str.strip_chars_start("0")


def _order_of(form: str) -> str:
    return DAY_FIRST if form.index("%d") < form.index("%m") else MONTH_FIRST


def _in_order(form: str, order: str) -> str:
    if _order_of(form) == order:
        return form
    return form.replace("%d", "\0").replace("%m", "%d").replace("\0", "%m")


def _readable(formats: Sequence[str]) -> pl.Expr:
    dates = [dated(pl.col("value"), form) for form in formats]
    return pl.any_horizontal(one.dt.year().is_between(1900, 2100).fill_null(False) for one in dates)
