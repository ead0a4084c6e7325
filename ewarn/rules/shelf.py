"""The shelf of batches: which of them a sample could be of, without asking each one.

In: the first sample of each batch, and its further ones as they join, in order of becoming known. Out: for a sample the
batches it is alike enough to, with points. It finds what asking every one would find (tests/rules/test_batches.py):

- With a mark in common, nothing that both state may tell them apart: a batch is looked up by the mark, by how its first
  looked (form, colours, dose, sold-as) and by each substance found in it.
- Without one, all else must fit but for 0.75 points (ewarn.matching.batches): they share a substance, have one form or
  both a loose one, and the batch has a sample from the same place and one of the same few days.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import heappop, heappush

from ewarn.matching import batches as likeness
from ewarn.matching.looks import LOOSE, Look
from ewarn.rules.tested import Sample

NOTHING: frozenset[str] = frozenset()
NEAR_DAYS = [timedelta(days=n) for n in range(-likeness.CLOSE_DAYS, likeness.CLOSE_DAYS + 1)]
Mark = str | tuple[str]  # a word, or a code
_NONE: set[int] = set()
_NONE_OF_MARK: dict[int, defaultdict[str, list[int]]] = {}


@dataclass
class _Standing:
    """What is known now of one batch: the days and places of its samples, without those that were withdrawn."""

    first: Sample
    members: list[Sample] = field(default_factory=list)
    days: list[int] = field(default_factory=list)
    places: Counter[frozenset[str]] = field(default_factory=Counter)
    records: Counter[str] = field(default_factory=Counter)
    passing: list[tuple[datetime, int]] = field(default_factory=list)

    def join(self, sample: Sample) -> None:
        insort(self.days, sample.reference.toordinal())
        self.places[sample.boroughs] += 1
        self.records[sample.record] += 1
        heappush(self.passing, (sample.gone, len(self.members)))
        self.members.append(sample)

    def around(self, sample: Sample) -> tuple[int, bool] | None:
        """Days to the nearest sample known now, and whether any is of the same place; None where none is known."""
        self._let_go(sample)
        if not self.days:
            return None
        if self.records[sample.record]:
            return self._around_others(sample)
        day = sample.reference.toordinal()
        at = bisect_left(self.days, day)
        days = min(abs(day - other) for other in self.days[max(0, at - 1) : at + 1])
        return days, bool(self.first.boroughs) and self.places[sample.boroughs] > 0

    def _let_go(self, sample: Sample) -> None:
        """Samples come in order of becoming known: what is gone by now will not be asked for again."""
        while self.passing and self.passing[0][0] <= sample.seen:
            gone = self.members[heappop(self.passing)[1]]
            del self.days[bisect_left(self.days, gone.reference.toordinal())]
            self.places[gone.boroughs] -= 1
            self.records[gone.record] -= 1

    def _around_others(self, sample: Sample) -> tuple[int, bool]:
        """The same, where another version of the sample's record is among them: it counts where it stands alone."""
        known = [self.members[at] for _, at in self.passing]
        known = [member for member in known if member.record != sample.record] or known
        days = min(abs((member.reference - sample.reference).days) for member in known)
        return days, bool(self.first.boroughs) and any(member.boroughs == sample.boroughs for member in known)


class _Appearances:
    """Appearances as numbers, and which of them nothing tells apart."""

    def __init__(self) -> None:
        self._number: dict[Look, int] = {}
        self._of_form: defaultdict[str, list[Look]] = defaultdict(list)
        self.like: list[set[int]] = []

    def number(self, look: Look) -> int:
        if look not in self._number:
            mine = self._number[look] = len(self.like)
            self._of_form[look.form].append(look)
            self.like.append(set())
            for form, others in self._of_form.items():
                if likeness.are_one(replace(look, colours=NOTHING, doses=frozenset(), sold_as=""), _of(form)):
                    self._join(mine, look, others)
        return self._number[look]

    def _join(self, mine: int, look: Look, others: Iterable[Look]) -> None:
        for other in others:
            if likeness.are_one(look, other):
                its = self._number[other]
                self.like[mine].add(its)
                self.like[its].add(mine)


