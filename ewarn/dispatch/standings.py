"""Which standing may go by which channel: the one rule that keeps exercises and tests away from partners.

In: a standing, a channel, the product. Out: why not. Pure. It must never let an exercise or a test reach a live
channel; a contact test, whose text holds no drug at all, is the one exception.
"""

from __future__ import annotations

from ewarn.catalogue.definitions import ChannelDefinition
from ewarn.terms import Product, Standing


def standing_stops(standing: Standing, channel: ChannelDefinition, product: str = "") -> str:
    """Why a channel must not carry a message of this standing, in words; '' where it may."""
    if product == Product.CONTACT_TEST.value:
        return _contact_test_stops(standing, channel)
    if standing is not Standing.ACTUAL and channel.live:
        return f"{standing.value}: {channel.title} is live and never carries an exercise or a test"
    if standing is Standing.ACTUAL and not channel.live:
        return f"actual: {channel.title} is for exercises and tests only"
    return ""


def _contact_test_stops(standing: Standing, channel: ChannelDefinition) -> str:
    """A contact test is for the live list, and rehearsed in an exercise by exercise channels; it is never actual."""
    if standing is Standing.ACTUAL:
        return "a contact test is never actual"
    if standing is Standing.TEST and not channel.live:
        return f"contact test: {channel.title} is for exercises and tests only"
    if standing is Standing.EXERCISE and channel.live:
        return f"exercise: {channel.title} is live and never carries an exercise or a test"
    return ""
