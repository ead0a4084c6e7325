"""Samples become batches, in the order in which they became known, and batches rows of spells.

In: watched samples. Out: for each watched class the batches, each with its samples. A sample joins the batch it is most
alike, as its first sample looked, or begins one; what is known later never moves what was known before. What states too
little to be known again begins none. A batch is named by what was found, its form, colour, imprint and dose: never by a
maker's or a seller's word.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from ewarn.catalogue import Catalogue
from ewarn.catalogue.definitions import RuleDefinition
from ewarn.matching import batches as likeness
from ewarn.matching import looks
from ewarn.matching.subjects import batch_subject
from ewarn.rules.prepare import stands
from ewarn.rules.shelf import Shelf
from ewarn.rules.tested import Sample
from ewarn.terms import SubjectKind, Tier, digest


@dataclass
class Batch:
    """One batch of a class. `members` in order of becoming known; `points` how alike each is to the first."""

    class_id: str
    members: list[Sample] = field(default_factory=list)
    points: list[float] = field(default_factory=list)

    @property
    def first(self) -> Sample:
        return self.members[0]

    @property
    def id(self) -> str:
        """Subject id of its signals: the class, and a name for what the first sample looked like and when."""
        day = self.first.reference.isoformat()
        return batch_subject(self.class_id, digest([self.class_id, self.first.look.key, day, self.first.record], 8))

    def known(self, instant: datetime) -> list[Sample]:
        """Members known at an instant, one version a record."""
        return [m for m in self.members if m.seen <= instant < m.gone]

    @cached_property
    def _dated(self) -> list[tuple[date, int]]:
        """Reference dates and positions of its samples that were not late; asked for when all have joined."""
        return sorted((member.reference, at) for at, member in enumerate(self.members) if not member.late)

    def around(self, news: Sample, days: int) -> list[Sample]:
        """Members known with the news, fewer than so many days from it, without those that were late."""
        low = bisect_left(self._dated, (news.reference - timedelta(days=days - 1), 0))
        high = bisect_left(self._dated, (news.reference + timedelta(days=days), 0))
        near = (self.members[at] for at in sorted(at for _, at in self._dated[low:high]))
        return [member for member in near if member.seen <= news.seen < member.gone]

    def weakest(self, members: Iterable[Sample]) -> float:
        """How alike the least alike of some members is to the first; of the first alone, as a mark allows."""
        asked = {id(m) for m in members}
        joined = [p for m, p in zip(self.members[1:], self.points[1:], strict=True) if id(m) in asked]
        return min(joined, default=likeness.SURE if self.first.look.codes or self.first.look.words else 0.0)


def assigned(samples: Sequence[Sample], class_id: str) -> list[Batch]:
    """The batches of one class. In: samples in order of becoming known."""
    found: list[Batch] = []
    shelf = Shelf()
    for sample in samples:
        if class_id not in sample.watched or not sample.look.enough:
            continue
        points, earliest = max(((points, -at) for points, at in shelf.fits(sample)), default=(0.0, -len(found)))
        at = -earliest
        if at == len(found):
            found.append(Batch(class_id))
            shelf.begin(sample)
        else:
            shelf.join(at, sample)
        found[at].members.append(sample)
        found[at].points.append(points)
    return found


def named(batch: Batch, members: Sequence[Sample], catalogue: Catalogue) -> str:
    """'Metonitazene (nitazene) in blue tablets marked M30, sold as oxycodone'."""
    inside = {s for member in members for s in member.held if catalogue.class_of.get(s) == batch.class_id}
    class_name = catalogue.name_of(batch.class_id)
    found = ", ".join(sorted(catalogue.name_of(s) for s in inside))
    what = f"{found} ({class_name})" if found else class_name[:1].upper() + class_name[1:]
    look = batch.first.look
    sold = catalogue.name_of(look.sold_as) if look.sold_as else "something else" if look.asked else ""
    return f"{what} in {looks.describe(look)}" + (f", sold as {sold}" if sold else "")


def caution(members: Sequence[Sample]) -> str:
    return " By a presumptive test only." if all(member.presumptive for member in members) else ""


def spell(
    rule: RuleDefinition, batch: Batch, members: Sequence[Sample], at: datetime, area: str, tier: Tier
) -> dict[str, Any]:
    """What every spell of a batch says: it stands until its time is over or one of its samples is withdrawn."""
    return {
        "rule": rule.id,
        "subject_kind": SubjectKind.KEY.value,
        "subject": batch.id,
        "area": area,
        "tier": tier.value,
        "fires_from": at,
        "fires_to": min(stands(at, rule, member.gone) for member in members),
        "period_start": min(member.reference for member in members),
        "period_end": max(member.reference for member in members),
        "observed": float(len(members)),
        "certain": len(members),
        "records": sorted({member.record for member in members}),
    }
