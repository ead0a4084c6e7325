"""Work on distinct values: what depends on few columns is worked out once for each of their values, then looked up.

In: a frame and expressions over its columns. Out: the same columns as `frame.select` gives, in the frame's order; texts
that few values share as categories, which are filtered, joined and written at a third of a text's cost.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import numpy as np
import polars as pl
from polars import selectors as cs

_WORTH = 0.5
_LOOKED_AT = 20_000
_MOST_KEPT = 500_000
SET = "set"
_MET, _BOTH = "\0met", "\0both"


def select(frame: pl.DataFrame, wanted: Mapping[str, pl.Expr]) -> pl.DataFrame:
    """The expressions as columns, one row per row of the frame."""
    return Values(wanted).of(frame)


def worded(frame: pl.DataFrame) -> pl.DataFrame:
    """The same with its texts as categories."""
    return frame.with_columns(cs.string().cast(pl.Categorical))


def in_texts(frame: pl.DataFrame) -> pl.DataFrame:
    """The same with its categories as texts."""
    return frame.with_columns(cs.categorical().cast(pl.String))


class Coded:
    """The texts of columns whose cells repeat, over many frames: each as a number of its own, kept once."""

    def __init__(self) -> None:
        self._kinds: dict[str, pl.Categorical | None] = {}
        self._kept: dict[str, pl.Series] = {}  # Polars forgets the numbers once no column has them

    def of(self, frame: pl.DataFrame, among: Collection[str] | None = None) -> pl.DataFrame:
        """The same with such columns, or those `among` some, as categories; those are left alone that hardly a cell
        repeats."""
        if not frame.height:
            return frame
        columns = (cells for cells in frame.iter_columns() if among is None or cells.name in among)
        kinds = {cells.name: self._kind(cells) for cells in columns}
        chosen = {name: kind for name, kind in kinds.items() if kind is not None}
        frame = frame.with_columns(frame.get_column(name).cast(kind) for name, kind in chosen.items())
        for name in chosen:
            self._kept.setdefault(name, frame.get_column(name).clear())
            if _most(frame.get_column(name).to_physical()) > _MOST_KEPT:
                self._kinds[name] = None
        return frame

    def _kind(self, cells: pl.Series) -> pl.Categorical | None:
        if cells.dtype != pl.String:
            return None
        if cells.name not in self._kinds:
            looked_at = cells.head(_LOOKED_AT)
            worth = looked_at.n_unique() < looked_at.len() * _WORTH
            self._kinds[cells.name] = pl.Categorical(pl.Categories.random()) if worth else None
        return self._kinds[cells.name]


class Values:
    """Expressions over a row's own cells, for many frames: what one frame's cells gave is not worked out again."""

    def __init__(self, wanted: Mapping[str, pl.Expr], coded: Coded | None = None, *, texts: bool = False) -> None:
        """`coded`: numbers the cells. `texts`: leave texts that few values share as they are."""
        self._names = list(wanted)
        self._coded = coded or Coded()
        groups: dict[tuple[str, ...], dict[str, pl.Expr]] = {}
        for name, expression in wanted.items():
            groups.setdefault(tuple(sorted(set(expression.meta.root_names()))), {})[name] = expression
        self._groups = [_Group(roots, expressions, texts) for roots, expressions in groups.items()]

    def of(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The expressions as columns, one row per row of the frame."""
        columns: dict[str, pl.Series] = {}
        for group in self._groups:
            rows = self._coded.of(frame.select(group.roots))
            columns |= {series.name: series for series in group.of(rows, frame.height).iter_columns()}
        return pl.DataFrame([columns[name] for name in self._names]) if self._names else pl.DataFrame()


