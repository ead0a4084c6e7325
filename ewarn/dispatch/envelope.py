"""What goes around a stored text: which message it is, what it follows, and whether it may have arrived before.

In: a delivery and what the outbox knows of it. Out: header values, a subject, a first line, and the recipient's own
link and code in the places that the approved text leaves for them. It must never change the approved words themselves:
a mark stands before them, or beside them. With the link and the code put back, what was sent is what was approved.
"""

from __future__ import annotations

import html
import json
import re

from ewarn.dispatch.attach import Attachment, Inline
from ewarn.personal.placeholders import Personal
from ewarn.terms import Delivery, Frozen, Payload, canonical

REPEAT = "POSSIBLE REPEAT"
REPEATED = "Possible repeat: you may have this message already ({key}). Nothing in it has changed."

REMINDER = "REMINDER"
REMINDED = (
    "Reminder: we have no answer from you to the message below. It is sent again unchanged. Please say you have it."
)


class Envelope(Frozen):
    """Around one message to one destination."""

    key: str
    message_id: str = ""
    in_reply_to: str = ""
    repeat: bool = False
    personal: Personal | None = None
    attached: tuple[Attachment, ...] = ()
    inline: tuple[Inline, ...] = ()
    follows: str = ""
    nudge: bool = False

    def subject(self, words: str) -> str:
        words = f"{REMINDER}: {words}" if self.nudge else words
        return f"{REPEAT}: {words}" if self.repeat else words

    def filled(self, payload: Payload) -> Payload:
        """The stored payload with this recipient's own link and code in their places; the subject stays as it is."""
        payload = self.personal.into(payload) if self.personal else payload
        return _reminding(payload) if self.nudge and payload.format == "email" else payload

    def secrets(self) -> frozenset[str]:
        """What no log may show: whoever has it can answer for the recipient."""
        return frozenset([self.personal.link, self.personal.code]) if self.personal else frozenset()

    def first_line(self) -> str:
        """What stands above the text of a channel without headers; '' where nothing has to be said."""
        said = [REPEATED.format(key=self.key)] if self.repeat else []
        return "\n".join([*said, REMINDED] if self.nudge else said)

    def headers(self) -> dict[str, str]:
        """The same in headers, for those that sort messages by program."""
        return (
            {"X-Ewarn-Key": self.key}
            | ({"X-Ewarn-Possible-Repeat": "yes"} if self.repeat else {})
            | ({"X-Ewarn-Reminder": "yes"} if self.nudge else {})
        )


def key(delivery: Delivery) -> str:
    """The same for every attempt at one message, and for no other: alert, version and destination.

    The destination stands in it as the delivery's id, a digest of all three: a partner's name belongs in no log.
    """
    what = f"{delivery.alert} v{delivery.version}" if delivery.alert else f"page {delivery.page}"
    return f"{what}{' reminder' if delivery.nudge else ''} {delivery.id}"


def message_id(delivery: Delivery, sender: str) -> str:
    """The id an e-mail carries in every attempt, so that mail programs can drop a repeat themselves."""
    domain = sender.rpartition("@")[2].strip("> ") or "localhost"
    return f"<{delivery.id}@{domain}>"


def of(
    delivery: Delivery,
    sender: str,
    *,
    in_reply_to: str = "",
    repeat: bool = False,
    personal: Personal | None = None,
    attached: tuple[Attachment, ...] = (),
    inline: tuple[Inline, ...] = (),
    follows: str = "",
) -> Envelope:
    return Envelope(
        key=key(delivery),
        message_id=message_id(delivery, sender),
        in_reply_to=in_reply_to,
        repeat=repeat,
        personal=personal,
        attached=attached,
        inline=inline,
        follows=follows,
        nudge=delivery.nudge,
    )


def _reminding(payload: Payload) -> Payload:
    """An e-mail with the standing line above its approved text and HTML, which stay as they are."""
    mail = json.loads(payload.body)
    opening = re.search(r"<body[^>]*>", mail.get("html", ""))
    at = opening.end() if opening else 0
    line = f"<p><strong>{html.escape(REMINDED)}</strong></p>"
    parts = {"text": f"{REMINDED}\n\n{mail.get('text', '')}", "html": f"{mail['html'][:at]}{line}{mail['html'][at:]}"}
    return payload.model_copy(update={"body": canonical(mail | parts)})
