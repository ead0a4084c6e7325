"""Routes by severity, hour, group and area; out-of-hours contacts; every recipient exactly once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ewarn.catalogue.definitions import ChannelDefinition, GradingDefinition, RoutesDefinition
from ewarn.dispatch import render, route, send
from ewarn.dispatch.occasion import Occasion
from ewarn.errors import Refused
from ewarn.terms import Payload, Product, Recipient, Standing

CAMDEN, ISLINGTON, CROYDON = "E09000007", "E09000019", "E09000008"
LONDON, UK = "E12000007", "K02000001"
MONDAY, NIGHT = datetime(2025, 3, 3, 14, tzinfo=UTC), datetime(2025, 3, 8, 3, tzinfo=UTC)  # a Saturday at 3 a.m.


def grading() -> GradingDefinition:
    grade = {"name": "n", "meaning": "m", "first_action": "f", "due_hours": 2, "product": "formal alert",
             "cap_urgency": "Immediate", "cap_severity": "Severe"}  # fmt: skip
    rows = [grade | {"id": name} for name in ("act-now", "act-today", "share")]
    return GradingDefinition.model_validate(
        {"title": "t", "note": "n", "question": [{"id": "q", "text": "t"}], "grade": rows}
    )


def routes(*lines: dict[str, Any], **more: Any) -> RoutesDefinition:
    return RoutesDefinition.model_validate({"route": [{"audience": "professional"} | line for line in lines]} | more)


@pytest.fixture
def explained(make_alert: Any, make_catalogue: Any) -> Any:
    def run(recipients: Any, *lines: dict[str, Any], severity: str = "act-now", now: Any = MONDAY, **more: Any) -> Any:
        content, standing = more.pop("content", {}), more.pop("standing", "actual")
        made = make_catalogue(routes=routes(*(lines or ({},)), **more), grading=grading())
        alert = make_alert(standing, **content)
        when = Occasion(severity=severity, now=now)
        found = route.lines(alert, recipients, made, render.payloads(alert, made), when=when)
        return {line.recipient: line for line in found}

    return run


@pytest.mark.parametrize(("severity", "outcome"), [("act-now", "delivered"), ("share", "withheld"), ("", "delivered")])
def test_a_route_for_severe_cases_leaves_out_the_others_and_no_grade_counts_as_severe(
    explained: Any, make_recipient: Any, severity: str, outcome: str
) -> None:
    found = explained([make_recipient("anna")], {"least_severity": "act-today"}, severity=severity)["anna"]
    assert found.outcome == outcome
    if outcome == "withheld":
        assert found.reason == "route 1 is for act-today and above, and this is share"


def test_a_route_for_the_night_is_used_at_night_alone(explained: Any, make_recipient: Any) -> None:
    lines = ({"hours": "out of hours", "title": "region at night", "groups": ["health"]},)
    night, day = (explained([make_recipient("anna")], *lines, now=now)["anna"] for now in (NIGHT, MONDAY))
    assert (night.outcome, night.route) == ("delivered", "route 1 (region at night)")
    assert day.reason == "route 1 (region at night) is for out of hours, and it is working hours"


def test_a_route_that_waits_sends_when_working_hours_begin(explained: Any, make_recipient: Any) -> None:
    found = explained([make_recipient("anna")], {"hours": "working", "waits": True}, now=NIGHT)["anna"]
    assert found.delivery.next_attempt_at == datetime(2025, 3, 10, 9, tzinfo=UTC)
    assert "waits for working hours" in found.reason


def test_the_region_hears_only_where_a_route_goes_upward(explained: Any, make_recipient: Any) -> None:
    region = make_recipient("gla", areas=(LONDON,))
    assert explained([region], {"upward": True})["gla"].outcome == "delivered"
    assert "of an area above it" in explained([region], {"upward": False})["gla"].reason


@pytest.mark.parametrize(
    ("severity", "now", "contact", "words"),
    [
        ("act-now", NIGHT, "out of hours", "by its out-of-hours contact"),
        ("share", NIGHT, "", "its out-of-hours contact is for act-today and above"),
        ("act-now", MONDAY, "", ""),
    ],
)
def test_an_out_of_hours_contact_is_used_outside_hours_where_it_is_warranted(
    explained: Any, make_recipient: Any, severity: str, now: Any, contact: str, words: str
) -> None:
    anna = make_recipient("anna", hours="working", night_channel="chat", night_address="phone")
    found = explained([anna], severity=severity, now=now, out_of_hours_from="act-today")["anna"]
    assert (found.delivery.contact, found.delivery.channel) == (contact, "chat" if contact else "mail")
    assert words in found.reason
    assert route.changed(found.delivery, anna) == ""
    if contact:
        gone = anna.model_copy(update={"night_channel": "", "night_address": ""})
        assert "no longer there" in route.changed(found.delivery, gone)


def test_who_has_no_out_of_hours_contact_still_gets_it_and_that_is_said(explained: Any, make_recipient: Any) -> None:
    found = explained([make_recipient("anna", hours="working")], now=NIGHT)["anna"]
    assert found.outcome == "delivered" and found.delivery.contact == ""
    assert "read from Mon 10 Mar 09:00: it has no out-of-hours contact" in found.reason


def test_an_exercise_never_uses_a_live_out_of_hours_contact(explained: Any, make_recipient: Any) -> None:
    drill = make_recipient("drill", "drill", hours="working", night_channel="chat", night_address="x")
    found = explained([drill], now=NIGHT, standing="exercise")["drill"]
    assert found.delivery.channel == "drill" and "never carries an exercise" in found.reason


@pytest.mark.parametrize(
    ("rule", "printed", "outcome"),
    [
        ("with the condition", True, "delivered"),
        ("with the condition", False, "withheld"),
        ("withhold", True, "withheld"),
    ],
)
def test_police_get_what_is_not_for_enforcement_only_with_the_condition(
    explained: Any, make_recipient: Any, rule: str, printed: bool, outcome: str
) -> None:
    asked = "Not for enforcement."
    content = {"handling": {"marking": "TLP:AMBER", "conditions": [asked]}, "audience": asked if printed else "All."}
    people = [make_recipient("cop", group="police"), make_recipient("nurse")]
    found = explained(people, content=content, not_for_enforcement=rule)
    assert found["cop"].outcome == outcome and found["nurse"].outcome == "delivered"


CHANNELS = ("mail", "chat", "drill", "board", "duty", "duty-drill", "pigeon")
SOMEBODY = st.builds(
    Recipient,
    id=st.sampled_from([f"r{n}" for n in range(12)]),
    name=st.just("Somebody"),
    group=st.sampled_from(["health", "council", "police", "press", "duty", ""]),
    audience=st.sampled_from(["professional", "public", "internal"]),
    areas=st.lists(st.sampled_from([CAMDEN, ISLINGTON, CROYDON, LONDON, UK]), min_size=1, max_size=2).map(tuple),
    channel=st.sampled_from(CHANNELS),
    address=st.just("somebody@partner.test"),
    active=st.booleans(),
    hours=st.sampled_from(["always", "working", "08:00-20:00 daily"]),
    night_channel=st.sampled_from(["", *CHANNELS]),
    night_address=st.sampled_from(["", "night@partner.test"]),
)
PEOPLE = st.lists(SOMEBODY, max_size=10, unique_by=lambda r: r.id)
OCCASIONS = st.builds(
    Occasion,
    severity=st.sampled_from(["", "act-now", "act-today", "share"]),
    now=st.sampled_from([None, MONDAY, NIGHT]),
)
LOOSE = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def world(make_catalogue: Any, make_alert: Any) -> Any:
    lines = ({"groups": ["health"], "least_severity": "act-today"}, {"hours": "working", "neighbours": False}, {})
    made = make_catalogue(
        routes=routes(*lines, {"audience": "public"}, out_of_hours_from="act-today"), grading=grading()
    )

    def look(people: Any, when: Occasion, standing: str = "actual", product: Product = Product.FORMAL_ALERT) -> Any:
        alert = make_alert(standing, marking="TLP:CLEAR")
        payloads = render.payloads(alert, made)
        return route.lines(alert.model_copy(update={"product": product}), people, made, payloads, when=when)

    look.catalogue = made  # type: ignore[attr-defined]
    return look


@LOOSE
@given(people=PEOPLE, when=OCCASIONS)
def test_every_recipient_appears_exactly_once_with_a_reason(world: Any, people: Any, when: Occasion) -> None:
    found = world(people, when)
    assert [line.recipient for line in found] == sorted(r.id for r in people)
    assert all(line.reason and (line.outcome == "delivered") == (line.delivery is not None) for line in found)


@LOOSE
@given(people=PEOPLE, when=OCCASIONS, other=SOMEBODY, seed=st.randoms(use_true_random=False))
def test_order_is_irrelevant_and_a_newcomer_changes_nobody_elses_delivery(
    world: Any, people: Any, when: Occasion, other: Recipient, seed: Any
) -> None:
    mixed = list(people)
    seed.shuffle(mixed)
    before = world(people, when)
    assert world(mixed, when) == before
    rest = [r for r in people if r.id != other.id]
    with_other = [line for line in world([other, *rest], when) if line.recipient != other.id]
    assert with_other == [line for line in before if line.recipient != other.id]


@LOOSE
@given(
    people=PEOPLE,
    when=OCCASIONS,
    standing=st.sampled_from(list(Standing)),
    product=st.sampled_from(list(Product)),
)
def test_no_exercise_or_test_ever_reaches_a_live_channel_save_a_contact_test(
    world: Any, people: Any, when: Occasion, standing: Standing, product: Product
) -> None:
    for line in world(people, when, standing.value, product):
        if line.delivery is None:
            continue
        live = world.catalogue.channels[line.delivery.channel].live
        lawful = product is Product.CONTACT_TEST and standing is Standing.TEST
        assert live is (standing is Standing.ACTUAL or lawful)
        assert line.delivery.standing is standing


@LOOSE
@given(
    standing=st.sampled_from(list(Standing)),
    product=st.sampled_from(["", *(p.value for p in Product)]),
    subject=st.sampled_from(["TEST: can you read this?", "Harm in Camden", "EXERCISE: Harm in Camden"]),
    live=st.booleans(),
)
def test_sending_looks_once_more_at_standing_and_text(
    make_delivery: Any, make_recipient: Any, standing: Standing, product: str, subject: str, live: bool
) -> None:
    """The channel's secret is asked for only where a message would leave."""
    asked: list[str] = []

    def secret(name: str) -> str:
        asked.append(name)
        raise Refused("no secret in this test")

    channel = ChannelDefinition.model_validate(
        {"id": "c", "title": "c", "url": "json://{secret:hook}", "format": "text", "live": live}
    )
    delivery = make_delivery(channel="c", format="text", standing=standing, product=product)
    payload = Payload(audience="professional", format="text", subject=subject, body=b"text")
    outcome = send.deliver(delivery, payload, channel, make_recipient("anna", "c"), secret)
    assert not outcome.ok
    if product == Product.CONTACT_TEST.value:
        right = {Standing.TEST: live, Standing.EXERCISE: not live, Standing.ACTUAL: False}[standing]
        right = right and subject.startswith("TEST")
    else:
        right = live is (standing is Standing.ACTUAL)
    assert bool(asked) is right, outcome.error