class _Group:
    """Expressions over the same columns. `_seen`: the values of every text met, those of no text first; where they are
    over several columns, of every combination met, beside the numbers of its texts."""

    def __init__(self, roots: tuple[str, ...], expressions: Mapping[str, pl.Expr], texts: bool) -> None:
        self.roots, self._texts = list(roots), texts
        self._expressions = [expression.alias(name) for name, expression in expressions.items()]
        self._inner = [expression.alias(f"\0{name}") for name, expression in expressions.items()]
        self._back = [pl.col(f"\0{name}").alias(name) for name in expressions]
        self._seen: pl.DataFrame | None = None
        self._empty: set[str] = set()  # columns of it that hold nothing
        self._kinds: list[pl.DataType] = []

    def of(self, rows: pl.DataFrame, height: int) -> pl.DataFrame:
        """In: the columns that the expressions are over."""
        if not self.roots:
            same = self._worded(pl.select(self._expressions))
            return pl.DataFrame([column.new_from_index(0, height) for column in same.iter_columns()])
        if not all(isinstance(kind, pl.Categorical) for kind in rows.dtypes):
            self._seen = None
            return in_texts(rows).select(self._expressions)
        if rows.dtypes != self._kinds:
            self._seen, self._kinds = None, rows.dtypes
        return self._looked_up(rows.to_series()) if rows.width == 1 else self._joined(rows)

    def _looked_up(self, cells: pl.Series) -> pl.DataFrame:
        codes = _numbered(cells)
        if self._seen is None or _most(codes) > self._seen.height:
            assert isinstance(cells.dtype, pl.Categorical)
            texts = pl.concat([pl.Series([None], dtype=pl.String), cells.dtype.categories.to_series()])
            fresh = texts.slice(0 if self._seen is None else self._seen.height).alias(cells.name).to_frame()
            worked = self._worded(fresh.select(self._expressions))
            self._seen = (worked if self._seen is None else pl.concat([self._seen, worked])).rechunk()
            self._empty = {column.name for column in self._seen.iter_columns() if column.null_count() == column.len()}
        found = self._seen.iter_columns()
        return pl.DataFrame(
            [one.new_from_index(0, codes.len()) if one.name in self._empty else one.gather(codes) for one in found]
        )

    def _joined(self, rows: pl.DataFrame) -> pl.DataFrame:
        if self._seen is not None and self._seen.height > _MOST_KEPT:
            return in_texts(rows).select(self._expressions)
        found = self._found(rows)
        if found is None or found[_MET].null_count():
            fresh = rows if found is None else rows.filter(found[_MET].is_null())
            fresh = fresh.unique()
            worked = self._worded(in_texts(fresh).select(*self._inner, pl.lit(True).alias(_MET)))
            worked = _numbers(fresh).hstack(worked)
            self._seen = worked if self._seen is None else pl.concat([self._seen, worked])
            found = self._found(rows)
            assert found is not None
        return found.select(self._back)

    def _found(self, rows: pl.DataFrame) -> pl.DataFrame | None:
        return None if self._seen is None else _beside(rows, self._seen)

    def _worded(self, frame: pl.DataFrame) -> pl.DataFrame:
        return frame if self._texts else worded(frame)


