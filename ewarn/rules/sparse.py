"""Sparse maps: has any borough, or group of near boroughs, had more of late than the whole map leads one to expect?

In: the ground and a rule. Out: spells of one week's length from the close of a week, one per window that stands, and
what had no answer. One map per region and subject, its boroughs judged together by the empirical-Bayes scan, from the
first week on: while there are fewer than 20 weeks, what a borough may expect comes from its parent (the region, and for
a substance its class) as known at the close. Where that scan speaks, the permutation scan is asked beside it, and the
signal says whether both agree. Never a third probability, and never a map of one area.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ewarn.catalogue.definitions import RuleDefinition
from ewarn.methods import agreement, sparse_scan
from ewarn.methods.discovery import q_values
from ewarn.methods.gamma_poisson import LEAST_WEEKS, TREND_WEEKS, Prior
from ewarn.methods.sparse_scan import SparseScan, SparseWindow
from ewarn.rules import counts, maps
from ewarn.rules.counts import Series
from ewarn.rules.exceedance import looked_back
from ewarn.rules.maps import Map
from ewarn.rules.prepare import Ground, number, place
from ewarn.rules.raised import Found, framed, spell, unanswered
from ewarn.terms import NotEvaluable, SubjectKind, Tier

EPISODE_DAYS = 28
REACH = -(-EPISODE_DAYS // 7) + 1
ENOUGH = LEAST_WEEKS + max(TREND_WEEKS)
HALF_A_CASE = 0.5
Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sheet:
    """One region's maps: which stratum of the series each subject's borough is, -1 where it never had a record."""

    drawn: Map
    subjects: list[tuple[str, str]]
    strata: NDArray[np.int64]

    def counted(self, matrix: Vector) -> Vector:
        """maps x areas x weeks; what never had a record is zero."""
        padded = np.vstack([matrix, np.zeros((1, matrix.shape[1]))])
        return np.asarray(padded[self.strata])


def spells(rule: RuleDefinition, ground: Ground, since: datetime | None) -> tuple[pl.DataFrame, list[NotEvaluable]]:
    """Spells of windows of boroughs and weeks.

    Numbers: `alpha` .005 a map and week; `weeks` 104 looked at; `most_areas` 5 in one window; `min_observed` 3;
    `prior_weeks` 8, what the parent's mean is worth while history is short; `q` besides alpha, over a close's maps.
    """
    by_borough = rule.model_copy(update={"tiers": (Tier.BOROUGH,)})
    series = counts.of_lines(by_borough, ground, 7)
    if series is None:
        return framed([]), [unanswered(rule, "no lines of this kind are known")]
    sheets = list(_sheets(rule, ground, series))
    newest, needed = series.last_closed(ground.until), series.last_closed(since or ground.until)
    period, earliest, rows = newest, newest + REACH + 1, []
    reasons: list[NotEvaluable] | None = None
    judged = looked_back(rule, ground)
    while period >= needed - 1 or period >= earliest - REACH:
        started = series.started(period)
        if started is None or period < started:
            break
        if period not in judged:
            judged[period] = _at_close(rule, ground, series, sheets, period, started)
        found, missing = judged[period]
        reasons = missing if reasons is None else reasons
        earliest = period if found else earliest
        rows += found
        period -= 1
    if reasons is None:
        reasons = [unanswered(rule, "no period has closed since the first line", len(sheets))]
    return framed(rows), reasons


def _sheets(rule: RuleDefinition, ground: Ground, series: Series) -> Iterator[Sheet]:
    """The regions from which any borough has something, each with every subject found anywhere."""
    at = {stratum[:3]: row for row, stratum in enumerate(series.strata)}
    subjects = sorted({stratum[:2] for stratum in series.strata})
    parents = dict(ground.catalogue.areas.select("code", "parent").iter_rows())
    for region in sorted({parents[stratum[2]] for stratum in series.strata}):
        drawn = maps.of_region(ground.catalogue, region, int(number(rule, "most_areas", 5)))
        if len(drawn.areas) > 1:
            rows = [[at.get((*subject, area), -1) for area in drawn.areas] for subject in subjects]
            yield Sheet(drawn, subjects, np.array(rows, dtype=np.int64))


def _at_close(
    rule: RuleDefinition, ground: Ground, series: Series, sheets: list[Sheet], period: int, started: int
) -> tuple[list[dict[str, Any]], list[NotEvaluable]]:
    """All maps that had anything by this close. What was not known then is on none of them."""
    length = min(int(number(rule, "weeks", 104)), period - started + 1)
    matrix, alpha = series.matrix(period, length), number(rule, "alpha", 0.005)
    asked = []
    for sheet in sheets:
        table = sheet.counted(matrix)
        prior = _prior(rule, ground, sheet, table) if length < ENOUGH else None
        scan = sparse_scan.scan(table, sheet.drawn.zones, prior, alpha=alpha)
        known = np.flatnonzero(_known(series, sheet, period)).tolist()
        asked += [_Asked(sheet, which, table[which], prior, scan, period) for which in known]
    p_value = np.array([one.p_value for one in asked])
    tests = int(np.isfinite(p_value).sum())
    q = q_values(p_value) if "q" in rule.numbers else None
    passed = p_value <= alpha if q is None else (p_value <= alpha) & (q <= number(rule, "q", 1))
    rows: list[dict[str, Any]] = []
    for at in np.flatnonzero(passed).tolist():
        told = None if q is None else (float(q[at]), int(passed.sum()))
        rows += _rows(rule, ground, series, asked[at], tests, told, alpha)
    return rows, _missing(rule, asked)


def _known(series: Series, sheet: Sheet, period: int) -> NDArray[np.bool_]:
    """Which maps had any record by a close."""
    first = np.full(len(series.strata) + 1, counts.NEVER)
    np.minimum.at(first, series.stratum, series.seen)
    return np.asarray((first[sheet.strata] <= period).any(axis=1))


def _prior(rule: RuleDefinition, ground: Ground, sheet: Sheet, table: Vector) -> Prior:
    """The mean a borough and week of each map's parent: its class's map for a substance, else its own region's.

    The newest eight weeks are not the past while there is any other; half a case is added, so that a map without a case
    can have one.
    """
    past = table[:, :, : max(1, table.shape[2] - max(TREND_WEEKS))]
    parent = []
    for kind, subject in sheet.subjects:
        class_id = ground.catalogue.class_of.get(subject, subject)
        same = [n for n, (_, s) in enumerate(sheet.subjects) if ground.catalogue.class_of.get(s, s) == class_id]
        whole = [n for n in same if sheet.subjects[n][0] == SubjectKind.CLASS] if kind == SubjectKind.SUBSTANCE else []
        parent.append(whole[0] if whole else sheet.subjects.index((kind, subject)))
    mean = (past.sum(axis=(1, 2)) + HALF_A_CASE) / (past.shape[1] * past.shape[2])
    return Prior(mean[np.array(parent)], number(rule, "prior_weeks", 8))


@dataclass(frozen=True, eq=False)
class _Asked:
    """One map at a close: its counts, what its parent said, what the scan of its region's maps says of it."""

    sheet: Sheet
    which: int
    table: Vector
    prior: Prior | None
    scan: SparseScan
    period: int

    @property
    def p_value(self) -> float:
        return float(self.scan.p_value[self.which])

    @property
    def own_prior(self) -> Prior | None:
        if self.prior is None:
            return None
        return replace(self.prior, mean=np.asarray(self.prior.mean)[[self.which]])


