"""Scorecards of exercises: from bytes to the last acknowledgement, each step with its instant, beside its target.

In: a house, a case whose standing is exercise, `now`. Out: the card, kept where it says something new; the same as a
picture. Nothing is measured but what is on record.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from typing import Any

from ewarn.charts import Step, steps
from ewarn.dispatch import page as paging
from ewarn.errors import UsageFault
from ewarn.pipeline.assess import case_of
from ewarn.pipeline.house import House
from ewarn.review import scorecard
from ewarn.review.scorecard import Card as Card
from ewarn.review.scorecard import picture as picture
from ewarn.store import alerts, decisions, exercises, outbox, pages
from ewarn.terms import CaseFile, Decision, Standing

APPROVING = ("approved", "reviewed", "out-of-hours")
STYLE = ".steps{font:14px ui-sans-serif,'DejaVu Sans',Verdana,sans-serif;background:#fff}.steps text{fill:#1a1a1a}"

PAGE_STYLE = (
    "body{font:16px/1.5 ui-sans-serif,'DejaVu Sans',Verdana,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;"
    "color:#1a1a1a}.mark{background:#fff3b0;border:2px solid;padding:.5rem 1rem;font-weight:bold}"
    "th{text-align:left;font-weight:normal}td,th{padding:.2rem 1rem .2rem 0}"
)


def of(house: House, case_ref: str, now: datetime) -> Card:
    """The card of one exercise as it stands. Raises: UsageFault for a case that is none."""
    with house.db.write("scorecard") as tx:
        case = case_of(tx, case_ref)
        begun = exercises.load(tx, case_ref)
        if case.standing is not Standing.EXERCISE or (begun and not begun.folder):
            raise UsageFault(f"{case_ref} is no exercise", next_step="See 'ewarn exercise list'.")
        card = _card(tx, house, case, begun, now)
        exercises.keep_scorecard(tx, case_ref, card, now)
    house.db.publish()
    return card


def _card(con: Any, house: House, case: CaseFile, begun: exercises.Begun | None, now: datetime) -> Card:
    scenario = house.catalogue.scenarios.get(begun.scenario) if begun else None
    targets = (scenario.targets if scenario else None) or house.catalogue.routes.exercise_targets
    bytes_at, signal_at = (begun.bytes_at, begun.signal_at) if begun else exercises.first_bytes(con, _ids(case))
    if bytes_at is None:
        raise UsageFault(f"no bytes of {case.ref} are on record", next_step="Was it opened by a signal?")
    alert = _alert(con, case.ref)
    at = {"signal": signal_at} | _of_pages(con, case.ref) | _of_text(con, case.ref, alert)
    delivered, answered, said = _of_deliveries(con, alert)
    rows = scorecard.steps(bytes_at, at | said, targets, now)
    return Card(
        at=now,
        case=case.ref,
        title=case.title,
        scenario=begun.scenario if begun else "",
        standing=case.standing.value,
        alert=f"{alert[0]} v{alert[1]}" if alert else "",
        bytes_at=bytes_at,
        steps=rows,
        met=scorecard.count(rows, scorecard.MET),
        missed=scorecard.count(rows, scorecard.MISSED),
        open=scorecard.count(rows, scorecard.OPEN),
        delivered=delivered,
        answered=answered,
    )


def _ids(case: CaseFile) -> list[str]:
    return [held.signal.id for held in case.signals]


def _alert(con: Any, case_ref: str) -> tuple[str, int] | None:
    """The first version that went out; else the first text there is."""
    ids = sorted(a.id for a in alerts.all(con) if a.case == case_ref)
    for alert_id in ids:
        sent = outbox.reached(con, alert_id)
        if sent:
            return alert_id, min(d.version or 1 for d in sent)
    return (ids[0], max(a.version for a in alerts.versions(con, ids[0]))) if ids else None


def _of_pages(con: Any, case_ref: str) -> dict[str, datetime | None]:
    """When the first page was delivered, and when somebody took one."""
    called = [p for p in pages.all(con, case_ref) if not p.id.startswith((paging.PANEL, paging.OPERATOR))]
    ids = {p.id for p in called}
    arrived = [r["at"] for r in outbox.receipts(con, "") if r["page"] in ids and r["state"] == "sent"]
    taken = [p.acknowledged_at for p in called if p.acknowledged_at]
    return {"page": _first(arrived), "taken": _first(taken)}


def _of_text(con: Any, case_ref: str, alert: tuple[str, int] | None) -> dict[str, datetime | None]:
    """When the text was first drafted, submitted, and approved for the version that went out."""
    acts = decisions.of_case(con, case_ref)
    ours: Sequence[Decision] = [d for d in acts if alert and d.alert == alert[0]]
    agreed = [d.at for d in ours if alert and d.act in APPROVING and d.version == alert[1]]
    return {
        "drafted": _first(d.at for d in ours if d.act == "drafted"),
        "submitted": _first(d.at for d in ours if d.act == "submitted"),
        "first_approval": _first(agreed),
        "last_approval": max(agreed, default=None) if len(agreed) > 1 else None,
    }


def _of_deliveries(con: Any, alert: tuple[str, int] | None) -> tuple[int, int, dict[str, datetime | None]]:
    """How many have it, how many said so, and when the first and the last did."""
    if alert is None:
        return 0, 0, {}
    ours = {d.id: d.destination for d in outbox.all(con, alert[0]) if d.version == alert[1] and not d.nudge}
    arrived = {
        r["delivery"]: r["at"] for r in outbox.receipts(con, alert[0]) if r["delivery"] in ours and r["state"] == "sent"
    }
    said: dict[str, datetime] = {}
    for answer in outbox.acknowledgements(con, alert[0]):
        if answer["version"] == alert[1] and answer["destination"] in ours.values():
            said.setdefault(answer["destination"], answer["at"])
    times = {
        "first_delivery": _first(arrived.values()),
        "last_delivery": max(arrived.values(), default=None),
        "last_answer": max(said.values(), default=None),
    }
    return len(arrived), len(said), times


def _first(instants: Iterable[datetime | None]) -> datetime | None:
    return min((at for at in instants if at is not None), default=None)


def svg(card: Card) -> str:
    """The card as one SVG: minutes to each step as a bar, its target as a mark."""
    rows = [Step(s.title, s.minutes, s.target, scorecard.said(s), s.outcome == scorecard.MISSED) for s in card.steps]
    words = f"{card.met} targets met, {card.missed} missed, {card.open} not reached yet. Minutes from the bytes."
    drawn = steps(rows, title=f"EXERCISE {card.case}: scorecard", description=words)
    return drawn.replace("<title>", f"<style>{STYLE}</style><title>", 1)


def page(card: Card) -> str:
    """The card as a page that stands by itself: the picture and the table."""
    rows = "".join(
        f"<tr><th scope='row'>{escape(s.title)}</th><td>{'-' if s.minutes is None else f'{s.minutes:g}'}</td>"
        f"<td>{s.target:g}</td><td>{s.outcome}</td></tr>"
        for s in card.steps
    )
    return (
        f'<!DOCTYPE html><html lang="en-GB"><head><meta charset="utf-8"><title>EXERCISE {escape(card.case)}</title>'
        f"<style>{PAGE_STYLE}</style></head><body><p class='mark'>EXERCISE: not a real event</p>"
        f"<h1>{escape(card.case)}: scorecard</h1><p>{escape(card.title)}. Scenario {escape(card.scenario or 'none')}. "
        f"{card.met} targets met, {card.missed} missed, {card.open} not yet. {card.delivered} have it, "
        f"{card.answered} acknowledged.</p>{svg(card)}"
        "<table><thead><tr><th>step</th><th>minutes</th><th>target</th><th>outcome</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></body></html>"
    )
