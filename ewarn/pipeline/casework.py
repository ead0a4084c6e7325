"""What happens to cases when signals or records change, within one transaction: saved, and the duty rota paged.

In: an open transaction, a house, what changed, `now`. Out: the changes and the pages written with them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Literal

import polars as pl

from ewarn.assess import cases as casebook
from ewarn.assess import corroborate, facts, verify
from ewarn.dispatch import page as paging
from ewarn.dispatch import route
from ewarn.errors import Refused
from ewarn.frames import Lines
from ewarn.pipeline.house import House
from ewarn.store import cases, exercises, lines, operator_notices, outbox, pages, recipients
from ewarn.terms import Alert, CaseChange, CaseFile, Delivery, Family, Page, Recipient, Signal

Connection = Any


def ages(house: House) -> pl.DataFrame:
    """One row per source with the age beyond which its records raise no cluster."""
    rows = [(s.id, s.max_age_days) for s in house.catalogue.sources.values()]
    return pl.DataFrame(rows, schema={"source": pl.String, "max_age_days": pl.Int64}, orient="row")


def one_standing(con: Connection, house: House) -> None:
    """A home has one standing for good: rows made for an exercise must never be read as actual, nor the other way.

    Raises: Refused.
    """
    standing = house.settings.standing
    apart = exercises.apart(con)
    other = sorted({case.standing.value for case in cases.all(con) if case.ref not in apart} - {standing.value})
    if other:
        raise Refused(
            f"this home holds {other[0]} cases, and its standing is now {standing.value}",
            where=str(house.settings.home),
            next_step=f"Use a home of its own for what is {standing.value}: --home or EWARN_HOME.",
        )


def own_cases(con: Connection) -> list[CaseFile]:
    """The cases that signals may join: not those of exercises and contact tests begun in this home."""
    apart = exercises.apart(con)
    return [case for case in cases.all(con) if case.ref not in apart]


def corrected(tx: Connection, house: House, record_ids: Collection[str], now: datetime) -> list[CaseChange]:
    """Corrected or retracted records reopen or update the cases that rest on them, and how sure those are."""
    changes = casebook.corrected(record_ids, own_cases(tx), now) if record_ids else []
    if changes:
        changes = _verified(house, changes, lines.as_known(tx, ages(house), until=now), now)
        keep(tx, house, changes, now)
    return changes


def place(
    tx: Connection,
    house: House,
    signals: Iterable[tuple[Literal["new", "grown"], Signal]],
    known: Lines,
    now: datetime,
    *,
    live: bool,
) -> tuple[list[CaseChange], list[Page]]:
    """Join new and grown signals to cases; what opens no case becomes a word to the operator.

    In: `known` the line lists the signals were raised from; `live` false for history asked about, which pages nobody.
    """
    one_standing(tx, house)
    issuer = house.settings.issuer
    fatal = known.lines.filter(pl.col("outcome") == "fatal")["record_id"].unique().to_list()
    placement = casebook.place(
        signals,
        own_cases(tx),
        house.catalogue,
        issuer,
        now,
        lambda year: cases.next_ref(tx, issuer, year),
        fatal_records=frozenset(fatal),
    )
    for signal in placement.notices:
        topic = "silent" if signal.family is Family.SILENCE else signal.id
        told = signal.family is not Family.UNKNOWN_NAME  # those wait in the naming queue
        operator_notices.put(tx, now, signal.subject.id or signal.rule, signal.why, topic, tell=told)
    changes = _verified(house, placement.changes, known, now)
    return changes, keep(tx, house, changes, now, live=live)


def _verified(house: House, changes: Sequence[CaseChange], known: Lines, now: datetime) -> list[CaseChange]:
    """The changes with each case's three levels and what corroborates it, said once in the change that brought it."""
    told: dict[str, tuple[str, ...]] = {}
    found = []
    for change in changes:
        gathered = facts.gather(known, casebook.records_of(change.case), house.catalogue)
        checked = change.model_copy(update={"case": _levels(change.case, gathered)})
        before = told.get(change.case.ref, change.case.corroborated_by)
        found.append(corroborate.raised(checked, gathered, before, house.catalogue.grading, now))
        told[change.case.ref] = found[-1].case.corroborated_by
    return found


