"""Who looks for which purpose: people who enforce the law read what rules and approved texts say, and nobody's words.

In: a house, a person, what a page would show. Out: whether they enforce the law; the page without who reported, who
sold, rows as they came, and what people wrote about them. What an originator marked 'not for enforcement' stands there
with that condition, or not at all, as alerts/routes.toml says.
"""

from __future__ import annotations

from collections.abc import Iterable

from ewarn.assess.judged import Judged
from ewarn.disclosure import never
from ewarn.dispatch.enforcement import NOT_FOR_ENFORCEMENT
from ewarn.pipeline import held, officers, reporting, signalpage, today
from ewarn.pipeline.house import House
from ewarn.terms import Family, Person, Purpose, Signal

AS_WRITTEN = (Family.UNKNOWN_NAME, Family.NOTICE)  # these say words of others


def enforces(house: House, person: Person) -> bool:
    """Whether somebody enforces the law: they are registered so, or messages for such a group go to them."""
    return person.purpose is Purpose.ENFORCEMENT or person.id in held.of(house, "enforcing", lambda: _served(house))


def _served(house: House) -> frozenset[str]:
    with house.db.read() as con:
        return officers.served(con, house)


def of_today(house: House, found: today.Today) -> today.Today:
    """Today without cases, people's words, reports, and signals that rest on somebody's words or are not for them."""
    cards, aside = tuple(_cards(house, found.cards)), tuple(_cards(house, found.aside))
    empty = reporting.Waiting(reports=(), unread=(), late=())
    return found.model_copy(
        update={"cards": cards, "aside": aside, "total": len(cards) + len(aside), "cases": (), "overdue": (),
                "alerts": (), "open_pages": (), "reports": empty, "acts": (), "notices": (), "failed": 0, "waiting": 0}
    )  # fmt: skip


def _cards(house: House, cards: Iterable[today.Card]) -> Iterable[today.Card]:
    for card in cards:
        shown = [limited(house, signal) for signal in (card.signal, *card.also) if may_see(house, signal)]
        if shown:
            bare = card.judged.model_copy(update={"person": "", "why": ""})
            yield card.model_copy(update={"signal": shown[0], "also": tuple(shown[1:]), "judged": bare, "cases": ()})


def of_signal(house: House, found: signalpage.SignalPage) -> signalpage.SignalPage | None:
    """One signal without its rows and without what people said of it; None where it is not for them."""
    if not may_see(house, found.signal):
        return None
    return found.model_copy(
        update={
            "signal": limited(house, found.signal),
            "judged": Judged(),
            "said": (),
            "cases": (),
            "open_cases": (),
            "rows": (),
            "rows_left_out": 0,
            "similar": tuple(limited(house, signal) for signal in found.similar if may_see(house, signal)),
        }
    )


def may_see(house: House, signal: Signal) -> bool:
    """Whether it rests on no words of others, and no originator keeps it from enforcement altogether."""
    withheld = house.catalogue.routes.not_for_enforcement == "withhold"
    kept_back = withheld and any(NOT_FOR_ENFORCEMENT.search(condition) for condition in signal.conditions)
    return signal.family not in AS_WRITTEN and not kept_back


def limited(house: House, signal: Signal) -> Signal:
    """A signal whose words hold no person, seller, handle or number to call."""
    beneath = tuple(limited(house, one) for one in signal.beneath if may_see(house, one))
    said = {name: never.cleared(getattr(signal, name)) for name in ("why", "would_have_stopped_it")}
    subject = signal.subject.model_copy(update={"name": never.cleared(signal.subject.name)})
    return signal.model_copy(update={**said, "subject": subject, "beneath": beneath, "records": ()})
