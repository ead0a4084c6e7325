"""Work on distinct values: what depends on few columns is worked out once for each of their values, then joined.

In: a frame and expressions over its columns. Out: the same columns as `frame.select` gives, in the frame's order; texts
that few values share as categories, which are filtered, joined and written at a third of a text's cost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl
from polars import selectors as cs

_WORTH = 0.5
_LOOKED_AT = 2_000
_MOST_KEPT = 500_000
SET = "set"
_MET = "\0met"


def select(frame: pl.DataFrame, wanted: Mapping[str, pl.Expr]) -> pl.DataFrame:
    """The expressions as columns, one row per row of the frame."""
    return Values(wanted).of(frame)


def worded(frame: pl.DataFrame) -> pl.DataFrame:
    """The same with its texts as categories."""
    return frame.with_columns(cs.string().cast(pl.Categorical))


class Values:
    """Expressions over a row's own cells, for many frames: what one frame's cells gave is not worked out again."""

    def __init__(self, wanted: Mapping[str, pl.Expr]) -> None:
        self._names = list(wanted)
        groups: dict[tuple[str, ...], dict[str, pl.Expr]] = {}
        for name, expression in wanted.items():
            groups.setdefault(tuple(sorted(set(expression.meta.root_names()))), {})[name] = expression
        self._groups = [_Group(roots, expressions) for roots, expressions in groups.items()]

    def of(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The expressions as columns, one row per row of the frame."""
        columns: dict[str, pl.Series] = {}
        for group in self._groups:
            columns |= {series.name: series for series in group.of(frame).iter_columns()}
        return pl.DataFrame([columns[name] for name in self._names]) if self._names else pl.DataFrame()


class _Group:
    """Expressions over the same columns. `_seen`: the columns, a mark, and the values, one row per combination met."""

    def __init__(self, roots: tuple[str, ...], expressions: Mapping[str, pl.Expr]) -> None:
        self._roots = list(roots)
        self._expressions = [expression.alias(name) for name, expression in expressions.items()]
        self._inner = [expression.alias(f"\0{name}") for name, expression in expressions.items()]
        self._back = [pl.col(f"\0{name}").alias(name) for name in expressions]
        self._shared: bool | None = None
        self._seen: pl.DataFrame | None = None

    def of(self, frame: pl.DataFrame) -> pl.DataFrame:
        if not self._roots:
            same = worded(pl.select(self._expressions))
            return pl.DataFrame([column.new_from_index(0, frame.height) for column in same.iter_columns()])
        if self._shared is None and frame.height:
            self._shared = _worth(frame, self._roots)
        if not self._shared:
            return frame.select(self._expressions)
        if self._seen is not None and self._seen.height > _MOST_KEPT:
            self._shared, self._seen = False, None
            return self.of(frame)
        rows = frame.select(self._roots)
        found = self._found(rows)
        if found is None or found[_MET].null_count():
            fresh = rows if found is None else rows.filter(found[_MET].is_null())
            fresh = fresh.unique()
            worked = fresh.hstack(worded(fresh.select(*self._inner, pl.lit(True).alias(_MET))))
            self._seen = worked if self._seen is None else pl.concat([self._seen, worked])
            found = self._found(rows)
            assert found is not None
        return found.select(self._back)

    def _found(self, rows: pl.DataFrame) -> pl.DataFrame | None:
        if self._seen is None:
            return None
        return rows.join(self._seen, on=self._roots, how="left", maintain_order="left")


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


def _worth(frame: pl.DataFrame, columns: list[str]) -> bool:
    """Whether so many rows share their values that looking them up beats working them out."""
    looked_at = frame.select(columns).head(_LOOKED_AT)
    return looked_at.unique().height < looked_at.height * _WORTH
