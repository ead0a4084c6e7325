"""What routing depends on besides the text and the list: how severe it is, and what hour it is.

In: an instant, a grade, a recipient, the catalogue. Out: whether a route fits, which of a recipient's contacts is used,
and why, in words. Pure: the instant enters.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from ewarn.catalogue import Catalogue, hours
from ewarn.catalogue.definitions import Route
from ewarn.terms import LONDON, Frozen, Recipient

OUT_OF_HOURS = "out of hours"


class Occasion(Frozen):
    """`severity` a grade's id, empty where there is none: that counts as the most urgent. `now` None: within hours."""

    severity: str = ""
    now: datetime | None = None


class Contact(NamedTuple):
    """Where a message goes: channel id, '' or 'out of hours', and what is to be said of it."""

    channel: str
    kind: str
    words: str


def hour_word(occasion: Occasion, catalogue: Catalogue) -> str:
    return hours.IN_HOURS if occasion.now is None else hours.word(occasion.now, _working(catalogue))


def route_stops(route: Route, occasion: Occasion, catalogue: Catalogue) -> str:
    """Why a route is not for this severity or hour, in words; '' where it is. One that waits is for every hour."""
    if not severe_enough(occasion.severity, route, catalogue):
        wanted = f"{route.least_severity} and above" if route.least_severity else ", ".join(route.severities)
        return f"for {wanted}, and this is {occasion.severity}"
    hour = hour_word(occasion, catalogue)
    if route.hours != "any" and route.hours != hour and not route.waits:
        return f"for {_hours_in_words(route.hours)}, and it is {_hours_in_words(hour)}"
    return ""


def severe_enough(severity: str, route: Route, catalogue: Catalogue) -> bool:
    if not severity:
        return True
    if route.severities:
        return severity in route.severities
    return at_least(severity, route.least_severity, catalogue)


def at_least(severity: str, least: str, catalogue: Catalogue) -> bool:
    """Whether a grade is as urgent as another or more; grades stand in the matrix most urgent first."""
    ranks = [grade.id for grade in catalogue.grading.grades] if catalogue.grading else []
    if not least or not severity or least not in ranks or severity not in ranks:
        return True
    return ranks.index(severity) <= ranks.index(least)


def waits_until(route: Route, occasion: Occasion, catalogue: Catalogue) -> datetime | None:
    """When a route that waits for working hours lets its messages go; None where it does not wait now."""
    if not route.waits or occasion.now is None or hour_word(occasion, catalogue) == hours.IN_HOURS:
        return None
    return hours.opens_next(hours.WORKING, occasion.now, _working(catalogue))


def contact_of(recipient: Recipient, occasion: Occasion, catalogue: Catalogue) -> Contact:
    """Which of a recipient's contacts is used now, and what is to be said of that."""
    usual = Contact(recipient.channel, "", "")
    if occasion.now is None or hours.is_open(recipient.hours, occasion.now, _working(catalogue)):
        return usual
    opens = hours.opens_next(recipient.hours, occasion.now, _working(catalogue)).astimezone(LONDON)
    read = f"outside its hours ({recipient.hours}), read from {opens:%a %-d %b %H:%M}"
    if not has_night_contact(recipient):
        return usual._replace(words=f"{read}: it has no out-of-hours contact")
    least = catalogue.routes.out_of_hours_from
    if not at_least(occasion.severity, least, catalogue):
        return usual._replace(words=f"{read}: its out-of-hours contact is for {least} and above")
    return Contact(recipient.night_channel or recipient.channel, OUT_OF_HOURS, "by its out-of-hours contact")


def has_night_contact(recipient: Recipient) -> bool:
    return bool(recipient.night_channel or recipient.night_address)


def at_contact(recipient: Recipient, kind: str) -> Recipient:
    """The recipient as reached by one of its contacts: channel and address of the other one in the usual places."""
    if kind != OUT_OF_HOURS:
        return recipient
    update = {"channel": recipient.night_channel or recipient.channel, "address": recipient.night_address}
    return recipient.model_copy(update=update)


def _working(catalogue: Catalogue) -> hours.Working:
    return catalogue.grading.working_hours if catalogue.grading else hours.OFFICE


def _hours_in_words(word: str) -> str:
    return "working hours" if word == hours.IN_HOURS else word