class Children:
    """Child rows of a frame's rows, worked out once for distinct values of some columns, over many frames.

    `work` takes a frame with these columns and `row`, and returns child rows with a column 'row'. All rows with the
    same values have the same children: a set, which has a number.
    """

    def __init__(
        self,
        columns: list[str],
        row: str,
        work: Callable[[pl.DataFrame], pl.DataFrame],
        coded: Coded | None = None,
    ) -> None:
        self._columns, self._row, self._work = columns, row, work
        self._coded = coded or Coded()
        self._seen: pl.DataFrame | None = None
        self._kinds: list[pl.DataType] = []
        self._of_code = np.empty(0, dtype=np.int64)
        self._made: pl.DataFrame | None = None
        self._new: list[pl.DataFrame] = []
        self._next = 0

    def of(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The child rows of every row of the frame, in the frame's order."""
        ids = frame.select(pl.col(self._row).alias("row")).with_columns(self.sets(frame))
        assert self._made is not None
        return ids.join(self._made, on=SET, how="inner", maintain_order="left_right").drop(SET)

    def one(self, frame: pl.DataFrame, column: str) -> pl.Series:
        """A column of the child rows of every row of the frame, where each has exactly one."""
        sets = self.sets(frame)
        assert self._made is not None
        return self._made[column].gather(sets - self._made[SET][0]) if sets.len() else self._made[column].clear()

    def sets(self, frame: pl.DataFrame) -> pl.Series:
        """The number of the set of every row's children."""
        if not self._columns:
            if self._made is None:
                self._keep(self._worked(frame.head(1)))
            return pl.repeat(0, frame.height, dtype=pl.Int64, eager=True).alias(SET)
        rows = self._coded.of(frame.select(self._columns))
        many = self._seen is not None and self._seen.height > _MOST_KEPT
        if many or rows.dtypes != self._kinds:
            self._seen = self._made = None
            self._of_code, self._kinds = self._of_code[:0], rows.dtypes
        found = self._found(rows)
        if self._made is None or found is None or found.null_count():
            fresh = (rows if found is None else rows.filter(found.is_null())).unique(maintain_order=True)
            numbers = pl.int_range(self._next, self._next + fresh.height, dtype=pl.Int64, eager=True).alias(SET)
            self._enter(fresh, numbers)
            self._keep(self._worked(in_texts(fresh)))
            found = self._found(rows)
            assert found is not None
        return found

    def new(self) -> pl.DataFrame | None:
        """The child rows of sets that were made since this was last asked, by the set's number."""
        made, self._new = self._new, []
        return pl.concat(made) if made else None

    @property
    def _by_code(self) -> bool:
        return len(self._kinds) == 1 and isinstance(self._kinds[0], pl.Categorical)

    def _found(self, rows: pl.DataFrame) -> pl.Series | None:
        if self._by_code:
            codes = _numbered(rows.to_series())
            more = max(0, _most(codes) - len(self._of_code))
            self._of_code = np.concatenate([self._of_code, np.full(more, -1, dtype=np.int64)])
            found = pl.Series(SET, self._of_code[codes.to_numpy()])
            return found.set(found < 0, None) if (found < 0).any() else found
        return None if self._seen is None else _beside(rows, self._seen)[SET]

    def _enter(self, fresh: pl.DataFrame, numbers: pl.Series) -> None:
        if self._by_code:
            self._of_code[_numbered(fresh.to_series()).to_numpy()] = numbers.to_numpy()
            return
        seen = _numbers(fresh).with_columns(numbers)
        self._seen = seen if self._seen is None else pl.concat([self._seen, seen])

    def _worked(self, fresh: pl.DataFrame) -> pl.DataFrame:
        number = pl.int_range(self._next, self._next + pl.len(), dtype=pl.Int64)
        made = self._work(fresh.with_columns(number.alias(self._row))).rename({"row": SET})
        self._next += fresh.height
        return made

    def _keep(self, made: pl.DataFrame) -> None:
        self._made = (made if self._made is None else pl.concat([self._made, made])).rechunk()
        self._new.append(made)


def _numbered(cells: pl.Series) -> pl.Series:
    """The number of each cell's text, from 1 on; 0 where there is none."""
    codes = cells.alias("codes").to_physical()
    codes = codes if codes.dtype == pl.UInt32 else codes.cast(pl.UInt32)
    return (codes + 1).fill_null(0) if cells.null_count() else codes + 1


def _most(codes: pl.Series) -> int:
    """One more than the highest of them, 0 without any."""
    highest = codes.max()
    return 0 if highest is None else int(highest) + 1  # type: ignore[arg-type]


def _numbers(rows: pl.DataFrame) -> pl.DataFrame:
    """The same with the numbers of its categories; two columns of them as one number."""
    if rows.width == 2 and all(isinstance(kind, pl.Categorical) for kind in rows.dtypes):
        one, other = (_numbered(cells).cast(pl.UInt64) for cells in rows.iter_columns())
        return pl.DataFrame({_BOTH: one * (1 << 32) + other})
    return rows.with_columns(cs.categorical().to_physical())


def _beside(rows: pl.DataFrame, seen: pl.DataFrame) -> pl.DataFrame:
    """What was seen beside each row, null where its values were not."""
    numbers = _numbers(rows)
    return numbers.join(seen, on=numbers.columns, how="left", maintain_order="left", nulls_equal=True)
