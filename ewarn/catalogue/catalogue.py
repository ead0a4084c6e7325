"""The catalogue: all content of one evaluation, typed and cross-checked, under one hash. Nothing writes to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from ewarn.catalogue.definitions import (
    AdviceDefinition,
    ChannelDefinition,
    ClassDefinition,
    DropDefinition,
    FeedDefinition,
    GradingDefinition,
    Handling,
    NoticeDefinition,
    RoutesDefinition,
    RuleDefinition,
    ScenarioDefinition,
    StatusDefinition,
    SubstanceDefinition,
    TemplateDefinition,
)
from ewarn.catalogue.wording import WordingDefinition
from ewarn.errors import UsageFault
from ewarn.frames import empty
from ewarn.terms import CLASSIFICATIONS, AreaRef, Subject, SubjectKind, Tier, strictest

UNDESCRIBED = Handling(
    marking="TLP:RED",
    conditions="A source of this is no longer described: ask its originator before passing anything on.",
)


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """Definitions by id, area frames, and the bytes they came from.

    Substance, class and status ids share one name space. `routes` and `grading` are None only in a catalogue put
    together by hand; `load` never leaves them out.
    """

    feeds: Mapping[str, FeedDefinition] = field(default_factory=dict)
    drops: Mapping[str, DropDefinition] = field(default_factory=dict)
    notices: Mapping[str, NoticeDefinition] = field(default_factory=dict)
    classes: Mapping[str, ClassDefinition] = field(default_factory=dict)
    statuses: Mapping[str, StatusDefinition] = field(default_factory=dict)
    areas: pl.DataFrame = field(default_factory=lambda: empty("areas"))
    neighbours: pl.DataFrame = field(default_factory=lambda: empty("neighbours"))
    outcodes: pl.DataFrame = field(default_factory=lambda: empty("outcodes"))
    placenames: pl.DataFrame = field(default_factory=lambda: empty("placenames"))
    squares: pl.DataFrame = field(default_factory=lambda: empty("squares"))
    rules: Mapping[str, RuleDefinition] = field(default_factory=dict)
    advice: Mapping[str, AdviceDefinition] = field(default_factory=dict)
    templates: Mapping[str, TemplateDefinition] = field(default_factory=dict)
    channels: Mapping[str, ChannelDefinition] = field(default_factory=dict)
    scenarios: Mapping[str, ScenarioDefinition] = field(default_factory=dict)
    routes: RoutesDefinition = None  # type: ignore[assignment]
    grading: GradingDefinition = None  # type: ignore[assignment]
    wording: WordingDefinition = field(default_factory=WordingDefinition)
    content_hash: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    @cached_property
    def sources(self) -> dict[str, FeedDefinition | DropDefinition | NoticeDefinition]:
        """Feeds, drops and notices without a feed, by id; an id is never two of them."""
        return {**self.feeds, **self.drops, **self.notices}

    def handling(
        self, sources: Iterable[str], released: Mapping[str, Handling] | None = None
    ) -> tuple[str, tuple[str, ...]]:
        """The strictest marking of some sources, and their conditions once each; no source: no marking.

        A source that is no longer described is taken for TLP:RED: nobody here can say what its originator allows.
        In: `released` what the originators of some sources allow instead.
        """
        held = self._handled(sources, released or {})
        conditions = [handling.words for handling in held if handling.words]
        return strictest(handling.marking for handling in held), tuple(dict.fromkeys(conditions))

    def classification(self, sources: Iterable[str], released: Mapping[str, Handling] | None = None) -> str:
        """The highest UK classification of some sources; '' where none has one."""
        held = self._handled(sources, released or {})
        return max((h.classification for h in held), key=CLASSIFICATIONS.index, default="")

    def _handled(self, sources: Iterable[str], released: Mapping[str, Handling]) -> list[Handling]:
        wanted = set(sources)
        known = {source: self.sources[source].handling for source in wanted & set(self.sources)}
        lost = wanted - set(self.sources) - set(released)
        return [{**known, **released}[s] for s in sorted(wanted - lost)] + [UNDESCRIBED] * bool(lost)

    @cached_property
    def substances(self) -> dict[str, SubstanceDefinition]:
        return {s.id: s for definition in self.classes.values() for s in definition.substances}

    @cached_property
    def class_of(self) -> dict[str, str]:
        """Substance id -> class id."""
        return {s.id: definition.id for definition in self.classes.values() for s in definition.substances}

    @cached_property
    def _area_refs(self) -> dict[str, AreaRef]:
        rows = self.areas.select("code", "name", "tier").iter_rows()
        return {code: AreaRef(code=code, name=name, tier=Tier(tier)) for code, name, tier in rows}

    @cached_property
    def area_names(self) -> Mapping[str, str]:
        """Code -> name of every area."""
        return dict(self.areas.select("code", "name").iter_rows())

    @cached_property
    def within(self) -> Mapping[str, tuple[str, ...]]:
        """Code -> the areas right within it."""
        found: dict[str, tuple[str, ...]] = {}
        for code, parent in self.areas.select("code", "parent").iter_rows():
            found[parent] = (*found.get(parent, ()), code)
        return found

    @cached_property
    def bordering(self) -> Mapping[str, tuple[str, ...]]:
        """Code -> the areas that border it, by name."""
        found: dict[str, list[str]] = {}
        for code, near in self.neighbours.select("code", "neighbour").iter_rows():
            found.setdefault(code, []).append(near)
        names = self.area_names
        return {code: tuple(sorted(near, key=lambda one: names.get(one, one))) for code, near in found.items()}

    @cached_property
    def drawn(self) -> tuple[tuple[str, str, int, int], ...]:
        """Boroughs that have a place on the cartogram, by name: code, name, column, row."""
        areas = self.areas.filter(tier=Tier.BOROUGH.value).drop_nulls(["hex_column", "hex_row"]).sort("name")
        return tuple(areas.select("code", "name", "hex_column", "hex_row").iter_rows())

    @cached_property
    def _parents(self) -> dict[str, str]:
        return dict(self.areas.select("code", "parent").drop_nulls().iter_rows())

    def is_watched(self, subject_id: str) -> bool:
        """Whether first-detection, mis-sold and notice rules look for a substance or class; False for unknown ids."""
        return subject_id in self._watched

    @cached_property
    def _watched(self) -> frozenset[str]:
        classes = {class_id for class_id, definition in self.classes.items() if definition.watch}
        own = {substance_id for substance_id, s in self.substances.items() if s.watch}
        by_class = {
            substance_id
            for substance_id, s in self.substances.items()
            if s.watch is None and self.class_of[substance_id] in classes
        }
        return frozenset(classes | (own - self.classes.keys()) | (by_class - self.classes.keys()))

    def name_of(self, subject_id: str) -> str:
        """The name to print for a substance, class or status id; an id of no list is its own name."""
        known = self.substances.get(subject_id) or self.classes.get(subject_id) or self.statuses.get(subject_id)
        return known.name if known is not None else subject_id

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of every substance and class."""
        return tuple(self.name_of(subject) for subject in (*self.substances, *self.classes))

    def subject(self, subject_id: str | None) -> Subject:
        """Substance, class, none (for empty ids) or key (for ids of no list: a batch, a name as written, a source)."""
        if not subject_id:
            return Subject(kind=SubjectKind.NONE, id="", name="")
        kind = (
            SubjectKind.SUBSTANCE
            if subject_id in self.substances
            else SubjectKind.CLASS
            if subject_id in self.classes
            else SubjectKind.KEY
        )
        return Subject(kind=kind, id=subject_id, name=self.name_of(subject_id))

    def area_ref(self, code: str) -> AreaRef:
        """The area with a GSS code. Raises: UsageFault where no area has it."""
        try:
            return self._area_refs[code]
        except KeyError:
            raise UsageFault(
                f"no area has the code '{code}'",
                where="sources/areas/areas.csv",
                next_step="Give a GSS code such as E09000007 (Camden), E12000007 (London) or K02000001 (UK).",
            ) from None

    def ancestors(self, code: str) -> list[AreaRef]:
        """The areas that contain this one, nearest first: region, then the UK. Raises: UsageFault."""
        self.area_ref(code)
        found: list[AreaRef] = []
        while (code := self._parents.get(code, "")) and len(found) < len(Tier):
            found.append(self.area_ref(code))
        return found
