"""A Slack bot: the stored blocks into a channel, every message of a case in one thread.

In: slackbot://HOST/CHANNEL?token=…, the stored message, the first message of the case there. Out: posted once, with
what Slack calls it (channel/ts). A reply is also shown in the channel: an update nobody sees is none. It must never
post twice by itself: the library's own retries are off.
Source: Slack, chat.postMessage (errors, thread_ts, reply_broadcast) and "Rate limits" (429, Retry-After).
"""

from __future__ import annotations

import json
import math
from typing import Any
from urllib.error import URLError
from urllib.parse import parse_qs, unquote, urlsplit

from apprise.plugins.base import NotifyBase
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from ewarn.dispatch.answered import Answered

SCHEMA = "slackbot"
LOOPBACK = ("127.0.0.1", "localhost")
AGAIN = ("ratelimited", "rate_limited", "internal_error", "fatal_error", "request_timeout", "service_unavailable")
MAY_HAVE_IT = ("fatal_error", "internal_error", "request_timeout")
SERVER_WIDE = ("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "missing_scope")
NO_THREAD = ("thread_not_found", "invalid_thread_ts", "message_not_found")


class SlackBot(Answered, NotifyBase):  # type: ignore[no-untyped-call]
    """One chat.postMessage of the stored blocks."""

    def __init__(self, url: str, body: bytes, seconds: float, key: str, follows: str = "") -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        parts = urlsplit(url)
        self.channel = unquote(parts.path.strip("/"))
        token = unquote(parse_qs(parts.query).get("token", [""])[0])
        if not (self.channel and token and parts.hostname):
            raise ValueError("write slackbot://slack.com/{address}?token={secret:NAME}")
        scheme = "http" if parts.hostname in LOOPBACK else "https"
        self.client = WebClient(
            token=token, base_url=f"{scheme}://{parts.netloc}/api/", timeout=math.ceil(seconds), retry_handlers=[]
        )
        self.message: dict[str, Any] = json.loads(body)
        self.key, self.thread = key, follows.rpartition("/")[2]

    def send(self, body: str, title: str = "", *_: Any, **__: Any) -> bool:
        """Called by Apprise, once. A thread that is gone is left, and the message stands by itself."""
        try:
            try:
                answer = self._posted(self.thread)
            except SlackApiError as error:
                if error.response.get("error") not in NO_THREAD:
                    raise
                answer = self._posted("")
        except SlackApiError as error:
            return self._refused(error)
        except (SlackClientError, OSError) as error:
            cause = error.reason if isinstance(error, URLError) else error
            never_left = isinstance(cause, ConnectionRefusedError) or type(cause).__name__ == "gaierror"
            words = f"Slack did not answer: {type(cause).__name__}"
            return self.failed(words, retry=True, unknown=not never_left, silent=True)
        self.remote = f"{answer.get('channel') or self.channel}/{answer.get('ts', '')}"
        return True

    def _posted(self, thread: str) -> Any:
        under = {"thread_ts": thread, "reply_broadcast": True} if thread else {}
        known = {"metadata": {"event_type": "ewarn_message", "event_payload": {"key": self.key}}}
        return self.client.api_call(
            "chat.postMessage", json={"channel": self.channel, **self.message, **known, **under}
        )

    def _refused(self, error: SlackApiError) -> bool:
        status = int(error.response.status_code)
        said = str(error.response.get("error") or "") if isinstance(error.response.data, dict) else ""
        again = said in AGAIN or status == 429 or status >= 500
        self.failed(f"Slack: {said or f'HTTP {status}'}", retry=again, unknown=said in MAY_HAVE_IT)
        self.blocked = status == 429 or said in SERVER_WIDE
        wait = str(error.response.headers.get("Retry-After") or error.response.headers.get("retry-after") or "")
        self.seconds_to_wait = float(wait) if wait.isdigit() else 0.0
        return False

    def url(self, *_: Any, **__: Any) -> str:
        return "slackbot://"

    def __len__(self) -> int:
        return 1
