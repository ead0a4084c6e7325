"""Text as paper can show it: every character either has a glyph in the fonts at hand, or is said in words.

In: any text. Out: the same text without control and direction marks, with breaks inside very long words, and with
`[skull]` or `[words in Thai letters]` where no font has the letter. It must never let a character vanish unseen, nor
let one reorder what stands around it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import groupby
from typing import Any

# What the fonts that typst embeds can show, asked of them letter by letter (tests/dispatch/test_glyphs.py asks again).
SHOWN = (
    *((0x20, 0x7E), (0xA0, 0xAC), (0xAE, 0x377), (0x37A, 0x37F), (0x384, 0x3FF), (0x400, 0x482), (0x48A, 0x4FF)),
    *((0x5D0, 0x5EA), (0x60C, 0x60C), (0x61F, 0x61F), (0x621, 0x63A), (0x640, 0x64A), (0x660, 0x66D)),
    *((0x67E, 0x67E), (0x686, 0x686), (0x698, 0x698), (0x6A9, 0x6A9), (0x6AF, 0x6AF), (0x6CC, 0x6CC), (0x6F0, 0x6F9)),
    *((0x1E00, 0x1EFF), (0x2010, 0x2027), (0x2030, 0x203A), (0x2070, 0x2071), (0x2074, 0x208E), (0x20A0, 0x20BF)),
    *((0x2103, 0x2103), (0x2109, 0x2109), (0x2116, 0x2116), (0x2122, 0x2122), (0x2126, 0x2126), (0x2190, 0x21FF)),
    *((0x2200, 0x22FF), (0x2500, 0x25FF), (0xFB00, 0xFB06)),
)
LONGEST_WORD, PIECE = 24, 12
BREAK = "\u200b"
LETTERS = "LMN"


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """One text for paper. Line ends stay; what steers, joins or hides characters goes."""
    kept = "".join(_visible(ch) for ch in unicodedata.normalize("NFC", text))
    told = "".join(_told(kind, "".join(run)) for kind, run in groupby(kept, _kind))
    return re.sub(rf"[^\s{BREAK}]{{{LONGEST_WORD},}}", _breakable, told)


def plain_all(value: Any) -> Any:
    """The same for every text inside an object; keys stay as they are."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, dict):
        return {key: plain_all(inner) for key, inner in value.items()}
    return [plain_all(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def _visible(ch: str) -> str:
    """Line ends as they are, other breaks and controls as a space; marks of direction and joining are left out."""
    if ch == "\n":
        return ch
    category = unicodedata.category(ch)
    if category in ("Cc", "Zs", "Zl", "Zp"):
        return " " if ch != "\u00a0" else ch
    hidden = category == "Cf" or 0xFE00 <= ord(ch) <= 0xFE0F or 0x1F3FB <= ord(ch) <= 0x1F3FF
    return "" if hidden else ch


def _shown(ch: str) -> bool:
    return ch == "\n" or any(low <= ord(ch) <= high for low, high in SHOWN)


def _kind(ch: str) -> str:
    """'' for what can be shown, 'symbol' for a sign to be named, else the script of a letter."""
    if _shown(ch):
        return ""
    name = unicodedata.name(ch, "")
    return name.split()[0].split("-")[0].capitalize() if unicodedata.category(ch)[0] in LETTERS and name else "symbol"


def _told(kind: str, run: str) -> str:
    if not kind:
        return run
    if kind == "symbol":
        return " ".join(f"[{unicodedata.name(ch, f'sign U+{ord(ch):04X}').lower()}]" for ch in run)
    return f"[words in {'Chinese or Japanese' if kind == 'Cjk' else kind} letters]"


def _breakable(word: re.Match[str]) -> str:
    """A long word with places where a line may end: after its own signs first, else every few letters."""
    pieces = re.findall(rf"[^/.\-_?&=]{{1,{PIECE}}}[/.\-_?&=]{{0,3}}|[/.\-_?&=]{{1,{PIECE}}}", word.group())
    return BREAK.join(pieces)
