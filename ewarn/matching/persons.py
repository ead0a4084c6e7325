"""How many persons a set of reports can be, at least and at most, and which reports may speak of the same ones.

In: reports of events, one row each, and what people have said of pairs of them. Out: fewest and most persons, and the
pairs with the reason. Reports are never merged: a pair that may be one lowers the fewest, only a pair that a person
confirmed lowers the most. Must never say more than the persons there are as the fewest, nor fewer as the most.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ewarn.matching.apart import heaviest
from ewarn.terms import LONDON, RecordKind

MINUTE = 60 * 1_000_000
DAY = 24 * 60 * MINUTE
# How much later a service may say that the same collapse was than one that spoke of it earlier.
NEAR = 30 * MINUTE
LATER = {
    "emergency department": 3 * 60 * MINUTE,
    "hospital": 3 * 60 * MINUTE,
    "post-mortem": DAY,
    "coroner": DAY,
}
UNSAID = ("", "other")
CHUNK = 2_000_000

Pair = tuple[int, int]


@dataclass(frozen=True)
class Reports:
    """Reports of events, one element each. Instants in microseconds UTC; codes are -1 where not stated.

    `start` and `end` bound when it happened (equal where timed), `until` what a running total may hold; `areas` one
    bit for every borough it could be in, all of them where none is known; `later` how much after another service this
    one may place the same event; `single` false for what is not a report of persons (a sample).
    """

    record: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    until: NDArray[np.int64]
    persons: NDArray[np.float64]
    cumulative: NDArray[np.bool_]
    fatal: NDArray[np.bool_]
    stream: NDArray[np.int64]
    organisation: NDArray[np.int64]
    setting: NDArray[np.int64]
    place: NDArray[np.int64]
    areas: NDArray[np.uint64]
    later: NDArray[np.int64]
    single: NDArray[np.bool_]

    def at(self, index: NDArray[np.int64]) -> Self:
        return type(self)(**{name: getattr(self, name)[index] for name in self.__dataclass_fields__})

    def __len__(self) -> int:
        return int(self.start.size)


class Said(NamedTuple):
    """What people said of pairs of records, as codes: these are the same persons, those are not."""

    same: frozenset[Pair] = frozenset()
    apart: frozenset[Pair] = frozenset()


NOTHING = Said()


class Link(NamedTuple):
    """Two reports that may speak of the same persons, and why; positions in the frame given."""

    left: int
    right: int
    kind: str
    rule: str
    reason: str


def told(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines (frames.SHAPES) with `day` (London day known) and `areas`, as the rows that `reports` reads.

    `start`, `end` and `until` are the instant, or the first and last second of the London days. A running total without
    a last day may hold what happened up to the day it was known. Where no organisation is stated the source stands for
    it; only incidents are reports of persons.
    """
    opens = pl.col("reference_date").cast(pl.Datetime("us")).dt.replace_time_zone("Europe/London").dt.epoch("us")
    end_day = pl.max_horizontal("reference_date", pl.col("reference_end").fill_null(pl.col("reference_date")))
    exact = pl.col("reference_at").dt.epoch("us")
    one_day = pl.col("reference_end").is_null() | (pl.col("reference_end") <= pl.col("reference_date"))
    end = pl.when(one_day).then(exact).fill_null(_last(end_day))
    known = pl.max_horizontal("reference_date", "day")
    total = pl.when(pl.col("reference_end").is_null()).then(_last(known)).otherwise(_last(end_day))
    cumulative = pl.col("cumulative").fill_null(False)
    return lines.with_columns(
        start=exact.fill_null(opens),
        end=end,
        until=pl.when(cumulative).then(total).otherwise(end),
        persons=pl.col("persons").fill_null(1).clip(1),
        cumulative=cumulative,
        fatal=pl.col("outcome").fill_null("") == "fatal",
        organisation=pl.coalesce("organisation", "source"),
        single=pl.col("kind") == RecordKind.INCIDENT,
    )


def _last(day: pl.Expr) -> pl.Expr:
    """The last second of a London day."""
    after = (day + pl.duration(days=1)).cast(pl.Datetime("us")).dt.replace_time_zone("Europe/London")
    return after.dt.epoch("us") - 1_000_000


