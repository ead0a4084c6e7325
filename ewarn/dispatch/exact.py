"""An Apprise object that posts the stored bytes to one web address, as they are and once.

In: an http(s) address, the stored bytes, headers, and a key to sign with where the receiver checks signatures. Out: the
answer in Apprise's yes or no. It must never follow a redirect, nor speak unencrypted to another machine.
Source of the signature: Standard Webhooks (webhook-id, webhook-timestamp, webhook-signature: HMAC-SHA256).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
from apprise.plugins.base import NotifyBase

from ewarn.dispatch.answered import Answered

SCHEMAS = ("http", "https")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass
class Posted:
    """What is posted where."""

    address: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    timeout: float = 10.0


class ExactPost(Answered, NotifyBase):  # type: ignore[no-untyped-call]
    """One HTTP POST of the stored bytes."""

    def __init__(self, posted: Posted, **kwargs: Any) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        parts = urlsplit(posted.address)
        if parts.scheme not in SCHEMAS or not parts.hostname:
            raise ValueError("not a web address")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise ValueError("unencrypted: write https")
        self.posted = posted

    def send(self, body: str, title: str = "", *_: Any, **__: Any) -> bool:
        """Called by Apprise, once; what it composed gives way to the stored bytes."""
        posted = self.posted
        try:
            answer = requests.post(
                posted.address,
                data=posted.body,
                headers=posted.headers,
                timeout=posted.timeout,
                allow_redirects=False,
                verify=self.verify_certificate,
            )
        except requests.RequestException as error:
            self.logger.warning(f"no answer: {type(error).__name__}")
            return False
        except ValueError as error:
            return self.failed(f"the address or a header is not usable: {type(error).__name__}", retry=False)
        if answer.ok and answer.status_code < 300:
            return True
        self.logger.warning(f"HTTP {answer.status_code} {answer.text[:200]} error={answer.status_code}")
        self.may_retry = answer.status_code >= 400
        return False

    def url(self, *_: Any, **__: Any) -> str:
        return "exact://"

    def __len__(self) -> int:
        return 1


def signed(body: bytes, message_id: str, secret: str, at: int | None = None) -> dict[str, str]:
    """The Standard Webhooks headers of these bytes. In: `secret` as text, or `whsec_` and base64."""
    at = int(time.time()) if at is None else at
    raw = base64.b64decode(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else secret.encode()
    mark = hmac.new(raw, f"{message_id}.{at}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{base64.b64encode(mark).decode()}",
    }
