"""Scorecards: each step beside its target, what is missed although nobody took it, who a contact test did not reach."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ewarn.catalogue.exercising import Targets
from ewarn.charts import Step, steps
from ewarn.review import contact_score, scorecard
from ewarn.terms import Delivery, DeliveryState, Recipient

BYTES = datetime(2025, 5, 16, 10, tzinfo=UTC)


def after(minutes: float) -> datetime:
    return BYTES + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("taken", "now", "outcome"),
    [(4.9, 60, "met"), (5, 60, "met"), (5.1, 60, "missed"), (None, 4, "not yet"), (None, 6, "missed")],
)
def test_a_step_is_met_missed_or_not_yet(taken: float | None, now: float, outcome: str) -> None:
    at = {"page": after(taken) if taken is not None else None}
    rows = {row.key: row for row in scorecard.steps(BYTES, at, Targets(page=5), after(now))}
    assert rows["page"].outcome == outcome and rows["page"].minutes == taken


def test_the_picture_has_a_line_a_step_and_says_each_figure() -> None:
    rows = scorecard.steps(BYTES, {"signal": after(0.5), "drafted": after(50)}, Targets(), after(60))
    lines = scorecard.picture(rows).splitlines()
    assert len(lines) == len(scorecard.STEPS) and all("|" in line for line in lines)
    assert lines[0].endswith("0.5 of 2 min, met") and lines[3].endswith("50 of 45 min, MISSED")
    drawn = steps([Step("a <b>", 3, 5, "3 of 5"), Step("c", None, 5, "-", True)], title="t", description="d")
    assert drawn.count('class="step"') == 2 and drawn.count("<rect") == 1 and "a &lt;b&gt;" in drawn
    assert steps([], title="t", description="d") == ""


def delivery(name: str, state: str, error: str = "") -> Delivery:
    return Delivery(
        id=f"d-{name}", alert="A", version=1, destination=name, channel="email", audience="professional",
        format="email", state=DeliveryState(state), last_error=error,
    )  # fmt: skip


def test_every_recipient_of_a_contact_test_comes_out_once_by_group_and_area() -> None:
    people = {
        n: Recipient(id=n, name=n, group=g, areas=a, channel="email")
        for n, g, a in (
            ("yes", "health", ("E1", "E2")), ("mute", "health", ("E1",)), ("gone", "council", ("E2",)),
            ("down", "council", ("E2",)), ("back", "police", ("E1",)), ("left", "police", ("E2",)),
        )
    }  # fmt: skip
    sent = [
        delivery("yes", "sent"), delivery("mute", "sent"), delivery("gone", "dead", "SMTP 550: no such user"),
        delivery("down", "failed", "the mail server did not answer"), delivery("back", "sent"),
    ]  # fmt: skip
    rows = contact_score.answers(sent, {}, {"d-yes": BYTES}, {"d-back"}, people, {"left": "no live channel"})
    assert {r.recipient: r.outcome for r in rows} == {
        "yes": "answered", "mute": "never answered", "gone": "wrong address", "down": "not delivered",
        "back": "wrong address", "left": "not asked",
    }  # fmt: skip
    assert rows[-1].recipient == "yes", "those who need something done stand first"
    by_area = {c.name: c for c in contact_score.counts(rows, lambda r: list(r.areas))}
    assert (by_area["E1"].asked, by_area["E1"].answered, by_area["E1"].wrong) == (3, 1, 1)
    assert (by_area["E2"].asked, by_area["E2"].failed, by_area["E2"].wrong) == (3, 1, 1)
