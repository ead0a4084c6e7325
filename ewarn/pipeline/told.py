"""The reporting form's two ends inside the house: what the form says goes out, what it sealed comes in.

In: a house, `now`. Out: the form's own words for the published list; reports in the store, each exactly once. A crash
anywhere between the store and the spool costs nothing: a report is known by its reference. It must never put a word of
a report into a log, a notice or a file name.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from ewarn.errors import UsageFault
from ewarn.personal import shown, told
from ewarn.pipeline import answering, reporting
from ewarn.pipeline.house import House
from ewarn.store import operator_notices, partner_reports
from ewarn.terms import Frozen, Tier

KEPT_DAYS = 30
TOPIC, NO_PHOTO = "reports refused", "photographs refused"


class CollectedReports(Frozen):
    """What one look into the form's spool brought."""

    taken: tuple[str, ...] = ()
    known: int = 0
    refused: tuple[str, ...] = ()


def folder(house: House) -> Path:
    """Where sealed reports lie."""
    return house.settings.home / "answers" / told.FOLDER


def form(house: House) -> shown.ShownForm:
    """What the form says of this house."""
    opens, closes = house.catalogue.grading.working_hours
    hours = f"Monday to Friday, {opens:%H:%M} to {closes:%H:%M}, not on bank holidays"
    names = house.catalogue.areas.filter(tier=Tier.BOROUGH.value).select("code", "name").iter_rows()
    home = house.settings.home_area
    inside = [name for code, name in names if home in (code, *(a.code for a in house.catalogue.ancestors(code)))]
    said = {"standing": house.settings.standing.value, "hours": hours, "areas": tuple(sorted(inside))}
    if house.settings.report_out_of_hours:
        said["out_of_hours"] = house.settings.report_out_of_hours
    return shown.ShownForm.model_validate(said)


def collect(house: House, now: datetime) -> CollectedReports:
    """Take the sealed reports into the store. What cannot be believed is put aside, and the operator is told."""
    held = folder(house)
    if not held.is_dir():
        return CollectedReports()
    _forget(held, now)
    taken, known, faults, unread = [], 0, [], 0
    for file in told.waiting(held, answering.of_house(house)):
        if file.sent is None:
            faults.append(file)
            continue
        new, whole = _enter(house, file.sent, now)
        told.taken_in(file.path)
        known, unread = known + (not new), unread + (not whole)
        taken += [file.sent.ref] if new else []
    if faults or unread:
        _tell(house, faults, unread, now)
    return CollectedReports(taken=tuple(taken), known=known, refused=tuple(file.fault for file in faults))


def _enter(house: House, sent: told.Sent, now: datetime) -> tuple[bool, bool]:
    """One report into the store: whether it is new, and whether its photograph could be read."""
    with house.db.read() as con:
        if partner_reports.load(con, sent.ref) is not None:
            return False, True
    try:
        reporting.receive(house, sent.told, now, sent.photo, sent.ref, sent.at)
    except UsageFault:  # the words count, whatever was sent beside them
        reporting.receive(house, sent.told, now, b"", sent.ref, sent.at)
        return True, False
    return True, True


def _tell(house: House, faults: list[told.Taken], unread: int, now: datetime) -> None:
    with house.db.write("reports") as tx:
        if faults:
            why = ", ".join(sorted({file.fault for file in faults}))
            words = f"{len(faults)} files of the reporting form's spool were put aside: {why}"
            operator_notices.put(tx, now, "reports", words, TOPIC)
        if unread:
            words = f"{unread} photographs sent with reports could not be read; the reports themselves were taken in"
            operator_notices.put(tx, now, "reports", words, NO_PHOTO)
    house.db.publish()
    for file in faults:
        told.put_aside(file.path)


def _forget(held: Path, now: datetime) -> None:
    """Let go of references that were taken in long ago, whose forms have ended, and of files half written."""
    for found, days in (((held / "done").glob("R-*"), KEPT_DAYS), (held.glob(".R-*.tmp"), 1)):
        before = (now - timedelta(days=days)).timestamp()
        for path in found:
            with suppress(OSError):
                if path.stat().st_mtime < before:
                    path.unlink()