def _of(form: str) -> Look:
    return Look(form, NOTHING, NOTHING, NOTHING, frozenset(), "")


class Shelf:
    """Batches by number, in the order in which they began."""

    def __init__(self) -> None:
        self._standing: list[_Standing] = []
        self._spellings = likeness.Spellings()
        self._appearances = _Appearances()
        self._by_mark: defaultdict[Mark, defaultdict[int, defaultdict[str, list[int]]]] = defaultdict(
            lambda: defaultdict(lambda: defaultdict(list))
        )
        self._by_place: defaultdict[tuple[object, ...], set[int]] = defaultdict(set)
        self._by_day: defaultdict[tuple[object, ...], set[int]] = defaultdict(set)

    def fits(self, sample: Sample) -> Iterator[tuple[float, int]]:
        """The batches this sample may be of, each with how alike it is."""
        for at in {*self._marked_alike(sample), *self._near(sample)}:
            standing = self._standing[at]
            around = standing.around(sample)
            if around is None:
                continue
            first, (days, near) = standing.first, around
            content = (first.held, sample.held)
            verdict = likeness.alike(first.look, sample.look, days, near=near, content=content)
            if verdict.state == "same":
                yield verdict.points, at

    def begin(self, first: Sample) -> None:
        """The next batch begins with this sample."""
        at = len(self._standing)
        self._standing.append(_Standing(first))
        for mark, appearance in self._marks(first.look):
            for substance in first.held or ("",):
                self._by_mark[mark][appearance][substance].append(at)
        self.join(at, first)

    def join(self, at: int, sample: Sample) -> None:
        """A batch has this sample."""
        standing = self._standing[at]
        standing.join(sample)
        group = _group(standing.first.look.form)
        for substance in standing.first.held:
            self._by_place[substance, group, sample.boroughs].add(at)
            self._by_day[substance, group, sample.reference].add(at)

    def _marks(self, look: Look) -> list[tuple[Mark, int]]:
        """Its marks, each with how the rest looks. A code in common lets what it was sold as differ."""
        bare = replace(look, words=NOTHING, codes=NOTHING, asked="")
        marks: list[tuple[Mark, int]] = []
        if look.words:
            marks += [(word, self._appearances.number(bare)) for word in look.words]
            for word in look.words:
                self._spellings.like(word)
        if look.codes:
            number = self._appearances.number(replace(bare, sold_as=""))
            marks += [((code,), number) for code in look.codes]
        return marks

    def _marked_alike(self, sample: Sample) -> Iterator[int]:
        for mark, appearance in self._marks(sample.look):
            likely = self._appearances.like[appearance]
            for known in self._spellings.like(mark) if isinstance(mark, str) else (mark,):
                of_mark = self._by_mark.get(known) or _NONE_OF_MARK
                for number in likely if len(likely) < len(of_mark) else of_mark:
                    if number in of_mark and number in likely:
                        yield from _holding(of_mark[number], sample.held)

    def _near(self, sample: Sample) -> Iterator[int]:
        group = _group(sample.look.form)
        for substance in sample.held if sample.boroughs else ():
            here = self._by_place.get((substance, group, sample.boroughs), _NONE)
            for near in NEAR_DAYS if here else ():
                yield from here & self._by_day.get((substance, group, sample.reference + near), _NONE)


def _group(form: str) -> str:
    return "loose" if form in LOOSE else form


def _holding(batches: dict[str, list[int]], held: frozenset[str]) -> Iterator[int]:
    """Batches with any of these substances, or with none: content that both state and do not share tells them apart."""
    for substance in (*held, "") if held else batches:
        yield from batches.get(substance, ())
