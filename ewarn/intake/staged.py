"""What a reading of one snapshot hands to the store, and what it needs to know from the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import polars as pl

from ewarn.catalogue.definitions import ClassDefinition, StatusDefinition
from ewarn.terms import RecordKind


@dataclass(frozen=True)
class Remark:
    """Something to tell the operator of a file: words with {} for a count, and some examples as written."""

    words: str
    count: int = 0
    examples: tuple[str, ...] = ()
    most: int = 5


def told(remarks: Iterable[Remark | str]) -> tuple[str, ...]:
    """The remarks as sentences; the same words said of several parts are one sentence with one count."""
    counts: dict[tuple[str, int], int] = {}
    examples: dict[tuple[str, int], set[str]] = {}
    for one in (Remark(said) if isinstance(said, str) else said for said in remarks):
        name = (one.words, one.most)
        counts[name] = counts.get(name, 0) + one.count
        examples.setdefault(name, set()).update(one.examples)
    sentences = []
    for (words, most), count in counts.items():
        shown = sorted(examples[words, most])
        quoted = f": {', '.join(map(repr, shown[:most]))}{' ...' if len(shown) > most else ''}" if shown else ""
        sentences.append(words.format(f"{count:,}") + quoted if count else words + quoted)
    return tuple(sentences)


@dataclass(frozen=True)
class Staged:
    """The records of one snapshot, not yet stored.

    records: frames.SHAPES['staged_<kind>'], one row per usable input row or entry.
    mentions, places: child frames joined by `row`. rejects: 'staged_reject'.
    remarks: what the operator is told. profile: how a drop's table looked (see drift). drifted: which of the notes tell
    that its shape changed.
    """

    kind: RecordKind
    records: pl.DataFrame
    mentions: pl.DataFrame
    places: pl.DataFrame
    rejects: pl.DataFrame
    remarks: tuple[Remark | str, ...]
    definition_hash: str
    profile: Mapping[str, Any] | None = None
    drifted: tuple[str, ...] = ()

    def only(self, chosen: pl.Series) -> Staged:
        """The staging of some of its records alone, with its rejects and remarks. In: one truth value a record."""
        records = self.records.filter(chosen)
        rows = records.select("row")
        children = {name: getattr(self, name).join(rows, on="row", how="semi") for name in ("mentions", "places")}
        return replace(self, records=records, **children)

    @property
    def notes(self) -> tuple[str, ...]:
        """The remarks in words."""
        return told(self.remarks)


@dataclass(frozen=True)
class Plain:
    """Rows of a large file that go into a segment, which names what is the same for all of them but once.

    records: identity (row, line, key, content, content_too, retracted), line_mark (0: none), the kind's fields,
    mention_set and place_set.
    mentions, places: child rows by 'set', of the sets that were new; None where none were.
    """

    records: pl.DataFrame
    mentions: pl.DataFrame | None
    places: pl.DataFrame | None
    remarks: tuple[Remark | str, ...]


def joined(parts: Sequence[Staged]) -> Staged:
    """Stagings of one file's parts as one. In: at least one."""
    frames = ("records", "mentions", "places", "rejects")
    whole = {name: pl.concat([getattr(part, name) for part in parts]) for name in frames}
    return replace(parts[0], **whole, remarks=tuple(remark for part in parts for remark in part.remarks))


class Known(Protocol):
    """The parts of the catalogue that intake looks names and places up in."""

    @property
    def classes(self) -> Mapping[str, ClassDefinition]: ...
    @property
    def statuses(self) -> Mapping[str, StatusDefinition]: ...
    @property
    def areas(self) -> pl.DataFrame: ...
    @property
    def outcodes(self) -> pl.DataFrame: ...
    @property
    def placenames(self) -> pl.DataFrame: ...
    @property
    def squares(self) -> pl.DataFrame: ...
