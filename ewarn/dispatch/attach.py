"""Which printed sheets an e-mail carries, and under which names.

In: what the route and the channel ask for, an alert's stored payloads. Out: stored PDF bytes with a file name each. It
must never make a sheet, nor take one of another audience; a sheet that is wanted and not there holds no message up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ewarn.catalogue.definitions import ChannelDefinition, Route
from ewarn.terms import Alert, Delivery, Frozen, Payload, Standing

PDF = b"%PDF-"
MESSAGE = "email"
PHOTO = "photo"


class Attachment(Frozen):
    name: str
    body: bytes


class Inline(Frozen):
    """A picture that an e-mail's own text shows."""

    cid: str
    name: str
    body: bytes


def is_sheet(payload: Payload) -> bool:
    return payload.body.startswith(PDF)


class Along(NamedTuple):
    """The formats that go along with one e-mail, and what is to be said of them."""

    forms: tuple[str, ...]
    words: str = ""


def wanted(
    alert: Alert,
    route: Route,
    channel: ChannelDefinition,
    audience: str,
    sizes: Mapping[tuple[str, str], int],
    most_kb: int,
) -> Along:
    """The formats that go along, as far as this version has them, in the order they are asked for.

    In: `sizes` of what this version has, by audience and format; `most_kb` of all files of one e-mail together: what
    would go beyond it is left out, and that is said. A version that ends the alert brings its flyer to whoever gets
    any sheet: it says what is to be taken down.
    """
    asked = dict.fromkeys((*route.attachments, *channel.attachments))
    if (route.format or channel.format) != MESSAGE:
        return Along((), f"{channel.title} carries no files" if route.attachments else "")
    if alert.kind.closes and asked:
        asked |= {"flyer": None}
    room, forms, words = most_kb * 1000 - sizes.get((audience, PHOTO), 0), [], []
    for form in asked:
        size = sizes.get((audience, form))
        if size is None:
            words.append(f"without {form}: this text has none")
        elif size > room:
            words.append(f"without {form}: {_kb(size)} is more than is left of {most_kb} kB")
        else:
            room -= size
            forms.append(form)
            words.append(f"with {form} as a file ({_kb(size)})")
    return Along(tuple(forms), ", ".join(words))


def _kb(size: int) -> str:
    return f"{max(1, round(size / 1000))} kB"


def of(delivery: Delivery, alert: Alert, stored: Sequence[Payload]) -> tuple[Attachment, ...]:
    """The stored sheets that a delivery takes along; nothing where it is no e-mail."""
    sheets = {p.format: p for p in stored if p.audience == delivery.audience and is_sheet(p)}
    asked = delivery.attachments if delivery.format == MESSAGE else ()
    return tuple(Attachment(name=name(alert, form), body=sheets[form].body) for form in asked if form in sheets)


def inline(delivery: Delivery, alert: Alert, stored: Sequence[Payload]) -> tuple[Inline, ...]:
    """The stored photograph that an e-mail shows in its text; nothing where this audience has none."""
    cid = (alert.content.get("photo") or {}).get("cid", "")
    if delivery.format != MESSAGE or not cid:
        return ()
    found = [p for p in stored if (p.audience, p.format) == (delivery.audience, PHOTO) and p.body]
    return tuple(Inline(cid=cid, name=name(alert, PHOTO, ending="jpg"), body=p.body) for p in found)


def name(alert: Alert, form: str, draft: str = "", ending: str = "pdf") -> str:
    """A file name that says what it is: EXERCISE-LDN-2025-0007-A1-v2-flyer.pdf."""
    standing = "" if alert.standing is Standing.ACTUAL else alert.standing.value.upper()
    parts = [draft, standing, alert.id, f"v{alert.version}", form]
    return re.sub(r"[^A-Za-z0-9.-]+", "-", "-".join(part for part in parts if part)) + f".{ending}"
