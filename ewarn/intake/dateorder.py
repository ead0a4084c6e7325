"""Whether a file's dates are day-first or month-first: one answer a column, for the whole file, before a row is read.

In: every value of a date column with its count, its formats, and the order the source wrote before. Out: the formats to
read this file with, and remarks. A day above 12 proves an order. Must never let one file be read both ways, nor let a
source change its order unseen: what cannot be settled is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from ewarn.errors import UnusableInput

DAY_FIRST, MONTH_FIRST = "day-first", "month-first"
_FEW = 0.05
_SAID_FROM = 3
_PLAINLY = 5


@dataclass(frozen=True)
class Order:
    """formats: what to read the column with. found: the order that its days above 12 prove, '' without any."""

    formats: tuple[str, ...]
    found: str = ""
    remarks: tuple[str, ...] = ()


def numeric(form: str) -> bool:
    """A format in which day and month are both numbers, so that they can be taken for one another."""
    return "%d" in form and "%m" in form


def settle(column: str, values: pl.DataFrame, formats: Sequence[str], before: str = "") -> Order:
    """Which of the formats this file's column is written in. In: values with `value` and `count`.

    Raises: UnusableInput where both orders are proved, or one that the formats do not allow.
    """
    kept, found = list(formats), ""
    remarks: list[str] = []
    for year_first in (True, False):
        group = [f for f in formats if numeric(f) and f.startswith(("%Y", "%y")) is year_first]
        if group:
            order = _group(column, values, group, "" if year_first else before)
            kept = [f for f in kept if f not in group or f in order.formats]
            remarks += order.remarks
            found = found if year_first else order.found
    return Order(tuple(kept), found, tuple(remarks))


def _group(column: str, values: pl.DataFrame, formats: Sequence[str], before: str) -> Order:
    """The order of formats that have the year at the same end."""
    day, month = (_readable([_in_order(f, order) for f in formats]) for order in (DAY_FIRST, MONTH_FIRST))
    read = values.with_columns(day=day, month=month)
    proofs = {
        DAY_FIRST: int(read.filter(pl.col("day") & ~pl.col("month"))["count"].sum()),
        MONTH_FIRST: int(read.filter(pl.col("month") & ~pl.col("day"))["count"].sum()),
    }
    both = read.filter(pl.col("day") & pl.col("month"))
    untold = int(both["count"].sum())
    allowed = {_order_of(f) for f in formats}
    proved = max(proofs, key=lambda order: proofs[order])
    if formats[0].startswith(("%Y", "%y")) and allowed == {MONTH_FIRST} and proofs[DAY_FIRST] < _PLAINLY:
        return Order(tuple(formats))  # nobody writes year, day, month: these are slips, each its own row's
    if all(proofs.values()):
        few = min(proofs.values()) <= _FEW * sum(proofs.values())
        if untold and (len(allowed) > 1 or proved not in allowed or not few):
            raise UnusableInput(
                f"the dates in '{column}' are written both ways: {proofs[DAY_FIRST]:,} can only be day-first, "
                f"{proofs[MONTH_FIRST]:,} only month-first, so {untold:,} others cannot be told",
                next_step="Export the file again with dates as YYYY-MM-DD.",
            )
        return Order(tuple(formats), proved if few else "")
    if not proofs[proved]:
        return _unproved(column, both, formats, before)
    if proved not in allowed:
        raise UnusableInput(
            f"the dates in '{column}' are {proved}: {proofs[proved]:,} of them can be nothing else, and the definition "
            "reads them the other way",
            next_step="Correct the export, or give the column the new format once every file has it.",
        )
    words = f"the dates in '{column}' are {proved} now and were {before} before: {proofs[proved]:,} of them prove it"
    remarks = (words,) if before not in ("", proved) else ()
    return Order(tuple(f for f in formats if _order_of(f) == proved), proved, remarks)


def _unproved(column: str, both: pl.DataFrame, formats: Sequence[str], before: str) -> Order:
    """No day above 12 anywhere: the order the source had, else the first one of the definition, and that is said."""
    orders = [_order_of(f) for f in formats]
    order = before if before in orders else orders[0]
    chosen = tuple(f for f in formats if _order_of(f) == order)
    differing = both.filter(_differs())
    if before == order or differing.height < _SAID_FROM or formats[0].startswith(("%Y", "%y")):
        return Order(chosen)
    was = f", though the file before was {before}" if before else ""
    words = f"each of the {differing['count'].sum():,} dates in '{column}' could be day-first or month-first: read as "
    return Order(chosen, "", (f"{words}{order}{was}",))


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
    value = pl.col("value")
    dates = [
        value.str.to_datetime(f, strict=False, time_unit="us").dt.date()
        if "%H" in f or "%T" in f
        else value.str.to_date(f, strict=False)
        for f in formats
    ]
    return pl.any_horizontal(one.dt.year().is_between(1900, 2100).fill_null(False) for one in dates)
