"""Exceedances of aggregated counts: every cell is judged when it becomes known, against its own series as known then.

In: the ground, a rule, its method. Out: spells that begin when the cell became known, and for each series' newest cell
why it had no answer. A suppressed or missing cell is never a zero. Cells that became known at one instant (one
delivery) are one run for false discoveries.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from ewarn.catalogue.definitions import RuleDefinition
from ewarn.methods.discovery import q_values
from ewarn.rules import counts
from ewarn.rules.counts import MONDAY, Cells
from ewarn.rules.judging import Answers, Method
from ewarn.rules.prepare import Ground, number, words
from ewarn.rules.raised import Found, framed, reasons, slug, spell, unanswered
from ewarn.terms import NotEvaluable, SubjectKind

EPISODE_DAYS = 28
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_US = 86_400_000_000
Key = tuple[int, int]


@dataclass
class _Queue:
    """One series' cell versions, newest first, and how far back they must be judged."""

    cells: Cells
    order: list[int]
    limit: int
    judged: int = 0

    def due(self) -> list[int]:
        """The next versions to judge: at least the newest, then all back to the limit."""
        start = self.judged
        while self.judged < len(self.order) and (
            self.judged == 0 or self.cells.seen[self.order[self.judged]] >= self.limit
        ):
            self.judged += 1
        return self.order[start : self.judged]


def spells(
    rule: RuleDefinition, ground: Ground, since: datetime, method: Method
) -> tuple[pl.DataFrame, list[NotEvaluable]]:
    wanted = 7 if words(rule, "period", "week") == "week" else 1
    queues = [_queue(cells, since) for cells in counts.of_cells(rule, ground) if cells.period_days == wanted]
    if not queues:
        return framed([]), [unanswered(rule, "no counts of this kind are known")]
    answers: dict[Key, Answers] = {}
    while due := [(n, i) for n, queue in enumerate(queues) for i in queue.due()]:
        answers |= _judged(queues, due, method)
        for n, i in due:
            cells = queues[n].cells
            if _exceeds(rule, cells, i, answers[n, i]):
                reach = (EPISODE_DAYS + cells.period_days) * DAY_US
                queues[n].limit = min(queues[n].limit, int(cells.seen[i]) - reach)
    rows = _rows(rule, ground, queues, answers)
    newest = [answers[n, queue.order[0]].reason[0] for n, queue in enumerate(queues)]
    return framed(rows), reasons(rule, newest, [queue.cells.area for queue in queues])


def _queue(cells: Cells, since: datetime) -> _Queue:
    order = np.lexsort((cells.period, cells.seen))[::-1].tolist()
    return _Queue(cells, order, _microseconds(since) - cells.period_days * DAY_US)


def _judged(queues: list[_Queue], due: list[Key], method: Method) -> dict[Key, Answers]:
    """Each version against its own series as known when it became known; equal lengths of history together."""
    alike: dict[int, list[Key]] = {}
    for n, i in due:
        cells = queues[n].cells
        since_first = int(cells.period[i] - cells.first_known(int(cells.seen[i])) + 1)
        alike.setdefault(min(method.length, since_first), []).append((n, i))
    found = {}
    for length, keys in alike.items():
        rows = [queues[n].cells for n, _ in keys]
        matrix = np.stack(
            [c.as_known(int(c.seen[i]), int(c.period[i]), length) for c, (_, i) in zip(rows, keys, strict=True)]
        )
        answers = method.judge(matrix)
        for row, key in enumerate(keys):
            found[key] = answers.only(row)
    return found


def _exceeds(rule: RuleDefinition, cells: Cells, i: int, answers: Answers) -> bool:
    observed = float(answers.observed[0])
    late = _late(cells, int(cells.seen[i]), int(cells.period[i]))
    return bool(answers.raised[0]) and observed >= number(rule, "min_observed", 3) and not late


def _rows(
    rule: RuleDefinition, ground: Ground, queues: list[_Queue], answers: dict[Key, Answers]
) -> list[dict[str, Any]]:
    """Spells of the versions that exceed and, where the rule has a `q`, pass it among their delivery."""
    runs: dict[tuple[int, str], list[Key]] = {}
    for n, i in sorted(answers):
        runs.setdefault((int(queues[n].cells.seen[i]), queues[n].cells.tier), []).append((n, i))
    rows = []
    for keys in runs.values():
        tails = np.array([answers[key].p_value[0] for key in keys])
        q = q_values(tails) if "q" in rule.numbers else None
        accepted = np.ones(len(keys), dtype=bool) if q is None else np.nan_to_num(q, nan=1.0) <= number(rule, "q", 1)
        for place, key in enumerate(keys):
            cells, i = queues[key[0]].cells, key[1]
            if accepted[place] and _exceeds(rule, cells, i, answers[key]):
                told = None if q is None else (float(q[place]), int(accepted.sum()))
                rows.append(_spell(rule, ground, cells, i, answers[key], len(keys), told))
    return rows


def _spell(
    rule: RuleDefinition,
    ground: Ground,
    cells: Cells,
    i: int,
    answers: Answers,
    tests: int,
    q: tuple[float, int] | None,
) -> dict[str, Any]:
    periods = int(answers.periods[0])
    known = EPOCH + timedelta(microseconds=int(cells.seen[i]))
    gone = min(int(cells.gone[i]), _microseconds(known + timedelta(days=cells.period_days)))
    tail = float(answers.p_value[0])
    found = Found(
        observed=float(answers.observed[0]),
        expected=float(answers.expected[0]),
        upper=float(answers.upper[0]),
        p_value=tail if np.isfinite(tail) else None,
        start=MONDAY + timedelta(days=_start(cells, int(cells.period[i]) - periods + 1)),
        period_days=cells.period_days,
        periods=periods,
        tests=tests,
        q=q[0] if q else None,
        accepted=q[1] if q else None,
        weighed=int(answers.weighed[0]),
    )
    return spell(rule, ground, (SubjectKind.KEY.value, slug(cells.subject), cells.area, cells.tier), found) | {
        "fires_from": known,
        "fires_to": EPOCH + timedelta(microseconds=gone),
        "records": cells.records(int(cells.seen[i]), int(cells.period[i]), periods),
    }


def _start(cells: Cells, period: int) -> int:
    """Days from MONDAY to a cell's first day."""
    return cells.offset + period * cells.period_days


def _late(cells: Cells, tau: int, period: int) -> bool:
    known = (EPOCH + timedelta(microseconds=tau)).date() - MONDAY
    return known.days - _start(cells, period) > cells.max_age_days


def _microseconds(instant: datetime) -> int:
    return int((instant - EPOCH) / timedelta(microseconds=1))
