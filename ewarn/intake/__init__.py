"""Intake: bytes in; records, mentions, places and rejects out.

In: a feed's answer or a dropped file, its definition, the catalogue. Out: `Staged` frames (frames.SHAPES['staged_*']).
Must never write to the store, drop a row without a reject, or resolve a name by likeness. `fetch` alone uses the
network.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from ewarn.catalogue.definitions import DropDefinition, FeedDefinition, NoticeDefinition
from ewarn.intake.ahead import ahead
from ewarn.intake.archive import IN_MEMORY, Contents, Member, shown
from ewarn.intake.csvfile import Knows
from ewarn.intake.drift import Look, Profile, look
from ewarn.intake.drops import ENDINGS, DropFile, collect, remove, settle, strays
from ewarn.intake.feeds import read_feed
from ewarn.intake.feedshape import Shape
from ewarn.intake.fetch import Fetched, fetch
from ewarn.intake.pasted import Attachment, attachments, is_mail, read_notice, reference_of, wrapped
from ewarn.intake.staged import Known, Plain, Remark, Staged, joined
from ewarn.intake.tables import Hashed, Part, Table, headers_of, open_file, open_table, texts
from ewarn.intake.unpack import contents, line_of, opened, placed
from ewarn.intake.unpack import recognised as recognise
from ewarn.terms import digest

__all__ = [
    "ENDINGS",
    "IN_MEMORY",
    "Attachment",
    "Contents",
    "Drop",
    "DropFile",
    "Fetched",
    "Known",
    "Part",
    "Plain",
    "Remark",
    "Shape",
    "Staged",
    "Table",
    "ahead",
    "attachments",
    "collect",
    "contents",
    "fetch",
    "is_mail",
    "joined",
    "open_drop",
    "raw_at",
    "read",
    "recognise",
    "reference_of",
    "remove",
    "settle",
    "shown",
    "strays",
    "wrapped",
]


def raw_at(
    definition: FeedDefinition | DropDefinition | NoticeDefinition,
    body: bytes | Path,
    positions: Collection[str],
    catalogue: Known,
    *,
    received_at: datetime,
    member: str = "",
) -> dict[str, str]:
    """The text as received behind positions of records and rejects. A position that holds nothing is left out."""
    if isinstance(definition, DropDefinition):
        with opened(body, member, known=headers_of(definition)) as table:
            lines = {position: line_of(position, table) for position in positions}
            found = texts(definition, table.body, {line for line in lines.values() if line is not None})
            return {position: found[line] for position, line in lines.items() if line is not None and line in found}
    whole = body.read_bytes() if isinstance(body, Path) else body
    staged = read(definition, whole, catalogue, received_at=received_at, backfill=False)
    held = pl.concat([frame.select("position", "raw") for frame in (staged.records, staged.rejects)])
    return {position: raw for position, raw in held.iter_rows() if position in positions and raw is not None}


def read(
    definition: FeedDefinition | DropDefinition | NoticeDefinition,
    body: bytes | Path,
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
        with open_drop(
            definition, body, catalogue, received_at=received_at, backfill=backfill, member=member, before=before
        ) as drop:
            return drop.whole()
    body = body.read_bytes() if isinstance(body, Path) else body
    if isinstance(definition, NoticeDefinition):
        return read_notice(definition, body, catalogue, received_at=received_at, backfill=backfill)
    return read_feed(definition, body, catalogue, received_at=received_at, backfill=backfill)


@contextmanager
def open_drop(
    definition: DropDefinition,
    body: bytes | Path,
    catalogue: Known,
    *,
    received_at: datetime,
    backfill: bool,
    member: str = "",
    before: Profile | None = None,
    hashed: Hashed = digest,
) -> Iterator[Drop]:
    """A drop, or one member of it, opened to be read part by part.

    `hashed`: what stands for the name of a place; with a key nobody can find the name by trying. Raises: UnusableInput.
    """
    with opened(body, member, known=headers_of(definition)) as held:
        file = open_file(definition, held.body)
        seen = look(definition, file, before, sheet=held.rows is not None, defer=True)
        table = open_table(seen.definition, file, catalogue, received_at=received_at, backfill=backfill, hashed=hashed)
        yield Drop(table, held, seen, definition)


@dataclass
class Drop:
    """A drop's table, where it lay, and what was seen of it."""

    table: Table
    held: Member
    seen: Look
    definition: DropDefinition

    @property
    def large(self) -> bool:
        """Whether it is to be landed part by part."""
        return self.table.large and self.held.rows is None

    @property
    def definition_hash(self) -> str:
        """Of the source's own definition, whatever this one table needed."""
        return digest(self.definition.model_dump(mode="json"))

    def whole(self) -> Staged:
        """All of it at once. Raises: UnusableInput."""
        staged = self.table.whole(self.seen.watch)
        self.settle()
        return self.placed(staged)

    def parts(self, knows: Knows | None = None) -> Iterator[Part]:
        """Its rows in parts, but for lines that are known; once they were all read, `settle`. Raises: UnusableInput."""
        yield from self.table.parts(self.seen.watch, knows=knows)

    def settle(self) -> None:
        """Say in which order the dates are, every part having been read. Raises: UnusableInput where it goes both ways;
        then nothing of the file is to be used."""
        self.seen = self.seen.settled()

    def placed(self, staged: Staged) -> Staged:
        """A staging of some of its rows as one of the whole file."""
        return placed(staged, self.held, self.seen, self.definition)
