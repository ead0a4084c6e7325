"""E-mail: the bytes of a message in, its subject, date, words and attachments out.

Text and HTML bodies, encoded headers, odd charsets, messages inside messages and forwarded chains are read; sign-offs
and the header lines of a chain are left out, so that a sender's own address is not taken for the place it happened.
Senders, receivers and their names are personal data: `people` lists them only so that they can be taken out. Nothing is
fetched, and nothing attached is opened here.
"""

from __future__ import annotations

import email.policy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from pathlib import PurePath

from ewarn.errors import UnusableInput
from ewarn.intake.plaintext import plain

MOST_PARTS, MOST_DEPTH, MOST_LINE = 200, 8, 20_000
TABLES = (".csv", ".tsv", ".xlsx", ".gz", ".zip")
_LOOKS = re.compile(rb"\A(?:From [^\n]*\n)?(?:[!-9;-~]+:[^\n]*\r?\n(?:[ \t][^\n]*\r?\n)*){2,}\r?\n", re.IGNORECASE)
_USUAL = re.compile(rb"^(?:from|date|subject|message-id|mime-version|received)\s*:", re.IGNORECASE | re.MULTILINE)
_REPLY = re.compile(r"^\s*(?:(?:re|fw|fwd|aw|wg|tr)\s*(?:\[\d+\])?\s*:\s*|\[external\]\s*)+", re.IGNORECASE)
_CHAIN = re.compile(
    r"^\W*(?:original message|begin forwarded message|forwarded message|forwarded by)\b|^\s*on .{5,120}wrote:\s*$", re.I
)
_HEAD = re.compile(r"^[>\s*]*(from|sent|date|to|cc|bcc|reply-to|importance|attachments?)\s*:\*?\s*(.*)$", re.IGNORECASE)
_SUBJECT = re.compile(r"^[>\s*]*subject\s*:\*?\s*", re.IGNORECASE)
_SIGN_OFF = re.compile(
    r"^[>\s]*(?:--\s*$|(?:kind(?:est)?|best|warm|with|many)?\s*(?:regards|wishes|thanks)\b[\s,.!]*$"
    r"|yours (?:sincerely|faithfully)"
    r"|(?:thanks|cheers|sincerely)[\s,.!]*$|sent from my |this (?:e-?mail|message) (?:and any|is|may))", re.IGNORECASE
)  # fmt: skip
_GREETING = re.compile(r"^[>\s]*(?:dear|hi|hello|good (?:morning|afternoon|evening))\b[^.!?]{0,60}$", re.IGNORECASE)
_ADDRESS = re.compile(r"<?(?<![\w.+'%-])[\w.+'%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}>?")
_TELEPHONE = re.compile(r"(?<![\w/-])(?:\+\d{1,3}[\s-]?|\(?0)(?:\(?\d\)?[\s-]?){8,11}(?!\w)")


@dataclass(frozen=True)
class Attachment:
    """One attached file; its name may name somebody and is not kept. `number` counts from 1."""

    number: int
    ending: str
    body: bytes


@dataclass(frozen=True)
class Mail:
    subject: str
    sent: datetime | None
    message_id: str
    text: str
    people: tuple[str, ...]
    attachments: tuple[Attachment, ...]


def looks_like(body: bytes) -> bool:
    """Whether bytes are a message: header lines first, two of them usual ones."""
    head = body[:65_536]
    return bool(_LOOKS.match(head)) and len({m.lower() for m in _USUAL.findall(head)}) >= 2


def read(body: bytes) -> Mail:
    """A message. Raises: UnusableInput where it is nested too deeply or has too many parts to be read."""
    try:
        message = email.message_from_bytes(body, policy=email.policy.compat32)
        found = _Reader()
        found.take(message, 0)
    except (RecursionError, LookupError, ValueError, AttributeError, TypeError) as error:
        raise UnusableInput(
            f"the e-mail cannot be read ({type(error).__name__})",
            next_step="Paste its words with `ewarn notice add`; the bytes are kept.",
        ) from None
    subject = _REPLY.sub("", _header(message, "Subject"))
    sent = min(found.sent) if found.sent else None
    return Mail(
        subject, sent, _header(message, "Message-ID"), "\n".join(found.texts), tuple(sorted(found.people)),
        tuple(found.attachments),
    )  # fmt: skip


