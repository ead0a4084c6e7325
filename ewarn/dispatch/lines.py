"""One line of the answer to: who gets what, by which channel, why, and who does not, and why not."""

from __future__ import annotations

from pydantic import Field

from ewarn.terms import Delivery, Frozen

DELIVERED, WITHHELD, NOT_CONCERNED = "delivered", "withheld", "not concerned"


class Line(Frozen):
    """One recipient. Never an address."""

    recipient: str
    name: str
    group: str
    audience: str
    areas: tuple[str, ...]
    outcome: str = Field(description="delivered | withheld | not concerned")
    reason: str = Field(description="why it gets the alert, or why not, in words")
    route: str = Field("", description="number and title of the line of alerts/routes.toml")
    delivery: Delivery | None = None
