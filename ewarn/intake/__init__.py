"""Intake: bytes in; records, mentions, places and rejects out.

In: a feed's answer or a dropped file, its definition, the catalogue. Out: `Staged` frames (frames.SHAPES['staged_*']).
Must never write to the store, drop a row without a reject, or resolve a name by likeness. `fetch` alone uses the
network.
"""

from __future__ import annotations

from datetime import datetime

from ewarn.catalogue.definitions import DropDefinition, FeedDefinition
from ewarn.intake.drops import DropFile, collect, settle, strays
from ewarn.intake.feeds import read_feed
from ewarn.intake.fetch import Fetched, fetch
from ewarn.intake.recognise import recognise
from ewarn.intake.staged import Known, Staged
from ewarn.intake.tables import read_table

__all__ = ["DropFile", "Fetched", "Known", "Staged", "collect", "fetch", "read", "recognise", "settle", "strays"]


def read(
    definition: FeedDefinition | DropDefinition, body: bytes, catalogue: Known, *, received_at: datetime, backfill: bool
) -> Staged:
    """Stage one snapshot: a CSV drop or a feed's answer. Raises: UnusableInput where nothing of it can be used."""
    if isinstance(definition, DropDefinition):
        return read_table(definition, body, catalogue, received_at=received_at, backfill=backfill)
    return read_feed(definition, body, catalogue, received_at=received_at, backfill=backfill)
