"""Purging raw bytes: past their retention, before a day that a person names, or because somebody asked for erasure.

In: a house, `now`, who acts. Out: a PurgeReport. The line in raw/receipts.jsonl comes first, then the tombstone and the
audit link in one transaction, then the bytes go: cut short anywhere, the next purge ends it. Records, signals and
decisions stay; they hold no raw text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from pydantic import Field

from ewarn import intake as intake_room
from ewarn.catalogue.definitions import SourceBase
from ewarn.errors import EwarnError, UsageFault
from ewarn.pipeline import identity, photos, reporting
from ewarn.pipeline.house import House
from ewarn.pipeline.landing import definition_of
from ewarn.pipeline.reports import Actor
from ewarn.store import records, snapshots, tombstones
from ewarn.terms import Frozen, PersonRole, day_start

KEEPERS = (PersonRole.ADMINISTRATOR,)
UNDESCRIBED_DAYS = SourceBase.model_fields["retention_days"].default
REASON_AT_MOST = 200


class Purged(Frozen):
    """One snapshot that one source lets go of."""

    source: str
    sha256: str
    size: int
    received_at: datetime = Field(description="its newest receipt")
    rule: str
    removed: bool = Field(description="false: another source holds the same bytes, which stay until it lets go as well")


class PurgeReport(Frozen):
    purged: tuple[Purged, ...] = ()
    finished: int = Field(0, description="snapshots of an earlier purge that was cut short, or came back with a backup")
    dry_run: bool = False
    words: tuple[str, ...] = ()


def purge(
    house: House,
    now: datetime,
    *,
    source: str | None = None,
    before: date | None = None,
    record: str | None = None,
    snapshot: str | None = None,
    reason: str = "",
    dry_run: bool = False,
    actor: Actor | None = None,
) -> PurgeReport:
    """Let go of raw bytes: past retention, or received before a day, or one snapshot, or all that hold a record's row.

    All but retention need a reason: a reference, never a name. Raises: UsageFault, Refused, StoreBusy, StoreFault.
    """
    _asked_well(house, source, before, record, snapshot, reason)
    by = _allowed(house, actor, dry_run)
    with snapshots.keeping(house.settings):
        held = tombstones.held(snapshots.receipts(house.settings))
        words: list[str] = []
        if record or snapshot:
            chosen = _erased(house, held, record, snapshot, words)
        else:
            chosen = _past(house, held, now, source, before)
        finished = 0 if dry_run else finish(house)
        left = {name for name in held if name not in chosen}
        purged = tuple(_report(held[name][-1], rule, left) for name, rule in chosen.items())
        if not dry_run:
            for one in purged:
                snapshots.append(house.settings, _line(one, now, by, reason))
            finish(house)
    if not dry_run and not (source or before or record or snapshot):
        words += [
            f"photograph {one.sha256[:12]} of {one.alert} removed: {one.rule}" for one in photos.forget(house, now)
        ]
        words += [f"contact of report {ref} removed: past its retention" for ref in reporting.forget(house, now)]
    return PurgeReport(purged=purged, finished=finished, dry_run=dry_run, words=tuple(words))


def finish(house: House) -> int:
    """End every purge that was begun: enter its tombstone, then remove what nobody holds. Returns how many went.

    Call it while `snapshots.keeping`. What a restored backup brought back goes again.
    """
    settings = house.settings
    lines = snapshots.receipts(settings)
    gone = [line for line in lines if line.kind == "purged"]
    if not gone:
        return 0
    with house.db.read() as con:
        known = set(tombstones.all(con)["id"])
    if any(line.id not in known for line in gone):
        with house.db.write("purge") as tx:
            tombstones.enter(tx, gone)
        house.db.publish()
    ended = {(line.source, line.sha256) for line in gone} - set(tombstones.held(lines))
    names = [line.id for line in lines if line.kind == "receipt" and (line.source, line.sha256) in ended]
    return snapshots.remove(settings, tombstones.let_go(lines), names)


def _asked_well(
    house: House, source: str | None, before: date | None, record: str | None, snapshot: str | None, reason: str
) -> None:
    if sum(given is not None for given in (record, snapshot, source or before)) > 1:
        raise UsageFault("a record, a snapshot, or a source: one of the three", next_step="Purge them one by one.")
    if (before or record or snapshot) and not reason.strip():
        raise UsageFault(
            "a purge that the retention does not ask for needs its reason",
            next_step="Give --reason with the reference of the request, never a name.",
        )
    if len(reason) > REASON_AT_MOST:
        raise UsageFault(f"the reason is longer than {REASON_AT_MOST} characters", next_step="Give a reference.")
    if source is not None:
        definition_of(house, source)


def _allowed(house: House, actor: Actor | None, dry_run: bool) -> str:
    """Who purges: an administrator, proved; 'ewarn' while a home is set up. Raises: Refused."""
    if not dry_run:
        with house.db.read() as con:
            identity.demand_keeper(con, actor, KEEPERS, "purge raw bytes")
            if actor is not None:
                identity.proved(con, actor)
    return actor.person if actor else "ewarn"


def _past(
    house: House, held: tombstones.Held, now: datetime, source: str | None, before: date | None
) -> dict[tuple[str, str], str]:
    """What is past its source's retention, or was last received before a day; with the rule in words."""
    chosen = {}
    for (of, sha256), lines in held.items():
        newest = max(line.received_at for line in lines)
        described = house.catalogue.sources.get(of)
        days = described.retention_days if described else UNDESCRIBED_DAYS
        if source not in (None, of):
            continue
        if before is not None and newest < day_start(before):
            chosen[of, sha256] = f"a person's date, received before {before}"
        elif before is None and newest + timedelta(days=days) <= now:
            chosen[of, sha256] = f"retention of {days} days"
    return chosen


