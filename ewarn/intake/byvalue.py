"""Work on distinct values: what depends on few columns is worked out once for each of their values, then joined.

In: a frame and expressions over its columns. Out: the same columns as `frame.select` gives, in the frame's order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

_WORTH = 0.5
_LOOKED_AT = 2_000
_MOST_KEPT = 500_000
_ID = "\0id"


def select(frame: pl.DataFrame, wanted: Mapping[str, pl.Expr]) -> pl.DataFrame:
    """The expressions as columns, one row per row of the frame."""
    groups: dict[tuple[str, ...], dict[str, pl.Expr]] = {}
    for name, expression in wanted.items():
        groups.setdefault(tuple(sorted(set(expression.meta.root_names()))), {})[name] = expression
    columns: dict[str, pl.Series] = {}
    for roots, expressions in groups.items():
        found = _of_group(frame, roots, expressions)
        columns |= {name: found[name] for name in expressions}
    return pl.DataFrame([columns[name] for name in wanted]) if wanted else pl.DataFrame()


class Children:
    """Child rows of a frame's rows, worked out once for distinct values of some columns, over many frames.

    `work` takes a frame with these columns and `row`, and returns child rows with a column 'row'.
    """

    def __init__(self, columns: list[str], row: str, work: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
        self._columns, self._row, self._work = columns, row, work
        self._seen: pl.DataFrame | None = None
        self._made: pl.DataFrame | None = None

    def of(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The child rows of every row of the frame, in the frame's order."""
        if not self._columns:
            alike = self._work(frame.head(1))
            return frame.select(pl.col(self._row).alias("row")).join(alike.drop("row"), how="cross")
        distinct = frame.select(self._columns).unique(maintain_order=True)
        if self._seen is None or self._made is None or self._seen.height > _MOST_KEPT:
            self._seen, self._made = self._worked(distinct, 0)
        else:
            fresh = distinct.join(self._seen, on=self._columns, how="anti", maintain_order="left")
            if fresh.height:
                seen, made = self._worked(fresh, self._seen.height)
                self._seen, self._made = pl.concat([self._seen, seen]), pl.concat([self._made, made])
        ids = frame.select(pl.col(self._row).alias("row"), *self._columns)
        ids = ids.join(self._seen, on=self._columns, how="left", maintain_order="left").select("row", _ID)
        return ids.join(self._made, on=_ID, how="inner", maintain_order="left_right").drop(_ID)

    def _worked(self, fresh: pl.DataFrame, start: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        numbered = fresh.with_columns(pl.int_range(start, start + pl.len(), dtype=pl.Int64).alias(self._row))
        return numbered.rename({self._row: _ID}), self._work(numbered).rename({"row": _ID})


def _of_group(frame: pl.DataFrame, roots: tuple[str, ...], expressions: Mapping[str, pl.Expr]) -> pl.DataFrame:
    named = [expression.alias(name) for name, expression in expressions.items()]
    if not roots:
        return frame.with_columns(named).select(expressions.keys())
    if not _worth(frame, list(roots)):
        return frame.select(named)
    distinct = frame.select(roots).unique()
    worked = distinct.with_columns(one.alias(f"\0{name}") for name, one in expressions.items())
    joined = frame.select(roots).join(worked, on=list(roots), how="left", maintain_order="left")
    return joined.select(pl.col(f"\0{name}").alias(name) for name in expressions)


def _worth(frame: pl.DataFrame, columns: list[str]) -> bool:
    """Whether so many rows share their values that looking them up beats working them out."""
    looked_at = frame.select(columns).head(_LOOKED_AT)
    return looked_at.unique().height < looked_at.height * _WORTH
