"""Mail that comes back: a delivery report, an automatic reply or the daily test message, and what each is about.

In: the bytes of one message (RFC 3464, RFC 3834). Out: its kind, the delivery it names, its status. Pure. It must never
take an automatic reply for a person's answer, nor believe that something is about a delivery that it does not name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from typing import Any, cast

from ewarn.dispatch.redact import mask
from ewarn.terms import Frozen

PERMANENT, DELAYED, DELIVERED, AUTOMATIC, ARRIVED, UNKNOWN = (
    *("permanent", "delayed", "delivered", "automatic"),
    *("arrived", "unknown"),
)
LARGEST = 10_000_000
ACTIONS = {"failed": PERMANENT, "delayed": DELAYED, "delivered": DELIVERED, "relayed": DELIVERED, "expanded": DELIVERED}
WORST_FIRST = (PERMANENT, DELAYED, DELIVERED)
NAME = re.compile(r"^[0-9a-f]{1,64}$")
AWAY = re.compile(r"\b(out of (the )?office|automatic reply|auto(matic)?[- ]?(reply|response)|on leave)\b", re.I)


class Returned(Frozen):
    """One message. `delivery` as its headers name it, or `message_ids` to look for; words without addresses."""

    kind: str
    delivery: str = ""
    message_ids: tuple[str, ...] = ()
    status: str = ""
    words: str = ""


def read(raw: bytes) -> Returned:
    """What one message says; never raises for what stands in it."""
    if len(raw) > LARGEST:
        return Returned(kind=UNKNOWN, words="larger than any report")
    try:
        return _read(message_from_bytes(raw, policy=policy.default))
    except Exception as fault:  # the standard parser fails in many ways on headers that break the rules
        return Returned(kind=UNKNOWN, words=f"cannot be read ({type(fault).__name__})")


def _read(message: EmailMessage) -> Returned:
    about = _about(message)
    reports = [row for part in _parts(message, "message/delivery-status") for row in _rows(part)]
    if reports:
        return _of_report(reports, about)
    own = _header(message, "X-Ewarn-Delivery")
    if NAME.match(own):
        return Returned(kind=ARRIVED, delivery=own, words="one of our own messages")
    if _automatic(message):
        return Returned(kind=AUTOMATIC, **about, words="an automatic reply: nobody has read it for that")
    return Returned(kind=UNKNOWN, **about, words="no delivery status in it; read it yourself")


def _of_report(reports: list[Message], about: dict[str, Any]) -> Returned:
    found = [(ACTIONS.get(_header(row, "Action").lower(), ""), row) for row in reports]
    known = [(kind, row) for kind, row in found if kind]
    if not known:
        return Returned(kind=UNKNOWN, **about, words="a report without an action that we know")
    kind, row = min(known, key=lambda item: WORST_FIRST.index(item[0]))
    status = re.sub(r"[^0-9.]", "", _header(row, "Status"))[:12]
    if kind == PERMANENT and status.startswith("4"):
        kind = DELAYED  # a report that contradicts itself: the milder reading, so that nobody is struck off by it
    words = " ".join(_header(row, "Diagnostic-Code").split())[:200]
    return Returned(kind=kind, **about, status=status, words=mask(words))


def _about(message: Message) -> dict[str, Any]:
    """Which delivery a message is about: by the headers of the message it holds, or by what it answers."""
    held = [*_parts(message, "message/rfc822"), *_parts(message, "text/rfc822-headers")]
    ids: list[str] = []
    for part in held:
        inner = _inner(part)
        name = _header(inner, "X-Ewarn-Delivery")
        if NAME.match(name):
            return {"delivery": name}
        ids += re.findall(r"<[^<>\s]+>", _header(inner, "Message-ID"))
    for header in ("In-Reply-To", "References", "Original-Message-ID"):
        ids += re.findall(r"<[^<>\s]+>", _header(message, header))
    return {"message_ids": tuple(dict.fromkeys(ids))[:20]}


def _inner(part: Message) -> Message:
    held = part.get_payload()
    if isinstance(held, list) and held:
        return cast(Message, held[0])
    raw = part.get_payload(decode=True)
    return message_from_bytes(raw if isinstance(raw, bytes) else b"", policy=policy.default)


def _rows(part: Message) -> Iterator[Message]:
    held = part.get_payload()
    yield from (row for row in held if isinstance(row, Message)) if isinstance(held, list) else ()


def _parts(message: Message, kind: str) -> Iterator[Message]:
    return (part for part in message.walk() if part.get_content_type() == kind)


def _automatic(message: Message) -> bool:
    said = _header(message, "Auto-Submitted").lower()
    marked = bool(said) and not said.startswith("no")
    marked = marked or bool(_header(message, "X-Autoreply") or _header(message, "X-Auto-Response-Suppress"))
    return (
        marked
        or _header(message, "Precedence").lower() == "auto_reply"
        or bool(AWAY.search(_header(message, "Subject")))
    )


def _header(message: Message, name: str) -> str:
    return str(message.get(name, "") or "").strip()
