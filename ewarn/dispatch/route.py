"""Who gets what, by which channel, and why; and who does not, and why not.

In: an alert or page, the registered recipients, the occasion, the catalogue. Out: one line for every recipient, and the
deliveries to write into the outbox. It must never route an exercise or a test to a live channel (a contact test is the
one exception, and says so in its own module), nor a page to a channel that is not internal. Pure: `now` is an argument.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from ewarn.catalogue import Catalogue
from ewarn.catalogue.definitions import ChannelDefinition, Route
from ewarn.dispatch import attach, concern, contact_test, occasion
from ewarn.dispatch.concern import Concern
from ewarn.dispatch.enforcement import withheld_from
from ewarn.dispatch.lines import DELIVERED, NOT_CONCERNED, WITHHELD, Line
from ewarn.dispatch.occasion import Contact, Occasion
from ewarn.dispatch.standings import standing_stops as standing_stops
from ewarn.terms import CLASSIFICATIONS, Alert, Delivery, DeliveryState, Page, Payload, Recipient, digest

INTERNAL_GROUPS = ("duty", "panel", "operator")
WHY_INTERNAL = {"panel": "on the panel", "operator": "looks after ewarn"}


class Withheld(NamedTuple):
    destination: str
    name: str
    reason: str


class Routed(NamedTuple):
    deliveries: list[Delivery]
    withheld: list[Withheld]


def destinations(
    alert: Alert,
    recipients: Sequence[Recipient],
    catalogue: Catalogue,
    payloads: Sequence[Payload],
    audiences: Collection[str] = ("professional", "public"),
    earlier: Collection[str] = (),
    when: Occasion | None = None,
) -> Routed:
    """Deliveries of one alert version: one for each recipient its area concerns, in order of recipient id.

    In: `payloads` as stored; `audiences` that the approvals allow now; `earlier` the recipients who have an earlier
    version, and get this one whatever the routes say now. A version that ends the alert goes to those alone. Recipients
    whose areas have nothing to do with the alert's are left out without a word; everybody else withheld is named with
    the reason.
    """
    found = lines(alert, recipients, catalogue, payloads, audiences, earlier, when)
    gone = [Withheld(r, r, "has an earlier version and is no longer on the list") for r in missing(recipients, earlier)]
    held = [Withheld(line.recipient, line.name, line.reason) for line in found if line.outcome == WITHHELD]
    return Routed([line.delivery for line in found if line.delivery is not None], gone + held)


def missing(recipients: Sequence[Recipient], earlier: Collection[str]) -> list[str]:
    """Those who have an earlier version and stand on the list no more."""
    return sorted({*earlier} - {r.id for r in recipients})


def lines(
    alert: Alert,
    recipients: Sequence[Recipient],
    catalogue: Catalogue,
    payloads: Sequence[Payload],
    audiences: Collection[str] = ("professional", "public"),
    earlier: Collection[str] = (),
    when: Occasion | None = None,
) -> list[Line]:
    """One line for every recipient, in order of id: delivered, withheld with its reason, or not concerned.

    What one recipient gets depends on nobody else on the list.
    """
    look = _Look(alert, catalogue, payloads, audiences, when or Occasion())
    return [look.line(r, r.id in earlier) for r in sorted(recipients, key=lambda r: r.id)]


class _Look:
    """One alert version on one occasion, looked at for one recipient after another."""

    def __init__(
        self,
        alert: Alert,
        catalogue: Catalogue,
        payloads: Sequence[Payload],
        audiences: Collection[str],
        when: Occasion,
    ) -> None:
        self.alert, self.catalogue, self.when, self.audiences = alert, catalogue, when, audiences
        self.around = concern.Around(alert.area, catalogue)
        self.rendered = {(p.audience, p.format): len(p.body) for p in payloads}

    def line(self, recipient: Recipient, had: bool) -> Line:
        """In: `had`: the recipient has an earlier version."""
        stands_apart = self._apart(recipient, had)
        if stands_apart is not None:
            return stands_apart
        close = self.around.of(recipient)
        if not had and not close.relation:
            return _line(recipient, NOT_CONCERNED, "its areas have nothing to do with this one")
        if not had and self.alert.kind.closes:
            return _line(recipient, NOT_CONCERNED, "has no earlier version, and this one ends the alert")
        number, route, reason = self._route(recipient, close)
        if had and (route is None or not close.relation) and recipient.channel in self.catalogue.channels:
            close = close if close.relation else Concern("has an earlier version", "own")
            number, route = 0, Route.model_validate({"audience": recipient.audience, "title": "has an earlier version"})
        if route is None:
            return _line(recipient, WITHHELD, reason)
        contact = self._contact(recipient)
        if reason := self._stopped(recipient, route, contact):
            return _line(recipient, WITHHELD, reason, route=_named(number, route))
        return self._delivered(recipient, close, number, route, contact)

    def _apart(self, recipient: Recipient, had: bool) -> Line | None:
        """Who gets no alerts at all: the inactive, and those inside the house."""
        if not recipient.active:
            words = "has an earlier version and is not active"
            return _line(recipient, WITHHELD, words) if had else _line(recipient, NOT_CONCERNED, "is not active")
        if recipient.audience == "internal" or recipient.group in INTERNAL_GROUPS:
            return _line(recipient, NOT_CONCERNED, "is internal: pages and notices only")
        return None

    def _route(self, recipient: Recipient, close: Concern) -> tuple[int, Route | None, str]:
        """The first route that fits with its number, or why none does."""
        if contact_test.is_one(self.alert):
            stops = contact_test.leaves_out(self.alert, recipient)
            return 0, None if stops else Route(audience="professional", title="contact test"), stops
        if recipient.channel not in self.catalogue.channels:
            return 0, None, f"there is no channel '{recipient.channel}'"
        channel, nearly = self.catalogue.channels[recipient.channel], ""
        for number, route in enumerate(self.catalogue.routes.routes, start=1):
            fits = self.alert.product in route.product and route.audience == recipient.audience
            fits = fits and (not route.channels or channel.id in route.channels)
            fits = fits and (not route.groups or recipient.group in route.groups)
            fits = fits and (route.neighbours or close.relation != "beside")
            if not (fits and (route.upward or close.relation != "above")):
                continue
            stops = occasion.route_stops(route, self.when, self.catalogue)
            if not stops:
                return number, route, ""
            nearly = nearly or f"{_named(number, route)} is {stops}"
        return (
            0,
            None,
            nearly
            or (
                f"no route sends a {self.alert.product.value} to a {recipient.audience} recipient"
                f"{concern.IN_WORDS.get(close.relation, '')} of group '{recipient.group or 'none'}' by {channel.title}"
            ),
        )

    def _contact(self, recipient: Recipient) -> Contact:
        """The contact used now; the usual one where the other may not carry this standing."""
        if contact_test.is_one(self.alert):
            return contact_test.contact_of(self.alert, recipient)
        found = occasion.contact_of(recipient, self.when, self.catalogue)
        other = self.catalogue.channels.get(found.channel)
        if not found.kind or (other is not None and not self._standing_stops(other)):
            return found
        why = self._standing_stops(other) if other is not None else f"there is no channel '{found.channel}'"
        return Contact(recipient.channel, "", f"not by its out-of-hours contact: {why}")

    def _standing_stops(self, channel: ChannelDefinition) -> str:
        return standing_stops(self.alert.standing, channel, self.alert.product)

    def _stopped(self, recipient: Recipient, route: Route, contact: Contact) -> str:
        """Why this delivery must not be written, in words; '' where nothing stands against it."""
        channel, marking = self.catalogue.channels.get(contact.channel), self.alert.content.get("marking", "")
        if channel is None:
            return f"there is no channel '{contact.channel}'"
        if reason := self._standing_stops(channel):
            return reason
        if recipient.audience not in self.audiences:
            return f"the approvals so far do not allow the {recipient.audience} audience"
        if recipient.audience == "public" and marking != "TLP:CLEAR":
            return f"marked {marking}: not for the public"
        if recipient.audience == "public" and self.alert.content.get("classification") == CLASSIFICATIONS[-1]:
            return f"classified {CLASSIFICATIONS[-1]}: not for the public"
        if marking == "TLP:RED":
            return "marked TLP:RED: for named persons only, not for distribution"
        if reason := withheld_from(recipient, self.alert, self.catalogue.routes):
            return reason
        wanted = route.format or channel.format
        if (recipient.audience, wanted) not in self.rendered:
            return f"there is no {wanted} text for the {recipient.audience} audience"
        return ""

    def _delivered(self, recipient: Recipient, close: Concern, number: int, route: Route, contact: Contact) -> Line:
        channel = self.catalogue.channels[contact.channel]
        waits = occasion.waits_until(route, self.when, self.catalogue)
        words = [f"{close.words}; {recipient.group or 'recipient'}, {recipient.audience}, by {channel.title}"]
        words += [contact.words] if contact.words else []
        words += ["waits for working hours"] if waits else []
        most = self.catalogue.routes.attachments_at_most_kb
        along = attach.wanted(self.alert, route, channel, recipient.audience, self.rendered, most)
        words += [along.words] if along.words else []
        delivery = Delivery(
            id=digest([self.alert.id, self.alert.version, recipient.id], 16),
            alert=self.alert.id,
            version=self.alert.version,
            destination=recipient.id,
            channel=channel.id,
            audience=recipient.audience,
            format=route.format or channel.format,
            state=DeliveryState.WAITING,
            next_attempt_at=waits,
            standing=self.alert.standing,
            why="; ".join(words),
            product=self.alert.product.value,
            contact=contact.kind,
            attachments=along.forms,
        )
        return _line(recipient, DELIVERED, delivery.why, _named(number, route), delivery)


def _line(recipient: Recipient, outcome: str, reason: str, route: str = "", delivery: Delivery | None = None) -> Line:
    return Line(
        recipient=recipient.id,
        name=recipient.name,
        group=recipient.group,
        audience=recipient.audience,
        areas=recipient.areas,
        outcome=outcome,
        reason=reason,
        route=route,
        delivery=delivery,
    )


def _named(number: int, route: Route) -> str:
    """A route as the list is read: its number and title."""
    return f"route {number}{f' ({route.title})' if route.title else ''}" if number else route.title


def page_destinations(
    page: Page, area: str, recipients: Sequence[Recipient], catalogue: Catalogue, group: str = "duty"
) -> Routed:
    """Deliveries of one page: to those on the rota with the page's rota order, or to the whole panel.

    In: `area` the GSS code of the case's lead area. Nobody to call is itself a withheld line, so that it is seen.
    """
    routed = Routed([], [])
    for recipient in sorted(recipients, key=lambda r: r.id):
        called = recipient.group == group and (group != "duty" or recipient.rota_order == page.rota_order)
        if not (recipient.active and called and concern.covers(recipient, area, catalogue)):
            continue
        channel = catalogue.channels.get(recipient.channel)
        if channel is None:
            reason = f"there is no channel '{recipient.channel}'"
        elif not channel.internal:
            reason = f"{channel.title} is not a channel for pages"
        else:
            reason = standing_stops(page.standing, channel)
        if reason or channel is None:
            routed.withheld.append(Withheld(recipient.id, recipient.name, reason))
            continue
        place = "first" if page.rota_order == 1 else f"number {page.rota_order}"
        routed.deliveries.append(
            Delivery(
                id=digest([group, page.id, page.rota_order, recipient.id], 16),
                page=page.id,
                destination=recipient.id,
                channel=channel.id,
                audience="internal",
                format=channel.format,
                state=DeliveryState.WAITING,
                standing=page.standing,
                why=WHY_INTERNAL.get(group, f"{place} on the duty rota"),
            )
        )
    if not routed.deliveries:
        who = f"number {page.rota_order} on the duty rota" if group == "duty" else "the panel"
        routed.withheld.append(Withheld("", who, f"nobody could be called as {who} for {area}"))
    return routed


def changed(delivery: Delivery, recipient: Recipient) -> str:
    """Why a delivery no longer suits the recipient as registered now, in words; '' where it does."""
    if not recipient.active:
        return "the recipient is no longer active"
    if delivery.contact and not occasion.has_night_contact(recipient):
        return "the recipient's out-of-hours contact is no longer there"
    found = occasion.at_contact(recipient, delivery.contact)
    if (found.channel, found.audience) != (delivery.channel, delivery.audience):
        return "the recipient's channel or audience has changed since"
    return ""
