"""All rules over one ground.

In: rule definitions, line lists as known, the instant, the catalogue. Out: an Evaluation. Each method gives spells over
known time for the whole history, so that one instant and a year of days read the same spells. A rule that cannot be
worked out is an entry in `not_evaluable` with its reason, never the end of the run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import polars as pl

from ewarn.catalogue import Catalogue
from ewarn.catalogue.definitions import RuleDefinition
from ewarn.frames import Lines, empty, shaped
from ewarn.rules import (
    batch,
    collapse,
    combination,
    exceedance,
    first,
    missold,
    notice,
    potency,
    rarity,
    reaching,
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
    "missold": missold.spells,
    "notice": notice.spells,
    "unknown_name": unknown_name.spells,
}

ANSWERING: dict[str, Callable[[RuleDefinition, Ground], tuple[pl.DataFrame, list[NotEvaluable]]]] = {
    "batch": batch.spells,
    "potency": potency.spells,
}

# Methods that judge no further back than they are asked to, and how much further they are asked at once: signals that
# stand began before, and to look for windows again costs more than to look further.
REACHING = {"ears": 0, "farrington": 0, "ladder": 0, "sparse": 0, "combination": 0, "window": 90}

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

    `since` (default: `until`) is how far back windows and series are judged at least; the other methods always judge
    everything. Signals can be told from then on.
    `health` is the source_health frame at `until`; without it silence has no answer.
    """
    until = until.astimezone(UTC)
    since = since.astimezone(UTC) if since else until
    ground = prepare(lines, until, catalogue)
    enabled = tuple(sorted((rule for rule in rules if rule.enabled), key=lambda rule: rule.id))
    spells: dict[str, pl.DataFrame] = {}
    missing: list[NotEvaluable] = []
    for rule in enabled:
        spells[rule.id], unanswered = _spells(rule, ground, _first_reach(rule, since), health)
        missing += unanswered
    for group in {collapse.group_of(rule) for rule in enabled if rule.method in REACHING}:
        _reach_back([rule for rule in enabled if collapse.group_of(rule) is group], ground, since, spells)
    return Evaluation(pl.concat([empty("spells"), *spells.values()]), missing, since, until, enabled, ground)


def _reach_back(
    rules: Sequence[RuleDefinition], ground: Ground, since: datetime, spells: dict[str, pl.DataFrame]
) -> None:
    """Judge series further back, until all is there that what stands could lie beneath."""
    reaching_rules = [rule for rule in rules if rule.method in REACHING]
    judged = {rule.id: _first_reach(rule, since) for rule in reaching_rules}
    while True:
        needed = reaching.needed_from(pl.concat([spells[rule.id] for rule in rules]), since)
        short = [rule for rule in reaching_rules if judged[rule.id] > needed]
        if not short:
            return
        for rule in short:
            judged[rule.id] = needed
            spells[rule.id], _ = _spells(rule, ground, needed, None)


def _first_reach(rule: RuleDefinition, since: datetime) -> datetime:
    return since - timedelta(days=REACHING.get(rule.method, 0))


def _spells(
    rule: RuleDefinition, ground: Ground, since: datetime, health: pl.DataFrame | None
) -> tuple[pl.DataFrame, list[NotEvaluable]]:
    """A rule's spells that began by the instant asked, in their shape, and what had no answer."""
    found, unanswered = _asked(rule, ground, since, health)
    stood = shaped("spells", found.filter(pl.col("fires_from") <= ground.until))
    return rarity.told(rule, stood, ground, since), unanswered


def _asked(
    rule: RuleDefinition, ground: Ground, since: datetime, health: pl.DataFrame | None
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
        if rule.method == "window":
            return window.spells(rule, ground, since), _without_lines(rule, ground)
        return PLAIN[rule.method](rule, ground), _without_lines(rule, ground)
    except (ValueError, TypeError, ArithmeticError, pl.exceptions.PolarsError) as error:
        reason = f"{BROKEN}: {type(error).__name__}: {error}".splitlines()[0][:200]
        return empty("spells"), [NotEvaluable(rule=rule.id, family=rule.family, reason=reason, strata=1)]


def _without_lines(rule: RuleDefinition, ground: Ground) -> list[NotEvaluable]:
    """A rule whose kinds of line were never received has no answer."""
    kinds = [RecordKind.NOTICE.value] if rule.method == "notice" else [k.value for k in rule.kinds]
    if ground.kinds.intersection(kinds):
        return []
    reason = f"no {' or '.join(kinds)} lines are known"
    return [NotEvaluable(rule=rule.id, family=rule.family, reason=reason, strata=1)]
