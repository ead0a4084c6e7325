"""Who gets what and why, who does not and why not; when a delivery is sent, and when it is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ewarn.dispatch import due, page, render, route
from ewarn.terms import Page, Standing

CAMDEN, ISLINGTON, CROYDON = "E09000007", "E09000019", "E09000008"
LONDON, UK = "E12000007", "K02000001"
NOW = datetime(2025, 3, 3, 14, tzinfo=UTC)


@pytest.fixture
def routed(make_alert, catalogue):
    def run(*recipients, alert=None, audiences=("professional", "public"), **content):
        alert = alert or make_alert(**content)
        return route.destinations(alert, recipients, catalogue, render.payloads(alert, catalogue), audiences)

    return run


@pytest.mark.parametrize(
    ("area", "why"),
    [
        (CAMDEN, "covers Camden"),
        (LONDON, "covers London, which contains Camden"),
        (UK, "covers United Kingdom, which contains Camden"),
        (ISLINGTON, "covers Islington, which borders Camden"),
    ],
)
def test_the_area_its_ancestors_and_its_neighbours_get_it_and_are_told_why(routed, make_recipient, area, why):
    (delivery,) = routed(make_recipient("anna", areas=(area,))).deliveries
    assert delivery.why.startswith(why) and delivery.format == "email" and delivery.channel == "mail"


def test_a_distant_borough_an_inactive_recipient_and_the_rota_get_no_alert(routed, make_recipient):
    others = [
        make_recipient("far", areas=(CROYDON,)),
        make_recipient("gone", active=False),
        make_recipient("duty", group="duty", audience="internal"),
    ]
    assert routed(*others) == ([], [])


def test_a_regional_alert_reaches_its_boroughs(routed, make_alert, make_recipient):
    alert = make_alert().model_copy(update={"area": LONDON})
    (delivery,) = routed(make_recipient("anna", areas=(CROYDON,)), alert=alert).deliveries
    assert delivery.why.startswith("covers Croydon, which lies in London")


def test_routes_choose_by_group_channel_and_border(routed, make_recipient):
    found = routed(
        make_recipient("chat", "chat", group="council"),
        make_recipient("cop", group="police"),
        make_recipient("next-door-cop", group="police", areas=(ISLINGTON,)),
        make_recipient("stranger", group="press"),
        make_recipient("lost", "pigeon"),
    )
    assert [(d.destination, d.format) for d in found.deliveries] == [("chat", "slack"), ("cop", "email")]
    reasons = {w.destination: w.reason for w in found.withheld}
    assert "bordering area" in reasons["next-door-cop"] and "group 'press'" in reasons["stranger"]
    assert reasons["lost"] == "there is no channel 'pigeon'"


@pytest.mark.parametrize("standing", ["exercise", "test"])
def test_an_exercise_never_reaches_a_live_channel_and_says_so(routed, make_recipient, standing):
    found = routed(make_recipient("anna"), make_recipient("drill", "drill"), standing=standing)
    assert [d.destination for d in found.deliveries] == ["drill"]
    assert found.deliveries[0].standing is Standing(standing)
    (withheld,) = found.withheld
    assert withheld.destination == "anna" and "never carries an exercise" in withheld.reason


def test_an_actual_alert_does_not_go_to_an_exercise_channel(routed, make_recipient):
    (withheld,) = routed(make_recipient("drill", "drill")).withheld
    assert "for exercises and tests only" in withheld.reason


def test_the_public_gets_only_what_is_marked_clear_and_approved_for_it(routed, make_recipient):
    board = make_recipient("board", "board", audience="public")
    assert "not for the public" in routed(board).withheld[0].reason
    (delivery,) = routed(board, marking="TLP:CLEAR").deliveries
    assert (delivery.audience, delivery.format) == ("public", "text")
    early = routed(board, marking="TLP:CLEAR", audiences=("professional",))
    assert "do not allow the public audience" in early.withheld[0].reason


def test_red_goes_to_nobody(routed, make_recipient):
    assert "TLP:RED" in routed(make_recipient("anna"), marking="TLP:RED").withheld[0].reason


def test_a_delivery_has_the_same_id_every_time_and_another_for_another_version(routed, make_alert, make_recipient):
    first, again = (routed(make_recipient("anna")).deliveries[0].id for _ in range(2))
    assert first == again != routed(make_recipient("anna"), alert=make_alert(version=2)).deliveries[0].id


def a_page(**more) -> Page:
    values = {"id": "p1", "case": "LDN-1", "at": NOW, "subject": "s", "text": "t", "standing": "actual"}
    return Page.model_validate(values | more)


def test_a_page_goes_to_the_first_on_the_rota_and_then_to_the_back_up(make_recipient, catalogue):
    rota = [make_recipient(f"duty{n}", "duty", (LONDON,), "duty", rota_order=n, audience="internal") for n in (1, 2)]
    for order in (1, 2):
        (delivery,) = route.page_destinations(a_page(rota_order=order), CAMDEN, rota, catalogue).deliveries
        assert delivery.destination == f"duty{order}" and delivery.page == "p1" and delivery.audience == "internal"
    nobody = route.page_destinations(a_page(rota_order=3), CAMDEN, rota, catalogue)
    assert nobody.deliveries == [] and "nobody could be called" in nobody.withheld[0].reason


def test_pages_go_only_by_internal_channels_of_the_right_standing(make_recipient, catalogue):
    def to(channel, standing):
        person = make_recipient("ola", channel, (UK,), "duty", rota_order=1, audience="internal")
        return route.page_destinations(a_page(standing=standing), CAMDEN, [person], catalogue)

    assert "not a channel for pages" in to("mail", "actual").withheld[0].reason
    assert "never carries an exercise" in to("duty", "exercise").withheld[0].reason
    assert to("duty-drill", "exercise").deliveries and to("duty", "actual").deliveries


def test_the_whole_panel_is_told(make_recipient, catalogue):
    panel = [make_recipient(n, "duty", (CAMDEN,), "panel", audience="internal") for n in ("bob", "cat")]
    found = route.page_destinations(a_page(), CAMDEN, panel, catalogue, group="panel")
    assert [d.destination for d in found.deliveries] == ["bob", "cat"]


@pytest.mark.parametrize(
    ("state", "wait", "sends", "reason"),
    [
        ("waiting", None, True, "not sent yet"),
        ("failed", -1, True, "attempt 2 after: refused"),
        ("failed", 1, False, "waits until"),
        ("sent", None, False, "sent already"),
        ("dead", None, False, "given up after 1 attempts: refused"),
        ("sending", 1, False, "another run"),
        ("sending", None, False, "another run"),
        ("sending", -1, True, "possible repeat"),
    ],
)
def test_why_send_and_why_not(make_delivery, state, wait, sends, reason):
    at = None if wait is None else NOW + timedelta(minutes=wait)
    delivery = make_delivery(state=state, next_attempt_at=at, attempts=1, last_error="refused")
    verdict = due.verdict(delivery, NOW)
    assert verdict.send is sends and reason in verdict.reason


def test_waits_lengthen_to_an_hour_and_end_with_the_channels_attempts():
    waits = [due.next_attempt(n, NOW, max_attempts=7) for n in range(1, 8)]
    assert [w and (w - NOW).seconds // 60 for w in waits] == [1, 2, 5, 15, 60, 60, None]
    assert due.next_attempt(1, NOW, jitter=1.0) == NOW + timedelta(seconds=72)
    assert due.next_attempt(1, NOW, jitter=99) == NOW + timedelta(seconds=72)


def test_an_unacknowledged_page_goes_to_the_back_up_once_and_an_acknowledged_one_stays():
    late = NOW + timedelta(minutes=15)
    assert page.escalations([a_page()], NOW + timedelta(minutes=14, seconds=59), 15) == []
    (escalated,) = page.escalations([a_page()], late, 15)
    assert escalated.rota_order == 2
    assert page.escalations([escalated], late + timedelta(days=1), 15) == []
    assert page.escalations([a_page(acknowledged_by="bob", acknowledged_at=NOW)], late, 15) == []
    assert page.escalations([escalated], late, 15, rota_length=3) == []
    assert page.escalations([escalated], NOW + timedelta(minutes=30), 15, rota_length=3)[0].rota_order == 3
