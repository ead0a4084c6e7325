"""An Apprise Slack object that sends the stored text as it is.

In: an Apprise Slack address. Out: one message with exactly the stored bytes as its text. Apprise's own object escapes
the text a second time and then turns an escaped <!channel> back into one that rings everybody; here neither happens. It
must never send a text that was not escaped when it was rendered.
"""

from __future__ import annotations

from typing import Any

from apprise.plugins.slack import NotifySlack

from ewarn.dispatch.replies import ASSET

PREFIXES = ("slack://", "https://hooks.slack.com/")


class ExactSlack(NotifySlack):  # type: ignore[no-untyped-call]
    """One Slack message of the stored, already escaped mrkdwn text."""

    text = ""

    @classmethod
    def of(cls, url: str, text: str) -> ExactSlack:
        """Raises: ValueError, TypeError where the address is not a usable Slack address."""
        native = url.startswith("https://")
        results = NotifySlack.parse_native_url(url) if native else NotifySlack.parse_url(url)  # type: ignore[no-untyped-call]
        if not results:
            raise ValueError("not a Slack address")
        made = cls(**results, asset=ASSET)
        made.text = text
        return made

    def _send(self, url: str, payload: dict[str, Any], *more: Any, **kwargs: Any) -> Any:
        """The one place where Apprise posts: its formatted attachment gives way to the stored text."""
        kept = {key: value for key, value in payload.items() if key in ("channel", "thread_ts", "username")}
        stored = {**kept, "text": self.text, "mrkdwn": True}
        return super()._send(url, stored, *more, **kwargs)  # type: ignore[no-untyped-call]
