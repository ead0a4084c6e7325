"""A chat text as Slack takes it: Block Kit, with the subject as the text of notifications.

In: a subject and lines. Out: the message's JSON. Every value is escaped and `verbatim`, so that no mention, link or
channel command in it comes alive. It must never cut: what is longer than Slack's limits goes on in the next block.
Source: Slack, "Block Kit" (50 blocks a message, 150 characters a header, 3,000 characters a section) and "Formatting
text for app surfaces" (& < > escaped, verbatim).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ewarn.dispatch.chat import Line
from ewarn.errors import ContentFault

MOST_BLOCKS, HEADER, SECTION = 49, 150, 3000  # one of Slack's fifty is kept for the mark of a possible repeat
Block = dict[str, Any]


def message(subject: str, lines: Sequence[Line]) -> dict[str, Any]:
    """Raises: ContentFault where even joined blocks are more than Slack takes."""
    blocks = list(_blocks(lines))
    if len(blocks) > MOST_BLOCKS:
        blocks = _joined(blocks)
    if len(blocks) > MOST_BLOCKS:
        raise ContentFault(
            f"the chat text fills {len(blocks)} blocks; Slack takes {MOST_BLOCKS + 1}",
            where="alerts/templates",
            next_step="Say less in the chat template.",
        )
    return {
        "text": escaped(subject), "blocks": blocks, "mrkdwn": True, "unfurl_links": False, "unfurl_media": False,
    }  # fmt: skip


def escaped(text: str) -> str:
    """The three characters that Slack reads as commands."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def marked(stored: dict[str, Any], words: str) -> dict[str, Any]:
    """A stored message with a line above it."""
    above = _context(escaped(words))
    return stored | {"text": f"{escaped(words)} {stored['text']}", "blocks": [above, *stored["blocks"]]}


def _blocks(lines: Sequence[Line]) -> Iterator[Block]:
    together: list[str] = []
    for line in [*lines, Line(kind="gap")]:
        if line.kind in ("words", "fact", "item", "link"):
            together.append(_said(line))
            continue
        yield from map(_section, pieces("\n".join(together)))
        together = []
        if line.kind == "rule":
            yield {"type": "divider"}
        elif line.kind == "headline" and 0 < len(line.words) <= HEADER:
            yield {"type": "header", "text": {"type": "plain_text", "text": line.words, "emoji": False}}
        elif line.kind in ("mark", "headline"):
            yield from (_section(f"*{piece}*") for piece in pieces(escaped(line.words), SECTION - 2))
        elif line.kind == "small":
            yield from map(_context, pieces(escaped(line.words)))


def _said(line: Line) -> str:
    words = escaped(line.words)
    if line.kind == "fact":
        return f"*{escaped(line.label)}:* {words}"
    if line.kind == "link":
        return f"<{escaped(line.address)}|{words.replace('|', ' ')}>"
    return f"• {words}" if line.kind == "item" else words


def _section(text: str) -> Block:
    return {"type": "section", "text": _text(text)}


def _context(text: str) -> Block:
    return {"type": "context", "elements": [_text(text)]}


def _text(text: str) -> Block:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def pieces(text: str, limit: int = SECTION) -> list[str]:
    """The text in parts of so many characters, parted at white space where there is any, never inside an escape."""
    parts = []
    while len(text) > limit:
        head = text[: limit + 1]
        at = max(head.rfind("\n"), head.rfind(" "))
        if at <= 0:
            cut = text.rfind("&", limit - 5, limit)
            at = cut if cut > 0 and ";" not in text[cut:limit] else limit
        parts.append(text[:at].rstrip())
        text = text[at:].lstrip()
    return [*parts, text] if text else parts


def _joined(blocks: Sequence[Block]) -> list[Block]:
    """Neighbouring sections as one, as far as a section holds."""
    found: list[Block] = []
    for block in blocks:
        last: Block = found[-1] if found else {"type": ""}
        if block["type"] == last["type"] == "section":
            both = f"{last['text']['text']}\n{block['text']['text']}"
            if len(both) <= SECTION:
                found[-1] = _section(both)
                continue
        found.append(block)
    return found
