"""What a reading of one snapshot hands to the store, and what it needs to know from the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import polars as pl

from ewarn.catalogue.definitions import ClassDefinition, StatusDefinition
from ewarn.terms import RecordKind


@dataclass(frozen=True)
class Staged:
    """The records of one snapshot, not yet stored.

    records: frames.SHAPES['staged_<kind>'], one row per usable input row or entry.
    mentions, places: child frames joined by `row`. rejects: 'staged_reject'.
    notes: remarks for the operator, in words. profile: how a drop's table looked (see drift).
    """

    kind: RecordKind
    records: pl.DataFrame
    mentions: pl.DataFrame
    places: pl.DataFrame
    rejects: pl.DataFrame
    notes: tuple[str, ...]
    definition_hash: str
    profile: Mapping[str, Any] | None = None


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
