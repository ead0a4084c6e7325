"""A Slack incoming webhook: the stored blocks go out as they are.

In: an Apprise Slack address (slack://T/B/X) and the stored bytes. Out: where to post them. It must never let Apprise
compose the message: it escapes a second time and turns an escaped <!channel> back into one that rings everybody.
"""

from __future__ import annotations

from apprise.plugins.slack import NotifySlack

SCHEMA = "slack"


def address(url: str) -> str:
    """The web address of a webhook. Raises: ValueError, TypeError where it is not a usable Slack address."""
    results = NotifySlack.parse_url(url)  # type: ignore[no-untyped-call]
    if not results:
        raise ValueError("not a Slack address")
    made = NotifySlack(**results)  # type: ignore[no-untyped-call]
    if not (made.token_a and made.token_b and made.token_c):
        raise ValueError("not a Slack webhook: write T000/B000/XXXX, or use a slackbot:// address for a bot token")
    return f"{NotifySlack.webhook_url}/{made.token_a}/{made.token_b}/{made.token_c}"
