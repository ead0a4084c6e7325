"""GOV.UK Notify: the stored text message to one telephone, and what became of it.

In: govnotify://HOST/TEMPLATE/NUMBER?key=…, the stored text. Out: accepted once, with Notify's id of it; later, whether
it was delivered. The Notify template must hold ((message)) and nothing else: that is looked at before sending. A
possible repeat is looked up by its reference first, so that nobody gets it twice. It must never send another text.
Source: GOV.UK Notify, REST API documentation (errors, reference, status of a text message).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import requests
from apprise.plugins.base import NotifyBase
from notifications_python_client.errors import APIError
from notifications_python_client.notifications import NotificationsAPIClient

from ewarn.disclosure import inert
from ewarn.dispatch.answered import Answered

SCHEMA = "govnotify"
LOOPBACK = ("127.0.0.1", "localhost")
FAILED = ("permanent-failure", "temporary-failure", "technical-failure")
LONGEST = 100
SERVER_WIDE = (401, 403, 429)


@dataclass(frozen=True)
class Arrival:
    """What became of a message: Notify's word, whether it is final, and whether another try makes sense."""

    status: str
    final: bool
    delivered: bool = False
    retry: bool = False


class GovNotify(Answered, NotifyBase):  # type: ignore[no-untyped-call]
    """One text message of the stored text."""

    def __init__(self, url: str, text: str, seconds: float, key: str, repeat: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        parts = urlsplit(url)
        self.template, _, number = parts.path.strip("/").partition("/")
        self.number = unquote(number)
        if not (self.template and self.number):
            raise ValueError("write govnotify://HOST/{secret:TEMPLATE}/{address}?key={secret:KEY}")
        self.api = client(url, seconds)
        self.text, self.key, self.repeat = text, key, repeat

    def send(self, body: str, title: str = "", *_: Any, **__: Any) -> bool:
        """Called by Apprise, once."""
        values = {"message": self.text}
        sending = False
        try:
            if self.repeat and (known := self._sent_before()):
                self.remote = known
                return True
            shown = str(self.api.post_template_preview(self.template, values).get("body", ""))
            if " ".join(shown.split()) != " ".join(self.text.split()):
                return self.failed("the Notify template holds more than ((message)): correct it there", retry=False)
            sending = True
            answer = self.api.send_sms_notification(self.number, self.template, values, self.key)
            self.remote = str(answer["id"])
        except APIError as error:
            return self._refused(error, sending)
        except (KeyError, TypeError, AttributeError):
            return self.failed("Notify's answer cannot be read", retry=True, unknown=sending)
        return True

    def _sent_before(self) -> str:
        """Notify's id of this message where it has it already and has not failed to deliver it."""
        found = self.api.get_all_notifications(reference=self.key).get("notifications", [])
        return next((str(n["id"]) for n in found if n.get("status") not in FAILED), "")

    def _refused(self, error: APIError, sending: bool) -> bool:
        cause = error.__cause__
        if isinstance(cause, requests.RequestException) and cause.response is None:
            left = sending and not isinstance(cause, requests.ConnectTimeout) and "NewConnection" not in repr(cause)
            return self.failed(f"Notify did not answer: {type(cause).__name__}", retry=True, unknown=left, silent=True)
        status = int(error.status_code)
        self.failed(f"HTTP {status} from Notify: {_words(error)}", retry=status >= 500 or status in (403, 429))
        self.blocked = status in SERVER_WIDE
        self.unknown = sending and status in (502, 504)
        return False

    def url(self, *_: Any, **__: Any) -> str:
        return "govnotify://"

    def __len__(self) -> int:
        return 1


def client(url: str, seconds: float) -> Any:
    """The service that an address names. Raises: ValueError without a usable key."""
    parts = urlsplit(url)
    key = unquote(parse_qs(parts.query).get("key", [""])[0])
    if len(key) < 73 or not parts.hostname:
        raise ValueError("the Notify key is not usable: it ends in two ids of 36 characters")
    scheme = "http" if parts.hostname in LOOPBACK else "https"
    made: Any = NotificationsAPIClient
    return made(key, base_url=f"{scheme}://{parts.netloc}", timeout=seconds)


def arrival(url: str, remote: str, seconds: float) -> Arrival | None:
    """What became of a message that Notify took; None where it cannot be asked now."""
    try:
        status = inert.words(str(client(url, seconds).get_notification_by_id(remote).get("status", "")))[:LONGEST]
    except (APIError, ValueError, AttributeError):
        return None
    if status == "delivered" or status == "sent":
        return Arrival(status, final=True, delivered=status == "delivered")
    if status in FAILED:
        return Arrival(status, final=True, retry=status != "permanent-failure")
    return Arrival(status, final=False)


def _words(error: APIError) -> str:
    said = error.message
    return " ".join(str(one.get("message", one)) for one in said) if isinstance(said, list) else str(said)