def columns(rows: pl.DataFrame) -> dict[str, NDArray[np.generic]]:
    """The arrays of Reports from rows with record_id, start, end, until, persons, cumulative, fatal, stream,
    organisation, setting, place_label, areas (codes set apart by spaces) and single."""

    def codes(column: str) -> NDArray[np.int64]:
        words = pl.col(column).str.to_lowercase()
        said = pl.when(~words.is_in(UNSAID)).then(words) if column != "stream" else words
        return rows.select(said.rank("dense").cast(pl.Int64).fill_null(-1)).to_series().to_numpy()

    later = pl.col("stream").replace_strict(LATER, default=NEAR, return_dtype=pl.Int64)
    return {
        "record": rows["record_id"].rank("dense").cast(pl.Int64).to_numpy(),
        **{name: rows[name].to_numpy() for name in ("start", "end", "until", "cumulative", "fatal", "single")},
        "persons": rows["persons"].cast(pl.Float64).to_numpy(),
        "stream": codes("stream"),
        "organisation": codes("organisation"),
        "setting": codes("setting"),
        "place": codes("place_label"),
        "areas": _bits(rows["areas"].fill_null("")),
        "later": rows.select(later).to_series().to_numpy(),
    }


def _bits(areas: pl.Series) -> NDArray[np.uint64]:
    """One row of bits per report, one bit per area; a report that names none could be in any."""
    flat = pl.DataFrame({"areas": areas}).with_row_index("row")
    flat = flat.with_columns(pl.col("areas").str.split(" ")).explode("areas").filter(pl.col("areas") != "")
    number = flat["areas"].rank("dense").cast(pl.Int64).to_numpy() - 1
    row = flat["row"].to_numpy()
    words = int(number.max(initial=0)) // 64 + 1
    bits = np.zeros((areas.len(), words), dtype=np.uint64)
    np.bitwise_or.at(bits, (row, number // 64), np.uint64(1) << (number % 64).astype(np.uint64))
    bits[~bits.any(axis=1)] = ~np.uint64(0)
    return bits


def reports(rows: pl.DataFrame) -> Reports:
    return Reports(**columns(rows))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Pairs:
    """Positions of reports that may speak of the same persons, left below right, sorted."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]

    def among(self, members: NDArray[np.int64], size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The pairs within some of the reports, as positions among those."""
        if not self.left.size or not members.size:
            return self.left[:0], self.right[:0]
        low, high = np.searchsorted(self.left, [members.min(), members.max() + 1])
        local = np.full(size, -1, dtype=np.int64)
        local[members] = np.arange(members.size)
        left, right = local[self.left[low:high]], local[self.right[low:high]]
        inside = (left >= 0) & (right >= 0)
        return left[inside], right[inside]


def pairs(given: Reports) -> Pairs:
    """Every pair of reports that may speak of the same persons. Row order plays no part in which records pair."""
    order = np.lexsort((given.record, given.start))
    start = given.start[order]
    reach = np.maximum(given.end, np.where(given.cumulative, given.until, given.end))[order]
    slack = int(given.later.max(initial=NEAR))
    last = np.searchsorted(start, reach + slack, side="right")
    counts = np.maximum(0, last - np.arange(1, len(given) + 1))
    found: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    bounds_of = np.concatenate([[0], np.cumsum(counts)])
    cut = 0
    while cut < len(given):
        upto = max(cut + 1, int(np.searchsorted(bounds_of, bounds_of[cut] + CHUNK, side="right")) - 1)
        here = np.arange(cut, upto)
        first = np.repeat(here, counts[here])
        offset = np.arange(first.size) - np.repeat(bounds_of[here] - bounds_of[cut], counts[here])
        a, b = order[first], order[first + 1 + offset]
        one = _may_be_one(given, a, b)
        found.append((np.minimum(a[one], b[one]), np.maximum(a[one], b[one])))
        cut = upto
    left = np.concatenate([f[0] for f in found]) if found else np.zeros(0, dtype=np.int64)
    right = np.concatenate([f[1] for f in found]) if found else np.zeros(0, dtype=np.int64)
    by = np.lexsort((right, left))
    return Pairs(left[by], right[by])


def shown(given: Reports, found: Pairs) -> Pairs:
    """Of these pairs those with something to show for it: two times that fit, one named place, or a running total.

    Two services that name the same day and no more may speak of the same person, but nothing says that they do.
    """
    a, b = found.left, found.right
    timed = (given.start[a] == given.end[a]) & (given.start[b] == given.end[b])
    one_place = (given.place[a] >= 0) & (given.place[a] == given.place[b])
    total = given.cumulative[a] | given.cumulative[b]
    kept = timed | one_place | total | (given.record[a] == given.record[b])
    return Pairs(a[kept], b[kept])


def _may_be_one(given: Reports, a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the reports at `a` may speak of persons that those at `b`, which begin no earlier, speak of too."""
    same = given.record[a] == given.record[b]
    total = given.cumulative[a] | given.cumulative[b]
    others = (given.stream[a] != given.stream[b]) & (given.organisation[a] != given.organisation[b])
    others &= (given.stream[a] >= 0) & (given.stream[b] >= 0)
    one: NDArray[np.bool_] = (total | others) & given.single[a] & given.single[b] & _in_time(given, a, b, total)
    for where in (given.setting, given.place):
        one &= (where[a] < 0) | (where[b] < 0) | (where[a] == where[b])
    at = np.flatnonzero(one)
    one[at] = (given.areas[a[at]] & given.areas[b[at]]).any(axis=1)
    return np.asarray(one | same, dtype=np.bool_)


def _in_time(given: Reports, a: NDArray[np.int64], b: NDArray[np.int64], total: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether `b` begins soon enough after `a` ends. Two rows without a time must name the same day."""
    gap = given.start[b] - np.where(given.cumulative[a], given.until[a], given.end[a])
    one_each = (given.persons[a] <= 1) & (given.persons[b] <= 1) & ~total
    alive_after = one_each & given.fatal[a] & ~given.fatal[b]
    allowed = np.where(alive_after, NEAR, given.later[b])
    dated = (given.start[a] < given.end[a]) & (given.start[b] < given.end[b]) & ~total
    allowed = np.where(dated & (allowed < DAY), 0, allowed)
    return np.asarray(gap <= allowed, dtype=np.bool_)


def bounds(
    given: Reports,
    linked: Pairs,
    members: NDArray[np.int64] | None = None,
    weights: NDArray[np.float64] | None = None,
    said: Said = NOTHING,
) -> tuple[int, int]:
    """Fewest and most persons in some of the reports (default: all).

    Fewest: the largest sum over reports of which no two may speak of the same persons; any such sum is sound. Most: all
    added up, less what people confirmed to be the same. `weights` stand for the persons in the fewest alone.
    """
    members = np.arange(len(given)) if members is None else members
    if not members.size:
        return 0, 0
    record = given.record[members]
    persons = given.persons[members]
    left, right = _as_said(record, *linked.among(members, len(given)), said)
    fewest = heaviest((persons if weights is None else weights).astype(int).tolist(), left, right)
    totals: dict[int, int] = {}
    for code, number in zip(record.tolist(), persons.astype(int).tolist(), strict=True):
        totals[code] = max(totals.get(code, 0), number)
    return fewest, max(fewest, _most(totals, said.same))


def count(rows: pl.DataFrame, said: pl.DataFrame) -> tuple[int, int]:
    """Fewest and most persons of the rows of `told`, one per record; `said` holds what stands, as `line_links`."""
    given = reports(rows)
    return count_of(given, dict(zip(rows["record_id"].to_list(), given.record.tolist(), strict=True)), said)


def count_of(given: Reports, code: Mapping[str, int], said: pl.DataFrame) -> tuple[int, int]:
    """As `count`, of reports whose records have these codes."""
    stand: dict[str, set[Pair]] = {"confirmed": set(), "rejected": set()}
    for left, right, state in said.select("left", "right", "state").iter_rows():
        if left in code and right in code:
            stand[state].add(_pair(code[left], code[right]))
    return bounds(given, pairs(given), said=Said(frozenset(stand["confirmed"]), frozenset(stand["rejected"])))


def _as_said(
    record: NDArray[np.int64], left: NDArray[np.int64], right: NDArray[np.int64], said: Said
) -> tuple[list[int], list[int]]:
    """The pairs without those a person rejected, and with those a person confirmed."""
    if not said.same and not said.apart:
        return left.tolist(), right.tolist()
    at: dict[int, list[int]] = {}
    for position, code in enumerate(record.tolist()):
        at.setdefault(code, []).append(position)
    kept = {
        (i, j)
        for i, j in zip(left.tolist(), right.tolist(), strict=True)
        if _pair(int(record[i]), int(record[j])) not in said.apart
    }
    kept |= {_pair(i, j) for one, two in said.same for i in at.get(one, ()) for j in at.get(two, ())}
    chosen = sorted(kept)
    return [i for i, _ in chosen], [j for _, j in chosen]


def _pair(one: int, two: int) -> Pair:
    return (one, two) if one < two else (two, one)


def _most(totals: dict[int, int], same: Collection[Pair]) -> int:
    """All persons, less those that confirmed links tell of twice: the heaviest forest of links, each once."""
    top = {code: code for code in totals}

    def root(code: int) -> int:
        while top[code] != code:
            code = top[code]
        return code

    most = sum(totals.values())
    shared = [(min(totals[a], totals[b]), a, b) for a, b in same if a in totals and b in totals and a != b]
    for number, a, b in sorted(shared, key=lambda link: (-link[0], link[1], link[2])):
        one, two = root(a), root(b)
        if one != two:
            top[one] = two
            most -= number
    return most


def links(rows: pl.DataFrame) -> list[Link]:
    """Every pair of two records that may speak of the same persons, with its kind, its rule and why, by record id.

    In: the rows of `reports`, one per record. A reason names services, times and kinds of setting, never a place.
    """
    ordered = rows.with_row_index("at").sort("record_id")
    given = reports(ordered)
    found = pairs(given)
    at = ordered["at"].to_list()
    words = ordered.select("stream", "setting", "place_label").to_dicts()
    return [
        Link(at[i], at[j], *_kind(given, i, j), _reason(given, words, i, j))
        for i, j in zip(found.left.tolist(), found.right.tolist(), strict=True)
        if given.record[i] != given.record[j]
    ]


def _kind(given: Reports, i: int, j: int) -> tuple[str, str]:
    if given.cumulative[i] and given.cumulative[j]:
        return "overlap", "two running totals whose days overlap"
    if given.cumulative[i] or given.cumulative[j]:
        return "contained", "an event within the days of a running total"
    dated = [bool(given.start[k] < given.end[k]) for k in (i, j)]
    a, b = (i, j) if given.start[i] <= given.start[j] else (j, i)
    gap = int(given.start[b] - given.end[a])
    if all(dated):
        return "duplicate", "the same day, no times" if gap <= 0 else "a death recorded a day later"
    if any(dated):
        return "duplicate", "a time on or beside a day without a time"
    if gap <= NEAR:
        return "duplicate", "within 30 minutes"
    return "duplicate", "a death recorded within a day" if given.later[b] == DAY else "an arrival within 3 hours"


def _reason(given: Reports, words: Sequence[dict[str, str | None]], i: int, j: int) -> str:
    first, second = sorted((i, j), key=lambda k: (int(given.start[k]), int(given.record[k])))
    streams = f"{words[first]['stream'] or 'other'} and {words[second]['stream'] or 'other'}"
    parts = [streams, f"{_when(given, first)} and {_when(given, second)}"]
    if words[i]["place_label"] and words[i]["place_label"] == words[j]["place_label"]:
        parts.append("the same premises")
    elif given.setting[i] >= 0 and given.setting[i] == given.setting[j]:
        parts.append(f"both in a setting of the kind '{words[i]['setting']}'")
    else:
        parts.append("nothing stated tells the places apart")
    return "; ".join(parts)


def _when(given: Reports, i: int) -> str:
    start, end = (
        (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(instant))).astimezone(LONDON)
        for instant in (given.start[i], given.end[i])
    )
    if given.cumulative[i]:
        days = f"{start:%-d %b %Y}" if start.date() == end.date() else f"{start:%-d %b} to {end:%-d %b %Y}"
        return f"a total of {int(given.persons[i])} for {days}"
    return f"{start:%-d %b %Y %H:%M}" if start == end else f"{start:%-d %b %Y} without a time"
