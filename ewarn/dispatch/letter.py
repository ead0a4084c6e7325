"""Letters that a person sends by hand: the yearly question to a recipient whether its entry on the list is right.

In: a recipient, the catalogue's template, a day. Out: subject and text. It sends nothing.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from ewarn.catalogue import Catalogue
from ewarn.disclosure import inert
from ewarn.errors import ContentFault
from ewarn.terms import Recipient

PRODUCT = "confirmation request"


def confirmation(recipient: Recipient, catalogue: Catalogue, issuer: str, today: date) -> tuple[str, str]:
    """Raises: ContentFault where no template asks, or it cannot be rendered."""
    found = [t for t in catalogue.templates.values() if t.product == PRODUCT]
    if not found:
        raise ContentFault(
            "no template asks for confirmation",
            where="alerts/templates",
            next_step=f'Write one: product = "{PRODUCT}".',
        )
    channel = catalogue.channels.get(recipient.channel)
    context = {
        "recipient": inert.content(recipient.model_dump(mode="json")),
        "areas": [catalogue.area_ref(code).name for code in recipient.areas],
        "channel": channel.title if channel else recipient.channel,
        "issuer": issuer,
        "today": f"{today:%-d %B %Y}",
    }
    try:
        subject, body = (_environment().from_string(text).render(context) for text in (found[0].subject, found[0].body))
    except TemplateError as error:
        raise ContentFault(
            f"the template cannot be rendered: {error}",
            where=f"alerts/templates/{found[0].id}.toml",
            next_step="Use recipient, areas, channel, issuer and today.",
        ) from error
    return " ".join(subject.split()), body.strip()


@lru_cache(maxsize=1)
def _environment() -> SandboxedEnvironment:
    return SandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
