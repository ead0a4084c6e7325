"""Text that is what it looks like: nothing hidden in it, nothing turned round, nothing that stands in for a command.

In: words as people or laboratories wrote them. Out: the same words without characters that cannot be seen, that change
the reading direction, or that other programs fold into <, @ or a letter. It must never change what a reader would read.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Any

SEVERAL_LINES = ("text", "html")
BREAKS = "\n\u2028\u2029\u0085\v\f\r"
FOLDED = ("<wide>", "<narrow>", "<small>", "<font>", "<vertical>", "<noBreak>")
HIDDEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
CONTROLS = ("Cc", "Cf", "Cn", "Co", "Cs")


def words(text: str, *, several_lines: bool = False) -> str:
    """One text made inert; on one line unless it may have several."""
    if text.isascii() and text.isprintable():
        return text if several_lines else " ".join(text.split())
    shown = unicodedata.normalize("NFC", "".join(map(_character, text.replace("\r\n", "\n"))))
    if several_lines:
        return "\n".join(line.rstrip() for line in shown.split("\n"))
    return " ".join(shown.split())


def content(value: Any, key: str = "") -> Any:
    """The content object of an alert with every text in it made inert; advice keeps its lines."""
    if isinstance(value, str):
        return words(value, several_lines=key in SEVERAL_LINES)
    if isinstance(value, dict):
        return {name: content(inner, name) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [content(inner, key) for inner in value]
    return value


@lru_cache(maxsize=4096)
def _character(character: str) -> str:
    if character in BREAKS:
        return "\n"
    if character == "\t" or character == "\u2800":
        return " "
    if character in HIDDEN or unicodedata.category(character) in CONTROLS:
        return ""
    kind = unicodedata.decomposition(character).split(" ")[0]
    plain = unicodedata.normalize("NFKC", character)
    if kind in FOLDED or (kind == "<compat>" and len(plain) == 1 and plain.isascii()):
        return plain
    return character
