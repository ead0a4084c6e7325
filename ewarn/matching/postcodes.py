"""Postcodes: a written postcode in, its outward code out, with how it was read.

In: the outward codes in use, those no longer in use, and text. Out: Read. The inward half is looked at to find where
the outward half ends and is never part of an answer. The letter O for 0 and I for 1 (and the other way round) are put
right only where the text is no postcode as it stands and one outward code alone comes of it; such a reading says so.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

# What Royal Mail and the NHS use for post and people without an address on the ground of the UK.
NOWHERE = {
    "BX": "a code without a place (bulk mail)", "GIR": "a code without a place (Girobank)",
    "XX": "a code without a place (returned mail)", "ZZ": "a code without a place (no fixed or known address)",
    "QC": "a code without a place", "BF": "British Forces post, not a place in the UK",
}  # fmt: skip
OUTSIDE = {"IM": "the Isle of Man", "JE": "Jersey", "GY": "Guernsey"}
# Two letters that are a postcode area of London and a point of the compass in names of regions as well.
COMPASS = {"NW", "SE", "SW"}
# Abbreviations that a slip of the pen would turn into an outward code (Bristol Royal Infirmary into BR1).
NO_SLIP = {"BRI"}

_MASK = re.compile(r"^[\s*?#.,;:/\\_'\"()-]+|[\s*?#.,;:/\\_'\"()\u2013\u2014\u2026-]+$")
_INWARD = re.compile(r"^\d[A-Z]{0,2}$")
_OUTWARD = re.compile(r"^([A-Z]{1,2})\d[A-Z\d]?$")
_JOINED = re.compile(r"^([A-Z]{1,2}\d[A-Z\d]?)(\d[A-Z]{0,2})$")
_PADDED = re.compile(r"^([A-Z]{1,2})0(\d[A-Z]?.*)$")
_SHAPE = re.compile(r"^([A-Z]{1,2})\d[A-Z\d]?(?:\d[A-Z]{2})?$")
_TO_DIGITS, _TO_LETTERS = str.maketrans("OI", "01"), str.maketrans("01", "OI")


class Read(NamedTuple):
    """`code`: an outward code or, with `what` 'postcode area' or 'area of a code', a postcode area's letters.

    `what`: full postcode | outward code | former outward code | postcode area | area of a code | outside | nowhere.
    `certain`: read as it stands, without putting a slip right. `why`: for outside and nowhere, in words.
    """

    code: str
    what: str
    certain: bool = True
    why: str = ""


class Postcodes:
    def __init__(self, outcodes: Collection[str], former: Collection[str] = ()) -> None:
        self._live, self._former = set(outcodes), set(former) - set(outcodes)
        self.areas = {re.match("[A-Z]+", code)[0] for code in outcodes}  # type: ignore[index]

    def read(self, written: str) -> Read | None:
        """What a cell says as a postcode; None where it is none."""
        text = _MASK.sub("", written.upper()).replace(".", " ")
        parts = text.split()
        if not parts or len(text) > 12 or not (text[0].isalnum() and text.isascii()):
            return None
        joined = "".join(parts)
        return (
            self._as_it_stands(parts, joined)
            or _nowhere(joined)
            or self._slip(parts, joined)
            or self._area_only(joined, parts[0])
        )

    def within(self, word: str) -> Read | None:
        """A word of an address as a postcode in use, exactly as it stands."""
        joined = "".join(word.upper().split())
        found = next(_readings([joined], joined, self._live), None) if joined[:1].isalpha() else None
        return Read(found[0], "full postcode" if found[1] == "full" else "outward code") if found else None

    def _as_it_stands(self, parts: list[str], joined: str) -> Read | None:
        for known, what in ((self._live, "outward code"), (self._former, "former outward code")):
            for code, how in _readings(parts, joined, known):
                if known is self._live or how != "run together":
                    return Read(code, "full postcode" if how == "full" and known is self._live else what)
        return None

    def _slip(self, parts: list[str], joined: str) -> Read | None:
        """The one outward code that comes of reading O as 0 and I as 1, or the other way round."""
        short = len(joined) == 3 and joined[-1] in "OI" and joined not in NO_SLIP
        if not short and not any(character.isdigit() for character in joined):
            return None
        found = set()
        for text in dict.fromkeys((joined, parts[0])):
            for mended in _mended(text):
                best = next(_readings([mended], mended, self._live, padded=False), None) if mended != text else None
                if best:
                    found.add(best[0])
        return Read(found.pop(), "outward code", certain=False) if len(found) == 1 else None

    def _area_only(self, joined: str, first: str) -> Read | None:
        if len(joined) == 2 and joined in self.areas and joined not in COMPASS:
            return Read(joined, "postcode area", certain=False)
        for text in (joined, first):
            shape = _SHAPE.match(_unpadded(text))
            if shape and shape[1] in self.areas:
                return Read(shape[1], "area of a code", certain=False, why="no such outward code")
        return None


def _readings(parts: list[str], joined: str, known: Collection[str], padded: bool = True) -> Iterator[tuple[str, str]]:
    """Outward codes in a text, best reading first, each with how it was read: full, spaced, whole or run together.

    A space ends the outward half; without one, a whole postcode wins, then an outward code as it stands, then an
    outward code and a sector run together.
    """
    if len(joined) > 4 and joined[-3].isdigit() and joined[-2:].isalpha():
        for outward in _forms(joined[:-3], padded):
            if outward in known:
                yield outward, "full"
    if len(parts) == 2 and (_INWARD.match(parts[1]) or parts[1].isalpha()):
        for outward in _forms(parts[0], padded):
            if outward in known:
                yield outward, "spaced"
    for text in dict.fromkeys((joined, parts[0])):
        for form in _forms(text, padded):
            if _OUTWARD.match(form) and form in known:
                yield form, "whole"
            run = _JOINED.match(form)
            if run and run[1] in known:
                yield run[1], "run together"


def _forms(text: str, padded: bool) -> tuple[str, ...]:
    return tuple(dict.fromkeys((text, _unpadded(text)))) if padded else (text,)


def _unpadded(text: str) -> str:
    return _PADDED.sub(r"\1\2", text)


def _mended(text: str) -> Iterator[str]:
    """The text with two letters, or one, at its head and digits after them; the inward half's letters stay letters."""
    for letters in (2, 1):
        head, tail = text[:letters].translate(_TO_LETTERS), text[letters:]
        if not head.isalpha() or not tail:
            continue
        yield head + tail.translate(_TO_DIGITS)
        if len(text) > 4:
            yield (
                head
                + tail[:-3].translate(_TO_DIGITS)
                + tail[-3].translate(_TO_DIGITS)
                + tail[-2:].translate(_TO_LETTERS)
            )


def _nowhere(joined: str) -> Read | None:
    if joined.startswith("GIR"):
        return Read("GIR", "nowhere", why=NOWHERE["GIR"])
    area = joined[:2]
    if len(joined) > 2 and joined[2].isdigit():
        if area in OUTSIDE:
            return Read(area, "outside", why=f"{OUTSIDE[area]}, outside the UK")
        if area in NOWHERE:
            return Read(area, "nowhere", why=NOWHERE[area])
    return None
