"""One event raises one signal, at the tier that explains it best; the others lie beneath it.

In: episodes, the rules' precedence, the neighbours of areas. Out: for each episode the one it lies beneath, or none.
What lies beneath what is settled by what was known when the lower one was first raised, so that a check at one instant
and a back-test over a year agree.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ewarn.catalogue import Catalogue
from ewarn.catalogue.definitions import RuleDefinition
from ewarn.terms import UK, Family, SubjectKind, Tier

GROUPS = {Family.MISSOLD: Family.FIRST, Family.UNKNOWN_NAME: Family.FIRST}
TIERS = {tier.value: i for i, tier in enumerate(Tier)}
SUBJECTS = {kind: i for i, kind in enumerate((SubjectKind.SUBSTANCE, SubjectKind.CLASS, SubjectKind.KEY))}
# A wider window lies beneath a narrower area's when at least this part of its persons is already there.
EXPLAINED = 0.5


def group_of(rule: RuleDefinition) -> Family:
    """What can lie beneath what: what one sample says by itself goes together."""
    if rule.family is Family.BATCH and rule.numbers.get("trigger") == "content":
        return Family.FIRST
    return GROUPS.get(rule.family, rule.family)


@dataclass(frozen=True)
class Spell:
    """The part of a spell that collapse needs."""

    fires_from: datetime
    fires_to: datetime
    records: frozenset[str]


@dataclass(frozen=True)
class Episode:
    """One signal over time. `spells` in order of fires_from; `possible` areas its first records could be in."""

    number: int
    rule: RuleDefinition
    subject_kind: str
    subject: str
    area: str
    tier: str
    spells: tuple[Spell, ...]
    possible: frozenset[str] = frozenset()

    @property
    def began(self) -> datetime:
        return self.spells[0].fires_from

    @property
    def group(self) -> Family:
        return group_of(self.rule)

    def known(self, instant: datetime) -> frozenset[str]:
        """Records of the spells that began by an instant, where one of them stands at it; else none."""
        begun = [s for s in self.spells if s.fires_from <= instant]
        if not any(s.fires_to > instant for s in begun):
            return frozenset()
        return frozenset().union(*(s.records for s in begun))


def order(episode: Episode, catalogue: Catalogue) -> tuple[object, ...]:
    """What explains best first: raised earlier, then precedence, closer tier, substance before class, more records."""
    return (
        episode.began,
        episode.rule.precedence,
        TIERS[episode.tier],
        SUBJECTS.get(SubjectKind(episode.subject_kind), len(SUBJECTS)),
        -len(episode.known(episode.began)),
        _severity(episode, catalogue),
        catalogue.name_of(episode.subject).lower(),
        episode.area,
        episode.rule.id,
    )


def _severity(episode: Episode, catalogue: Catalogue) -> str:
    """Subjects of classes on watch before others, class by class."""
    class_id = catalogue.class_of.get(episode.subject, episode.subject)
    return f"{'0' if catalogue.is_watched(class_id) else '1'}{class_id}"


def one_each(record: str, instant: datetime) -> float:
    return 1.0


def beneath(
    episodes: Iterable[Episode], catalogue: Catalogue, weight: Callable[[str, datetime], float] = one_each
) -> dict[int, int]:
    """Episode number -> number of the episode it lies beneath; those on top are absent.

    `weight` is how many persons a record told of at an instant: one running total can be most of a cluster.
    """
    near = _neighbours(catalogue)
    tops: defaultdict[tuple[Family, str], list[Episode]] = defaultdict(list)
    parents: dict[int, int] = {}
    ranked = sorted(episodes, key=lambda e: order(e, catalogue))
    rank = {episode.number: i for i, episode in enumerate(ranked)}
    for episode in ranked:
        mine = episode.known(episode.began)
        candidates: dict[int, Episode] = {}
        for record in sorted(mine):
            candidates |= {top.number: top for top in tops[episode.group, record]}
        best_first = sorted(candidates.values(), key=lambda top: rank[top.number])
        around = [top for top in best_first if _areas_touch(top, episode, near, catalogue)]
        parent = next((top for top in around if _explains(top, episode, mine, weight)), None) or _together(
            around, episode, mine
        )
        if parent is not None:
            parents[episode.number] = parent.number
            continue
        for record in frozenset().union(*(s.records for s in episode.spells)):
            tops[episode.group, record].append(episode)
    return parents


def _explains(upper: Episode, lower: Episode, mine: frozenset[str], weight: Callable[[str, datetime], float]) -> bool:
    """Whether the lower one says nothing the upper one had not said when the lower was first raised.

    A signal that names its substance is never explained by one that does not, nor an area's cluster by one place's.
    """
    known = upper.known(lower.began)
    unnamed = upper.subject_kind == SubjectKind.NONE and lower.subject_kind != SubjectKind.NONE
    one_place = _scope(upper) == "setting" and _scope(lower) != "setting"
    if not known or unnamed or one_place:
        return False
    if mine <= known:
        return True
    wider = lower.tier != upper.tier or _scope(lower) == "neighbours"
    if lower.group is not Family.CLUSTER or not wider:
        return False
    weights = {record: weight(record, lower.began) for record in mine}
    return sum(weights[record] for record in mine & known) >= EXPLAINED * sum(weights.values())


def _scope(episode: Episode) -> object:
    return episode.rule.numbers.get("scope", "area")


def _together(uppers: Sequence[Episode], lower: Episode, mine: frozenset[str]) -> Episode | None:
    """For first detections: the first of several closer ones that explain a wider one together."""
    if lower.group is not Family.FIRST:
        return None
    closer = [upper for upper in uppers if TIERS[upper.tier] <= TIERS[lower.tier]]
    covered = frozenset().union(*(upper.known(lower.began) for upper in closer)) if closer else frozenset()
    return closer[0] if closer and mine <= covered else None


def _neighbours(catalogue: Catalogue) -> Mapping[str, set[str]]:
    near: defaultdict[str, set[str]] = defaultdict(set)
    for code, neighbour in catalogue.neighbours.select("code", "neighbour").iter_rows():
        near[code].add(neighbour)
    return near


def _areas_touch(upper: Episode, lower: Episode, near: Mapping[str, set[str]], catalogue: Catalogue) -> bool:
    """The lower one's area is the upper's, contains it, borders it, or is one its records could be in."""
    around = {upper.area, *near.get(upper.area, ()), *upper.possible}
    if upper.area != UK:
        around |= {area.code for area in catalogue.ancestors(upper.area)}
    return lower.area in around
