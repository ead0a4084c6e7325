"""Which sheets go along with an e-mail: what the route and the channel ask for, as far as the version has it."""

from __future__ import annotations

from ewarn.catalogue.definitions import Route
from ewarn.dispatch import attach
from ewarn.terms import Payload

STORED = [
    Payload(audience="professional", format="flyer", subject="s", body=b"%PDF-1.7 staff"),
    Payload(audience="public", format="flyer", subject="s", body=b"%PDF-1.7 public"),
    Payload(audience="professional", format="poster", subject="s", body=b"not a sheet"),
]
SIZES = {(p.audience, p.format): len(p.body) for p in STORED}


def route(*asked: str) -> Route:
    return Route(audience="professional", attachments=asked)


def test_route_and_channel_are_asked_once_each_and_what_is_not_there_is_left_out(make_alert, catalogue):
    channel = catalogue.channels["mail"].model_copy(update={"attachments": ("flyer", "poster")})
    asked = attach.wanted(make_alert(), route("clinical", "flyer"), channel, "professional", SIZES, 3000)
    assert asked.forms == ("flyer", "poster")
    assert (
        asked.words == "without clinical: this text has none, with flyer as a file (1 kB), with poster as a file (1 kB)"
    )
    assert attach.wanted(make_alert(), route(), catalogue.channels["mail"], "professional", SIZES, 3000) == ((), "")


def test_whoever_is_sent_any_sheet_gets_the_flyer_that_ends_the_alert(make_alert, catalogue):
    ended, mail = make_alert(kind="stand-down"), catalogue.channels["mail"]
    assert attach.wanted(ended, route("poster-on-the-wall"), mail, "professional", SIZES, 3000).forms == ("flyer",)
    assert attach.wanted(ended, route(), mail, "professional", SIZES, 3000).forms == ()


def test_what_is_too_large_stays_out_and_is_said_and_only_mail_carries_files(make_alert, catalogue):
    mail = catalogue.channels["mail"]
    large = {
        ("professional", "photo"): 300_000,
        ("professional", "clinical"): 800_000,
        ("professional", "flyer"): 90_000,
    }
    found = attach.wanted(make_alert(), route("clinical", "flyer"), mail, "professional", large, 1000)
    assert found.forms == ("flyer",)
    assert found.words == "without clinical: 800 kB is more than is left of 1000 kB, with flyer as a file (90 kB)"
    chat = mail.model_copy(update={"format": "slack", "title": "Slack"})
    assert attach.wanted(make_alert(), route("flyer"), chat, "professional", SIZES, 3000) == (
        (), "Slack carries no files",
    )  # fmt: skip


def test_only_sheets_of_the_own_audience_and_only_with_an_email(make_alert, make_delivery):
    asked = make_delivery(attachments=("flyer", "poster"))
    (sheet,) = attach.of(asked, make_alert(), STORED)
    assert (sheet.name, sheet.body) == ("LDN-2025-0001-A1-v1-flyer.pdf", b"%PDF-1.7 staff")
    assert attach.of(make_delivery(attachments=("flyer",), format="slack"), make_alert(), STORED) == ()
    named = attach.name(make_alert("exercise", version=3), "flyer", "DRAFT")
    assert named == "DRAFT-EXERCISE-LDN-2025-0001-A1-v3-flyer.pdf"
