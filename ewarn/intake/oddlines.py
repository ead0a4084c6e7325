"""Lines of a table that are no rows of it: its header again, sums beneath it, a second table in the same file.

In: the rows of a file in parts. Out: the same parts with such lines moved to the rejects. A row is only ever moved with
a reason, never changed or dropped; where a second table seems to begin, everything from there on is moved.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ewarn.intake.columns import all_named, column_named

AGAIN = "the header again; the rows beneath it are read on"
SUM = "a line of sums, no row"
SECOND = "a second table seems to begin at line {}; put each table into a file of its own"
_SUMS = r"(?i)^(grand |sub[- ]?|overall )?(total|sum|average|mean|count)s?\b"
_ONLY_SUM = r"(?i)^(grand |sub[- ]?|overall )?totals?\s*:?$"
_LOOKED_AT = 1_000


@dataclass
class Watch:
    """Looks at the parts of one file one after the other. `line` names the column with a row's line."""

    header: tuple[str, ...]
    line: str
    _second: int = 0
    _last: int = 0
    _digits: list[bool] = field(default_factory=list)

    def sift(self, frame: pl.DataFrame, others: NDArray[np.int64]) -> tuple[pl.DataFrame, pl.DataFrame]:
        """(rows, moved lines) of one part. `others`: every line of the part's other records, sorted: rejects, and rows
        that are known already."""
        marks: dict[int, str] = {}
        if frame.height and not self._second:
            marks = self._again(frame) | self._sums(frame)
            self._seek_second(frame, set(marks), others)
        if frame.height:
            breaks = sum(cell.count("\n") for cell in frame.select(all_named(self.header)).row(-1))
            self._last = int(frame[self.line][-1]) + breaks
        self._last = max(self._last, int(others[-1])) if len(others) else self._last
        if not marks and not self._second:
            return frame, _moved([], [], [])
        reason = (
            pl.col(self.line).replace_strict(marks, default=None, return_dtype=pl.String) if marks else pl.lit(None)
        )
        if self._second:
            words = pl.lit(SECOND.format(self._second))
            reason = pl.when(pl.col(self.line) >= self._second).then(words).otherwise(reason)
        frame = frame.with_columns(reason.alias("\0reason"))
        out = frame.filter(pl.col("\0reason").is_not_null())
        lines, reasons = out[self.line].to_list(), out["\0reason"].to_list()
        raw = [_written(row) for row in out.select(all_named(self.header)).iter_rows()]
        return frame.filter(pl.col("\0reason").is_null()).drop("\0reason"), _moved(lines, reasons, raw)

    def _again(self, frame: pl.DataFrame) -> dict[int, str]:
        """Lines that name the header's own columns once more, whatever their letter case."""
        first = self.header[0]
        spelt = {word for one in (first, f"\ufeff{first}") for word in (one, one.lower(), one.upper(), one.title())}
        likely = _where(frame, column_named(first).is_in(list(spelt)))
        wanted = [name.casefold() for name in self.header]
        return {
            row[-1]: AGAIN
            for row in likely.select(*all_named(self.header), self.line).iter_rows()
            if [cell.lstrip("\ufeff").strip().casefold() for cell in row[:-1]] == wanted
        }

    def _sums(self, frame: pl.DataFrame) -> dict[int, str]:
        """Lines whose first words are a sum's: alone in their cell, or with half of the other cells blank."""
        if len(self.header) < 2:
            return {}
        first = column_named(self.header[0])
        likely = _where(frame, first.str.contains_any(_SUM_PARTS) | (first == ""))
        if likely.is_empty():
            return {}
        texts = [column_named(name).str.strip_chars() for name in self.header]
        opening = pl.coalesce(pl.when(one != "").then(one) for one in texts)
        blanks = pl.sum_horizontal((one == "").cast(pl.Int64) for one in texts)
        found = likely.filter(
            opening.str.contains(_ONLY_SUM) | (opening.str.contains(_SUMS) & (blanks * 2 >= len(self.header)))
        )
        return dict.fromkeys(found[self.line].to_list(), SUM)

    def _seek_second(self, frame: pl.DataFrame, known: set[int], others: NDArray[np.int64]) -> None:
        """Find a line of words after an empty line, where the columns above held figures."""
        lines = frame[self.line].to_numpy()
        above = np.concatenate([[self._last or int(lines[0]) - 1], lines[:-1]])
        for place in self._likely(frame, pl.Series(np.flatnonzero(_empty_between(above, lines, others))))[:_LOOKED_AT]:
            line, came = int(lines[place]), above[place : place + 1].copy()
            came += (
                sum(cell.count("\n") for cell in frame.select(all_named(self.header)).row(place - 1)) if place else 0
            )
            if line in known or not _empty_between(came, lines[place : place + 1], others).any():
                continue
            digits = self._digits_of(frame.head(place)) or self._digits
            if (
                any(digits)
                and _names(frame.select(all_named(self.header)).row(place))
                and _figures(frame, place + 1, self.header)
            ):
                self._second = line
                return
        self._digits = self._digits or self._digits_of(frame)

    def _likely(self, frame: pl.DataFrame, places: pl.Series) -> list[int]:
        """Of these rows those whose cells are all given and hold no figure, as `_names` asks of them."""
        for name in self.header:
            if places.is_empty():
                break
            cells = frame.get_column(name).alias("cells").gather(places)  # whatever it is called
            places = places.filter((cells.str.strip_chars().str.len_chars() > 1) & ~cells.str.contains(r"\d"))
        found: list[int] = places.to_list()
        return found

    def _digits_of(self, frame: pl.DataFrame) -> list[bool]:
        """For each column whether every cell that is given holds a digit; [] without rows."""
        sample = frame.select(all_named(self.header)).head(_LOOKED_AT)
        if sample.is_empty():
            return []
        texts = [column_named(name).str.strip_chars() for name in self.header]
        checks = [
            (((one != "").sum() > 1) & ((one == "") | one.str.contains(r"\d")).all()).alias(str(place))
            for place, one in enumerate(texts)
        ]
        return list(sample.select(checks).row(0))


