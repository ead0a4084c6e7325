"""The distribution list: kept by the co-ordinator, imported, exported, and confirmed once a year.

In: a house, an actor, `now`. Out: what changed. Overdue recipients are told to the operator and still served: nobody is
ever dropped in silence. It must never write a contact detail into a log, a notice or the audit chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from ewarn.dispatch import addressbook, letter
from ewarn.errors import UsageFault
from ewarn.pipeline.house import House
from ewarn.pipeline.identity import demand_keeper
from ewarn.pipeline.reports import Actor
from ewarn.store import operator_notices, recipients
from ewarn.terms import LONDON, Frozen, PersonRole, Recipient, digest, london_day

KEEPERS = (PersonRole.COORDINATOR, PersonRole.ADMINISTRATOR)
CHANGE = "change where messages go"
SOURCE, DUE = "recipients", "confirmation due"


class ImportReport(Frozen):
    """What a file comes to. A row with a fault is kept and the others are taken; nobody is ever removed."""

    name: str
    dry_run: bool
    added: tuple[str, ...] = ()
    changed: tuple[dict[str, Any], ...] = ()
    unchanged: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    rejected: tuple[dict[str, Any], ...] = ()
    exit_status: int = 0


class Confirmation(Frozen):
    """One recipient, and when it was and is to be confirmed."""

    id: str
    name: str
    group: str
    areas: tuple[str, ...]
    confirmed_on: date | None
    due_on: date | None
    overdue_days: int = 0

    @property
    def overdue(self) -> bool:
        return self.overdue_days > 0


def add(house: House, wanted: Sequence[Recipient], now: datetime, actor: Actor | None = None) -> Sequence[Recipient]:
    """Put destinations on the list or the rota: all of them or none. Raises: Refused, UsageFault."""
    for recipient in wanted:
        if said := addressbook.faults(recipient, house.catalogue):
            raise UsageFault("; ".join(said), where=recipient.id, next_step="Correct the named columns.")
    with house.db.write("recipients") as tx:
        demand_keeper(tx, actor, KEEPERS, CHANGE)
        before = {r.id: r for r in recipients.all(tx)}
        for recipient in wanted:
            if recipient != before.get(recipient.id):
                recipients.save(tx, recipient, now, _by(actor))
    return wanted


def take(
    house: House, body: bytes, now: datetime, actor: Actor | None = None, *, dry_run: bool = False
) -> ImportReport:
    """A CSV list onto the distribution list. The same file twice changes nothing. Raises: Refused, UnusableInput."""
    name = digest(body, 12)
    if dry_run:
        with house.db.read() as con:
            return _report(name, addressbook.read(body, _known(con), house.catalogue), _known(con), dry_run=True)
    with house.db.write("recipients") as tx:
        demand_keeper(tx, actor, KEEPERS, CHANGE)
        known = _known(tx)
        rows = addressbook.read(body, known, house.catalogue)
        for row in rows:
            if row.recipient is not None and row.outcome != "unchanged":
                recipients.save(tx, row.recipient, now, _by(actor), f"{row.outcome} recipient by import")
        faulty = [(row.line, row.id, "; ".join(row.faults), row.text) for row in rows if row.outcome == "rejected"]
        if faulty:
            recipients.put_rejects(tx, name, faulty, now, _by(actor))
    house.db.publish()
    return _report(name, rows, known, dry_run=False)


def _report(name: str, rows: list[addressbook.Row], known: dict[str, Recipient], *, dry_run: bool) -> ImportReport:
    of = {kind: [r for r in rows if r.outcome == kind] for kind in ("added", "changed", "unchanged", "rejected")}
    return ImportReport(
        name=name,
        dry_run=dry_run,
        added=tuple(r.id for r in of["added"]),
        changed=tuple({"id": r.id, "columns": list(r.changed)} for r in of["changed"]),
        unchanged=tuple(r.id for r in of["unchanged"]),
        missing=tuple(sorted({i for i, r in known.items() if r.active} - {r.id for r in rows})),
        rejected=tuple({"line": r.line, "id": r.id, "faults": list(r.faults)} for r in of["rejected"]),
        exit_status=1 if of["rejected"] else 0,
    )


def export(house: House) -> str:
    """The whole list as CSV text that `take` reads back without a change."""
    with house.db.read() as con:
        return addressbook.write(recipients.all(con))


def rejects(house: House) -> list[dict[str, Any]]:
    """Rows of imports that could not be used, the newest first."""
    with house.db.read() as con:
        return recipients.rejects(con)


def clear_rejects(house: House, now: datetime, actor: Actor | None = None) -> int:
    with house.db.write("recipients") as tx:
        demand_keeper(tx, actor, KEEPERS, CHANGE)
        return recipients.clear_rejects(tx, now, _by(actor))


def set_active(house: House, recipient_id: str, active: bool, now: datetime, actor: Actor | None = None) -> Recipient:
    """Stop or resume serving a recipient; what was sent stays on record. Raises: UsageFault, Refused."""
    with house.db.write("recipients") as tx:
        demand_keeper(tx, actor, KEEPERS, CHANGE)
        changed = _found(tx, recipient_id).model_copy(update={"active": active})
        recipients.save(tx, changed, now, _by(actor))
    house.db.publish()
    return changed


def history(house: House, recipient_id: str) -> list[dict[str, Any]]:
    """Every version: when, by whom, and the columns that changed. Raises: UsageFault."""
    with house.db.read() as con:
        versions = recipients.history(con, recipient_id)
    if not versions:
        raise UsageFault(f"there is no recipient '{recipient_id}'", next_step="See 'ewarn recipients list'.")
    found, before = [], None
    for version in versions:
        now = version["recipient"]
        differ = [c for c, f in addressbook.COLUMNS.items() if before is None or getattr(now, f) != getattr(before, f)]
        what = "removed" if version["removed"] else "added" if before is None else "changed"
        found.append({k: version[k] for k in ("version", "at", "by")} | {"what": what, "columns": differ})
        before = now
    return found


def confirm(house: House, wanted: Sequence[str], now: datetime, actor: Actor | None = None) -> tuple[Confirmation, ...]:
    """A keeper says that these recipients are right as they stand. Raises: UsageFault, Refused."""
    with house.db.write("recipients") as tx:
        demand_keeper(tx, actor, KEEPERS, CHANGE)
        for recipient_id in wanted:
            right = _found(tx, recipient_id).model_copy(update={"confirmed_on": london_day(now)})
            recipients.save(tx, right, now, _by(actor), "confirmed recipient")
        found = [c for c in _confirmations(tx, house, now) if c.id in wanted]
    house.db.publish()
    fall_due(house, now)
    return tuple(found)


def confirmations(house: House, now: datetime, within_days: int = 0) -> tuple[Confirmation, ...]:
    """Active recipients that are due within so many days or overdue, the longest overdue first."""
    with house.db.read() as con:
        found = _confirmations(con, house, now)
    soon = london_day(now) + timedelta(days=within_days)
    due = [c for c in found if c.due_on is None or c.due_on <= soon]
    return tuple(sorted(due, key=lambda c: (c.due_on or date.min, c.id)))


def _confirmations(con: Any, house: House, now: datetime) -> list[Confirmation]:
    every, since = timedelta(days=house.catalogue.routes.confirm_recipients_every_days), recipients.first_saved(con)
    today, found = london_day(now), []
    for r in recipients.all(con):
        first = since.get(r.id)
        last = r.confirmed_on or (first.astimezone(LONDON).date() if first else None)
        due_on = last + every if last else None
        late = (today - due_on).days if due_on else every.days
        if r.active:
            found.append(
                Confirmation(
                    id=r.id,
                    name=r.name,
                    group=r.group,
                    areas=r.areas,
                    confirmed_on=r.confirmed_on,
                    due_on=due_on,
                    overdue_days=max(0, late),
                )
            )
    return found


def fall_due(house: House, now: datetime) -> tuple[str, ...]:
    """Tell the operator which recipients are overdue; the notice closes itself when none is. Returns their ids."""
    with house.db.read() as con:
        late = sorted(c.id for c in _confirmations(con, house, now) if c.overdue)
        stands = [
            n["text"] for n in operator_notices.open(con).to_dicts() if (n["source"], n["topic"]) == (SOURCE, DUE)
        ]
    words = f"{len(late)} not confirmed in time and still served: {', '.join(late[:20])}" if late else ""
    words += f" and {len(late) - 20} more" if len(late) > 20 else ""
    if stands == ([words] if words else []):
        return tuple(late)
    with house.db.write("recipients") as tx:
        if words:
            operator_notices.put(tx, now, SOURCE, f"{words}", DUE)
        else:
            operator_notices.close(tx, now, "ewarn", source=SOURCE, topics=[DUE])
    house.db.publish()
    return tuple(late)


def request(house: House, recipient_id: str, now: datetime) -> tuple[str, str]:
    """Subject and text that ask a recipient whether its entry is right, to be sent by a person. Raises: UsageFault."""
    with house.db.read() as con:
        asked = _found(con, recipient_id)
    return letter.confirmation(asked, house.catalogue, house.settings.issuer_name, london_day(now))


def _found(con: Any, recipient_id: str) -> Recipient:
    found = recipients.load(con, recipient_id)
    if found is None:
        raise UsageFault(f"there is no recipient '{recipient_id}'", next_step="See 'ewarn recipients list'.")
    return found


def _known(con: Any) -> dict[str, Recipient]:
    return {r.id: r for r in recipients.all(con)}


def _by(actor: Actor | None) -> str:
    return actor.person if actor else "ewarn"
