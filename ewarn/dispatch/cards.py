"""A chat text as Microsoft Teams takes it: an Adaptive Card in a message, as a workflow's webhook expects it.

In: a subject and lines. Out: the message's JSON. Values stand in text runs, which Teams shows as they are: Markdown,
mentions and links in them stay words. It must never cut; a card above Teams' size is refused.
Source: Microsoft, "Create incoming webhooks with Workflows for Microsoft Teams" (28 KB a message) and the Adaptive
Cards schema, TextRun ("Markdown is not supported").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ewarn.dispatch.chat import Line
from ewarn.errors import ContentFault
from ewarn.terms import canonical

MOST_BYTES = 28_000
Part = dict[str, Any]


def message(subject: str, lines: Sequence[Line]) -> dict[str, Any]:
    """Raises: ContentFault where the card is larger than Teams takes."""
    made = _around(subject, list(_body(lines)), [_action(line) for line in lines if line.kind == "link"])
    size = len(canonical(made))
    if size > MOST_BYTES:
        raise ContentFault(
            f"the Teams card has {size} bytes; Teams takes {MOST_BYTES}",
            where="alerts/templates",
            next_step="Say less in the chat template.",
        )
    return made


def marked(stored: dict[str, Any], words: str) -> dict[str, Any]:
    """A stored message with a line above it."""
    card = stored["attachments"][0]["content"]
    return _around(card["fallbackText"], [_block([_run(words, isSubtle=True)]), *card["body"]], card.get("actions", []))


def _around(subject: str, body: list[Part], actions: list[Part]) -> dict[str, Any]:
    card: Part = {
        "type": "AdaptiveCard", "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "version": "1.4",
        "lang": "en-GB", "fallbackText": subject, "msteams": {"width": "Full"}, "body": body,
    }  # fmt: skip
    if actions:
        card["actions"] = actions
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "contentUrl": None, "content": card}]}


def _body(lines: Sequence[Line]) -> Iterator[Part]:
    parted = False
    for line in lines:
        if line.kind in ("gap", "rule", "link"):
            parted = parted or line.kind == "rule"
            continue
        part = _part(line)
        yield part | {"separator": True, "spacing": "Medium"} if parted else part
        parted = False


def _part(line: Line) -> Part:
    if line.kind == "headline":
        return _block([_run(line.words, weight="Bolder", size="Large")])
    if line.kind == "mark":
        held = [_block([_run(line.words, weight="Bolder")])]
        return {"type": "Container", "style": "emphasis", "bleed": True, "items": held}
    if line.kind == "fact":
        return _block([_run(f"{line.label}: ", weight="Bolder"), _run(line.words)])
    if line.kind == "small":
        return _block([_run(line.words, size="Small", isSubtle=True)])
    return _block([_run(f"• {line.words}" if line.kind == "item" else line.words)])


def _block(runs: list[Part]) -> Part:
    return {"type": "RichTextBlock", "inlines": runs}


def _run(words: str, **look: Any) -> Part:
    return {"type": "TextRun", "text": words, **look}


def _action(line: Line) -> Part:
    return {"type": "Action.OpenUrl", "title": line.words, "url": line.address}
