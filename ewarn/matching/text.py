"""Spellings made comparable: one folding of text that names and places share.

In: text as written. Out: folded text, with the way back to the original characters. Must never drop letters or digits.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

HYPHENS = "-\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
MARKS = "\u2122\u00ae\u00a9\u2120"
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_GAP = re.compile(rf"[\s{re.escape(HYPHENS)}_]+")
_SALT = re.compile(
    r"\s+(hydrochloride|hcl|citrate|sulphate|sulfate|hydrobromide|hbr|maleate|fumarate|tartrate|phosphate|mesylate"
    r"|sodium|base|freebase|free base)$"
)


def clean(text: str) -> str:
    """The text without invisible characters and trademark signs, ends trimmed."""
    return _INVISIBLE.sub("", text).translate({ord(mark): None for mark in MARKS}).strip()


def spaced(text: str) -> str:
    """Folded for comparison: NFKC, case-folded, hyphens and runs of white space as one space."""
    return _GAP.sub(" ", unicodedata.normalize("NFKC", clean(text)).casefold()).strip()


def tight(text: str) -> str:
    """Folded, without any space or hyphen: '6-MAM', '6 MAM' and '6MAM' are one spelling."""
    return spaced(text).replace(" ", "")


def without_salt(text: str) -> str:
    """Folded text without the name of a salt at its end ('metonitazene hydrochloride' is metonitazene)."""
    return _SALT.sub("", spaced(text))


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
