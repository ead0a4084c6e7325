"""What goes around a stored text: which message it is, what it follows, and whether it may have arrived before.

In: a delivery and what the outbox knows of it. Out: header values, a subject, a first line, and the recipient's own
link and code in the places that the approved text leaves for them. It must never change the approved words themselves:
a mark stands before them, or beside them. With the link and the code put back, what was sent is what was approved.
"""

from __future__ import annotations

from ewarn.dispatch.attach import Attachment
from ewarn.personal.placeholders import Personal
from ewarn.terms import Delivery, Frozen, Payload

REPEAT = "POSSIBLE REPEAT"
REPEATED = "Possible repeat: you may have this message already ({key}). Nothing in it has changed."


class Envelope(Frozen):
    """Around one message to one destination."""

    key: str
    message_id: str = ""
    in_reply_to: str = ""
    repeat: bool = False
    personal: Personal | None = None
    attached: tuple[Attachment, ...] = ()
    follows: str = ""

    def subject(self, words: str) -> str:
        return f"{REPEAT}: {words}" if self.repeat else words

    def filled(self, payload: Payload) -> Payload:
        """The stored payload with this recipient's own link and code in their places; the subject stays as it is."""
        return self.personal.into(payload) if self.personal else payload

    def secrets(self) -> frozenset[str]:
        """What no log may show: whoever has it can answer for the recipient."""
        return frozenset([self.personal.link, self.personal.code]) if self.personal else frozenset()

    def first_line(self) -> str:
        """What stands above the text of a channel without headers; '' where nothing has to be said."""
        return REPEATED.format(key=self.key) if self.repeat else ""

    def headers(self) -> dict[str, str]:
        """The same in headers, for those that sort messages by program."""
        return {"X-Ewarn-Key": self.key} | ({"X-Ewarn-Possible-Repeat": "yes"} if self.repeat else {})


def key(delivery: Delivery) -> str:
    """The same for every attempt at one message, and for no other: alert, version and destination.

    The destination stands in it as the delivery's id, a digest of all three: a partner's name belongs in no log.
    """
    what = f"{delivery.alert} v{delivery.version}" if delivery.alert else f"page {delivery.page}"
    return f"{what} {delivery.id}"


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
    follows: str = "",
) -> Envelope:
    return Envelope(
        key=key(delivery),
        message_id=message_id(delivery, sender),
        in_reply_to=in_reply_to,
        repeat=repeat,
        personal=personal,
        attached=attached,
        follows=follows,
    )
