"""A file as the tables in it: each lands by itself, under the one file's bytes, with a receipt and a report of its own.

In: a house, a definition, the bytes as they came. Out: one SourceReport a table. A table that cannot be read keeps none
of the others out, and a run that was cut short between two of them lands the rest when the bytes come again.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from ewarn import intake as intake_room
from ewarn.catalogue.definitions import DropDefinition
from ewarn.errors import EwarnError, UnusableInput, UsageFault
from ewarn.pipeline.house import House
from ewarn.pipeline.landing import Definition, failed, take
from ewarn.pipeline.reports import SourceReport
from ewarn.store import operator_notices, rejects, snapshots

UNKNOWN = "_unknown"


def keep_unknown(house: House, body: bytes | Path, file: str, now: datetime, why: EwarnError) -> SourceReport:
    """Keep a file whose source nobody named and its columns do not tell, whole and under its hash, as a reject."""
    snapshots.archive_content(house.settings, house.catalogue.files, house.catalogue.content_hash)
    snapshot = snapshots.keep(
        house.settings, UNKNOWN, body, now, content_hash=house.catalogue.content_hash, file=file, personal=True
    )  # fmt: skip
    advice = why.next_step if "--source" in why.next_step else f"{why.next_step} Then bring it again with --source."
    error = UnusableInput(why.what, where=why.where, next_step=f"{advice} Its bytes are kept.")
    return failed(house, UNKNOWN, error, now, snapshot)


def adopt(house: House, body: bytes | Path, sha256: str, now: datetime, file: str) -> list[SourceReport]:
    """Take a file that nobody knew when it came, where a definition knows its columns by now."""
    try:
        definition = intake_room.recognise(body, tuple(house.catalogue.drops.values()))
    except (UnusableInput, UsageFault) as error:
        return [SourceReport(source=UNKNOWN, snapshot=sha256, outcome="quarantined", error=str(error), file=file)]
    reports = take_all(house, definition, body, now, backfill=False, file=file)
    with house.db.write("intake") as tx:
        rejects.mark_replayed(tx, sha256, now, source=UNKNOWN)
    return reports


def take_all(
    house: House,
    definition: Definition,
    body: bytes | Path,
    now: datetime,
    backfill: bool,
    *,
    file: str = "",
    kind: str = "receipt",
) -> list[SourceReport]:
    """Take every table of a drop; a file that cannot be opened is taken whole, which keeps it and says why."""
    if not isinstance(definition, DropDefinition):
        return [take(house, definition, body, now, backfill, file=file, kind=kind)]
    try:
        held = intake_room.contents(body)
    except UnusableInput:
        held = intake_room.Contents(("",))
    held = held.numbered() if definition.personal else held
    reports = [
        take(house, definition, body, now, backfill, file=file, kind=kind, member=member) for member in held.members
    ]
    if held.remarks:
        with house.db.write("intake") as tx:
            for remark in held.remarks:
                operator_notices.put(tx, now, definition.id, remark)
        reports[0] = reports[0].model_copy(update={"notes": (*held.remarks, *reports[0].notes)})
    return reports
