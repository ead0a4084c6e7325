"""Returned mail is read for what it says, never for more; nothing that stands in it can stop the reading."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ewarn.dispatch import returned
from tests.journeys.test_unread_and_returned import report

ID = "0123456789abcdef"


@pytest.mark.parametrize(
    ("action", "status", "kind"),
    [
        ("failed", "5.1.1", "permanent"), ("Failed", "5.0.0", "permanent"), ("delayed", "4.4.1", "delayed"),
        ("failed", "4.7.1", "delayed"), ("delivered", "2.0.0", "delivered"), ("relayed", "2.0.0", "delivered"),
        ("invented", "5.0.0", "unknown"),
    ],
)  # fmt: skip
def test_a_report_is_read_by_its_action_and_names_its_delivery(action: str, status: str, kind: str) -> None:
    found = returned.read(report(action, status, ID))
    assert (found.kind, found.delivery) == (kind, ID)
    assert "@" not in found.words


def test_the_message_id_is_kept_where_the_report_names_nothing_else() -> None:
    assert returned.read(report("failed", "5.1.1", message_id="<a@b>")).message_ids == ("<a@b>",)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Auto-Submitted", "auto-replied"), ("X-Autoreply", "yes"), ("Precedence", "auto_reply"),
        ("Subject", "Out of Office: away"), ("Subject", "Automatic reply: hello"),
    ],
)  # fmt: skip
def test_an_automatic_reply_is_never_an_answer(name: str, value: str) -> None:
    message = EmailMessage()
    message[name] = value
    message.set_content("I have read this.")
    assert returned.read(message.as_bytes()).kind == "automatic"


def test_what_a_person_wrote_is_kept_for_a_person() -> None:
    message = EmailMessage()
    message["Subject"], message["Auto-Submitted"] = "Re: alert", "no"
    message.set_content("We have it.")
    assert returned.read(message.as_bytes()).kind == "unknown"


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 600))
def test_no_bytes_stop_the_reading(noise: bytes, at: int) -> None:
    whole = report("failed", "5.1.1", ID)
    assert returned.read(noise).kind in ("unknown", "automatic", "arrived")
    assert returned.read(whole[:at] + noise + whole[at:]).kind
