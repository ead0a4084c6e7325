"""Who gets what, by which channel, and why; and who does not, and why not.

In: an alert or page, the registered recipients, the catalogue. Out: deliveries to write into the outbox, and what was
withheld with its reason. It must never route an exercise or a test to a live channel, nor a page to a channel that is
not internal.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import polars as pl

from ewarn.catalogue import Catalogue
from ewarn.catalogue.definitions import ChannelDefinition, Route
from ewarn.terms import (
    UK,
    Alert,
    Delivery,
    DeliveryState,
    Page,
    Payload,
    Recipient,
    Standing,
    digest,
)

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
) -> Routed:
    """Deliveries of one alert version: one for each recipient its area concerns, in order of recipient id.

    In: `payloads` as stored; `audiences` that the approvals allow now; `earlier` the recipients who have an earlier
    version, and get this one whatever the routes say now. A version that ends the alert goes to those alone. Recipients
    whose areas have nothing to do with the alert's are left out without a word; everybody else withheld is named with
    the reason.
    """
    listed = {r.id for r in recipients}
    gone = [Withheld(name, name, "has an earlier version and is no longer on the list") for name in {*earlier} - listed]
    routed = Routed([], sorted(gone))
    for recipient in sorted(recipients, key=lambda r: r.id):
        had = recipient.id in earlier
        if not recipient.active and had:
            routed.withheld.append(Withheld(recipient.id, recipient.name, "has an earlier version and is not active"))
        if not recipient.active or recipient.audience == "internal" or recipient.group in INTERNAL_GROUPS:
            continue
        close, by_border = _concern(recipient, alert.area, catalogue)
        if not had and (not close or alert.kind.closes):
            continue
        found = _route(alert, recipient, by_border, catalogue)
        if had and (isinstance(found, str) or not close) and recipient.channel in catalogue.channels:
            close, found = close or "has an earlier version", Route.model_validate({"audience": recipient.audience})
        reason = found if isinstance(found, str) else _stopped(alert, recipient, found, catalogue, payloads, audiences)
        if reason or isinstance(found, str):
            routed.withheld.append(Withheld(recipient.id, recipient.name, reason))
            continue
        channel = catalogue.channels[recipient.channel]
        routed.deliveries.append(
            Delivery(
                id=digest([alert.id, alert.version, recipient.id], 16),
                alert=alert.id,
                version=alert.version,
                destination=recipient.id,
                channel=channel.id,
                audience=recipient.audience,
                format=found.format or channel.format,
                state=DeliveryState.WAITING,
                standing=alert.standing,
                why=f"{close}; {recipient.group or 'recipient'}, {recipient.audience}, by {channel.title}",
            )
        )
    return routed


def page_destinations(
    page: Page, area: str, recipients: Sequence[Recipient], catalogue: Catalogue, group: str = "duty"
) -> Routed:
    """Deliveries of one page: to those on the rota with the page's rota order, or to the whole panel.

    In: `area` the GSS code of the case's lead area. Nobody to call is itself a withheld line, so that it is seen.
    """
    routed = Routed([], [])
    for recipient in sorted(recipients, key=lambda r: r.id):
        called = recipient.group == group and (group != "duty" or recipient.rota_order == page.rota_order)
        if not (recipient.active and called and _covers(recipient, area, catalogue)):
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


def _covers(recipient: Recipient, area: str, catalogue: Catalogue) -> bool:
    return not {area, UK, *(a.code for a in catalogue.ancestors(area))}.isdisjoint(recipient.areas)


def _concern(recipient: Recipient, area: str, catalogue: Catalogue) -> tuple[str, bool]:
    """Why the area concerns the recipient, in words ('' where it does not), and whether only by a border."""
    name = catalogue.area_ref(area).name
    if area in recipient.areas:
        return f"covers {name}", False
    above = [a.name for a in catalogue.ancestors(area) if a.code in recipient.areas]
    if above:
        return f"covers {above[0]}, which contains {name}", False
    known = [code for code in recipient.areas if code in set(catalogue.areas["code"])]
    within = [c for c in known if any(a.code == area for a in catalogue.ancestors(c))]
    if within:
        return f"covers {catalogue.area_ref(within[0]).name}, which lies in {name}", False
    bordering = set(catalogue.neighbours.filter(pl.col("code") == area)["neighbour"])
    beside = [c for c in known if c in bordering]
    return (f"covers {catalogue.area_ref(beside[0]).name}, which borders {name}", True) if beside else ("", False)


def _route(alert: Alert, recipient: Recipient, by_border: bool, catalogue: Catalogue) -> Route | str:
    """The first route that fits, or why none does."""
    if recipient.channel not in catalogue.channels:
        return f"there is no channel '{recipient.channel}'"
    channel = catalogue.channels[recipient.channel]
    for route in catalogue.routes.routes:
        fits = alert.product in route.product and route.audience == recipient.audience
        fits = fits and (not route.channels or channel.id in route.channels)
        fits = fits and (not route.groups or recipient.group in route.groups)
        if fits and (route.neighbours or not by_border):
            return route
    where = " of a bordering area" if by_border else ""
    return (
        f"no route sends a {alert.product.value} to a {recipient.audience} recipient{where} "
        f"of group '{recipient.group or 'none'}' by {channel.title}"
    )


def _stopped(
    alert: Alert,
    recipient: Recipient,
    route: Route,
    catalogue: Catalogue,
    payloads: Sequence[Payload],
    audiences: Collection[str],
) -> str:
    """Why this delivery must not be written, in words; '' where nothing stands against it."""
    channel, marking = catalogue.channels[recipient.channel], alert.content.get("marking", "")
    wanted = route.format or channel.format
    if reason := standing_stops(alert.standing, channel):
        return reason
    if recipient.audience not in audiences:
        return f"the approvals so far do not allow the {recipient.audience} audience"
    if recipient.audience == "public" and marking != "TLP:CLEAR":
        return f"marked {marking}: not for the public"
    if marking == "TLP:RED":
        return "marked TLP:RED: for named persons only, not for distribution"
    if not any((p.audience, p.format) == (recipient.audience, wanted) for p in payloads):
        return f"there is no {wanted} text for the {recipient.audience} audience"
    return ""


def changed(delivery: Delivery, recipient: Recipient) -> str:
    """Why a delivery no longer suits the recipient as registered now, in words; '' where it does."""
    if not recipient.active:
        return "the recipient is no longer active"
    if (recipient.channel, recipient.audience) != (delivery.channel, delivery.audience):
        return "the recipient's channel or audience has changed since"
    return ""


def standing_stops(standing: Standing, channel: ChannelDefinition) -> str:
    """Why a channel must not carry a message of this standing, in words; '' where it may."""
    if standing is not Standing.ACTUAL and channel.live:
        return f"{standing.value}: {channel.title} is live and never carries an exercise or a test"
    if standing is Standing.ACTUAL and not channel.live:
        return f"actual: {channel.title} is for exercises and tests only"
    return ""
