"""Exceedance: a count above its upper bound, judged once for every closed period.

In: the ground, and a rule whose method judges series (EARS, Farrington Flexible with its scan of weeks, or the ladder).
Out: spells of one period's length, from the close of the period (listed lines) or from the cell becoming known
(aggregated counts), and what had no answer. Only the periods asked for are judged, and those before while the episode
that stands goes on. Whatever is said of a close was known at that close: counts, history, lag and how many strata.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ewarn.catalogue.definitions import RuleDefinition
from ewarn.methods.discovery import q_values
from ewarn.rules import aggregated, counts, lagging
from ewarn.rules.counts import Series
from ewarn.rules.judging import Answers, Judge, method_of
from ewarn.rules.prepare import Ground, number, words
from ewarn.rules.raised import Found, framed, reasons, spell, unanswered
from ewarn.terms import NotEvaluable, RecordKind

EPISODE_DAYS = 28
Vector = NDArray[np.float64]


def spells(rule: RuleDefinition, ground: Ground, since: datetime | None) -> tuple[pl.DataFrame, list[NotEvaluable]]:
    """Spells of exceedances and, for the newest period, the strata without an answer and why.

    Numbers: `period` day | week; `min_observed`; those of the method (judging); `q`: besides the method's alpha, the
    false-discovery level among all strata of one close and tier; `lag` true: the last event weeks against what can be
    known of them by now.
    """
    method = method_of(rule)
    since = since or ground.until
    if RecordKind.COUNT in rule.kinds:
        return aggregated.spells(rule, ground, since, method)
    period_days = 1 if words(rule, "period", "week") == "day" else 7
    series = counts.of_lines(rule, ground, period_days)
    if series is None:
        return framed([]), [unanswered(rule, "no lines of this kind are known")]
    return _of_lines(rule, ground, series, since, method.judge, method.length)


def _of_lines(
    rule: RuleDefinition, ground: Ground, series: Series, since: datetime, judge: Judge, length: int
) -> tuple[pl.DataFrame, list[NotEvaluable]]:
    newest = series.last_closed(ground.until)
    needed = series.last_closed(since)
    reach = -(-EPISODE_DAYS // series.period_days) + 1
    judged = looked_back(rule, ground)
    rows: list[dict[str, Any]] = []
    missing: list[NotEvaluable] | None = None
    period, earliest_firing = newest, newest + reach + 1
    while period >= needed - 1 or period >= earliest_firing - reach:
        started = series.started(period)
        if started is None or period < started:
            break
        if period not in judged:
            answers = _judged(rule, series, period, min(length, period - started + 1), judge)
            said = reasons(rule, answers.reason, [s[2] for s in series.strata]) if period == newest else []
            judged[period] = _fired(rule, ground, series, period, answers), said
        fired, said = judged[period]
        missing = said if missing is None else missing
        earliest_firing = period if fired else earliest_firing
        rows += fired
        period -= 1
    if missing is None:
        none = Answers.none(len(series.strata), "no period has closed since the first line")
        missing = reasons(rule, none.reason, [s[2] for s in series.strata])
    return framed(rows), missing


def looked_back(rule: RuleDefinition, ground: Ground) -> dict[int, tuple[list[dict[str, Any]], list[NotEvaluable]]]:
    """What this very rule said of each period so far: it may be asked again to look further back."""
    asked, judged = ground.shared.setdefault(("judged", rule.id), (rule, {}))
    if asked is not rule:
        judged = {}
        ground.shared["judged", rule.id] = rule, judged
    found: dict[int, tuple[list[dict[str, Any]], list[NotEvaluable]]] = judged
    return found


def _judged(rule: RuleDefinition, series: Series, period: int, length: int, judge: Judge) -> Answers:
    matrix = series.matrix(period, length)
    if rule.numbers.get("lag") is True:
        return lagging.judge(rule, series, period, matrix)
    return judge(matrix)


def _fired(rule: RuleDefinition, ground: Ground, series: Series, period: int, answers: Answers) -> list[dict[str, Any]]:
    tests = series.tests(period)
    tier = np.array([stratum[3] for stratum in series.strata])
    q, accepted = discovered(rule, answers.p_value, tier, tests)
    raised = answers.raised & (answers.observed >= number(rule, "min_observed", 3)) & accepted
    rows = []
    for i in np.flatnonzero(raised).tolist():
        records, first, periods = _behind(series, period, i, answers)
        found = Found(
            observed=float(answers.observed[i]),
            expected=float(answers.expected[i]),
            upper=float(answers.upper[i]),
            p_value=_number(answers.p_value[i]),
            start=counts.starts_on(first, series.period_days),
            period_days=series.period_days,
            periods=periods,
            tests=tests[tier[i]],
            q=None if q is None else _number(q[i]),
            accepted=None if q is None else int((accepted & (tier == tier[i])).sum()),
            said=answers.said[i],
            weighed=int(answers.weighed[i]),
        )
        rows.append(
            spell(rule, ground, series.strata[i], found)
            | {
                "fires_from": counts.closed_at(period, series.period_days),
                "fires_to": counts.closed_at(period + 1, series.period_days),
                "records": records,
            }
        )
    return rows


def _behind(series: Series, period: int, stratum: int, answers: Answers) -> tuple[list[str], int, int]:
    """Records of the window that speaks, its first period and its length."""
    if answers.arrived[stratum]:
        return series.arrived(period, stratum)
    last, periods = period - int(answers.back[stratum]), int(answers.periods[stratum])
    return series.records(period, stratum, last - periods + 1, last), last - periods + 1, periods


def discovered(
    rule: RuleDefinition, p_value: Vector, tier: NDArray[np.str_], tests: dict[str, int]
) -> tuple[Vector | None, NDArray[np.bool_]]:
    """Benjamini-Hochberg within each tier of one close, and which strata pass; all pass where the rule has no `q`.

    Strata that are looked at and had nothing yet have p = 1: they are tests too. A stratum whose method has no tails (a
    short history on the ladder) is no test, and passes.
    """
    if "q" not in rule.numbers:
        return None, np.ones(p_value.size, dtype=np.bool_)
    found = np.full(p_value.size, np.nan)
    for name in np.unique(tier).tolist():
        mine = np.flatnonzero((tier == name) & np.isfinite(p_value))
        silent = max(0, tests.get(name, 0) - int((tier == name).sum()))
        found[mine] = q_values(np.concatenate([p_value[mine], np.ones(silent)]))[: mine.size]
    with np.errstate(invalid="ignore"):
        return found, ~np.asarray(found > number(rule, "q", 1), dtype=np.bool_)


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
