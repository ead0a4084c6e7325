"""Samples as a batch sees them: their looks, what was found in them, where they could be from, and when that was known.

In: the ground. Out: Tested: one element per sample version, and counts of what was known before a London day. Never a
sample that was not known by then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ewarn.catalogue.definitions import RuleDefinition
from ewarn.matching import looks
from ewarn.matching.looks import Look
from ewarn.rules.prepare import VERSION, Ground, subjects_of
from ewarn.terms import RecordKind, SubjectKind, Tier

# No content by itself: what nearly everything is cut with.
PASSIVE = "cutting-agent"
OF_ONE = (*VERSION, "visible_from", "visible_to", "day", "reference_date", "age_days", "max_age_days")
STATED = ("sold_as", "sold_as_subject", "form", "colour", "label")
Ints = NDArray[np.int64]
SPAN = 10_000_000  # more than there are days


@dataclass(frozen=True)
class Sample:
    """One version of a sample. `seen` and `gone` bound the time it was known; `held` what was found that is active."""

    row: int
    record: str
    version: int
    seen: datetime
    gone: datetime
    day: date
    reference: date
    look: Look
    held: frozenset[str]
    watched: frozenset[str]
    boroughs: frozenset[str]
    region: str
    late: bool
    presumptive: bool

    def elsewhere(self, other: Sample) -> bool:
        """Whether two samples can not be from one area: no borough both could be in, or two regions."""
        if self.boroughs and other.boroughs:
            return not self.boroughs & other.boroughs
        return bool(self.region and other.region) and self.region != other.region


@dataclass(frozen=True)
class Tally:
    """How many versions of a group were known before a day; groups and days as numbers."""

    began: Ints
    ended: Ints

    @classmethod
    def of(cls, group: Ints, day: Ints, gone: Ints) -> Tally:
        return cls(np.sort(group * SPAN + day), np.sort(group * SPAN + gone))

    def before(self, group: int, day: int) -> int:
        low, high = group * SPAN, group * SPAN + day
        begun, ended = (np.searchsorted(a, [low, high]) for a in (self.began, self.ended))
        return int(begun[1] - begun[0] - ended[1] + ended[0])


@dataclass(frozen=True)
class Shares:
    """Samples tested, and those that held one class, by look, by what they were sold as, and in all."""

    tested: tuple[Tally, Tally, Tally]
    held: tuple[Tally, Tally, Tally]

    def by_look(self, look: int, day: int) -> tuple[int, int]:
        """How many held it, of how many, known before a day."""
        return self.held[0].before(look, day), self.tested[0].before(look, day)

    def alike(self, look: int, start: int, end: int) -> int:
        """How many became known from one day on, before another."""
        return self.tested[0].before(look, end) - self.tested[0].before(look, start)

    def by_intent(self, intent: int, day: int) -> tuple[int, int]:
        return self.held[1].before(intent, day), self.tested[1].before(intent, day)

    def in_all(self, day: int) -> tuple[int, int]:
        return self.held[2].before(0, day), self.tested[2].before(0, day)


@dataclass(frozen=True)
class Tested:
    """Every sample version in order of becoming known: its look and sold-as as numbers, and the watched ones whole.

    `holding` watched class id -> whether each version held it.
    """

    look: Ints
    intent: Ints
    day: Ints
    gone_day: Ints
    holding: dict[str, NDArray[np.bool_]]
    watched: tuple[Sample, ...]

    def shares(self, class_id: str) -> Shares:
        held = self.holding[class_id]
        groups = (self.look, self.intent, np.zeros_like(self.look))
        return Shares(
            tested=self._tallies(groups, np.ones_like(held)),
            held=self._tallies(groups, held),
        )

    def _tallies(self, groups: tuple[Ints, Ints, Ints], which: NDArray[np.bool_]) -> tuple[Tally, Tally, Tally]:
        one, two, three = (Tally.of(group[which], self.day[which], self.gone_day[which]) for group in groups)
        return one, two, three


def of(rule: RuleDefinition, ground: Ground) -> Tested | None:
    """All samples of the rule's kinds; None where there are none."""
    key = ("tested", *asked(rule, ground))
    if key not in ground.shared:
        ground.shared[key] = _of(rule, ground)
    found: Tested | None = ground.shared[key]
    return found


def asked(rule: RuleDefinition, ground: Ground) -> tuple[bool, tuple[str, ...]]:
    """What two rules have in common that look at the same samples."""
    return RecordKind.SAMPLE in rule.kinds, tuple(subjects_of(rule, ground.catalogue))