class _Reader:
    """Goes through the parts of a message, gathering words, dates, people and attachments."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.sent: list[datetime] = []
        self.people: set[str] = set()
        self.attachments: list[Attachment] = []
        self.parts = 0

    def take(self, part: Message, depth: int) -> None:
        self.parts += 1
        if self.parts > MOST_PARTS or depth > MOST_DEPTH:
            raise UnusableInput(
                "the e-mail has too many parts, or messages inside messages too deep to be read",
                next_step="Forward the one message that matters, or paste its words with `ewarn notice add`.",
            )
        kind = part.get_content_type()
        if depth == 0 or kind == "message/rfc822":
            self._heads(part if depth == 0 else _inner(part), depth)
        if kind == "message/rfc822":
            self.take(_inner(part), depth + 1)
        elif kind == "multipart/alternative":
            self._alternatives(_children(part), depth)
        elif part.is_multipart():
            for child in _children(part):
                self.take(child, depth + 1)
        else:
            self._leaf(part, kind)

    def _heads(self, message: Message, depth: int) -> None:
        lines = [str(v) for name in ("From", "To", "Cc", "Reply-To", "Sender") for v in message.get_all(name, [])]
        self.people |= {name for line in lines for name in _names(_decoded_words(line))}
        moment = _moment(_header(message, "Date"))
        if moment:
            self.sent.append(moment)
        if depth:
            self.texts.append(_header(message, "Subject"))

    def _alternatives(self, children: list[Message], depth: int) -> None:
        """The fullest of several wordings; a plain one wins unless it only points to the other."""
        wordings = []
        for child in children:
            other = _Reader()
            other.parts = self.parts
            other.take(child, depth + 1)
            self.parts = other.parts
            self.attachments += other.attachments
            wordings.append(other)
        if wordings:
            longest = max(sum(map(len, w.texts)) for w in wordings)
            best = next(w for w in wordings if 2 * sum(map(len, w.texts)) >= longest)
            self.texts += best.texts
            self.people |= best.people

    def _leaf(self, part: Message, kind: str) -> None:
        payload = part.get_payload(decode=True)
        content = payload if isinstance(payload, bytes) else b""
        name = _decoded_words(part.get_filename() or "")
        attached = part.get_content_disposition() == "attachment" or bool(name)
        if kind in ("text/plain", "text/html") and not attached:
            words = _decoded(content, part.get_content_charset())
            lines = lines_of_html(words) if kind == "text/html" else words.splitlines()
            self.texts += _own_lines(lines, self.people)
        elif content and part.get_content_maintype() != "image":
            ending = PurePath(name).suffix.lower() or (".csv" if kind == "text/csv" else "")
            self.attachments.append(Attachment(len(self.attachments) + 1, ending[:8], content))


def _inner(part: Message) -> Message:
    inner = part.get_payload()
    first = inner[0] if isinstance(inner, list) and inner else None
    return first if isinstance(first, Message) else Message()


def _children(part: Message) -> list[Message]:
    inner = part.get_payload()
    return [child for child in inner if isinstance(child, Message)] if isinstance(inner, list) else []


def _own_lines(lines: list[str], people: set[str]) -> Iterator[str]:
    """The lines that say something: no header lines of a chain, greetings, or sign-offs with all that follows them."""
    signed = False
    for line in lines:
        bare = line.lstrip("> \t").rstrip()
        head = _HEAD.match(bare)
        if _CHAIN.match(bare) or head or _SUBJECT.match(bare):
            signed = False
            if head and head[1].casefold() in ("from", "to", "cc"):
                people.update(_names(head[2]))
            if _SUBJECT.match(bare):
                yield _REPLY.sub("", _SUBJECT.sub("", bare)) + "."
            continue
        signed = signed or bool(_SIGN_OFF.match(bare))
        if not signed and bare and not _GREETING.match(bare):
            yield bare


def _names(line: str) -> Iterator[str]:
    """The display names and addresses in a header line; 'Surname, First' also the other way round."""
    for name, address in getaddresses([line.replace(";", ",")]):
        for word in (name.strip("'\" "), address if "@" in address else ""):
            if len(word) > 2:
                yield word
    swapped = re.fullmatch(r"\s*\"?([^\s,<>\"]+), ([^\s,<>\"]+)\"?(?:\s*<.*)?", line)
    if swapped:
        yield f"{swapped[2]} {swapped[1]}"
    bare = re.sub(r"[<\[(].*", "", line).strip(" \"'")
    if " " in bare and "@" not in bare:
        yield bare


def _header(message: Message, name: str) -> str:
    return re.sub(r"\s+", " ", _decoded_words(str(message.get(name, "") or ""))).strip()


def _decoded_words(text: str) -> str:
    """RFC 2047 words decoded; what cannot be decoded stays as it came."""
    try:
        parts = decode_header(text)
    except (ValueError, LookupError):
        return text
    return "".join(part if isinstance(part, str) else _decoded(part, charset) for part, charset in parts)


def _decoded(content: bytes, charset: str | None) -> str:
    for name in filter(None, (charset, "utf-8")):
        try:
            return content.decode(name)
        except (LookupError, UnicodeDecodeError):
            continue
    return content.decode("cp1252", "replace")


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


_SILENT = re.compile(r"<(script|style|head|nav|footer|form|aside)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_LINE_END = re.compile(r"<(?:br|/p|/div|/li|/tr|/h\d|hr)\b[^<>]*>", re.IGNORECASE)


def lines_of_html(markup: str) -> list[str]:
    """The lines of a page or an HTML body as plain text, without menus, forms and footers."""
    broken = _LINE_END.sub("\n", _SILENT.sub(" ", re.sub(r"\s+", " ", markup)))
    return [line for line in (plain(raw, MOST_LINE) for raw in broken.splitlines()) if line]


def without_contacts(text: str, people: tuple[str, ...] = ()) -> str:
    """Text without e-mail addresses, telephone numbers and the given names."""
    text = _TELEPHONE.sub("[number]", _ADDRESS.sub("[address]", text))
    for name in sorted(people, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "[name]", text, flags=re.IGNORECASE)
    return text