def _erased(
    house: House, held: tombstones.Held, record: str | None, snapshot: str | None, words: list[str]
) -> dict[tuple[str, str], str]:
    """Every source's hold on one snapshot, or on all snapshots in which a record's row stands."""
    if snapshot is not None:
        wanted = {sha for _, sha in held if sha.startswith(snapshot)}
        if len(wanted) != 1:
            how = "no kept snapshot has" if not wanted else "more than one snapshot has"
            raise UsageFault(f"{how} a hash that begins with '{snapshot}'", next_step="Copy it from 'ewarn explain'.")
    else:
        assert record is not None
        wanted = _holding(house, held, record, words)
    return {name: "erasure" for name in held if name[1] in wanted}


def _holding(house: House, held: tombstones.Held, record: str, words: list[str]) -> set[str]:
    """Snapshots with the record's row: those its versions came from, and later ones that only repeat it.

    One that cannot be read is taken along, and said.
    """
    with house.db.read() as con:
        versions = records.versions(con, [record]).select("source", "snapshot", "key").unique()
    if versions.is_empty():
        raise UsageFault(f"there is no record '{record}'", next_step="Copy the id from 'ewarn explain'.")
    found = set(versions["snapshot"])
    of, key = versions["source"][0], versions["key"][0]
    for (source, sha256), lines in held.items():
        if source == of and sha256 not in found:
            try:
                held_here = any(_holds(house, line, key) for line in lines)
            except EwarnError as error:
                words.append(f"{sha256[:12]} cannot be read ({error.what}) and is taken along")
                held_here = True
            if held_here:
                found.add(sha256)
    words.append("The record's coded fields stay; to end them the source sends its retraction.")
    return found


def _holds(house: House, line: snapshots.Receipt, key: str) -> bool:
    staged = intake_room.read(
        definition_of(house, line.source),
        snapshots.body(house.settings, line.sha256),
        house.catalogue,
        received_at=line.received_at,
        backfill=line.backfill,
        member=line.member,
    )
    return bool((staged.records["key"] == key).any())


def _report(newest: snapshots.Receipt, rule: str, left: Iterable[tuple[str, str]]) -> Purged:
    return Purged(
        source=newest.source, sha256=newest.sha256, size=newest.size, received_at=newest.received_at, rule=rule,
        removed=all(sha256 != newest.sha256 for _, sha256 in left),
    )  # fmt: skip


def _line(one: Purged, now: datetime, by: str, reason: str) -> snapshots.Receipt:
    return snapshots.Receipt(
        id=snapshots.new_id(now), kind="purged", source=one.source, sha256=one.sha256, size=one.size,
        received_at=now, by=by, rule=one.rule, note=reason.strip(),
    )  # fmt: skip


def due(house: House, now: datetime) -> Sequence[tuple[str, str]]:
    """(source, sha256) of what is past its retention and still held."""
    return list(_past(house, tombstones.held(snapshots.receipts(house.settings)), now, None, None))
