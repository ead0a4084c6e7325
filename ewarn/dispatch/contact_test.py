"""Contact tests, as routing and sending see them: the one product that carries the standing test to live channels.

In: an alert or a payload. Out: whether it is one, whom it leaves out, why a payload must not go out as one. Pure. It
must never let a text that does not begin with TEST pass for a contact test.
"""

from __future__ import annotations

from ewarn.dispatch.occasion import OUT_OF_HOURS, Contact, has_night_contact
from ewarn.terms import Alert, Delivery, Payload, Product, Recipient

MARK = "TEST"


def is_one(alert: Alert) -> bool:
    return alert.product is Product.CONTACT_TEST


def leaves_out(alert: Alert, recipient: Recipient) -> str:
    """Why a recipient is not asked by this test, in words; '' where it is."""
    groups = alert.content.get("groups") or ()
    if recipient.audience != "professional":
        return "a contact test asks professional recipients only"
    if groups and recipient.group not in groups:
        return f"this test asks {', '.join(groups)} only"
    if alert.content.get("contacts") == OUT_OF_HOURS and not has_night_contact(recipient):
        return "it has no out-of-hours contact to test"
    return ""


def contact_of(alert: Alert, recipient: Recipient) -> Contact:
    """The contact that this test is about."""
    if alert.content.get("contacts") == OUT_OF_HOURS:
        return Contact(recipient.night_channel or recipient.channel, OUT_OF_HOURS, "its out-of-hours contact")
    return Contact(recipient.channel, "", "")


def payload_stops(delivery: Delivery, payload: Payload) -> str:
    """Why a payload must not leave as a contact test, in words; '' where it may, or where it is none."""
    first = (MARK, f"EXERCISE: {MARK}")
    if delivery.product == Product.CONTACT_TEST.value and not payload.subject.startswith(first):
        return f"a contact test begins with {MARK}, and this text does not"
    return ""
