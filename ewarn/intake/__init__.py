"""Intake: bytes in; records, mentions, places and rejects out.

In: a feed's answer or a dropped file, its definition, the catalogue. Out: `Staged` frames (frames.SHAPES['staged_*']).
Must never write to the store, drop a row without a reject, or resolve a name by likeness. `fetch` alone uses the
network.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from ewarn.catalogue.definitions import DropDefinition, FeedDefinition, NoticeDefinition
from ewarn.intake.archive import Contents
from ewarn.intake.drops import DropFile, collect, settle, strays
from ewarn.intake.feeds import read_feed
from ewarn.intake.feedshape import Shape
from ewarn.intake.fetch import Fetched, fetch
from ewarn.intake.pasted import attachments, read_notice, reference_of, wrapped
from ewarn.intake.recognise import recognise
from ewarn.intake.staged import Known, Staged
from ewarn.intake.tables import headers_of, read_table
from ewarn.intake.unpack import contents, opened, placed

__all__ = [
    "Contents",
    "DropFile",
    "Fetched",
    "Known",
    "Shape",
    "Staged",
    "attachments",
    "collect",
    "contents",
    "fetch",
    "read",
    "recognise",
    "reference_of",
    "settle",
    "strays",
    "wrapped",
]


def read(
    definition: FeedDefinition | DropDefinition | NoticeDefinition,
    body: bytes,
    catalogue: Known,
    *,
    received_at: datetime,
    backfill: bool,
    member: str = "",
) -> Staged:
    """Stage one snapshot: a feed's answer, a notice, a CSV drop, or one `member` (see `contents`) of an archive or a workbook.

    Raises: UnusableInput where nothing of it can be used.
    """
    if isinstance(definition, DropDefinition):
        with opened(body, member, known=headers_of(definition)) as table:
            text = table.body.read_bytes() if isinstance(table.body, Path) else table.body
            staged = read_table(definition, text, catalogue, received_at=received_at, backfill=backfill)
            return placed(staged, table)
    if isinstance(definition, NoticeDefinition):
        return read_notice(definition, body, catalogue, received_at=received_at, backfill=backfill)
    return read_feed(definition, body, catalogue, received_at=received_at, backfill=backfill)
