"""A table of counts as the public may have it, with its totals, sub-totals and the versions before it.

In: one row per cell (`dimensions` and `count`), what each value lies in (borough, region, UK), the version before. Out:
one row per cell and per margin: `shown`, and the `low` and `high` that it states. Every margin is worked out from the
published cells alone, never from the counts: whoever knows the rule can add up what was published and learns nothing
more, in whatever tables, totals, formats or texts it is repeated. What alerts told already is taken from their cells,
and only the rest is a cell of its own. It must never be given counts of other cells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import NamedTuple

import polars as pl

from ewarn.disclosure.rounding import Cell, shown, spread

ALL = "all"
NOT_SHOWN = "not shown"
UNBOUNDED = 10**9
Key = tuple[str, ...]


class Part(NamedTuple):
    """What the newest public version of an alert told of persons in one cell: how many there are, and what it said.

    `whole` is false where only some of whom the alert counted are in the cell: then the cell cannot be told beside it.
    """

    number: int
    cell: Cell
    whole: bool = True


def public_table(
    counts: pl.DataFrame,
    dimensions: Sequence[str],
    within: Mapping[str, Mapping[str, str]] | None = None,
    before: pl.DataFrame | None = None,
    told: Mapping[Key, Sequence[Part]] | None = None,
) -> pl.DataFrame:
    """The table with margins over every dimension and level; combinations without a row count 0.

    In: `within` by dimension, value -> what it lies in; `before` the table that was published last; `told` by cell,
    what public alerts have told of it, each person in one of them (`ewarn.disclosure.jointly` sees to that).
    """
    values = [sorted(counts[d].cast(pl.String).unique()) for d in dimensions]
    known = _counted(counts, dimensions)
    earlier = published(before, dimensions) if before is not None else {}
    parts_of = told or {}
    rests = {key: _rest(known.get(key, 0), parts_of.get(key, ()), earlier.get(key)) for key in product(*values)}
    cells = {key: _with(rest, parts_of.get(key, ())) for key, rest in rests.items()}
    levels = [_levels(column, (within or {}).get(d, {})) for d, column in zip(dimensions, values, strict=True)]
    margins: dict[Key, list[Cell]] = {}
    for key, cell in cells.items():
        for above in product(*(levels[i][value] for i, value in enumerate(key))):
            margins.setdefault(above, []).append(cell)
    rows = [(*_row(key, parts, margin=key not in cells), *rests.get(key, (None, None)))
            for key, parts in margins.items()]  # fmt: skip
    schema = dict.fromkeys(dimensions, pl.String) | {
        "margin": pl.Boolean, "shown": pl.String, "low": pl.Int64, "high": pl.Int64,
        "rest_low": pl.Int64, "rest_high": pl.Int64,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row").sort("margin", *dimensions)


def published(table: pl.DataFrame, dimensions: Sequence[str]) -> dict[Key, Cell]:
    """What a published table shows of each cell beside what alerts told, without its margins."""
    rows = table.filter(~pl.col("margin")).select(*dimensions, "rest_low", "rest_high").iter_rows()
    return {tuple(row[:-2]): Cell(*row[-2:]) for row in rows}


def _rest(count: int, parts: Sequence[Part], before: Cell | None) -> Cell:
    """The cell of those that no alert told."""
    if not all(part.whole for part in parts):
        return Cell(0, UNBOUNDED)
    return shown(
        max(0, count - sum(part.number for part in parts)), before if before and before.high < UNBOUNDED else None
    )


def _with(rest: Cell, parts: Sequence[Part]) -> Cell:
    return rest if rest.high >= UNBOUNDED else spread([rest, *(part.cell for part in parts)])


def _counted(counts: pl.DataFrame, dimensions: Sequence[str]) -> dict[Key, int]:
    rows = counts.group_by(*dimensions).agg(pl.col("count").sum()).iter_rows()
    return {tuple(map(str, row[:-1])): int(row[-1]) for row in rows}


def _levels(values: Sequence[str], within: Mapping[str, str]) -> dict[str, list[str]]:
    """Each value with everything it lies in, and the whole."""
    found = {}
    for value in values:
        chain = [value]
        while (above := within.get(chain[-1], "")) and above not in chain:
            chain.append(above)
        found[value] = [*chain, ALL]
    return found


def _row(key: Key, parts: Sequence[Cell], *, margin: bool) -> tuple[object, ...]:
    total = spread(parts)
    if total.high >= UNBOUNDED:
        low = sum(cell.low for cell in parts)
        return (*key, margin, f"at least {low}" if margin and low else NOT_SHOWN, low if margin else 0, UNBOUNDED)
    if not margin:
        return (*key, False, parts[0].text, *total)
    loose = any(cell.hidden or cell.high - cell.low > 4 for cell in parts)
    middle = sum((cell.low + cell.high) // 2 for cell in parts)
    return (*key, True, f"{total.low}-{total.high}" if loose else str(middle), *total)
