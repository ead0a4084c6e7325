"""RESPOND: who is called, who answered, and what became of every delivery. `send` is a run of the sender (sending.py).

In: a house, `now`. Out: pages, receipts, acknowledgements.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ewarn.dispatch import page as paging
from ewarn.errors import UsageFault
from ewarn.pipeline import casework, distribution, keywatch, publishing, sending, validate, versions, vigil
from ewarn.pipeline.house import House
from ewarn.pipeline.identity import proved
from ewarn.pipeline.reports import Actor, DetectReport, PageReport, ReceiptsReport
from ewarn.store import arrivals, cases, dead_letters, decisions, outbox, pages, recipients
from ewarn.terms import Decision, Delivery, Page

send = sending.send


def receipts(house: House, alert: str | None = None) -> ReceiptsReport:
    """Deliveries as they stand, every attempt, every answer; of one alert, or all."""
    with house.db.read() as con:
        found = tuple(outbox.all(con, alert))
        ids = {d.id for d in found}
        return ReceiptsReport(
            deliveries=found,
            attempts=tuple(outbox.receipts(con, alert)),
            acknowledgements=tuple(outbox.acknowledgements(con, alert)),
            arrivals=tuple(arrivals.all(con, alert)),
            possible_repeats=tuple(sorted(ids & outbox.possible_repeats(con))),
            dead_letters=tuple(row for row in dead_letters.open(con) if row["id"] in ids),
            dead_letter_acts=tuple(dead_letters.acts(con, alert)),
        )


def page(house: House, now: datetime) -> PageReport:
    """Call the back-up for pages nobody has acknowledged in time."""
    with house.db.write("page") as tx:
        backup_after = house.catalogue.routes.page_backup_after_minutes
        last = max((r.rota_order or 0 for r in recipients.all(tx) if r.active), default=0)
        calls = paging.escalations(pages.open(tx), now, backup_after, last)
        written: list[Delivery] = []
        for called in calls:
            pages.escalated(tx, called.id, called.rota_order, now)
            case = cases.load(tx, called.case)
            area = case.lead_area if case else house.settings.home_area
            reached = casework.call(tx, house, called, area, now)
            said = f"number {called.rota_order} is called" if reached else f"nobody is number {called.rota_order}"
            act = "paged" if reached else "no one to page"
            cases.act(tx, called.case, now, act, "ewarn", f"not acknowledged: {said}")
            written += reached
        return PageReport(pages=tuple(calls), deliveries=tuple(written))


def acknowledge(house: House, subject: str, actor: Actor, now: datetime, text: str = "") -> Page | Delivery:
    """A person takes a page (the case shows it), or a delivery is answered for. Raises: UsageFault, Refused."""
    with house.db.write("acknowledge") as tx:
        person = proved(tx, actor)
        paged = pages.load(tx, subject)
        if paged is not None:
            taken = pages.acknowledge(tx, subject, person.id, now)
            if not paged.case:
                return taken
            cases.act(tx, paged.case, now, "acknowledged", person.id, f"{person.name} has the page")
            decisions.append(
                tx, Decision(act="acknowledged", person=person.id, at=now, case=paged.case, note=f"page {subject}")
            )
            return taken
        delivery = outbox.load(tx, subject)
        if delivery is None:
            raise UsageFault(f"there is no page or delivery '{subject}'", next_step="See 'ewarn duty'.")
        outbox.acknowledge(tx, subject, person.id, now, text)
        return delivery


def watch_silence(house: House, now: datetime) -> Sequence[DetectReport]:
    """What time alone brings: sources that fail or fall silent, and alerts whose day of review or end has come.

    Absence never reads as recovery, and an old warning never ends by itself: a person is told.
    """
    silent = [r.id for r in house.catalogue.rules.values() if r.method == "silence" and r.enabled]
    found = [validate.detect(house, now, rule=rule) for rule in silent]
    vigil.settle(house, now)
    versions.fall_due(house, now)
    distribution.fall_due(house, now)
    keywatch.settle(house, now)
    publishing.keep_up(house, now)
    return found
