"""Spellings made comparable: one folding of text that names and places share.

In: text as written. Out: folded text, with the way back to the original characters. Must never drop letters or digits.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

HYPHENS = "-\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
MARKS = "\u2122\u00ae\u00a9\u2120"
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_GAP = re.compile(rf"[\s{re.escape(HYPHENS)}_]+")


def clean(text: str) -> str:
    """The text without invisible characters and trademark signs, ends trimmed."""
    return _INVISIBLE.sub("", text).translate({ord(mark): None for mark in MARKS}).strip()


def spaced(text: str) -> str:
    """Folded for comparison: NFKC, case-folded, hyphens and runs of white space as one space."""
    return _GAP.sub(" ", unicodedata.normalize("NFKC", clean(text)).casefold()).strip()


def tight(text: str) -> str:
    """Folded, without any space or hyphen: '6-MAM', '6 MAM' and '6MAM' are one spelling."""
    return spaced(text).replace(" ", "")


@dataclass(frozen=True)
class Folded:
    """Folded text beside the original; `origin[i]` is the original index of folded character i."""

    original: str
    text: str
    origin: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Original [start, end) behind the folded [start, end)."""
        return self.origin[start], self.origin[end - 1] + 1


def fold(text: str) -> Folded:
    """Fold a text character by character as `spaced` does, keeping the way back. Ends are not trimmed."""
    characters: list[str] = []
    origin: list[int] = []
    for index, character in enumerate(text):
        if character in MARKS or _INVISIBLE.match(character):
            continue
        for folded in unicodedata.normalize("NFKC", character).casefold():
            gap = folded.isspace() or folded in HYPHENS or folded == "_"
            if gap and characters and characters[-1] == " ":
                continue
            characters.append(" " if gap else folded)
            origin.append(index)
    return Folded(text, "".join(characters), tuple(origin))


_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ω": "omega", "ψ": "psi", "µ": "mu",
    "μ": "mu",
}  # fmt: skip
PRIMES = "'’‘′ʹʼ`´"
# A word is letters and digits; a prime after a digit belongs to it: 3' and 3 are different positions in a molecule.
_TOKEN = re.compile(r"[^\W_]+(?:(?<=\d)'{1,2}(?=[a-z\-,(]))?")


def word_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


class Words:
    """A text as the matcher sees it: one run of letters and digits, and where its words begin and end.

    `key` is every word run together, so that spaces, hyphens, brackets and commas never decide whether two spellings
    are the same; `gaps` keeps what stood between the words, which decides whether they may be read as one name.
    """

    __slots__ = ("_origin", "ends", "folded", "gaps", "key", "offsets", "original", "starts", "tokens", "within")
    within: list[tuple[int, int]]  # each word's place in `folded`
    starts: dict[int, int]  # place in `key` -> number of the word that begins there
    ends: dict[int, int]  # place in `key` -> number of the word that ends there
    offsets: list[int]  # each word's place in `key`
    gaps: list[str]  # gaps[n] stands before word n, the last one behind all words

    def __init__(self, text: str) -> None:
        self.original = text
        self._origin: list[int] | None = None
        if text.isascii():
            self.folded = text.lower()
        else:
            self.folded, self._origin = _unfolded(text)
        self.tokens: list[str] = _TOKEN.findall(self.folded)
        self.key = "".join(self.tokens)

    def __getattr__(self, name: str) -> Any:
        """Places are worked out when first asked for: most texts are settled by their key alone."""
        if name not in ("within", "starts", "ends", "gaps", "offsets"):
            raise AttributeError(name)
        self.within = [found.span() for found in _TOKEN.finditer(self.folded)]
        self.starts, self.ends, self.gaps, self.offsets = {}, {}, [], []
        at = last = 0
        for number, (start, end) in enumerate(self.within):
            self.gaps.append(self.folded[last:start])
            self.starts[at] = number
            self.offsets.append(at)
            at += end - start
            self.ends[at] = number
            last = end
        self.gaps.append(self.folded[last:])
        return getattr(self, name)

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Where words first..last stand in the original text: [start, end)."""
        start, end = self.within[first][0], self.within[last][1]
        if self._origin is None:
            return start, end
        return self._origin[start], self._origin[end - 1] + 1

    def written(self, first: int, last: int) -> str:
        start, end = self.span(first, last)
        return self.original[start:end]


def key(text: str) -> str:
    """The spelling under which two written names are the same: letters and digits only, accents and case aside."""
    return Words(text).key


@lru_cache(maxsize=4096)
def _unfolded_character(character: str) -> str:
    """What one character counts as: Greek letters by name, without accents, every dash '-', every prime "'"."""
    if character in HYPHENS:
        return "" if character == "\u00ad" else "-"
    if character in PRIMES:
        return "'"
    if character in MARKS or _INVISIBLE.match(character):
        return ""
    if character in "″”“":
        return "''" if character == "″" else '"'
    plain = unicodedata.normalize("NFKD", character).casefold()
    plain = "".join(_GREEK.get(c, c) for c in plain if not unicodedata.combining(c))
    return "".join(" " if c.isspace() or c == "_" else "-" if c in HYPHENS else c for c in plain)


def _unfolded(text: str) -> tuple[str, list[int]]:
    characters: list[str] = []
    origin: list[int] = []
    for index, character in enumerate(text):
        plain = _unfolded_character(character)
        characters.append(plain)
        origin.extend([index] * len(plain))
    return "".join(characters), origin
