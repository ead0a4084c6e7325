"""Contaminated batch: a thing that looks the same turns up with a watched substance where none was to be expected, in
several areas, or where people overdose.

In: the ground. Out: spells, named for the class and the batch, with every sample of it, and what had no answer. Late
news raises no batch in several areas and none with overdoses.

Source: `ewarn.methods.dirichlet` for how improbable content is; what is one batch is in `ewarn.matching.batches`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import polars as pl

from ewarn.catalogue.definitions import RuleDefinition
from ewarn.frames import empty, spelt
from ewarn.matching import batches as likeness
from ewarn.methods import dirichlet
from ewarn.rules import batches, overdosed, tested
from ewarn.rules.batches import Batch
from ewarn.rules.prepare import VERSION, Ground, day_text, number, place, plural, words
from ewarn.rules.tested import Sample, Shares, Tested
from ewarn.terms import UK, NotEvaluable, Tier

# What is sold as the same is drawn towards what all samples hold by the weight of so many samples.
WEIGHT = 20.0


@dataclass(frozen=True)
class Chance:
    """How likely a class is in a sample that looks like this and is sold as this, by what was known before a day."""

    share: float
    concentration: float
    held: int
    alike: int
    held_sold: int
    sold: int

    def tail(self, observed: int, trials: int) -> float:
        c = self.concentration
        return float(dirichlet.predictive_tail(observed, trials, self.held, self.alike, self.share, c))

    def expected(self, trials: int) -> float:
        return trials * (self.concentration * self.share + self.held) / (self.concentration + self.alike)


def spells(rule: RuleDefinition, ground: Ground) -> tuple[pl.DataFrame, list[NotEvaluable]]:
    """Spells of contaminated batches, and what had no answer.

    Numbers: `trigger` content | areas | overdoses. content: `alpha` .01; `concentration` 10, the samples that what is
    common to all looks weighs as much as; `least_history` 200, samples before which nothing is improbable. areas: `n`
    2, `days` 28. overdoses: `n` 2 persons, `hours` 72, `reach_days` 28 between a sample and an overdose.
    """
    known = tested.of(rule, ground)
    if known is None:
        return empty("spells"), [_unanswered(rule, "no sample lines are known")]
    trigger = words(rule, "trigger", "areas")
    rows: list[dict[str, Any]] = []
    for class_id in sorted(known.holding):
        found = _batches(rule, ground, known, class_id)
        if trigger == "content":
            rows += _by_content(rule, ground, known, known.shares(class_id), found)
        elif trigger == "areas":
            rows += _by_areas(rule, ground, known, known.shares(class_id), found)
        else:
            rows += overdosed.rows(rule, ground, found)
    return spelt(rows), _missing(rule, ground, known, trigger)


def _batches(rule: RuleDefinition, ground: Ground, known: Tested, class_id: str) -> list[Batch]:
    """The batches of a class, worked out once for all rules that look at the same samples."""
    key = ("batches", *tested.asked(rule, ground), class_id)
    if key not in ground.shared:
        ground.shared[key] = batches.assigned(known.watched, class_id)
    found: list[Batch] = ground.shared[key]
    return found


def _missing(rule: RuleDefinition, ground: Ground, known: Tested, trigger: str) -> list[NotEvaluable]:
    if trigger == "content" and known.day.size < number(rule, "least_history", 200):
        return [_unanswered(rule, f"only {plural(known.day.size, 'sample')} known: too few to say what is usual")]
    if trigger == "overdoses" and "incident" not in ground.first_visible:
        return [_unanswered(rule, "no incident lines are known")]
    return []


def _unanswered(rule: RuleDefinition, reason: str) -> NotEvaluable:
    return NotEvaluable(rule=rule.id, family=rule.family, reason=reason, strata=1)


def _chance(rule: RuleDefinition, known: Tested, shares: Shares, sample: Sample, day: int) -> Chance:
    """What to expect of a look: what is sold as the same, drawn towards all samples; both as known before a day."""
    held, every = shares.in_all(day)
    overall = (held + 0.5) / (every + 1)
    asked = bool(sample.look.sold_as or sample.look.asked)
    held_sold, sold = shares.by_intent(int(known.intent[sample.row]), day) if asked else (0, 0)
    share = float(dirichlet.smoothed_share(held_sold, sold, overall, WEIGHT))
    held_alike, alike = shares.by_look(int(known.look[sample.row]), day)
    return Chance(share, number(rule, "concentration", 10), held_alike, alike, held_sold, sold)


# ---------------------------------------------------------------- improbable content


def _by_content(
    rule: RuleDefinition, ground: Ground, known: Tested, shares: Shares, found: Sequence[Batch]
) -> Iterator[dict[str, Any]]:
    """Samples whose content is improbable for what looks like them and for what is sold as the same."""
    asked = {(sample.record, sample.version) for batch in found for sample in batch.members}
    keys = pl.DataFrame(list(asked), schema=ground.finest.select(VERSION).schema, orient="row")
    named = ground.finest.join(keys, on=VERSION, how="semi").select(*VERSION, "area", "tier").iter_rows()
    finest = {(record, version): (area, Tier(tier)) for record, version, area, tier in named}
    alpha, least = number(rule, "alpha", 0.01), number(rule, "least_history", 200)
    for batch in found:
        for sample in batch.members:
            day = int(known.day[sample.row])
            if shares.in_all(day)[1] < least or (sample.record, sample.version) not in finest:
                continue
            chance = _chance(rule, known, shares, sample, day)
            if chance.tail(1, 1) < alpha:
                area, tier = finest[sample.record, sample.version]
                yield batches.spell(rule, batch, [sample], sample.seen, area, tier) | {
                    "expected": chance.expected(1),
                    "p_value": chance.tail(1, 1),
                    "certain": int(len(sample.boroughs) == 1),
                    "why": _improbable(ground, batch, sample, chance, area),
                    "would_have_stopped_it": f"Content that more than one such sample in {1 / alpha:.0f} was expected "
                    "to hold by what was known before.",
                }


def _improbable(ground: Ground, batch: Batch, sample: Sample, chance: Chance, area: str) -> str:
    sold = f", and {chance.held_sold} of {chance.sold} sold as the same" if chance.sold else ""
    late = f" Newly known, happened on {day_text(sample.reference)}." if sample.late else ""
    return (
        f"{batches.named(batch, [sample], ground.catalogue)}, {place(ground.catalogue, area)}, "
        f"{day_text(sample.reference)}. Of {plural(chance.alike, 'sample')} known before that look exactly alike "
        f"{chance.held} held one{sold}; p {chance.tail(1, 1):.2g}.{late}{batches.caution([sample])}"
    )


# ---------------------------------------------------------------- several areas


def _by_areas(
    rule: RuleDefinition, ground: Ground, known: Tested, shares: Shares, found: Sequence[Batch]
) -> Iterator[dict[str, Any]]:
    """Batches whose samples can not all be from one area, within some weeks; by region and for the UK."""
    n, days = int(number(rule, "n", 2)), int(number(rule, "days", 28))
    for batch in found:
        for news in batch.members if len(batch.members) >= n else ():
            if news.late:
                continue
            for area, tier, inside in _tiers(rule, batch.around(news, days)):
                window, areas = _fullest(inside, news, days)
                if areas < n:
                    continue
                chance = _chance(rule, known, shares, batch.first, int(known.day[batch.first.row]))
                trials = _trials(known, shares, batch, window)
                p_value = chance.tail(len(window), trials)
                yield batches.spell(rule, batch, window, news.seen, area, tier) | {
                    "expected": chance.expected(trials),
                    "p_value": p_value,
                    "why": _spread(ground, batch, window, areas, area, chance, trials, p_value),
                    "would_have_stopped_it": "All its samples from places that could be one area, or further apart in "
                    "time, or looks that differ in form, colour, dose or imprint.",
                }


def _tiers(rule: RuleDefinition, members: Sequence[Sample]) -> Iterator[tuple[str, Tier, list[Sample]]]:
    if Tier.REGION in rule.tiers:
        for region in sorted({m.region for m in members if m.region}):
            yield region, Tier.REGION, [m for m in members if m.region == region]
    if Tier.UK in rule.tiers:
        yield UK, Tier.UK, [m for m in members if m.region or m.boroughs]


def _fullest(members: Sequence[Sample], news: Sample, days: int) -> tuple[list[Sample], int]:
    """The stretch of so many days around the news with the most areas, then the most samples, then the earliest."""
    if news not in members:
        return [], 0
    dated = sorted(members, key=lambda m: m.reference)
    references = [m.reference for m in dated]
    best, begins = (0, 0), news.reference
    for first in sorted(set(references)):
        if not first <= news.reference < first + timedelta(days=days):
            continue
        low, high = bisect_left(references, first), bisect_left(references, first + timedelta(days=days))
        found = (areas_at_least(dated[low:high]), high - low)
        best, begins = (found, first) if found > best else (best, begins)
    return [m for m in members if begins <= m.reference < begins + timedelta(days=days)], best[0]


def areas_at_least(members: Sequence[Sample]) -> int:
    """So many samples of which no two could be from one area: there are at least as many areas."""
    places: dict[tuple[frozenset[str], str], Sample] = {}  # of samples from one place the first by record will do
    for member in members:
        here = places.setdefault((member.boroughs, member.region), member)
        if member.record < here.record:
            places[member.boroughs, member.region] = member
    apart: list[Sample] = []
    for member in sorted(places.values(), key=lambda m: (len(m.boroughs) or 999, sorted(m.boroughs), m.record)):
        if (member.boroughs or member.region) and all(member.elsewhere(other) for other in apart):
            apart.append(member)
    return len(apart)


def _trials(known: Tested, shares: Shares, batch: Batch, window: Sequence[Sample]) -> int:
    """Samples that look exactly like one of the window, known from the batch's first day to the window's last."""
    start, now = int(known.day[batch.first.row]), max(int(known.day[m.row]) for m in window) + 1
    kinds = {int(known.look[m.row]) for m in window}
    return max(len(window), sum(shares.alike(k, start, now) for k in kinds))


def _spread(
    ground: Ground,
    batch: Batch,
    window: Sequence[Sample],
    areas: int,
    area: str,
    chance: Chance,
    trials: int,
    p_value: float,
) -> str:
    first, last = min(m.reference for m in window), max(m.reference for m in window)
    sure = likeness.sureness(batch.weakest(window))
    return (
        f"{batches.named(batch, window, ground.catalogue)}: {plural(len(window), 'sample')} from at least {areas} "
        f"areas in {place(ground.catalogue, area)}, {day_text(first)} to {day_text(last)}. That they are one batch is "
        f"{sure} by what was stated of them. {plural(trials, 'sample')} looked alike since the first; "
        f"{chance.expected(trials):.2g} of them would be expected to hold one, "
        f"p {p_value:.2g}.{batches.caution(window)}"
    )