def _where(frame: pl.DataFrame, likely: pl.Expr) -> pl.DataFrame:
    """The rows for which it holds; mostly there are none."""
    found = frame.select(likely).to_series()
    return frame.filter(found) if found.any() else frame.clear()


def _empty_between(above: NDArray[np.int64], lines: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether there are lines between two that belong to no record."""
    taken = np.searchsorted(others, lines) - np.searchsorted(others, above, side="right")
    between: NDArray[np.bool_] = lines - above - 1 > taken
    return between


_SUM_PARTS = ["otal", "OTAL", "Sum", "SUM", "sum", "verage", "VERAGE", "Mean", "mean", "MEAN", "ount", "OUNT"]


def _names(cells: Sequence[str]) -> bool:
    """Words such as a header is made of: each given, each different, one line, without figures."""
    names = [cell.strip() for cell in cells]
    plain = all(1 < len(name) <= 60 and "\n" not in name and not any(c.isdigit() for c in name) for name in names)
    return plain and len(set(names)) == len(names)


def _figures(frame: pl.DataFrame, place: int, header: Sequence[str]) -> bool:
    """The row holds a figure."""
    return place < frame.height and any(
        c.isdigit() for cell in frame.select(all_named(header)).row(place) for c in cell
    )


def _moved(lines: Sequence[int], reasons: Sequence[str], raw: Sequence[str]) -> pl.DataFrame:
    schema = {"line": pl.Int64, "reason": pl.String, "raw": pl.String}
    return pl.DataFrame({"line": lines, "reason": reasons, "raw": raw}, schema=schema)


def _written(row: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(row)
    return out.getvalue()[:20_000]
