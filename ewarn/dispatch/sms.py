"""Text messages: how many parts a text takes, and the first of its shorter forms that fits.

In: text. Out: its number of parts as a telephone network counts them, or the text that fits. It must never cut a text:
what does not fit in two parts is said again shorter by its template, in the order that the template states, or refused.
Source: 3GPP TS 23.038 (7-bit alphabet, extension characters count twice; anything else makes all of it UCS-2).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable

from ewarn.errors import ContentFault

MOST_PARTS = 2
SHORTER = 10
BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("^{}\\[~]|€\f")
# Signs that have a plain form: one of them would make every character of the text count twice and more.
SIGNS = {"’": "'", "‘": "'", "`": "'", "´": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "•": "-"}
GREEK = {"α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ω": "omega", "µ": "u", "μ": "u", "²": "2", "³": "3"}
PLAIN = str.maketrans(SIGNS | GREEK)
STROKED = {"ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "œ": "oe", "Œ": "OE", "ð": "d", "þ": "th"}


def plain(text: str) -> str:
    """The text on one line, with the plain form of each typographer's sign."""
    return " ".join(text.translate(PLAIN).split())


def folded(text: str) -> str:
    """The text with its letters in the alphabet's spelling where they have one: a name without its accent is still the
    name, and a fact left out is lost."""
    return "".join(c if c in BASIC or c in EXTENSION else _letter(c) for c in text)


def _letter(character: str) -> str:
    bare = "".join(c for c in unicodedata.normalize("NFKD", character) if not unicodedata.combining(c))
    return STROKED.get(character, bare if bare and all(c in BASIC for c in bare) else character)


def parts(text: str) -> int:
    """How many parts it is sent in."""
    if all(c in BASIC or c in EXTENSION for c in text):
        return _packed((2 if c in EXTENSION else 1 for c in text), 160, 153)
    return _packed((len(c.encode("utf-16-le")) // 2 for c in text), 70, 67)


def _packed(sizes: Iterable[int], alone: int, joined: int) -> int:
    """Parts of so many units; a character of two units is not torn apart."""
    units = list(sizes)
    if sum(units) <= alone:
        return 1
    count, left = 1, joined
    for unit in units:
        if unit > left:
            count, left = count + 1, joined
        left -= unit
    return count


def fitting(at: Callable[[int], str], where: str) -> str:
    """The longest form that fits. In: `at` renders the text at a shortness from 0 up. Raises: ContentFault."""
    text = ""
    for short in range(SHORTER):
        text = plain(at(short))
        for form in (text, folded(text)):
            if parts(form) <= MOST_PARTS:
                return form
    raise ContentFault(
        f"the text message takes {parts(text)} parts at its shortest; {MOST_PARTS} is the most",
        where=where,
        next_step="Shorten the headline, or use letters of the SMS alphabet (no emoji); or shorten its template.",
    )
