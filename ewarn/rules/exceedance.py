"""Exceedance: a count above its upper bound, judged once for every closed period.

In: the ground, and a rule whose method sets the bound (EARS or Farrington). Out: spells of one period's length, from
the close of the period (listed lines) or from the cell becoming known (aggregated counts), and what had no answer.
Only the periods asked for are judged, and those before while the episode that stands goes on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ewarn.catalogue.definitions import RuleDefinition
from ewarn.frames import SHAPES
from ewarn.rules import counts, ears, farrington
from ewarn.rules.counts import MONDAY, Cells, Series
from ewarn.rules.prepare import Ground, day_text, number, place, plural, words
from ewarn.terms import NotEvaluable, RecordKind, SubjectKind

EPISODE_DAYS = 28
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Verdict:
    """One stratum's newest period: its bound, or the reason there is none."""

    expected: float = 0.0
    upper: float = 0.0
    p_value: float | None = None
    reason: str = ""


Judge = Callable[[NDArray[np.float64]], list[Verdict]]


def spells(rule: RuleDefinition, ground: Ground, since: datetime | None) -> tuple[pl.DataFrame, list[NotEvaluable]]:
    """Spells of exceedances and, for the newest period, the strata without an answer and why.

    Numbers: `period` day | week; `min_observed`; EARS `z` 3.09, `min_sigma`; Farrington `alpha` .005, `years` 5.
    """
    judge, length = _judge(rule)
    since = since or ground.until
    if RecordKind.COUNT in rule.kinds:
        return _of_cells(rule, ground, since, judge, length)
    period_days = 1 if words(rule, "period", "week") == "day" else 7
    series = counts.of_lines(rule, ground, period_days)
    if series is None:
        return _framed([]), [_unanswered(rule, "no lines of this kind are known", 1, [])]
    return _of_lines(rule, ground, series, since, judge, length)


def _judge(rule: RuleDefinition) -> tuple[Judge, int]:
    """How the method judges a matrix (strata x periods), and how many periods it looks at."""
    if rule.method == "ears":
        z, sigma = number(rule, "z", 3.09), number(rule, "min_sigma", 0.5)
        return lambda matrix: _by_ears(matrix, z, sigma), ears.NEEDED
    years, alpha = int(number(rule, "years", 5)), number(rule, "alpha", 0.005)
    return lambda matrix: _by_farrington(matrix, years, alpha), farrington.history_needed(years) + 1


def _by_ears(matrix: NDArray[np.float64], z: float, sigma: float) -> list[Verdict]:
    if matrix.shape[1] < ears.NEEDED:
        return [Verdict(reason=f"fewer than {ears.NEEDED} closed periods of history")] * matrix.shape[0]
    found = ears.bounds(matrix, z, sigma)
    used = matrix[:, -ears.NEEDED :][:, [*range(ears.BASELINE), -1]]
    gaps: list[bool] = [bool(row.any()) for row in np.isnan(used)]
    return [
        Verdict(reason="suppressed or missing cells") if gap else Verdict(float(mean), float(upper))
        for mean, upper, gap in zip(found.expected, found.upper, gaps, strict=True)
    ]


def _by_farrington(matrix: NDArray[np.float64], years: int, alpha: float) -> list[Verdict]:
    verdicts = []
    for row in matrix:
        found = farrington.bound(row, years=years, alpha=alpha)
        if isinstance(found, str):
            verdicts.append(Verdict(reason=found))
        else:
            verdicts.append(Verdict(found.expected, found.upper, found.p_value))
    return verdicts


# ---------------------------------------------------------------- listed lines


