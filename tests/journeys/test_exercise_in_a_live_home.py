"""An exercise in the home people work in: the whole path, by exercise channels alone, with a scorecard at its end."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from ewarn.errors import Refused, UsageFault
from ewarn.pipeline import assess, exercising, explain, read, respond, scorecards, versions
from ewarn.pipeline.reports import Actor
from ewarn.terms import Person, PersonRole, Recipient, Standing

CAMDEN, LONDON = "E09000007", "E12000007"
LIVE = """title = "{title}"
url = "{url}"
format = "{form}"
live = true
internal = {internal}
timeout_seconds = 5
max_attempts = 1
"""
MAIL = "mailto://{secret:exercise_smtp}?mode=insecure&from={from}&to={address}"
HOOK = "json://{secret:exercise_duty_webhook}?:message=text&:title=&:version=&:type=&:attachments="
NAMES = ("keeper", "duty", "author", "ann", "ben")


def actor(name: str) -> Actor:
    return Actor(name, f"a secret for {name}")


@pytest.fixture
def live(corridor: Any) -> Any:
    """A live home with live and exercise contacts, all of whose channels end on this machine."""
    config = corridor.home / "ewarn.toml"
    config.write_text(config.read_text().replace('standing = "exercise"\n', ""))
    channels = corridor.home / "content" / "alerts" / "channels"
    channels.mkdir(parents=True)
    (channels / "email.toml").write_text(LIVE.format(title="E-mail", url=MAIL, form="email", internal="false"))
    (channels / "duty-webhook.toml").write_text(LIVE.format(title="Pager", url=HOOK, form="text", internal="true"))
    now = corridor.at("2025-05-16", "10:00")
    house = corridor.house(now)
    roles = dict.fromkeys(NAMES, PersonRole.PANEL) | {"keeper": PersonRole.COORDINATOR, "duty": PersonRole.DUTY}
    for name, role in roles.items():
        person = Person(id=name, name=f"Test {name}", roles=(role,), areas=(LONDON,))
        read.add_person(house, person, f"a secret for {name}", now)
    rota = {"group": "duty", "audience": "internal", "areas": (LONDON,), "rota_order": 1}
    there = {"areas": (CAMDEN,), "group": "health"}
    for made in (
        Recipient(id="pager", name="Pager", channel="duty-webhook", **rota),
        Recipient(id="drill-pager", name="Exercise pager", channel="exercise-duty", **rota),
        Recipient(id="clinic", name="Clinic", channel="email", address="clinic@example.org", **there),
        Recipient(id="drill-clinic", name="Drill", channel="exercise-email", address="drill@example.org", **there),
        Recipient(id="drill-team", name="Drill team", channel="exercise-webhook", **there),
    ):
        read.add_recipient(house, made, now)
    return corridor


def hit(corridor: Any, now: Any) -> None:
    """A real laboratory result, of the same drug in the same place."""
    row = {
        "sample_ref": "S1", "laboratory": "Laboratory (synthetic)", "stream": "drug-checking",
        "date_sampled": f"{now:%Y-%m-%d}", "date_reported": f"{now:%Y-%m-%d}", "area_code": CAMDEN,
        "sold_as": "diazepam", "major": "metonitazene", "test_type": "confirmatory", "status": "",
    }  # fmt: skip
    corridor.drop("test_results", [row], now)
    corridor.turn(now)


def test_an_exercise_runs_the_whole_path_beside_the_real_thing(live: Any) -> None:
    began = live.at("2025-05-16", "11:00")
    clock = iter([began, began + timedelta(seconds=30)])
    house = live.house(began)
    started = exercising.start(house, "first-nitazene", actor("keeper"), lambda: next(clock))
    assert started.cases == ("LDN-EX-2025-0001",) and started.pages and not started.nobody_paged
    (ref,) = started.cases
    respond.send(house, began + timedelta(minutes=1))
    (call,) = live.duty_calls
    assert "EXERCISE" in call["text"] and "every row behind this is made up" in call["text"]
    with pytest.raises(UsageFault, match="there is no scenario"):
        exercising.start(house, "no-such", actor("keeper"), lambda: began)
    with pytest.raises(Refused, match="no coordinator or panel role"):
        exercising.start(house, "first-nitazene", actor("duty"), lambda: began)

    at = began + timedelta(minutes=12)
    respond.acknowledge(house, started.pages[0], actor("duty"), at)
    drafted = assess.draft(house, ref, "formal alert", actor("author"), began + timedelta(minutes=50))
    assert "Metonitazene" in drafted.text or "metonitazene" in drafted.text
    assert "every row behind this is made up" in drafted.text and drafted.standing == "exercise"
    before = {line.recipient: line for line in explain.explain(house, drafted.id, began).lines}
    assert {r for r, line in before.items() if line.outcome == "delivered"} == {"drill-clinic", "drill-team"}
    assert "never carries an exercise" in before["clinic"].why and before["pager"].outcome == "not concerned"
    fixed = assess.submit(house, drafted.id, actor("author"), began + timedelta(minutes=55))
    for minutes, person in ((60, "ann"), (70, "ben")):
        at = began + timedelta(minutes=minutes)
        assess.approve(house, fixed.id, fixed.hash, actor(person), at, note="exercise")
    live.mailbox.messages.clear()
    respond.send(house, began + timedelta(minutes=71))
    assert [m["To"] for m in live.mailbox.messages] == ["drill@example.org"]
    assert "EXERCISE" in live.mailbox.messages[0]["Subject"] and "EXERCISE" in json.dumps(live.partner_calls)
    for delivery in respond.receipts(house, drafted.id).deliveries:
        assert not house.catalogue.channels[delivery.channel].live
        respond.acknowledge(house, delivery.id, actor("duty"), began + timedelta(minutes=90), "read")

    after = explain.explain(house, drafted.id, began + timedelta(minutes=95))
    assert {(line.recipient, line.state) for line in after.of("delivered")} == {
        ("drill-clinic", "sent"), ("drill-team", "sent"),
    }  # fmt: skip
    now = began + timedelta(minutes=100)
    card = scorecards.of(house, ref, now)
    wanted = {
        "signal": 0.5, "page": 1, "taken": 12, "drafted": 50, "submitted": 55, "first_approval": 60,
        "last_approval": 70, "first_delivery": 71, "last_delivery": 71, "last_answer": 90,
    }  # fmt: skip
    assert {s.key: s.minutes for s in card.steps} == pytest.approx(wanted, abs=0.4)  # sending takes real seconds
    assert [s.key for s in card.steps if s.outcome == "missed"] == ["drafted"]
    assert (card.met, card.missed, card.open, card.delivered, card.answered) == (9, 1, 0, 2, 2)
    assert "50 of 45 min, MISSED" in scorecards.picture(card.steps)
    assert scorecards.svg(card).count('class="step"') == 10 and "EXERCISE" in scorecards.page(card)
    assert [b.case_ref for b in exercising.begun(house)] == [ref]


@pytest.mark.slow
def test_the_real_thing_meanwhile_has_a_case_of_its_own_and_goes_to_live_contacts_alone(live: Any) -> None:
    now = live.at("2025-05-16", "11:00")
    house = live.house(now)
    (ref,) = exercising.start(house, "first-nitazene", actor("keeper"), lambda: now).cases
    hit(live, now)
    assert len(live.duty_calls) == 2, "each standing by its own pager"
    real = [c for c in assess.list_cases(live.house(now)) if c.standing is Standing.ACTUAL]
    assert [c.ref for c in real] == ["LDN-2025-0001"] and len(assess.show_case(house, ref).case.signals) == 1
    for case, to in (("LDN-2025-0001", "clinic@example.org"), (ref, "drill@example.org")):
        text = assess.draft(house, case, "formal alert", actor("author"), now)
        text = assess.submit(house, text.id, actor("author"), now)
        for person in ("ann", "ben"):
            assess.approve(house, text.id, text.hash, actor(person), now, note="checked")
        live.mailbox.messages.clear()
        respond.send(house, now)
        assert [m["To"] for m in live.mailbox.messages] == [to]
        assert ("EXERCISE" in str(live.mailbox.messages[0])) is (case == ref)
    assert {f.standing for f in versions.in_force(house, now)} == {"actual", "exercise"}
    with pytest.raises(UsageFault, match="is no exercise"):
        scorecards.of(house, "LDN-2025-0001", now)


@pytest.mark.slow
@pytest.mark.slow
def test_a_cluster_scenario_opens_a_case_and_says_so_where_nobody_can_be_paged(live: Any) -> None:
    began = live.at("2025-05-17", "22:30")
    house = live.house(began)
    drill = next(r for r in read.list_recipients(house) if r.id == "drill-pager")
    read.add_recipient(house, drill.model_copy(update={"active": False}), began)
    started = exercising.start(house, "camden-evening", actor("keeper"), lambda: began)
    assert started.nobody_paged and len(started.cases) == 1
    card = scorecards.of(house, started.cases[0], began + timedelta(minutes=6))
    assert {s.key: s.outcome for s in card.steps}["page"] == "missed" and card.open == 8


@pytest.mark.slow
@pytest.mark.slow
def test_an_exercise_homes_own_case_has_a_scorecard_too(corridor: Any) -> None:
    now = corridor.at("2025-05-16", "10:00")
    corridor.staff(now)
    hit(corridor, now)
    at = now + timedelta(minutes=3)
    house = corridor.house(at)
    respond.acknowledge(house, corridor_page(house), corridor.actor("duty"), at)
    card = scorecards.of(house, "LDN-2025-0001", at)
    taken = {s.key: s.minutes for s in card.steps if s.minutes is not None}
    assert taken == pytest.approx({"signal": 0, "page": 0, "taken": 3}, abs=0.4)


def corridor_page(house: Any) -> str:
    return assess.show_case(house, "LDN-2025-0001").pages[0].id
