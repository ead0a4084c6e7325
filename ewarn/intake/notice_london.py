"""Parts of London that a notice names in place of a borough: neighbourhoods, and the police's basic command units.

In: prose and the gazetteer. Out: the areas each may lie in, and its words. Only names that stand where a place stands
('in Southall', 'near Brixton and Peckham'): many of them are surnames, roads and everyday words as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ewarn.matching import Gazetteer, Place

_UNIT = re.compile(
    r"\b(?:(?:North|South|East|West|Central)(?: (?:North|South|East|West|Area|London))*) "
    r"(?:(?:Borough|Basic) Command Unit|BCU)s?\b"
)
_MET = re.compile(r"\b(?:Met|Metropolitan|London)\b")
_WORD = r"[A-Z][\w'\u2019-]*"
_PLACED = re.compile(
    rf"\b(?:in|at|near|around|across|within|outside|throughout|from|to|of) (?:the |parts of |central |area of )*"
    rf"(?={_WORD})"
)
_NAME = re.compile(rf"{_WORD}(?: (?:{_WORD}|on|the|of|and|&|le))*")
_NEXT = re.compile(rf",? (?:and |or |& )?(?={_WORD})|,(?={_WORD})")
_NO_PLACE = re.compile(r"^[- ](?:Road|Street|Avenue|Lane|Hill|Drive|Close|Way|Bridge|FC|University|College|School)\b")
_GOES_ON = re.compile(
    r"^(?:$|[^ \w'\u2019-]| (?![A-Z])| (?:Council|Borough|Police|Hospital|Station|Market|Town|High Street|Park|Estate"
    r"|Common|London|Area|Ward)\b)"
)
MOST_WORDS = 5


def units(text: str, gazetteer: Gazetteer) -> Iterator[tuple[Place, ...]]:
    """The areas of each police unit of London that is named."""
    if _MET.search(text):
        for name in dict.fromkeys(found.group() for found in _UNIT.finditer(text)):
            if places := gazetteer.resolve(name, "police area"):
                yield places


def without_units(text: str) -> str:
    """The text with the units' names blanked out, letter for letter: North East is a region as well."""
    return _UNIT.sub(lambda found: " " * len(found.group()), text)


def neighbourhoods(text: str, gazetteer: Gazetteer) -> Iterator[tuple[Place, ...]]:
    """The areas of each neighbourhood that is named where a place stands, and of those listed behind it."""
    seen: set[str] = set()
    for opened in _PLACED.finditer(text):
        position: int | None = opened.end()
        while position is not None:
            name = _longest(text, position, gazetteer)
            if not name:
                break
            if name not in seen:
                seen.add(name)
                yield gazetteer.neighbourhood(name)
            further = _NEXT.match(text, position + len(name))
            position = further.end() if further else None


def _longest(text: str, start: int, gazetteer: Gazetteer) -> str:
    """The longest neighbourhood that begins here; '' where none does, or where it is part of another name."""
    found = _NAME.match(text, start)
    words = found.group().split(" ")[:MOST_WORDS] if found else []
    for count in range(len(words), 0, -1):
        name = " ".join(words[:count])
        rest = text[start + len(name) : start + len(name) + 40]
        if gazetteer.neighbourhood(name):
            return name if _GOES_ON.match(rest) and not _NO_PLACE.match(rest) else ""
    return ""
