"""Notices without a feed: what a person pastes, and messages that lie in a drop folder.

In: a house, the words or the message as bytes, what was said beside them, and `now`. Out: NoticeReport, which shows
what was found with the words behind it; or one SourceReport a file. Bytes are kept before anything is parsed. No
file's name, sender or text is ever quoted to the operator.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ewarn import intake as intake_room
from ewarn.catalogue.definitions import NoticeDefinition
from ewarn.errors import EwarnError, UnusableInput, UsageFault
from ewarn.pipeline import landing
from ewarn.pipeline.house import House
from ewarn.pipeline.members import take_all
from ewarn.pipeline.reports import NoticeReport, SourceReport
from ewarn.store import notices as stored
from ewarn.store import operator_notices

ENDINGS = (".eml", ".txt", ".html", ".htm")
PASTED, MAILED = "pasted", "email"


def add(
    house: House,
    now: datetime,
    content: bytes,
    *,
    source: str | None = None,
    title: str = "",
    publisher: str = "",
    published: datetime | None = None,
    link: str = "",
    area: str = "",
    update: str = "",
    dry_run: bool = False,
) -> NoticeReport:
    """Keep and land one notice, or with `dry_run` only show what would be found in it.

    `update` is the reference of a notice added before, which this one follows. Raises: UsageFault, UnusableInput.
    """
    definition = _definition(house, source or _source_of(house, update) or (MAILED if _is_mail(content) else PASTED))
    if area:
        house.catalogue.area_ref(area)
    said = {
        "reference": update, "title": title, "publisher": publisher, "link": link, "area": area,
        "published": published.isoformat() if published else "",
    }  # fmt: skip
    body = intake_room.wrapped(content, said)
    staged = intake_room.read(definition, body, house.catalogue, received_at=now, backfill=False)
    shown = _shown(house, definition, staged)
    if dry_run:
        return shown.model_copy(update={"outcome": "preview", "attachments": tuple(_told(house, definition, body))})
    reports = take(house, definition, body, now)
    published_report = landing.report(house, reports)
    first = reports[0]
    outcome = next((word for word in ("new", "changed", "unchanged", "rejects") if getattr(first, word)), "failed")
    return shown.model_copy(
        update={
            "outcome": outcome.replace("rejects", "rejected"),
            "fault": first.error,
            "notes": tuple(note for report in reports for note in report.notes),
            "attachments": tuple(
                f"{r.source}: {r.records} rows, {r.new} new, {r.rejects} rejected" for r in reports[1:]
            ),
            "exit_status": published_report.exit_status,
        }
    )


def take(house: House, definition: NoticeDefinition, body: bytes, now: datetime) -> list[SourceReport]:
    """Land a notice and the tables attached to it; the first report is the notice's own.

    A table goes to the drop whose columns it has. What fits none stays in the message's bytes; the operator is told.
    """
    reports = [landing.take(house, definition, body, now, False)]
    if reports[0].error or reports[0].outcome == "same bytes":
        return reports
    notes = []
    for attached in intake_room.attachments(definition, body):
        drop = _drop_of(house, attached.body)
        if drop is None:
            notes.append(_unfit(attached, reports[0].snapshot))
        else:
            reports += take_all(house, house.catalogue.drops[drop], attached.body, now, False)
    if notes:
        with house.db.write("intake") as tx:
            for note in notes:
                operator_notices.put(tx, now, definition.id, note)
        reports[0] = reports[0].model_copy(update={"notes": (*reports[0].notes, *notes)})
    return reports


def from_folder(house: House, definition: NoticeDefinition, now: datetime) -> list[SourceReport]:
    """Take every complete message of a drop folder. A file whose bytes are kept is removed: it may name people."""
    reports: list[SourceReport] = []
    _tell_of_strays(house, definition, now)
    for waiting in intake_room.collect(house.settings.drops, [definition.id], now=now, endings=ENDINGS):
        try:
            found = take(house, definition, waiting.bytes(definition.max_bytes), now)
            intake_room.remove(waiting)
        except UnusableInput as error:
            nameless = UnusableInput(error.what, where=f"drops/{definition.id}", next_step=error.next_step)
            found = [landing.failed(house, definition.id, nameless, now)]
            intake_room.settle(waiting, ok=False, reason=nameless.what)
        reports += found
    return reports


def _tell_of_strays(house: House, definition: NoticeDefinition, now: datetime) -> None:
    lying = intake_room.strays(house.settings.drops, [definition.id], ENDINGS)
    kinds = sorted({path.suffix.lower()[:8] or "no ending" for path in lying if path.parent.name == definition.id})
    if kinds:
        words = f"files in drops/{definition.id} are not read ({', '.join(kinds)}): only {', '.join(ENDINGS)} are"
        with house.db.write("intake") as tx:
            operator_notices.put(tx, now, definition.id, words)


def _definition(house: House, source: str) -> NoticeDefinition:
    definition = house.catalogue.notices.get(source)
    if definition is None:
        known = ", ".join(sorted(house.catalogue.notices)) or "(none is defined)"
        raise UsageFault(f"'{source}' is no source of notices without a feed", next_step=f"Use one of: {known}.")
    return definition


def _source_of(house: House, reference: str) -> str:
    """The source a reference was given in. Raises: UsageFault where no notice has it."""
    if not reference:
        return ""
    with house.db.read() as con:
        found = stored.newest(con, list(house.catalogue.notices), reference)
    if found is None:
        raise UsageFault(
            f"no notice has the reference '{reference[:40]}'",
            next_step="Leave --update out to add it as a new notice; its reference is then printed.",
        )
    return str(found["source"])


def _is_mail(content: bytes) -> bool:
    return intake_room.is_mail(content)


def _drop_of(house: House, body: bytes) -> str | None:
    """The drop whose columns a table has; None where it is no table, or fits none or two."""
    try:
        return intake_room.recognise(body, tuple(house.catalogue.drops.values())).id
    except EwarnError:
        return None


def _unfit(attached: intake_room.Attachment, snapshot: str | None) -> str:
    return (
        f"attachment {attached.number} of a message ({attached.ending or 'no ending'}, {len(attached.body):,} bytes) "
        f"has the columns of no drop; it is kept in the bytes {(snapshot or '')[:12]}: if it is a table, save it from "
        "the message into the drop folder of its source"
    )


def _told(house: House, definition: NoticeDefinition, body: bytes) -> Iterator[str]:
    for attached in intake_room.attachments(definition, body):
        drop = _drop_of(house, attached.body)
        yield f"attachment {attached.number}: " + (f"would go to {drop}" if drop else "fits no drop")


def _shown(house: House, definition: NoticeDefinition, staged: intake_room.Staged) -> NoticeReport:
    """What was found in a notice, each with the words it was found by."""
    if staged.records.is_empty():
        return NoticeReport(source=definition.id, fault=str(staged.rejects["reason"][0]), exit_status=4)
    record = staged.records.row(0, named=True)
    evidence: list[dict[str, Any]] = json.loads(record["evidence"])
    names = house.catalogue.name_of
    return NoticeReport(
        source=definition.id,
        reference=record["entry_id"],
        kind=record["notice_kind"],
        title=record["title"],
        publisher=record["publisher"] or "a publisher who was not named",
        reference_date=record["reference_date"],
        basis=record["basis"],
        substances=tuple(
            {
                "subject": m["subject"], "name": names(m["subject"]) if m["subject"] else "waits in the naming queue",
                "as_written": m["as_written"], "matched": m["matched"],
                "watched": bool(m["subject"]) and house.catalogue.is_watched(m["subject"]),
            }
            for m in staged.mentions.iter_rows(named=True)
        ),
        areas=tuple(
            {
                "area": p["area"], "name": house.catalogue.area_ref(p["area"]).name, "as_written": p["as_written"],
                "precision": p["precision"], "certain": p["certain"],
            }
            for p in staged.places.iter_rows(named=True)
        ),
        evidence=tuple(evidence),
        notes=staged.notes,
    )  # fmt: skip
