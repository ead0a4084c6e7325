"""All rules over one ground.

In: rule definitions, line lists as known, the instant, the catalogue. Out: an Evaluation. Each method gives spells over
known time for the whole history, so that one instant and a year of days read the same spells. A rule that cannot be
worked out is an entry in `not_evaluable` with its reason, never the end of the run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import polars as pl

from ewarn.catalogue import Catalogue
from ewarn.catalogue.definitions import RuleDefinition
from ewarn.frames import Lines, empty, shaped
from ewarn.rules import (
    batch,
    combination,
    exceedance,
    first,
    missold,
    notice,
    potency,
    silence,
    sparse,
    unknown_name,
    window,
)
from ewarn.rules.prepare import Ground, prepare
from ewarn.rules.signals import Evaluation
from ewarn.terms import NotEvaluable, RecordKind

PLAIN: dict[str, Callable[[RuleDefinition, Ground], pl.DataFrame]] = {
    "first": first.spells,
    "window": window.spells,
    "missold": missold.spells,
    "notice": notice.spells,
    "unknown_name": unknown_name.spells,
}

ANSWERING: dict[str, Callable[[RuleDefinition, Ground], tuple[pl.DataFrame, list[NotEvaluable]]]] = {
    "batch": batch.spells,
    "potency": potency.spells,
}

BROKEN = "the rule could not be worked out"


def evaluate(
    rules: Sequence[RuleDefinition],
    lines: Lines,
    until: datetime,
    catalogue: Catalogue,
    *,
    since: datetime | None = None,
    health: pl.DataFrame | None = None,
) -> Evaluation:
    """Every enabled rule's spells up to `until` (UTC).

    `since` (default: `until`) is how far back exceedances are judged; the other methods always judge the whole history.
    `health` is the source_health frame at `until`; without it silence has no answer.
    """
    until = until.astimezone(UTC)
    ground = prepare(lines, until, catalogue)
    enabled = tuple(sorted((rule for rule in rules if rule.enabled), key=lambda rule: rule.id))
    spells, missing = [empty("spells")], []
    for rule in enabled:
        found, unanswered = _spells(rule, ground, since, health)
        spells.append(shaped("spells", found.filter(pl.col("fires_from") <= until)))
        missing += unanswered
    return Evaluation(pl.concat(spells), missing, until, enabled, ground)


def _spells(
    rule: RuleDefinition, ground: Ground, since: datetime | None, health: pl.DataFrame | None
) -> tuple[pl.DataFrame, list[NotEvaluable]]:
    try:
        if rule.method == "silence":
            return silence.spells(rule, health, ground.until, ground.catalogue)
        if rule.method in ANSWERING:
            return ANSWERING[rule.method](rule, ground)
        if rule.method == "combination":
            return combination.spells(rule, ground, since)
        if rule.method == "sparse":
            return sparse.spells(rule, ground, since)
        if rule.method in ("ears", "farrington", "ladder"):
            return exceedance.spells(rule, ground, since)
        return PLAIN[rule.method](rule, ground), _without_lines(rule, ground)
    except (ValueError, TypeError, ArithmeticError, pl.exceptions.PolarsError) as error:
        reason = f"{BROKEN}: {type(error).__name__}: {error}".splitlines()[0][:200]
        return empty("spells"), [NotEvaluable(rule=rule.id, family=rule.family, reason=reason, strata=1)]


def _without_lines(rule: RuleDefinition, ground: Ground) -> list[NotEvaluable]:
    """A rule whose kinds of line were never received has no answer."""
    kinds = [RecordKind.NOTICE.value] if rule.method == "notice" else [k.value for k in rule.kinds]
    if ground.versions.filter(pl.col("kind").is_in(kinds)).height:
        return []
    reason = f"no {' or '.join(kinds)} lines are known"
    return [NotEvaluable(rule=rule.id, family=rule.family, reason=reason, strata=1)]
