"""Silence: a source has not spoken for longer than it should.

In: the health of the sources at one instant, and their definitions. Out: spells that stand at that instant, and the
sources without an answer. A source that was never received is not evaluable, not silent; silence is an operator notice
and never reads as 'nothing happened'.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from ewarn.catalogue import Catalogue
from ewarn.catalogue.definitions import RuleDefinition
from ewarn.frames import SHAPES
from ewarn.rules.prepare import number
from ewarn.terms import UK, NotEvaluable, SubjectKind, Tier, london_day


def spells(
    rule: RuleDefinition, health: pl.DataFrame | None, until: datetime, catalogue: Catalogue
) -> tuple[pl.DataFrame, list[NotEvaluable]]:
    """Spells of silent sources at `until`, and what could not be judged.

    Numbers: `times_expected` 1, silence as a multiple of the interval the source's definition expects.
    """
    watched = {i: s for i, s in sorted(catalogue.sources.items()) if s.enabled and s.expected_every_hours}
    if health is None:
        reason = "source health is known for the present instant only"
        return pl.DataFrame(schema=SHAPES["spells"]), [_unanswered(rule, reason, len(watched))] if watched else []
    last = dict(health.select("source", "last_received_at").drop_nulls().iter_rows())
    found, never = [], 0
    for source, definition in watched.items():
        if source not in last:
            never += 1
            continue
        allowed = timedelta(hours=(definition.expected_every_hours or 0) * number(rule, "times_expected", 1))
        received = last[source].astimezone(UTC)
        if until >= received + allowed:
            found.append(_spell(rule, source, definition.title, received, allowed, until))
    missing = [_unanswered(rule, "never received", never)] if never else []
    return pl.DataFrame(found, schema=SHAPES["spells"]), missing


def _unanswered(rule: RuleDefinition, reason: str, strata: int) -> NotEvaluable:
    return NotEvaluable(rule=rule.id, family=rule.family, reason=reason, strata=strata)


def _spell(
    rule: RuleDefinition, source: str, title: str, received: datetime, allowed: timedelta, until: datetime
) -> dict[str, Any]:
    hours = (until - received).total_seconds() / 3600
    limit = allowed.total_seconds() / 3600
    return {
        "rule": rule.id,
        "subject_kind": SubjectKind.KEY.value,
        "subject": source,
        "area": UK,
        "tier": Tier.UK.value,
        "fires_from": received + allowed,
        "fires_to": until + timedelta(hours=1),
        "period_start": london_day(received),
        "period_end": london_day(until),
        "observed": round(hours, 1),
        "upper_bound": limit,
        "records": [],
        "why": f"{title} last answered {hours:.0f} hours ago; it is expected every {limit:.0f} hours. "
        "Silence is not an all-clear.",
        "would_have_stopped_it": f"An answer from the source within {limit:.0f} hours.",
    }
