"""Intake: bytes in; records, mentions, places and rejects out.

In: a feed's answer or a dropped file, its definition, the catalogue. Out: `Staged` frames (frames.SHAPES['staged_*']).
Must never write to the store, drop a row without a reject, or resolve a name by likeness. `fetch` alone uses the
network.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from ewarn.catalogue.definitions import DropDefinition, FeedDefinition, NoticeDefinition
from ewarn.intake.archive import Contents, shown
from ewarn.intake.drift import Profile, look
from ewarn.intake.drops import ENDINGS, DropFile, collect, remove, settle, strays
from ewarn.intake.feeds import read_feed
from ewarn.intake.feedshape import Shape
from ewarn.intake.fetch import Fetched, fetch
from ewarn.intake.pasted import Attachment, attachments, is_mail, read_notice, reference_of, wrapped
from ewarn.intake.staged import Known, Staged
from ewarn.intake.tables import headers_of, read_table
from ewarn.intake.unpack import contents, opened, placed
from ewarn.intake.unpack import recognised as recognise

__all__ = [
    "ENDINGS",
    "Attachment",
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
    "is_mail",
    "read",
    "recognise",
    "reference_of",
    "remove",
    "settle",
    "shown",
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
    before: Profile | None = None,
) -> Staged:
    """Stage one snapshot: a feed's answer, a notice, a drop, or one `member` (see `contents`) of a workbook or archive.

    `before`: the profile of the source's table before this one. Raises: UnusableInput where nothing can be used.
    """
    if isinstance(definition, DropDefinition):
        with opened(body, member, known=headers_of(definition)) as table:
            text = table.body.read_bytes() if isinstance(table.body, Path) else table.body
            seen = look(definition, text, before, sheet=table.rows is not None)
            staged = read_table(seen.definition, text, catalogue, received_at=received_at, backfill=backfill)
            return placed(staged, table, seen, definition)
    if isinstance(definition, NoticeDefinition):
        return read_notice(definition, body, catalogue, received_at=received_at, backfill=backfill)
    return read_feed(definition, body, catalogue, received_at=received_at, backfill=backfill)