def _rows(
    rule: RuleDefinition,
    ground: Ground,
    series: Series,
    spoke: _Asked,
    tests: int,
    q: tuple[float, int] | None,
    alpha: float,
) -> list[dict[str, Any]]:
    """A spell for every window of the map that stands and holds enough."""
    both = agreement.both(spoke.table, spoke.sheet.drawn.zones, alpha=0.05, prior=spoke.own_prior)
    rows = []
    for window in spoke.scan.windows[spoke.which]:
        if window.p_value > alpha or window.observed < number(rule, "min_observed", 3):
            continue
        strata = [int(s) for s in spoke.sheet.strata[spoke.which, list(window.areas)] if s >= 0]
        first = spoke.period - window.weeks + 1
        records = sorted({r for s in strata for r in series.records(spoke.period, s, first, spoke.period)})
        area = _leading(spoke, window)
        found = Found(
            observed=float(window.observed),
            expected=window.expected,
            upper=_most(spoke, window, alpha),
            p_value=window.p_value,
            start=counts.starts_on(first, 7),
            period_days=7,
            periods=window.weeks,
            tests=tests,
            q=q[0] if q else None,
            accepted=q[1] if q else None,
            unit=("map", "maps"),
            said=_said(both),
        )
        stratum = (*spoke.sheet.subjects[spoke.which], area, Tier.BOROUGH.value)
        rows.append(
            spell(rule, ground, stratum, found, _where(ground, spoke, window, area))
            | {
                "fires_from": counts.closed_at(spoke.period, 7),
                "fires_to": counts.closed_at(spoke.period + 1, 7),
                "records": records,
            }
        )
    return rows


