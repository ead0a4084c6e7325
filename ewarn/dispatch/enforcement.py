"""What an originator's 'not for enforcement' means for the groups that enforce the law.

In: a recipient, an alert, alerts/routes.toml. Out: why it is withheld, in words. Pure. It must never pass a
text on without the condition that its originator set.
"""

from __future__ import annotations

import re

from ewarn.catalogue.definitions import RoutesDefinition
from ewarn.terms import Alert, Recipient

NOT_FOR_ENFORCEMENT = re.compile(r"\bnot\s+(?:to\s+be\s+used\s+)?for\s+enforcement\b", re.IGNORECASE)


def conditions(alert: Alert) -> tuple[str, ...]:
    """What the originators of the alert's records ask."""
    return tuple((alert.content.get("handling") or {}).get("conditions") or ())


def withheld_from(recipient: Recipient, alert: Alert, routes: RoutesDefinition) -> str:
    """Why an enforcement group does not get a text marked 'not for enforcement', in words; '' where it may."""
    return stops(alert, routes) if recipient.group in routes.enforcement_groups else ""


def stops(alert: Alert, routes: RoutesDefinition) -> str:
    """Why nobody who enforces the law gets this text, in words; '' where they may."""
    for condition in conditions(alert):
        if not NOT_FOR_ENFORCEMENT.search(condition):
            continue
        if routes.not_for_enforcement == "withhold":
            return f"an originator's condition: {condition}"
        if condition not in str(alert.content.get("audience", "")):
            return f"an originator's condition does not stand in the text: {condition}"
    return ""
