"""What happens to cases when signals or records change, within one transaction: saved, and the duty rota paged.

In: an open transaction, a house, what changed, `now`. Out: the changes and the pages written with them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Literal

from ewarn.assess import cases as casebook
from ewarn.dispatch import page as paging
from ewarn.dispatch import route
from ewarn.pipeline.house import House
from ewarn.store import cases, operator_notices, outbox, pages, recipients
from ewarn.terms import CaseChange, Delivery, Page, Signal

Connection = Any


def corrected(tx: Connection, house: House, record_ids: Collection[str], now: datetime) -> list[CaseChange]:
    """Corrected or retracted records reopen or update the cases that rest on them."""
    if not record_ids:
        return []
    changes = casebook.corrected(record_ids, cases.all(tx), now)
    keep(tx, house, changes, now)
    return changes


def place(
    tx: Connection,
    house: House,
    signals: Iterable[tuple[Literal["new", "grown"], Signal]],
    fatal_records: Collection[str],
    now: datetime,
    *,
    live: bool,
) -> tuple[list[CaseChange], list[Page]]:
    """Join new and grown signals to cases; what opens no case becomes a word to the operator."""
    issuer = house.settings.issuer
    placement = casebook.place(
        signals,
        cases.all(tx),
        house.catalogue,
        issuer,
        now,
        lambda year: cases.next_ref(tx, issuer, year),
        fatal_records=fatal_records,
    )
    for signal in placement.notices:
        operator_notices.put(tx, now, signal.subject.id or signal.rule, signal.why)
    return placement.changes, keep(tx, house, placement.changes, now, live=live)


def keep(
    tx: Connection, house: House, changes: Sequence[CaseChange], now: datetime, *, live: bool = True
) -> list[Page]:
    """Save the cases as they now stand with what happened to them, and write the pages to the outbox."""
    for change in changes:
        cases.save(tx, change.case, now)
        cases.record_change(tx, change, now)
    if not live:
        return []
    written = paging.compose(changes, now)
    for call in written:
        put_page(tx, house, call)
    return written


def put_page(tx: Connection, house: House, call: Page) -> list[Delivery]:
    """A page and its deliveries to whoever on the rota it now calls; the operator is told when there is nobody."""
    pages.put(tx, call)
    destinations = route.page_destinations(call, recipients.all(tx), house.catalogue)
    outbox.put(tx, destinations)
    if not destinations:
        operator_notices.put(
            tx,
            call.at,
            "duty",
            f"{call.case}: nobody is on the duty rota to be paged; add one with 'ewarn recipients add'.",
        )
    return destinations
