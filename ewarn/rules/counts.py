"""Series: how many, by stratum and period, as it was known when each period closed.

In: the ground. Out: Series, from which the counts of any closed period and the periods before it can be read as they
were known at that close. Each record is placed once. Listed events and aggregated counts are never added up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ewarn.catalogue.definitions import RuleDefinition
from ewarn.rules.prepare import FAR, STRATUM, SUBJECT, VERSION, Ground, known, watched
from ewarn.terms import RecordKind, SubjectKind, day_start, london_day

MONDAY = date(1970, 1, 5)
NEVER = 10**9
MERGED = ("visible_from", "visible_to", "day", "reference_date", "source")


@dataclass(frozen=True)
class Series:
    """Records by stratum and period. `seen` and `gone` are the periods at whose close a record is and is not known.

    `strata` are (subject kind, subject, area, tier); `source` is a number per source, `known_day` the day (from 1970)
    a record became known. `begins`: per close since which it is known, the earliest period of any line of these kinds.
    `looked`: since which close each area of a tier has sent anything of these kinds; `sought`: since which each subject
    was found.
    """

    period_days: int
    strata: list[tuple[str, str, str, str]]
    stratum: NDArray[np.int64]
    period: NDArray[np.int64]
    seen: NDArray[np.int64]
    gone: NDArray[np.int64]
    record: list[str]
    source: NDArray[np.int64]
    known_day: NDArray[np.int64]
    looked: dict[str, NDArray[np.int64]]
    sought: NDArray[np.int64]
    begins: tuple[NDArray[np.int64], NDArray[np.int64]]

    def started(self, close: int) -> int | None:
        """The earliest period of any line of these kinds, as known at a close; None before the first."""
        at = int(np.searchsorted(self.begins[0], close, side="right")) - 1
        return int(self.begins[1][at]) if at >= 0 else None

    def known(self, close: int) -> NDArray[np.int64]:
        """Positions of the records that are known at a close, of periods up to it."""
        return np.flatnonzero((self.seen <= close) & (self.gone > close) & (self.period <= close))

    def tests(self, close: int) -> dict[str, int]:
        """Per tier, how many strata are looked at together at a close: areas that send anything x subjects found."""
        subjects = int((self.sought <= close).sum())
        return {tier: subjects * int((seen <= close).sum()) for tier, seen in self.looked.items()}

    def matrix(self, close: int, length: int) -> NDArray[np.float64]:
        """Counts of the `length` periods up to and including `close`, one row per stratum, as known at that close."""
        inside = (self.seen <= close) & (self.gone > close) & (self.period <= close) & (self.period > close - length)
        cells = self.stratum[inside] * length + (self.period[inside] - close + length - 1)
        return np.bincount(cells, minlength=len(self.strata) * length).reshape(-1, length).astype(float)

    def records(self, close: int, stratum: int, first: int | None = None, last: int | None = None) -> list[str]:
        """Record ids of one stratum and the periods `first` to `last` (default: the close's own), as known then."""
        first, last = close if first is None else first, close if last is None else last
        at = self.known(close)
        inside = (self.stratum[at] == stratum) & (self.period[at] >= first) & (self.period[at] <= last)
        return sorted({self.record[i] for i in at[inside]})

    def arrived(self, close: int, stratum: int) -> tuple[list[str], int, int]:
        """Record ids that became known within the newest period, whatever period they are of; the first, how many."""
        at = self.known(close)
        at = at[(self.stratum[at] == stratum) & (self.seen[at] == close)]
        first = int(self.period[at].min()) if at.size else close
        return sorted({self.record[i] for i in at}), first, close - first + 1

    def last_closed(self, until: datetime) -> int:
        """The last period that had ended by an instant."""
        return period_of(london_day(until), self.period_days) - 1


def period_of(day: date, period_days: int) -> int:
    """Number of the period a day lies in; periods of 7 days are ISO weeks."""
    return (day - MONDAY).days // period_days


def starts_on(period: int, period_days: int) -> date:
    return MONDAY + timedelta(days=period * period_days)


def closed_at(period: int, period_days: int) -> datetime:
    """The instant a period ends: 00:00 Europe/London after its last day."""
    return day_start(starts_on(period + 1, period_days))


def of_lines(rule: RuleDefinition, ground: Ground, period_days: int) -> Series | None:
    """Watched detections by class (samples) or events (incidents), by the reference date's period; None without any.

    Worked out once for all rules that look at the same.
    """
    key = ("series", rule.kinds, rule.subjects, rule.classes, rule.tiers, period_days)
    if key not in ground.shared:
        ground.shared[key] = _of_lines(rule, ground, period_days)
    found: Series | None = ground.shared[key]
    return found


def _of_lines(rule: RuleDefinition, ground: Ground, period_days: int) -> Series | None:
    kinds = [k.value for k in rule.kinds if k is not RecordKind.COUNT]
    versions = ground.of_kinds(kinds)
    if versions.is_empty():
        return None
    tiers = [t.value for t in rule.tiers]
    named = ground.named.filter(pl.col("tier").is_in(tiers))
    rows = subjected(rule, ground).select(*VERSION, *SUBJECT, *MERGED).join(named, on=VERSION)
    merged = known(rows, [*STRATUM, "record_id", "reference_date"], "source")
    if merged.is_empty():
        return None
    merged = merged.with_columns(
        period=period_expr("reference_date", period_days),
        seen=_close("visible_from", period_days),
        gone=pl.when(pl.col("visible_to") < FAR).then(_close("visible_to", period_days)).otherwise(NEVER),
    ).sort(*STRATUM, "period", "record_id")
    strata = merged.select(STRATUM).unique(maintain_order=True).with_row_index("at")
    merged = merged.join(strata, on=STRATUM, maintain_order="left")
    sending = (
        versions.select(*VERSION, "visible_from")
        .join(named, on=VERSION)
        .group_by("tier", "area")
        .agg(pl.col("visible_from").min())
    )
    sending = sending.with_columns(seen=_close("visible_from", period_days))
    return Series(
        period_days=period_days,
        strata=list(strata.select(STRATUM).iter_rows()),
        stratum=merged["at"].cast(pl.Int64).to_numpy(),
        period=merged["period"].to_numpy(),
        seen=merged["seen"].to_numpy(),
        gone=merged["gone"].to_numpy(),
        record=merged["record_id"].to_list(),
        source=merged["source"].rank("dense").cast(pl.Int64).to_numpy() - 1,
        known_day=merged["day"].cast(pl.Int32).cast(pl.Int64).to_numpy(),
        looked={str(tier): rows["seen"].to_numpy() for (tier,), rows in sending.group_by("tier")},
        sought=merged.group_by(SUBJECT).agg(pl.col("seen").min())["seen"].to_numpy(),
        begins=_begins(versions, period_days),
    )


def _begins(versions: pl.DataFrame, period_days: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Closes, ascending, and the earliest period known by each: a late old record makes no history in hindsight."""
    first = versions.group_by(close=_close("visible_from", period_days)).agg(
        period=period_expr("reference_date", period_days).min()
    )
    first = first.drop_nulls().sort("close").with_columns(pl.col("period").cum_min())
    return first["close"].to_numpy(), first["period"].to_numpy()


def subjected(rule: RuleDefinition, ground: Ground) -> pl.DataFrame:
    """Versions of the rule's listed kinds: a row per watched subject found, or one where no subject is asked about."""
    if rule.subjects != "none":
        return watched(rule, ground)
    kinds = [k.value for k in rule.kinds if k is not RecordKind.COUNT]
    return ground.of_kinds(kinds).with_columns(subject_kind=pl.lit(SubjectKind.NONE.value), subject=pl.lit(""))


def period_expr(column: str, period_days: int) -> pl.Expr:
    """Number of the period a day lies in, as `period_of`."""
    return ((pl.col(column) - pl.lit(MONDAY)).dt.total_days() // period_days).cast(pl.Int64)


def _close(column: str, period_days: int) -> pl.Expr:
    """The first period whose close is at or after an instant."""
    day = (pl.col(column) - pl.duration(microseconds=1)).dt.convert_time_zone("Europe/London").dt.date()
    return ((day - pl.lit(MONDAY)).dt.total_days() // period_days).cast(pl.Int64)


@dataclass(frozen=True)
class Cells:
    """One aggregated series: its cells by period, each version with the known time it stood (UTC microseconds).

    A cell's first day is MONDAY + `offset` + period x period_days days.
    """

    subject: str
    area: str
    tier: str
    period_days: int
    max_age_days: int
    offset: int
    period: NDArray[np.int64]
    value: NDArray[np.float64]
    suppressed: NDArray[np.bool_]
    seen: NDArray[np.int64]
    gone: NDArray[np.int64]
    record: list[str]

    def as_known(self, tau: int, period: int, length: int) -> NDArray[np.float64]:
        """The `length` periods up to `period` as known at an instant; not a number where missing or suppressed."""
        found = np.full(length, np.nan)
        inside = (self.seen <= tau) & (self.gone > tau) & (self.period > period - length) & (self.period <= period)
        found[self.period[inside] - period + length - 1] = self.value[inside]
        return found

    def first_known(self, tau: int) -> int:
        """The series' first period, as known at an instant."""
        return int(self.period[self.seen <= tau].min())

    def records(self, tau: int, period: int, length: int) -> list[str]:
        """The cells of the `length` periods up to `period`, as known at an instant."""
        inside = (self.seen <= tau) & (self.gone > tau) & (self.period > period - length) & (self.period <= period)
        return sorted({self.record[i] for i in np.flatnonzero(inside)})


def of_cells(rule: RuleDefinition, ground: Ground) -> list[Cells]:
    """Aggregated series of the rule's tiers, one per source, organisation, indicator, area and length of period.

    Periods are counted from the series' own first date, so that weeks starting on Saturday stay whole.
    """
    tiers = [t.value for t in rule.tiers]
    rows = ground.counts.filter(pl.col("tier").is_in(tiers) & (pl.col("period_days") > 0))
    over = ["source", "organisation", "indicator", "area", "tier", "period_days"]
    cells = []
    for key, frame in (
        rows.sort(*over, "reference_date", "version").partition_by(over, maintain_order=True, as_dict=True).items()
    ):
        start, length = frame["reference_date"][0], int(key[5])
        offset = (start - MONDAY).days % length
        number = ((pl.col("reference_date") - pl.lit(MONDAY)).dt.total_days() - offset) // length
        cells.append(
            Cells(
                subject=str(key[2]),
                area=str(key[3]),
                tier=str(key[4]),
                period_days=length,
                max_age_days=int(frame["max_age_days"].fill_null(180).max()),  # type: ignore[arg-type]
                offset=offset,
                period=frame.select(number).to_series().cast(pl.Int64).to_numpy(),
                value=frame["value"].cast(pl.Float64).fill_null(float("nan")).to_numpy(),
                suppressed=frame["suppressed"].fill_null(False).to_numpy(),
                seen=frame["visible_from"].dt.epoch("us").to_numpy(),
                gone=frame["visible_to"].dt.epoch("us").to_numpy(),
                record=frame["record_id"].to_list(),
            )
        )
    return cells
