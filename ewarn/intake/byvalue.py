"""Work on distinct values: what depends on few columns is worked out once for each of their values, then joined.

In: a frame and expressions over its columns. Out: the same columns as `frame.select` gives, in the frame's order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

_WORTH = 0.5
_LOOKED_AT = 2_000
_MOST_KEPT = 500_000
SET = "set"


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

    `work` takes a frame with these columns and `row`, and returns child rows with a column 'row'. All rows with the
    same values have the same children: a set, which has a number.
    """

    def __init__(self, columns: list[str], row: str, work: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
        self._columns, self._row, self._work = columns, row, work
        self._seen: pl.DataFrame | None = None
        self._made: pl.DataFrame | None = None
        self._new: list[pl.DataFrame] = []
        self._next = 0

    def of(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The child rows of every row of the frame, in the frame's order."""
        ids = frame.select(pl.col(self._row).alias("row")).with_columns(self.sets(frame))
        assert self._made is not None
        return ids.join(self._made, on=SET, how="inner", maintain_order="left_right").drop(SET)

    def sets(self, frame: pl.DataFrame) -> pl.Series:
        """The number of the set of every row's children."""
        if not self._columns:
            if self._made is None:
                self._keep(pl.DataFrame(), self._worked(frame.head(1)))
            return pl.repeat(0, frame.height, dtype=pl.Int64, eager=True).alias(SET)
        if self._seen is not None and self._seen.height > _MOST_KEPT:
            self._seen = self._made = None
        rows = frame.select(self._columns)
        found = self._found(rows)
        if found is None or found.null_count():
            fresh = (rows if found is None else rows.filter(found.is_null())).unique(maintain_order=True)
            number = pl.int_range(self._next, self._next + pl.len(), dtype=pl.Int64)
            self._keep(fresh.with_columns(number.alias(SET)), self._worked(fresh))
            found = self._found(rows)
            assert found is not None
        return found

    def new(self) -> pl.DataFrame | None:
        """The child rows of sets that were made since this was last asked, by the set's number."""
        made, self._new = self._new, []
        return pl.concat(made) if made else None

    def _found(self, rows: pl.DataFrame) -> pl.Series | None:
        if self._seen is None:
            return None
        return rows.join(self._seen, on=self._columns, how="left", maintain_order="left")[SET]

    def _worked(self, fresh: pl.DataFrame) -> pl.DataFrame:
        number = pl.int_range(self._next, self._next + pl.len(), dtype=pl.Int64)
        made = self._work(fresh.with_columns(number.alias(self._row))).rename({"row": SET})
        self._next += fresh.height
        return made

    def _keep(self, seen: pl.DataFrame, made: pl.DataFrame) -> None:
        self._seen = seen if self._seen is None else pl.concat([self._seen, seen])
        self._made = made if self._made is None else pl.concat([self._made, made])
        self._new.append(made)


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
