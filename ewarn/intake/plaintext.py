"""Markup from outside as plain text, in one place: feeds, pasted notices and e-mail all come through here.

In: a title or a text as a publisher wrote it, with tags, entities, CDATA and invisible characters. Out: one line of
plain text, never longer than asked for. No tag, script, image or reading-direction mark survives, however often it was
escaped; the words around them do, and so does a plain 'below <5 mg'.
"""

from __future__ import annotations

import html
import re
import unicodedata
from functools import cache

import nh3

CUT = "…"
_MOST_ROUNDS = 5
_BLOCKS = "br|p|li|[uo]l|d[ltd]|div|h[1-6]|hr|t[dhr]|table|section|article|blockquote|pre"
_BREAKS = re.compile(rf"</?(?:{_BLOCKS})\b[^<>]*>", re.I)
# '<' where no tag begins, or an unfinished one that is no word of HTML: a sign that somebody wrote.
_TAGS = "script|style|img|iframe|svg|object|embed|a|b|i|p|br"
_SIGN = re.compile(rf"<(?![A-Za-z/!?])|<(?=[A-Za-z/][^<>]*(?:<|$))(?!/?(?:{_TAGS})\b)", re.I)
_LEFT = re.compile(r"<(?=[A-Za-z/!?])")
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn")


def plain(markup: str, most: int) -> str:
    """One line of plain text of at most `most` characters, ending in '…' where it was cut."""
    text = markup.encode("utf-8", "ignore").decode()
    for _ in range(_MOST_ROUNDS):
        before = text
        text = text.replace("<![CDATA[", "").replace("]]>", "")
        text = html.unescape(nh3.clean(_SIGN.sub("&lt;", _BREAKS.sub(" ", text)), tags=set()))
        if text == before:
            break
    text = " ".join(unicodedata.normalize("NFC", visible(_LEFT.sub("", text))).split())
    return text if len(text) <= most else text[: most - 1].rstrip() + CUT


def visible(text: str) -> str:
    """The text without characters that nobody sees or that turn the reading direction; markup is left as it is."""
    return "".join(map(_shown, text))


@cache
def _shown(character: str) -> str:
    """A character as it is kept: white space as a space; invisible, turning and unassigned ones not at all.

    U+0080 to U+009F are what Windows-1252 means by them: publishers write a curly apostrophe as U+0092.
    """
    if "\x80" <= character <= "\x9f":
        return bytes([ord(character)]).decode("cp1252", "ignore")
    if character.isspace():
        return " "
    return "" if unicodedata.category(character) in _UNSEEN else character