def verified(house: House, case: CaseFile, known: Lines) -> CaseFile:
    """The case with its three levels as the facts now support them, save those that a person has set."""
    return _levels(case, facts.gather(known, casebook.records_of(case), house.catalogue))


def _levels(case: CaseFile, gathered: facts.Facts) -> CaseFile:
    held = verify.of(case, gathered)._asdict()
    update = {f"verification_{part}": level for part, level in held.items() if part not in case.verified_by_person}
    return case.model_copy(update=update)


def keep(
    tx: Connection, house: House, changes: Sequence[CaseChange], now: datetime, *, live: bool = True
) -> list[Page]:
    """Save the cases as they now stand with what happened to them, and write the pages to the outbox."""
    for change in changes:
        cases.record_change(tx, change, now)
    if not live:
        return []
    written = paging.compose(changes, now, lambda code: house.catalogue.area_ref(code).name, house.settings.origin)
    areas = {change.case.ref: change.case.lead_area for change in changes}
    known = recipients.all(tx)
    left = []
    for page in written:
        if _nobodys(house, page, areas[page.case], known):
            words = f"{house.catalogue.area_ref(areas[page.case]).name} lies outside the home area, and nobody on the "
            cases.act(tx, page.case, now, "not paged", "ewarn", f"{words}rota covers it")
            continue
        pages.put(tx, page)
        reached = call(tx, house, page, areas[page.case], now)
        cases.act(tx, page.case, now, "paged" if reached else "no one to page", "ewarn", page.subject)
        left.append(page)
    return left


def _nobodys(house: House, page: Page, area: str, known: Sequence[Recipient]) -> bool:
    """Whether a page is about another service's area: no fault of this rota, and no news to who looks after it."""
    own, home = house.own(area), house.settings.home_area
    if home == own or home in {above.code for above in house.catalogue.ancestors(own)}:
        return False
    return not route.page_destinations(page, own, known, house.catalogue).deliveries


def call(tx: Connection, house: House, page: Page, area: str, now: datetime, group: str = "duty") -> list[Delivery]:
    """Deliveries of a page to whoever it calls now; nobody to call is shown on the case and told to the operator."""
    routed = route.page_destinations(page, house.own(area), recipients.all(tx), house.catalogue, group)
    outbox.put(tx, routed.deliveries, now)
    for held in routed.withheld:
        if routed.deliveries and held.reason.startswith(f"{page.standing.value}: "):
            continue  # a contact for exercises beside one for the real thing: that is meant
        words = f"page {page.id} does not reach {held.name}: {held.reason}"
        if page.case:
            cases.act(tx, page.case, now, "not paged", "ewarn", words)
        about = page.case or page.subject
        mend = "Give the contact another channel" if held.destination else "Add a contact"
        mend += " with 'ewarn recipients add'; a channel for pages says internal = true."
        operator_notices.put(tx, now, "duty", f"{about}: {words}. {mend}")
    return routed.deliveries


def called(con: Connection, page: Page) -> list[Delivery]:
    """Who is called by a page."""
    return outbox.of_page(con, page.id)


def tell_panel(
    tx: Connection, house: House, case: CaseFile, alert: Alert, person: str, review_by: datetime, now: datetime
) -> Page:
    """Tell the whole panel that one member approved alone; the second review falls due on the case."""
    page = paging.panel_notice(case, alert.id, person, review_by, now)
    pages.put(tx, page)
    call(tx, house, page, alert.area, now, group="panel")
    action = f"Second review of {alert.id} v{alert.version}: approved out of hours by one member"
    cases.save(tx, case.model_copy(update={"next_action": action, "due_at": review_by}), now, person)
    return page
