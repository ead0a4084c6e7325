"""A table of counts as the public may have it, with its totals, sub-totals and the versions before it.

In: one row per cell (`dimensions` and `count`), what each value lies in (borough, region, UK), the version before. Out:
one row per cell and per margin: `shown`, and the `low` and `high` that it states. Every margin is worked out from the
published cells alone, never from the counts: whoever knows the rule can add up what was published and learns nothing
more, in whatever tables, totals, formats or texts it is repeated. It must never be given counts of other cells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import polars as pl

from ewarn.disclosure.rounding import Cell, shown, spread

ALL = "all"
Key = tuple[str, ...]


def public_table(
    counts: pl.DataFrame,
    dimensions: Sequence[str],
    within: Mapping[str, Mapping[str, str]] | None = None,
    before: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """The table with margins over every dimension and level; combinations without a row count 0.

    In: `within` by dimension, value -> what it lies in; `before` the table that was published last.
    """
    values = [sorted(counts[d].cast(pl.String).unique()) for d in dimensions]
    known = _counted(counts, dimensions)
    earlier = published(before, dimensions) if before is not None else {}
    cells = {key: shown(known.get(key, 0), earlier.get(key)) for key in product(*values)}
    levels = [_levels(column, (within or {}).get(d, {})) for d, column in zip(dimensions, values, strict=True)]
    margins: dict[Key, list[Cell]] = {}
    for key, cell in cells.items():
        for above in product(*(levels[i][value] for i, value in enumerate(key))):
            margins.setdefault(above, []).append(cell)
    rows = [_row(dimensions, key, parts, margin=key not in cells) for key, parts in margins.items()]
    schema = dict.fromkeys(dimensions, pl.String) | {
        "margin": pl.Boolean, "shown": pl.String, "low": pl.Int64, "high": pl.Int64
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row").sort("margin", *dimensions)


def published(table: pl.DataFrame, dimensions: Sequence[str]) -> dict[Key, Cell]:
    """The cells of a published table, without its margins."""
    rows = table.filter(~pl.col("margin")).select(*dimensions, "low", "high").iter_rows()
    return {tuple(row[:-2]): Cell(*row[-2:]) for row in rows}


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


def _row(dimensions: Sequence[str], key: Key, parts: Sequence[Cell], *, margin: bool) -> tuple[object, ...]:
    total = spread(parts)
    if not margin:
        return (*key, False, parts[0].text, *total)
    loose = any(cell.hidden or cell.high - cell.low > 4 for cell in parts)
    middle = sum((cell.low + cell.high) // 2 for cell in parts)
    return (*key, True, f"{total.low}-{total.high}" if loose else str(middle), *total)
