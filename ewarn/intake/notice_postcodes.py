"""Outward codes that a notice writes as the place of something: 'in E8 and N16', 'the SE1 area', 'London NW1'.

In: prose. Out: codes, and where each stands. A code alone proves nothing: M30 is printed on tablets, B12 is a vitamin,
and an address at the foot of a notice is its sender's; so words that speak of a place must stand beside it. The inward
half of a postcode is never part of an answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_OUTWARD = r"[A-Z]{1,2}\d[A-Z\d]?"
_CODE = rf"{_OUTWARD}(?: ?\d[A-Z]{{2}})?"
_JOINT = r"(?: ?[,/&] ?(?:and |or )?| and | or | to )"
_LIST = re.compile(rf"(?<![\w-])(?P<list>{_CODE}(?:{_JOINT}{_CODE})*)(?![\w-])")
_EACH = re.compile(rf"(?<!\w)({_OUTWARD})(?: ?\d[A-Z]{{2}})?(?!\w)")
_NAMED = re.compile(r"\b(?:postcodes?|post codes?|postal districts?|postcode areas?|districts?):? (?:of )?$", re.I)
_AT = re.compile(
    r"\b(?:in|near|around|across|within|outside|throughout) (?:and around )?(?:the |parts of |[Ll]ondon,? )*$", re.I
)
_LONDON = re.compile(r"\bLondon,? \(?$")
_LABEL = re.compile(r"^\)? (?:postal |postcode )?(?:areas?|postcodes?|post codes?|districts?|parts of)\b", re.I)
# What may follow a place; another word makes it the name of a thing ('in M30 tablets').
_GOES_ON = re.compile(
    r"^(?:\s*$|\s*[.,;:)!?(\n\u2013\u2014-]|\s+[A-Z]|\s+(?:and|or|on|at|by|over|this|last|since|after|yesterday|today|tonight"
    r"|between|during|with|have|has|had|was|were|is|are|who|where|which|about|involving|following|in|may|linked|as)\b)"
)
# Tablets, vitamins, gases and meetings that are also outward codes: places only where they are called a postcode.
OTHERWISE = {"M30", "B1", "B6", "B12", "CO2", "G7", "G8", "G20", "E10"}


def codes(text: str) -> Iterator[tuple[int, str]]:
    """Each outward code written as a place, with where it starts. Whether it is in use is for the gazetteer."""
    for found in _LIST.finditer(text):
        before, after = text[max(0, found.start() - 40) : found.start()], text[found.end() : found.end() + 40]
        named = bool(_NAMED.search(before) or _LABEL.match(after))
        alone = bool(re.fullmatch(rf"{_OUTWARD}(?:{_JOINT}{_OUTWARD})*", found["list"]))
        placed = bool(_AT.search(before) or (alone and _LONDON.search(before))) and bool(_GOES_ON.match(after))
        if named or placed:
            for one in _EACH.finditer(found["list"]):
                if named or one[1] not in OTHERWISE:
                    yield found.start() + one.start(), one[1]