def _of_lines(
    rule: RuleDefinition, ground: Ground, series: Series, since: datetime, judge: Judge, length: int
) -> tuple[pl.DataFrame, list[NotEvaluable]]:
    newest = series.last_closed(ground.until)
    needed = series.last_closed(since)
    reach = -(-EPISODE_DAYS // series.period_days) + 1
    rows: list[dict[str, Any]] = []
    period, verdicts = newest, None
    earliest_firing = newest + reach + 1
    while period >= series.first_period and (period >= needed - 1 or period >= earliest_firing - reach):
        judged = judge(series.matrix(period, min(length, period - series.first_period + 1)))
        verdicts = verdicts or judged
        fired = _fired(rule, ground, series, period, judged)
        if fired:
            earliest_firing = period
        rows += fired
        period -= 1
    if verdicts is None:
        verdicts = [Verdict(reason="no period has closed since the first line")] * len(series.strata)
    return _framed(rows), _reasons(rule, verdicts, [s[2] for s in series.strata])


def _fired(
    rule: RuleDefinition, ground: Ground, series: Series, period: int, judged: Sequence[Verdict]
) -> list[dict[str, Any]]:
    observed = series.matrix(period, 1)[:, 0]
    least = number(rule, "min_observed", 3)
    rows = []
    for i, verdict in enumerate(judged):
        if verdict.reason or observed[i] < least or observed[i] <= verdict.upper:
            continue
        closed = counts.closed_at(period, series.period_days)
        kind, subject, area, tier = series.strata[i]
        start = counts.starts_on(period, series.period_days)
        rows.append(
            _spell(rule, ground, (kind, subject, area, tier), observed[i], verdict, start, series.period_days)
            | {
                "fires_from": closed,
                "fires_to": counts.closed_at(period + 1, series.period_days),
                "records": series.records(period, i),
            }
        )
    return rows


# ---------------------------------------------------------------- aggregated counts


def _of_cells(
    rule: RuleDefinition, ground: Ground, since: datetime, judge: Judge, length: int
) -> tuple[pl.DataFrame, list[NotEvaluable]]:
    wanted = 7 if words(rule, "period", "week") == "week" else 1
    rows: list[dict[str, Any]] = []
    newest: list[Verdict] = []
    areas = []
    for cells in counts.of_cells(rule, ground):
        if cells.period_days != wanted:
            continue
        found, last = _series(rule, ground, cells, since, judge, length)
        rows += found
        newest.append(last)
        areas.append(cells.area)
    missing = [] if newest else [_unanswered(rule, "no counts of this kind are known", 1, [])]
    return _framed(rows), missing + _reasons(rule, newest, areas)


def _series(
    rule: RuleDefinition, ground: Ground, cells: Cells, since: datetime, judge: Judge, length: int
) -> tuple[list[dict[str, Any]], Verdict]:
    """The series' exceedances, newest first, back to `since` and on while the episode goes on."""
    begin = _microseconds(since) - cells.period_days * 86_400_000_000
    reach = (EPISODE_DAYS + cells.period_days) * 86_400_000_000
    first_period = int(cells.period.min())
    earliest, newest = 2**62, None
    rows: list[dict[str, Any]] = []
    for i in np.lexsort((cells.period, cells.seen))[::-1]:
        tau, period = int(cells.seen[i]), int(cells.period[i])
        if newest and tau < begin and tau < earliest - reach:
            break
        verdict = judge(cells.as_known(tau, period, min(length, period - first_period + 1))[None, :])[0]
        newest = newest or verdict
        least = number(rule, "min_observed", 3)
        if verdict.reason or not cells.value[i] > verdict.upper or cells.value[i] < least or _late(cells, tau, period):
            continue
        earliest = tau
        rows.append(_cell_spell(rule, ground, cells, int(i), verdict))
    return rows, newest or Verdict(reason="no cells")


def _start(cells: Cells, period: int) -> int:
    """Days from MONDAY to a cell's first day."""
    return cells.offset + period * cells.period_days


def _late(cells: Cells, tau: int, period: int) -> bool:
    known = (EPOCH + timedelta(microseconds=tau)).date() - MONDAY
    return known.days - _start(cells, period) > cells.max_age_days


def _cell_spell(rule: RuleDefinition, ground: Ground, cells: Cells, i: int, verdict: Verdict) -> dict[str, Any]:
    start = MONDAY + timedelta(days=_start(cells, int(cells.period[i])))
    known = EPOCH + timedelta(microseconds=int(cells.seen[i]))
    until = known + timedelta(days=cells.period_days)
    gone = min(int(cells.gone[i]), _microseconds(until))
    stratum = (SubjectKind.KEY.value, slug(cells.subject), cells.area, cells.tier)
    return _spell(rule, ground, stratum, float(cells.value[i]), verdict, start, cells.period_days) | {
        "fires_from": known,
        "fires_to": EPOCH + timedelta(microseconds=gone),
        "records": [cells.record[i]],
    }


# ---------------------------------------------------------------- both


def _spell(
    rule: RuleDefinition,
    ground: Ground,
    stratum: tuple[str, str, str, str],
    observed: float,
    verdict: Verdict,
    start: Any,
    period_days: int,
) -> dict[str, Any]:
    kind, subject, area, tier = stratum
    listed = subject and kind != SubjectKind.KEY
    name = ground.catalogue.name_of(subject) if listed else subject.replace("-", " ")
    what = f"{name[:1].upper()}{name[1:]}: {observed:g}" if name else plural(observed, "event")
    length = "the week of" if period_days == 7 else "the period from" if period_days > 1 else ""
    return {
        "rule": rule.id,
        "subject_kind": kind,
        "subject": subject,
        "area": area,
        "tier": tier,
        "period_start": start,
        "period_end": start + timedelta(days=period_days - 1),
        "observed": float(observed),
        "expected": round(verdict.expected, 4),
        "upper_bound": round(verdict.upper, 4),
        "p_value": verdict.p_value,
        "why": f"{what} in {place(ground.catalogue, area)}, {length} {day_text(start)}: "
        f"{verdict.expected:.3g} expected, upper bound {verdict.upper:.3g}.".replace(",  ", ", "),
        "would_have_stopped_it": f"A count of {verdict.upper:.3g} or fewer, "
        f"or fewer than {number(rule, 'min_observed', 3):g}.",
    }


def _reasons(rule: RuleDefinition, verdicts: Sequence[Verdict], areas: Sequence[str]) -> list[NotEvaluable]:
    """One entry per reason, with how many strata it holds for."""
    by_reason: dict[str, list[str]] = {}
    for verdict, area in zip(verdicts, areas, strict=True):
        if verdict.reason:
            by_reason.setdefault(verdict.reason, []).append(area)
    return [_unanswered(rule, reason, len(found), found) for reason, found in sorted(by_reason.items())]


def _unanswered(rule: RuleDefinition, reason: str, strata: int, areas: Sequence[str]) -> NotEvaluable:
    first = tuple(sorted(set(areas))[:5])
    return NotEvaluable(rule=rule.id, family=rule.family, reason=reason, strata=strata, areas=first)


def slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _microseconds(instant: datetime) -> int:
    return int((instant - EPOCH) / timedelta(microseconds=1))


def _framed(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SHAPES["spells"])