def _of(rule: RuleDefinition, ground: Ground) -> Tested | None:
    kinds = [k.value for k in rule.kinds if k is RecordKind.SAMPLE]
    rows = ground.of_kinds(kinds).sort("visible_from", "reference_date", *VERSION)
    if rows.is_empty():
        return None
    rows = rows.with_columns(gone_day=pl.col("visible_to").dt.convert_time_zone("Europe/London").dt.date())
    seen_looks = _looks(rows, ground)
    numbered = {look: i for i, look in enumerate(dict.fromkeys(seen_looks))}
    intents = [look.sold_as or look.asked for look in seen_looks]
    intent_of = {intent: i for i, intent in enumerate(dict.fromkeys(intents))}
    watched = _watched(rows, rule, ground)
    return Tested(
        look=np.array([numbered[look] for look in seen_looks], dtype=np.int64),
        intent=np.array([intent_of[intent] for intent in intents], dtype=np.int64),
        day=_numbers(rows["day"]),
        gone_day=_numbers(rows["gone_day"]),
        holding={c: _holding(rows, c, ground) for c in _classes(watched)},
        watched=tuple(_samples(rows, seen_looks, watched, ground)),
    )


def _numbers(days: pl.Series) -> Ints:
    return np.asarray(days.cast(pl.Int32).cast(pl.Int64).to_numpy(), dtype=np.int64)


def _looks(rows: pl.DataFrame, ground: Ground) -> list[Look]:
    """One look per row; each distinct wording is read once."""
    vocabulary = looks.Vocabulary.of(ground.catalogue)
    wordings = list(rows.select(STATED).iter_rows())
    read = {
        stated: looks.look(
            vocabulary, sold_as=stated[0], subject=stated[1], form=stated[2], colour=stated[3], label=stated[4]
        )
        for stated in set(wordings)
    }
    return [read[stated] for stated in wordings]


def _holding(rows: pl.DataFrame, class_id: str, ground: Ground) -> NDArray[np.bool_]:
    """Per row whether the class was found."""
    of_class = (pl.col("subject_kind") == SubjectKind.CLASS) & (pl.col("subject") == class_id)
    found = ground.detections.filter(of_class).select(VERSION).unique().with_columns(found=True)
    held = rows.select(VERSION).join(found, on=VERSION, how="left", maintain_order="left")["found"]
    return np.asarray(held.fill_null(False).to_numpy(), dtype=np.bool_)


def _active(keys: pl.DataFrame, ground: Ground) -> dict[tuple[str, int], frozenset[str]]:
    """Version -> the active substances found in it."""
    found = ground.detections.filter(pl.col("subject_kind") == SubjectKind.SUBSTANCE)
    found = found.join(keys, on=VERSION, how="semi").group_by(VERSION).agg(pl.col("subject").unique())
    class_of = ground.catalogue.class_of
    return {
        (record, version): frozenset(s for s in subjects if class_of.get(s) != PASSIVE)
        for record, version, subjects in found.iter_rows()
    }


def _watched(rows: pl.DataFrame, rule: RuleDefinition, ground: Ground) -> dict[tuple[str, int], tuple[set[str], bool]]:
    """Version -> the watched classes found in it, and whether by a presumptive test alone."""
    wanted = subjects_of(rule, ground.catalogue)
    found = ground.detections.filter(pl.col("subject").is_in(wanted)).join(rows.select(VERSION), on=VERSION, how="semi")
    named: dict[tuple[str, int], tuple[set[str], bool]] = {}
    columns = found.select(*VERSION, "subject", "class_id", "presumptive")
    for record, version, subject, class_id, presumptive in columns.iter_rows():
        classes, alone = named.get((record, version), (set(), True))
        named[record, version] = (classes | {class_id or subject}, alone and bool(presumptive))
    return named


def _classes(watched: dict[tuple[str, int], tuple[set[str], bool]]) -> list[str]:
    return sorted({class_id for classes, _ in watched.values() for class_id in classes})


def _samples(
    rows: pl.DataFrame,
    seen_looks: list[Look],
    watched: dict[tuple[str, int], tuple[set[str], bool]],
    ground: Ground,
) -> list[Sample]:
    keys = pl.DataFrame(list(watched), schema=rows.select(VERSION).schema, orient="row")
    could = ground.possible.join(keys, on=VERSION, how="semi")
    active = _active(keys, ground)
    areas: dict[tuple[str, int, str], set[str]] = {}
    for record, version, area, tier in could.select(*VERSION, "area", "tier").iter_rows():
        areas.setdefault((record, version, tier), set()).add(area)
    found = []
    told = rows.select(OF_ONE).with_row_index("at").join(keys, on=VERSION, how="semi", maintain_order="left")
    for row in told.iter_rows(named=True):
        i, key = row["at"], (row["record_id"], row["version"])
        regions = areas.get((*key, Tier.REGION.value), set())
        found.append(
            Sample(
                row=i,
                record=key[0],
                version=key[1],
                seen=row["visible_from"],
                gone=row["visible_to"],
                day=row["day"],
                reference=row["reference_date"],
                look=seen_looks[i],
                held=active.get(key, frozenset()),
                watched=frozenset(watched[key][0]),
                boroughs=frozenset(areas.get((*key, Tier.BOROUGH.value), ())),
                region=next(iter(regions)) if len(regions) == 1 else "",
                late=row["age_days"] > row["max_age_days"],
                presumptive=watched[key][1],
            )
        )
    return found
