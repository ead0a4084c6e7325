"""RECEIVE: everything that waits, from folders, files and feeds. One source failing never ends the run.

In: a house and `now`. Out: one SourceReport a source or file. Never decides anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from ewarn import intake as intake_room
from ewarn.catalogue.definitions import DropDefinition, FeedDefinition, NoticeDefinition
from ewarn.errors import DiskFull, UnusableInput, UsageFault
from ewarn.pipeline import casework, notices, vigil
from ewarn.pipeline.house import House
from ewarn.pipeline.landing import Definition, Progress, definition_of, failed, report
from ewarn.pipeline.members import keep_unknown, take_all
from ewarn.pipeline.polling import ask, take_answer
from ewarn.pipeline.reports import IntakeReport, SourceReport
from ewarn.store import files, operator_notices, snapshots

AT_ONCE = 8


def intake(
    house: House,
    now: datetime,
    source: str | None = None,
    file: Path | None = None,
    backfill: bool = False,
    kinds: Sequence[str] = ("feed", "drop"),
    progress: Progress | None = None,
) -> IntakeReport:
    """Receive from one source, one file, or everything enabled. Raises: UsageFault, Refused, StoreFault, StoreBusy."""
    say = progress or (lambda _: None)
    with house.db.read() as con:
        casework.one_standing(con, house)
    if file is not None:
        return _reported(house, _from_file(house, now, source, file, backfill))
    reports: list[SourceReport] = []
    chosen = _chosen(house, source, kinds)
    if "drop" in kinds:
        _tell_of_strays(house, now)
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:  # only the network is waited for side by side
        person = source is not None  # who names a feed may ask although its publisher asks us to wait
        feeds = [d.id for d in chosen if isinstance(d, FeedDefinition)]
        asked = {feed: pool.submit(ask, house, feed, now, anyway=person) for feed in feeds}
        for definition in chosen:
            say(definition.title)
            if isinstance(definition, FeedDefinition):
                answer = asked[definition.id].result()
                try:
                    reports.append(take_answer(house, answer, now, backfill))
                except DiskFull as error:
                    reports.append(_no_room(definition.id, "", error))
            elif isinstance(definition, NoticeDefinition):
                reports.extend(notices.from_folder(house, definition, now))
            else:
                reports.extend(_from_folder(house, definition, now, backfill))
    with suppress(DiskFull):  # the next run settles it
        vigil.settle(house, now)
    return _reported(house, reports)


def _reported(house: House, reports: list[SourceReport]) -> IntakeReport:
    """The report, also where the disk is too full to publish what came: the next run publishes it."""
    try:
        return report(house, reports)
    except DiskFull as error:
        full = _no_room("published copy", "", error)
        return IntakeReport(sources=(*reports, full), exit_status=DiskFull.exit_status)


def _tell_of_strays(house: House, now: datetime) -> None:
    """A file in the drop folders that nobody will ever read is said once to the operator, never passed over."""
    strays = intake_room.strays(house.settings.drops, list(house.catalogue.drops))
    strays = [path for path in strays if path.parent.name not in house.catalogue.notices]  # told of without a name
    kinds = ", ".join(intake_room.ENDINGS)
    if strays:
        with house.db.write("intake") as tx:
            for path in strays:
                name = path.relative_to(house.settings.drops)
                said, source = intake_room.shown(str(name)), house.catalogue.sources.get(path.parent.name)
                if source is not None and source.personal:
                    said = f"{source.id}/{snapshots.withheld(path.name)}"
                words = f"drops/{said} is not read: files in drops/<source>/ ending in {kinds} are"
                operator_notices.put(tx, now, name.parts[0] if len(name.parts) > 1 else "drops", words)


def _chosen(house: House, source: str | None, kinds: Sequence[str]) -> list[Definition]:
    if source is not None:
        return [definition_of(house, source)]
    content = house.catalogue
    waiting: list[Definition] = [*content.drops.values(), *content.notices.values()] if "drop" in kinds else []
    waiting += content.feeds.values() if "feed" in kinds else []
    return [definition for definition in waiting if definition.enabled]


def _from_file(house: House, now: datetime, source: str | None, file: Path, backfill: bool) -> list[SourceReport]:
    try:
        if file.exists() and not file.is_file():
            raise UsageFault("this is not a file that can be kept", where=str(file), next_step="Name a regular file.")
        body = file if file.stat().st_size > intake_room.IN_MEMORY else file.read_bytes()
    except OSError as error:
        raise UsageFault(
            f"the file cannot be read: {error.strerror}", where=str(file), next_step="Check the path."
        ) from error
    name = intake_room.shown(file.name)
    if source is not None:
        definition = definition_of(house, source)
    else:
        try:
            definition = intake_room.recognise(body, tuple(house.catalogue.drops.values()))
        except (UnusableInput, UsageFault) as error:
            return [keep_unknown(house, body, name, now, error)]
    if isinstance(definition, NoticeDefinition):
        return notices.take(house, definition, file.read_bytes(), now)
    return take_all(house, definition, body, now, backfill, file=name)


def _from_folder(house: House, drop: DropDefinition, now: datetime, backfill: bool) -> list[SourceReport]:
    """Every complete file of a source. One that cannot be kept, as on a full disk, stays for the next run.

    Where rows can name people a file that was read goes: its bytes are kept encrypted, and done/ would hold them plain.
    """
    reports = []
    for waiting in intake_room.collect(house.settings.drops, [drop.id], now=now):
        try:
            found = take_all(house, drop, waiting.read(drop.max_bytes), now, backfill, file=waiting.name)
        except UnusableInput as error:
            if waiting.vanished:
                continue
            if drop.personal:
                error = UnusableInput(error.what, where=f"drops/{drop.id}", next_step=error.next_step)
            found = [failed(house, drop.id, error, now)]
        except (OSError, DiskFull) as error:
            name = snapshots.withheld(waiting.name) if drop.personal else waiting.name
            reports.append(_no_room(drop.id, name, error))
            continue
        reason = "\n".join(f"{one.member}: {one.error}".removeprefix(": ") for one in found if one.error)
        if drop.personal and not reason:
            intake_room.remove(waiting)
        else:
            intake_room.settle(waiting, ok=not reason, reason=reason)
        reports.extend(found)
    return reports


def _no_room(source: str, file: str, error: OSError | DiskFull) -> SourceReport:
    """The disk is full: nothing is written down, as nothing can be; the file stays where it is."""
    if isinstance(error, OSError):
        if not files.is_full(error):
            raise error
        error = files.full_disk(error.filename or "")
    return SourceReport(source=source, file=file, outcome="failed", error=str(error), retryable=True)
