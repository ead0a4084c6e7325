"""What an exceedance says: a spell of one stratum with its numbers, how unlikely it is, and what chance alone brings.

In: rule, catalogue, a stratum, its numbers. Out: rows of the frame of spells, and the entries for what had no answer.
Never a probability that a signal is false: chance a year is how often such a count comes when nothing happens.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from ewarn.catalogue.definitions import RuleDefinition
from ewarn.frames import spelt
from ewarn.methods.chance import expected_by_chance
from ewarn.methods.tails import upper_tail
from ewarn.rules.prepare import Ground, day_text, number, place, plural
from ewarn.terms import NotEvaluable, SubjectKind

DAYS_A_YEAR = 365.25


@dataclass(frozen=True)
class Found:
    """One stratum's exceedance: a window of `periods` periods from `start`. `tests` strata were tested together,
    `q` and `accepted` (how many passed with it) where a false-discovery level was asked; `weighed` as in Answers."""

    observed: float
    expected: float
    upper: float
    p_value: float | None
    start: date
    period_days: int
    periods: int = 1
    tests: int = 1
    q: float | None = None
    accepted: int | None = None
    unit: tuple[str, str] = ("stratum", "strata")
    said: str = ""
    weighed: int = 0

    def tail(self) -> float | None:
        """The method's p; of a method without tails, what a Poisson rate leads one to expect that is as uncertain as
        `weighed` periods leave it (Jeffreys' prior). That never decides anything."""
        if self.p_value is not None or not self.weighed:
            return self.p_value
        return float(upper_tail(self.observed, self.expected + 0.5 / self.weighed, 1 + 1 / self.weighed))


def spell(
    rule: RuleDefinition, ground: Ground, stratum: tuple[str, str, str, str], found: Found, where: str = ""
) -> dict[str, Any]:
    """A spell without its instants and records."""
    kind, subject, area, tier = stratum
    by_chance, chance_said = chance(found)
    end = found.start + timedelta(days=found.period_days * found.periods - 1)
    listed = subject and kind != SubjectKind.KEY
    name = ground.catalogue.name_of(subject) if listed else subject.replace("-", " ")
    what = f"{name[:1].upper()}{name[1:]}: {found.observed:g}" if name else plural(found.observed, "event")
    told = f"{what} in {where or place(ground.catalogue, area)}, {_when(found)}: "
    told += f"{found.expected:.3g} expected, upper bound {found.upper:.3g}."
    return {
        "rule": rule.id,
        "subject_kind": kind,
        "subject": subject,
        "area": area,
        "tier": tier,
        "period_start": found.start,
        "period_end": end,
        "observed": found.observed,
        "expected": round(found.expected, 4),
        "upper_bound": round(found.upper, 4),
        "p_value": found.tail(),
        "q_value": found.q,
        "by_chance_per_year": by_chance,
        "why": " ".join(filter(None, [told, chance_said, found.said])),
        "would_have_stopped_it": _stopped(rule, found),
    }


def chance(found: Found) -> tuple[float | None, str]:
    """Such signals a year by chance over all strata tested together, and how unlikely this one is, in words."""
    p_value = found.tail()
    if p_value is None:
        return None, "The method gives no probability."
    row = {
        "p_value": p_value,
        "strata": found.tests,
        "analyses_per_year": DAYS_A_YEAR / found.period_days,
        "q_value": found.q,
        "accepted_count": found.accepted,
    }
    told = expected_by_chance(pl.DataFrame([row], schema_overrides=FLOATS)).row(0, named=True)
    plain = "" if found.p_value is not None else "The bound is a rule of thumb; if such counts are Poisson: "
    return told["by_chance_per_year"], f"{plain}{unlikely(p_value)} {_together(found, told['by_chance'])}"


FLOATS = {"p_value": pl.Float64, "q_value": pl.Float64, "accepted_count": pl.Int64}


def unlikely(p_value: float) -> str:
    """'Chance of so many or more about 1 in 480.'"""
    said = f"about 1 in {1 / p_value:,.0f}" if p_value > 1e-9 else "less than 1 in a billion"
    return f"Chance of so many or more {said}."


def _together(found: Found, by_chance: str) -> str:
    """'Over 132 strata such a signal comes about once in 8 years by chance; q .03.'"""
    over = f"Over {plural(found.tests, *found.unit)} tested together, chance brings such a signal {by_chance}"
    return f"{over}; q {found.q:.2g}." if found.q is not None else f"{over}."


def _when(found: Found) -> str:
    if found.periods > 1:
        unit = "weeks" if found.period_days == 7 else "periods"
        return f"the {found.periods} {unit} from {day_text(found.start)}"
    length = "the week of " if found.period_days == 7 else "the period from " if found.period_days > 1 else ""
    return f"{length}{day_text(found.start)}"


def _stopped(rule: RuleDefinition, found: Found) -> str:
    said = f"A count of {found.upper:.3g} or fewer, or fewer than {number(rule, 'min_observed', 3):g}"
    return f"{said}, or a q above {number(rule, 'q', 1):g}." if "q" in rule.numbers else f"{said}."


def framed(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return spelt(rows)


def reasons(rule: RuleDefinition, why: Sequence[str], areas: Sequence[str]) -> list[NotEvaluable]:
    """One entry per reason, with how many strata it holds for."""
    by_reason: dict[str, list[str]] = {}
    for reason, area in zip(why, areas, strict=True):
        if reason:
            by_reason.setdefault(reason, []).append(area)
    return [unanswered(rule, reason, len(found), found) for reason, found in sorted(by_reason.items())]


def unanswered(rule: RuleDefinition, reason: str, strata: int = 1, areas: Sequence[str] = ()) -> NotEvaluable:
    first = tuple(sorted(set(areas))[:5])
    return NotEvaluable(rule=rule.id, family=rule.family, reason=reason, strata=strata, areas=first)


def slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
