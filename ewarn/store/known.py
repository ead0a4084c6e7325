"""What is known of a source's records, as sorted numbers in memory: to tell millions of rows that are known already.

In: a connection that shows the segments. Out: `Known`, and where numbers stand among sorted ones. All numbers here are
hashes of 64 bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ewarn.store import segments, tables
from ewarn.store.segments import Marks
from ewarn.store.tables import Connection

_AT_ONCE = 1 << 17
_MOST_STEPS = 64


@dataclass(frozen=True)
class Known:
    """Of a source's current records, sorted: the first number of what each says, and every record's own. lines: the
    marks of the lines that say so in a table of one shape, sorted; marks: the same as they came; said: beside these."""

    contents: Marks
    records: Marks
    lines: Marks
    marks: Marks
    said: Marks

    @staticmethod
    def of(con: Connection, source: str, shape: str) -> Known:
        """Read from the store. In: a connection that shows the segments."""
        contents, records, followed = _in_tables(con, source)
        lines, said = list[Marks](), list[Marks]()
        for segment in segments.entered(con):
            if segment["source"] != source:
                continue
            marks = "line_mark" if segment["shape"] == shape else "0::UBIGINT"
            wanted = f"SELECT record_id, content, {marks} FROM {segments.relation(con, segment, 'record')}"
            record, content, line = _numbers(con, wanted, 3, segment["records"])
            current = ~within(record, followed)
            records.append(record)
            contents.append(_chosen(content, current))
            marked = current & (line != 0)
            lines.append(_chosen(line, marked))
            said.append(_chosen(content, marked))
        return Known(_sorted(contents), _sorted(records), _sorted(lines), _joined(lines), _joined(said))

    @cached_property
    def known_lines(self) -> Found:
        """The lines, to be looked up by the hundred thousand."""
        return Found(self.lines)

    def said_by(self, numbers: Marks, seen: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which of the numbers are what one of the lines says that were seen. `seen`: of each of `lines`."""
        if not len(numbers) or not seen.any():
            return np.zeros(len(numbers), dtype=bool)
        asked = np.flatnonzero(pl.Series(self.said).is_in(pl.Series(np.unique(numbers)).implode()).to_numpy())
        found = asked[seen[places(self.marks[asked], self.lines)]]
        return within(numbers, np.sort(self.said[found]))


def _in_tables(con: Connection, source: str) -> tuple[list[Marks], list[Marks], Marks]:
    """Of the records in the tables themselves: what the current ones say, their own numbers, and, sorted, the numbers
    of those that have a further version."""
    name = str(tables.one(con, "SELECT current_database()"))
    found = con.execute(
        f"""
        SELECT try_cast(split_part(content, '-', 1) AS UBIGINT) AS content, ('0x' || record_id)::UBIGINT AS record,
               version > 1 AS follows,
               content LIKE '% %' OR version < max(version) OVER (PARTITION BY record_id) AS other
        FROM "{name}".main.record WHERE source = ?
        """,
        [source],
    ).fetchnumpy()
    content, record, follows, other = (np.asarray(found[name]) for name in ("content", "record", "follows", "other"))
    return [content[~other.astype(bool)]], [record], np.unique(record[follows.astype(bool)])


def _numbers(con: Connection, wanted: str, columns: int, rows: int) -> list[Marks]:
    """The numbers that a query gives, a column each. They are filled in bit by bit: memory asked for anew is dear."""
    found = [np.empty(rows, dtype=np.uint64) for _ in range(columns)]
    at = 0
    for batch in con.execute(wanted).to_arrow_reader(_AT_ONCE):
        for numbers, column in zip(found, batch.columns, strict=True):
            numbers[at : at + batch.num_rows] = column.to_numpy()
        at += batch.num_rows
    return [numbers[:at] for numbers in found]


def _chosen(marks: Marks, which: NDArray[np.bool_]) -> Marks:
    return marks if which.all() else marks[which]


def _joined(marks: list[Marks]) -> Marks:
    return marks[0] if len(marks) == 1 else np.concatenate([np.empty(0, dtype=np.uint64), *marks])


def _sorted(marks: list[Marks]) -> Marks:
    whole = np.concatenate([np.empty(0, dtype=np.uint64), *marks])
    whole.sort()
    return whole


class Found:
    """Sorted numbers that are hashes, found by their first bits: several times as fast as by halving."""

    def __init__(self, known: Marks) -> None:
        bits = max(len(known), 1).bit_length()
        self._known, self._shift = known, np.uint64(64 - bits)
        counts = np.bincount((known >> self._shift).astype(np.int64), minlength=1 << bits)
        self._starts = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)]).astype(np.uint32)

    def places(self, marks: Marks) -> NDArray[np.int64]:
        """Where each mark stands among the known ones, -1 for those that do not."""
        answer = np.full(len(marks), -1, dtype=np.int64)
        if not len(self._known):
            return answer
        left, place = np.arange(len(marks)), self._starts[(marks >> self._shift).astype(np.int64)].astype(np.int64)
        for _ in range(_MOST_STEPS):
            there = self._known[np.minimum(place, len(self._known) - 1)]
            hit = there == marks
            answer[left[hit]] = place[hit]
            further = (there < marks) & (place < len(self._known) - 1)
            if not further.any():
                return answer
            left, place, marks = left[further], place[further] + 1, marks[further]
        answer[left] = places(marks, self._known)
        return answer


def places(marks: Marks, known: Marks) -> NDArray[np.int64]:
    """Where each mark stands among the known ones, -1 for those that do not. In: known sorted."""
    if not len(known):
        return np.full(len(marks), -1, dtype=np.int64)
    order = np.argsort(marks)  # sorted marks are found several times as fast
    place = np.minimum(np.searchsorted(known, marks[order]), len(known) - 1)
    answer = np.empty(len(marks), dtype=np.int64)
    answer[order] = np.where(known[place] == marks[order], place, -1)
    return answer


def within(marks: Marks, known: Marks) -> NDArray[np.bool_]:
    """Which marks are among the known ones. In: known sorted."""
    found: NDArray[np.bool_] = places(marks, known) >= 0
    return found


def single(marks: Marks) -> NDArray[np.bool_]:
    """Which marks occur but once."""
    return ~within(marks, twice(marks.copy()))


def twice(marks: Marks) -> Marks:
    """The marks that occur more than once, sorted. Sorts its argument in place."""
    marks.sort()
    return np.unique(marks[1:][marks[1:] == marks[:-1]])
