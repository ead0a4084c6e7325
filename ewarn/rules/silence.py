"""Silence: a source has not spoken for longer than it should.

In: the health of the sources at one instant, and their definitions. Out: spells that stand at that instant, and the
sources without an answer. A source is silent when it does not answer at all for as long as its definition expects to
hear something new, or answers without anything new for a multiple of that. A source that was never received is not
evaluable, not silent; silence is an operator notice and never reads as 'nothing happened'.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import polars as pl

from ewarn.catalogue import Catalogue
from ewarn.catalogue.definitions import RuleDefinition
from ewarn.frames import SHAPES
from ewarn.rules.prepare import number
from ewarn.terms import LONDON, UK, NotEvaluable, SubjectKind, Tier, london_day

NO_CHANCE = "No chance is reckoned: this is a clock, no count."
NO_ALL_CLEAR = "Silence is not an all-clear."


class Quiet(NamedTuple):
    """How long a source has been quiet: `since` when, longer than `allowed`, in words."""

    since: datetime
    allowed: timedelta
    words: str


def quiet(
    heard: datetime,
    news: datetime | None,
    expected_hours: float,
    until: datetime,
    times_expected: float = 1,
    times_without_news: float = 2,
) -> Quiet | None:
    """Whether a source is silent at an instant. In: when it last answered, and when it last said something new.

    The words name instants, not lengths, so that they stay the same from one look to the next.
    """
    expected = timedelta(hours=expected_hours)
    if until >= heard + expected * times_expected:
        return Quiet(heard, expected * times_expected, f"has not answered since {_local(heard)}")
    if news is not None and until >= news + expected * times_without_news:
        return Quiet(news, expected * times_without_news, f"answers, and has said nothing new since {_local(news)}")
    return None


def spells(
    rule: RuleDefinition, health: pl.DataFrame | None, until: datetime, catalogue: Catalogue
) -> tuple[pl.DataFrame, list[NotEvaluable]]:
    """Spells of silent sources at `until`, and what could not be judged.

    Numbers, as multiples of the interval the source's definition expects: `times_expected` 1, without any answer;
    `times_without_news` 2, with answers that bring nothing new.
    """
    watched = {i: s for i, s in sorted(catalogue.sources.items()) if s.enabled and s.expected_every_hours}
    if health is None:
        reason = "source health is known for the present instant only"
        return pl.DataFrame(schema=SHAPES["spells"]), [_unanswered(rule, reason, len(watched))] if watched else []
    pulse = {row["source"]: row for row in health.drop_nulls("last_received_at").iter_rows(named=True)}
    found, never = [], 0
    for source, definition in watched.items():
        if source not in pulse:
            never += 1
            continue
        heard, news = pulse[source]["last_received_at"], pulse[source]["last_new_at"]
        silent = quiet(heard, news, definition.expected_every_hours or 0, until, *multiples(rule))
        if silent is not None:
            words = sentence(definition.title, silent, definition.expected_every_hours or 0)
            found.append(_spell(rule, source, words, silent, until))
    missing = [_unanswered(rule, "never received", never)] if never else []
    return pl.DataFrame(found, schema=SHAPES["spells"]), missing


def multiples(rule: RuleDefinition) -> tuple[float, float]:
    """A rule's two numbers: the multiple without an answer, and the multiple without news."""
    return number(rule, "times_expected", 1), number(rule, "times_without_news", 2)


def sentence(title: str, silent: Quiet, expected_hours: float) -> str:
    """What the operator is told, by the rule and by the look at the sources alike."""
    return f"{title} {silent.words}; something new is expected every {expected_hours:g} hours. {NO_ALL_CLEAR}"


def _local(instant: datetime) -> str:
    return f"{instant.astimezone(LONDON):%-d %b %Y %H:%M}"


def _unanswered(rule: RuleDefinition, reason: str, strata: int) -> NotEvaluable:
    return NotEvaluable(rule=rule.id, family=rule.family, reason=reason, strata=strata)


def _spell(rule: RuleDefinition, source: str, words: str, silent: Quiet, until: datetime) -> dict[str, Any]:
    hours, limit = (until - silent.since).total_seconds() / 3600, silent.allowed.total_seconds() / 3600
    return {
        "rule": rule.id,
        "subject_kind": SubjectKind.KEY.value,
        "subject": source,
        "area": UK,
        "tier": Tier.UK.value,
        "fires_from": silent.since.astimezone(UTC) + silent.allowed,
        "fires_to": until + timedelta(hours=1),
        "period_start": london_day(silent.since),
        "period_end": london_day(until),
        "observed": limit * int(hours / limit),  # grows once each such length, not at every look
        "upper_bound": limit,
        "records": [],
        "why": f"{words} {NO_CHANCE}",
        "would_have_stopped_it": f"Word from the source within {limit:.0f} hours.",
    }