def _leading(spoke: _Asked, window: SparseWindow) -> str:
    """The area of the window with the most in it; of equals the lower code."""
    had = spoke.table[list(window.areas), -window.weeks :].sum(axis=1).tolist()
    codes = [spoke.sheet.drawn.areas[a] for a in window.areas]
    return min(zip(had, codes, strict=True), key=lambda pair: (-pair[0], pair[1]))[1]


def _where(ground: Ground, spoke: _Asked, window: SparseWindow, area: str) -> str:
    """'Camden', 'Camden with Islington and Westminster'."""
    others = sorted(spoke.sheet.drawn.areas[a] for a in window.areas if spoke.sheet.drawn.areas[a] != area)
    names = [place(ground.catalogue, code) for code in others]
    listed = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)
    return f"{place(ground.catalogue, area)} with {listed}" if names else place(ground.catalogue, area)


def _most(spoke: _Asked, window: SparseWindow, alpha: float) -> float:
    """The largest count of this window at which the map would have been quiet, all other cells as they are."""
    low, high = -1, window.observed
    areas = list(window.areas)
    had = spoke.table[areas, -window.weeks :]
    while high - low > 1:
        middle = (low + high) // 2
        less = spoke.table.copy()
        less[areas, -window.weeks :] = had * (middle / window.observed)
        p = sparse_scan.scan(less[None], spoke.sheet.drawn.zones, spoke.own_prior, alpha=alpha).p_value[0]
        low, high = (middle, high) if p > alpha else (low, middle)
    return float(max(low, 0))


def _said(both: agreement.Agreement) -> str:
    """Whether the permutation scan agrees, and what that leaves open."""
    shuffled = next((w for w in both.windows if w.method == "permutation"), None)
    if both.reasons and shuffled is None:
        return f"The permutation scan had no answer: {'; '.join(both.reasons)}."
    beside = f"its p is {shuffled.p_value:.2g}" if shuffled else "it found no window"
    said = {
        "both": "Both scans agree",
        "both, in different areas": "Both scans speak, of different areas",
    }.get(both.verdict, f"The permutation scan does not agree ({beside})")
    return f"{said}: {both.meaning}."


def _missing(rule: RuleDefinition, asked: list[_Asked]) -> list[NotEvaluable]:
    by_reason: dict[str, list[str]] = {}
    for one in asked:
        reason = one.scan.reason[one.which]
        if reason:
            by_reason.setdefault(reason, []).append(one.sheet.drawn.region)
    return [unanswered(rule, reason, len(found), found) for reason, found in sorted(by_reason.items())]
