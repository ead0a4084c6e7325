"""Notices without a feed: a pasted text, a page or an e-mail in, one staged notice out.

What a person says beside the text (title, publisher, date, link, area) travels with it in one envelope, so that the
kept bytes hold all there is and can be read again. A bare file (a message from a mailbox) is read without one. Raises
where there is nothing to read; never quotes what it read, which may name people.
"""

from __future__ import annotations

import base64
import json
import re
from datetime import datetime
from typing import Any

from ewarn.catalogue.definitions import NoticeDefinition
from ewarn.errors import UnusableInput
from ewarn.intake import mail, notices, vocabulary
from ewarn.intake.mail import Attachment, Mail
from ewarn.intake.plaintext import plain
from ewarn.intake.staged import Known, Staged
from ewarn.terms import digest

__all__ = ["Attachment", "attachments", "is_mail", "read_notice", "reference_of", "wrapped"]

_MARK = b'{"ewarn": "notice 1",'
_SAID = ("reference", "title", "publisher", "published", "link", "area")
_PAGE = re.compile(rb"\A\s*(?:<!doctype html|<html|<(?:head|body|div|p|h1|table)\b)", re.IGNORECASE)
_HEADLINE = re.compile(r"<(h1|title)\b[^<>]*>(.*?)</\1\s*>", re.IGNORECASE | re.DOTALL)
_MOST_HEADLINE, _SHORT_LINE = 200, 50
_UNENDED = re.compile(r"\b(?:in|at|of|to|the|and|or|for|as|with|from|near|a|an)$", re.IGNORECASE)


def wrapped(content: bytes, said: dict[str, str]) -> bytes:
    """The bytes to keep: the content as it came, and what was said beside it. Without a reference one is made.

    The same words pasted twice have the same reference, and are one notice.
    """
    said = {name: said.get(name, "") for name in _SAID}
    said["reference"] = said["reference"] or reference_of(content, said["title"], said["publisher"])
    envelope = {"ewarn": "notice 1", **said, "content": base64.b64encode(content).decode()}
    return json.dumps(envelope, ensure_ascii=False).encode()


def reference_of(content: bytes, *beside: str) -> str:
    """`N-` and ten figures or letters, by which a notice is named and updated. A message is known by its own id."""
    message_id = mail.read(content).message_id if mail.looks_like(content) else ""
    return f"N-{digest([message_id], 10) if message_id else digest([digest(content), *beside], 10)}"


def read_notice(
    definition: NoticeDefinition, body: bytes, known: Known, *, received_at: datetime, backfill: bool
) -> Staged:
    """Stage one notice.

    Raises: UnusableInput where it is too large, no text can be found in it, or its envelope is damaged.
    """
    said, content = _opened(definition, body)
    message = mail.read(content) if mail.looks_like(content) else None
    title, text = _worded(content, message)
    if message is not None or not definition.strip_summary:
        people = message.people if message else ()
        title, text = mail.without_contacts(title, people), mail.without_contacts(text, people)
    if not plain(text, 100) and not plain(title, 100):
        raise UnusableInput(
            "no words can be found in the notice", where=definition.id, next_step="Paste its text, or a text file."
        )
    if said["title"]:
        text = f"{title}\n{text}"
    sent = message.sent.isoformat() if message and message.sent else ""
    entry: dict[str, Any] = {
        "id": said["reference"] or reference_of(content),
        "title": said["title"] or title, "title_given": bool(said["title"]), "summary": text, "link": said["link"],
        "published": said["published"] or sent, "updated": "", "publisher": said["publisher"],
    }  # fmt: skip
    notice = notices.of(entry, definition, received_at, vocabulary.of(known), 1, area=said["area"])
    fault = notices.fault(notice, received_at)
    notes = [f"only the first {notices.MOST_SEARCHED:,} characters were searched"] * (len(text) > notices.MOST_SEARCHED)
    withheld = "withheld: a notice may name people; its bytes are kept"
    return notices.staged([] if fault else [notice], [("notice", fault, withheld)] if fault else [], notes, definition)


def is_mail(content: bytes) -> bool:
    """Whether the content is an e-mail message."""
    return mail.looks_like(content)


def attachments(definition: NoticeDefinition, body: bytes) -> tuple[Attachment, ...]:
    """What hangs on a message; nothing for a text or a page."""
    _, content = _opened(definition, body)
    return mail.read(content).attachments if mail.looks_like(content) else ()


def _opened(definition: NoticeDefinition, body: bytes) -> tuple[dict[str, str], bytes]:
    """What was said beside a notice, and its content as it came."""
    if len(body) > 2 * definition.max_bytes:
        raise UnusableInput(
            f"the notice has {len(body):,} bytes; the definition allows {definition.max_bytes:,}",
            where=definition.id, next_step="Paste the words that matter, or raise max_bytes.",
        )  # fmt: skip
    said = dict.fromkeys(_SAID, "")
    if not body.startswith(_MARK):
        return said, body
    try:
        envelope = json.loads(body)
        content = base64.b64decode(envelope["content"], validate=True)
        return {name: str(envelope[name]) for name in _SAID}, content
    except (ValueError, KeyError, TypeError) as error:
        raise UnusableInput(
            "the kept notice is damaged", where=definition.id, next_step="Add it again with `ewarn notice add`."
        ) from error


def _worded(content: bytes, message: Mail | None) -> tuple[str, str]:
    """Title and text. Without a title of its own, a text's first line is its title."""
    if message is not None:
        return message.subject, _joined(message.text.splitlines())
    words = _decoded(content)
    if _PAGE.match(content):
        lines = mail.lines_of_html(words)
        headings = {tag.lower(): plain(found, _MOST_HEADLINE) for tag, found in reversed(_HEADLINE.findall(words))}
        title = headings.get("h1") or headings.get("title") or ""
        title = title or (lines[0][:_MOST_HEADLINE] if lines else "")
        return title, _joined([line for line in lines if line != title])
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    if not lines:
        return "", ""
    first = re.split(r"(?<=[.!?])\s", lines[0])[0] if len(lines[0]) > _MOST_HEADLINE else lines[0]
    return first[:_MOST_HEADLINE], _joined([lines[0][len(first) :].strip(), *lines[1:]])


def _joined(lines: list[str]) -> str:
    """Lines as running text: a short line that ends without a stop, before one that begins anew, ends a sentence."""
    text = ""
    for line in filter(None, lines):
        last = text.rpartition("\n")[2]
        stops = last and len(last) < _SHORT_LINE and last[-1] not in ".!?:;," and not line[0].islower()
        text += ("." if stops and not _UNENDED.search(last) else "") + ("\n" if text else "") + line
    return text


def _decoded(content: bytes) -> str:
    for mark, name in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"", "utf-8-sig")):
        if content.startswith(mark):
            try:
                return content.decode(name)
            except UnicodeDecodeError:
                continue
    return content.decode("cp1252", "replace")
