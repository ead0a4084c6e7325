"""Overdoses that a contaminated batch may be behind: in an area where it was found, within hours of each other.

In: batches, the ground. Out: rows of spells. An overdose is linked when it names, as suspected or found, what the
batch holds, what it is sold as, or the class of either; when it happened within weeks of one of its samples; and when
it could be from an area that this sample could be from. One in which only something else was found is not linked. It is
a link to look into, never a finding that the batch did it. Persons are counted as everywhere: one told of twice is one.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from ewarn.catalogue.definitions import RuleDefinition
from ewarn.matching import persons
from ewarn.methods.tails import upper_tail
from ewarn.rules import baseline, batches
from ewarn.rules.batches import Batch
from ewarn.rules.prepare import DETECTED, VERSION, Ground, day_text, number, place, plural
from ewarn.rules.tested import Sample
from ewarn.terms import MentionKind, RecordKind, Tier

LEAST_HISTORY_DAYS = 180
OF_ONE = ("row", *VERSION, "persons", "areas", "start", "end", "reference_date", "visible_from", "visible_to")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Overdose:
    """One version of an incident: what it names, where it could be, when it happened (microseconds) and was known."""

    row: int
    record: str
    version: int
    persons: int
    named: frozenset[str]
    found: frozenset[str]
    boroughs: frozenset[str]
    start: int
    end: int
    reference: date
    seen: datetime
    gone: datetime

    def speaks_of(self, terms: frozenset[str]) -> bool:
        return bool(self.named & terms) and (not self.found or bool(self.found & terms))


@dataclass(frozen=True)
class Overdoses:
    """Every overdose that names anything, and all incidents as reports of persons, by `row`; worked out once."""

    reports: persons.Reports
    codes: dict[str, int]
    every: tuple[Overdose, ...]

    @cached_property
    def naming(self) -> dict[str, tuple[list[date], list[int]]]:
        """What is named -> days and positions of the overdoses that name it, by day."""
        found: dict[str, list[tuple[date, int]]] = {}
        for at, overdose in enumerate(self.every):
            for subject in overdose.named:
                found.setdefault(subject, []).append((overdose.reference, at))
        ordered = {subject: sorted(pairs) for subject, pairs in found.items()}
        return {name: ([day for day, _ in pairs], [at for _, at in pairs]) for name, pairs in ordered.items()}

    def around(self, terms: frozenset[str], days: Collection[date], reach: int) -> list[Overdose]:
        """Those that name one of the terms and happened within so many days of one of these, in their order."""
        found: set[int] = set()
        for dated, positions in (self.naming[term] for term in terms if term in self.naming):
            for day in days:
                low = bisect_left(dated, day - timedelta(days=reach))
                found.update(positions[low : bisect_right(dated, day + timedelta(days=reach))])
        return [self.every[at] for at in sorted(found)]

    def speaking_of(self, terms: frozenset[str]) -> list[Overdose]:
        named = {at for term in terms if term in self.naming for at in self.naming[term][1]}
        return [self.every[at] for at in sorted(named) if self.every[at].speaks_of(terms)]

    def count(self, window: Sequence[Overdose], said: pl.DataFrame) -> tuple[int, int]:
        """Fewest and most persons of some of them."""
        at = np.array([o.row for o in sorted(window, key=lambda o: o.record)], dtype=np.int64)
        return persons.count_of(self.reports.at(at), {o.record: self.codes[o.record] for o in window}, said)


def rows(rule: RuleDefinition, ground: Ground, found: Sequence[Batch]) -> list[dict[str, Any]]:
    """Rows of spells: at least `n` persons within `hours`, linked to one batch, in one borough.

    With half a year of overdoses they must also be no likelier than `alpha` by those told of in the same words before.
    """
    if "overdoses" not in ground.shared:
        ground.shared["overdoses"] = _overdoses(ground)
    overdoses: Overdoses = ground.shared["overdoses"]
    if not overdoses.every:
        return []
    plan = _Plan(rule, ground, overdoses)
    return [row for batch in found for row in plan.of_batch(batch)]


def _overdoses(ground: Ground) -> Overdoses:
    """The incidents as reports of persons, and one by one; those known too late are left out."""
    incidents = ground.versions.filter(
        (pl.col("kind") == RecordKind.INCIDENT) & (pl.col("age_days") <= pl.col("max_age_days"))
    )
    told = persons.told(incidents.join(ground.boroughs, on=VERSION, how="left")).with_row_index("row")
    kinds = [MentionKind.SUBSTANCE.value, MentionKind.CLASS.value]
    mentions = ground.mentions.filter(pl.col("mention_kind").is_in(kinds)).drop_nulls("subject")
    mentions = mentions.join(incidents.select(VERSION), on=VERSION, how="semi")
    named: dict[tuple[str, int], set[str]] = {}
    detected: dict[tuple[str, int], set[str]] = {}
    roles = {role.value for role in DETECTED}
    class_of = ground.catalogue.class_of
    for record, version, role, subject in mentions.select(*VERSION, "role", "subject").iter_rows():
        both = {subject, class_of.get(subject, subject)}
        named.setdefault((record, version), set()).update(both)
        if role in roles:
            detected.setdefault((record, version), set()).update(both)
    reports = persons.reports(told)
    every = tuple(
        Overdose(
            row=row["row"], record=row["record_id"], version=row["version"], persons=row["persons"],
            named=frozenset(named[row["record_id"], row["version"]]),
            found=frozenset(detected.get((row["record_id"], row["version"]), ())),
            boroughs=frozenset((row["areas"] or "").split()), start=row["start"], end=row["end"],
            reference=row["reference_date"], seen=row["visible_from"], gone=row["visible_to"],
        )
        for row in told.select(OF_ONE).iter_rows(named=True)
        if (row["record_id"], row["version"]) in named and row["areas"]
    )  # fmt: skip
    return Overdoses(reports, dict(zip(told["record_id"].to_list(), reports.record.tolist(), strict=True)), every)


class _Plan:
    """The rule's numbers, and what is needed to count persons at an instant."""

    def __init__(self, rule: RuleDefinition, ground: Ground, overdoses: Overdoses) -> None:
        self.rule, self.ground, self.overdoses = rule, ground, overdoses
        self.n, self.reach = int(number(rule, "n", 2)), int(number(rule, "reach_days", 28))
        self.window = int(number(rule, "hours", 72) * 3_600_000_000)
        self.alpha = number(rule, "alpha", 1.0)

    def of_batch(self, batch: Batch) -> Iterator[dict[str, Any]]:
        """A spell for each piece of news, a sample or an overdose, that completes or enlarges a window."""
        everything = self._terms(batch, batch.members)
        days = {m.reference for m in batch.members if not m.late}
        close = self.overdoses.around(everything, days, self.reach)
        linked = [o for o in close if any(self._near(m, o) for m in batch.members)]
        told: set[tuple[str, tuple[str, ...]]] = set()
        for at in sorted({o.seen for o in linked} | {m.seen for m in batch.members if linked}):
            members = batch.known(at)
            terms = self._terms(batch, members)
            known = [o for o in linked if o.seen <= at < o.gone and o.speaks_of(terms)]
            now = [o for o in known if any(self._near(m, o) for m in members)]
            for borough in sorted({b for o in now for b in o.boroughs}):
                here = [o for o in now if borough in o.boroughs]
                window, fewest, most = self._fullest(here, at)
                key = (borough, tuple(o.record for o in window))
                if fewest < self.n or key in told or borough != self._named(window):
                    continue
                told.add(key)
                samples = [m for m in members if any(self._near(m, o) for o in window)]
                before = self._before(self.overdoses.speaking_of(terms), window, at, borough)
                if before is not None and upper_tail(fewest, before) > self.alpha:
                    continue
                yield self._row(batch, samples, window, before, (fewest, most), at, borough)

    def _terms(self, batch: Batch, members: Sequence[Sample]) -> frozenset[str]:
        """What an overdose must name one of: the batch's class, its substances, what it is sold as and its class."""
        class_of = self.ground.catalogue.class_of
        own = {s for m in members for s in m.held if class_of.get(s) == batch.class_id}
        sold = {batch.first.look.sold_as} if batch.first.look.sold_as else set()
        return frozenset({batch.class_id, *own, *sold, *(class_of[s] for s in sold if s in class_of)})

    def _near(self, sample: Sample, overdose: Overdose) -> bool:
        close = abs((sample.reference - overdose.reference).days) <= self.reach and not sample.late
        return close and bool(sample.boroughs & overdose.boroughs)

    def _named(self, window: Sequence[Overdose]) -> str:
        """The borough a window is named for: the one most of its overdoses could be in; of equals the lower code."""
        boroughs = [b for o in window for b in o.boroughs]
        return min(set(boroughs), key=lambda b: (-boroughs.count(b), b)) if boroughs else ""

    def _fullest(self, overdoses: Sequence[Overdose], at: datetime) -> tuple[list[Overdose], int, int]:
        """The window with the most persons at least; of equals the one with most records, then the earliest."""
        best: tuple[list[Overdose], int, int] = ([], 0, 0)
        ordered = sorted(overdoses, key=lambda o: (o.start, o.record))
        for first in ordered:
            window = [o for o in ordered if o.end >= first.end and o.start <= first.end + self.window]
            if sum(o.persons for o in window) < max(self.n, best[1]):
                continue
            if best[0] and {o.record for o in window} <= {o.record for o in best[0]}:
                continue
            fewest, most = self._persons(window, at)
            if (fewest, len(window)) > (best[1], len(best[0])):
                best = (window, fewest, most)
        return best

    def _persons(self, window: Sequence[Overdose], at: datetime) -> tuple[int, int]:
        said = self.ground.links
        if said.height:
            said = said.filter((pl.col("visible_from") <= at) & (pl.col("visible_to") > at))
        return self.overdoses.count(window, said)

    def _before(
        self, overdoses: Sequence[Overdose], window: Sequence[Overdose], at: datetime, borough: str
    ) -> float | None:
        """Overdoses of the kind to expect in such a window, by those in this borough before it; None where unknown."""
        known = self.ground.versions.filter((pl.col("kind") == RecordKind.INCIDENT) & (pl.col("visible_from") <= at))
        first, begun = known["reference_date"].min(), min(o.start for o in window)
        if not isinstance(first, date):
            return None
        opened = datetime(first.year, first.month, first.day, tzinfo=UTC)
        length = begun - int((opened - EPOCH) / timedelta(microseconds=1))
        if length < LEAST_HISTORY_DAYS * baseline.DAY_US:
            return None
        earlier = {o.record for o in overdoses if o.seen <= at < o.gone and borough in o.boroughs and o.end < begun}
        return (len(earlier) + 0.5) * self.window / length

    def _row(
        self, batch: Batch, samples: Sequence[Sample], window: Sequence[Overdose], expected: float | None,
        people: tuple[int, int], at: datetime, borough: str,
    ) -> dict[str, Any]:  # fmt: skip
        row = batches.spell(self.rule, batch, samples, at, borough, Tier.BOROUGH)
        p = None if expected is None else float(upper_tail(people[0], expected))
        days = [o.reference for o in window] + [m.reference for m in samples]
        said = f"{people[0]}" if people[0] == people[1] else f"{people[0]} to {people[1]}"
        chance = (
            "How many would be expected is not known: the history of overdoses is too short."
            if expected is None
            else f"By such overdoses here before, {expected:.2g} would be expected, p {p:.2g}."
        )
        hours = self.window // 3_600_000_000
        return row | {
            "fires_to": min(row["fires_to"], *(o.gone for o in window)),
            "period_start": min(days),
            "period_end": max(days),
            "observed": float(people[0]),
            "expected": expected,
            "p_value": p,
            "persons_min": people[0],
            "persons_max": people[1],
            "certain": sum(len(o.boroughs) == 1 for o in window) + sum(len(m.boroughs) == 1 for m in samples),
            "records": sorted({*row["records"], *(o.record for o in window)}),
            "why": f"{batches.named(batch, samples, self.ground.catalogue)}: {plural(len(samples), 'sample')} in "
            f"{place(self.ground.catalogue, borough)}, and {said} persons overdosed there within {hours} hours "
            f"({day_text(min(o.reference for o in window))}), told of with what it holds or is sold as. {chance} "
            f"Whether it was this batch is not known.{batches.caution(samples)}",
            "would_have_stopped_it": f"Fewer than {self.n} persons within {hours} hours, another place or time, "
            f"something else alone found in them, or so many such overdoses before that p is above {self.alpha:g}.",
        }
