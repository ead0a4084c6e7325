"""Names of places: the words that name areas, and how two spellings are held to be one.

In: the tables of areas and place names. Out: folded names to areas, and what a word means beside others.
Must never resolve a name by likeness.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from ewarn.matching.text import spaced
from ewarn.terms import UK, Tier

OUTSIDE_UK = "outside the UK"
# Cells that say nothing of a place.
NOWHERE = {
    "", "uk", "united kingdom", "array", "na", "n a", "none", "unknown", "not stated", "not known", "not given",
    "not recorded", "unspecified", "no fixed abode", "nfa", "withheld", "redacted", "null", "nil",
}  # fmt: skip
# Bare nations that are no areas of the catalogue: somewhere in the UK, and no closer.
NATIONS = {
    "england", "great britain", "britain", "gb", "england and wales", "e92000001", "k03000001", "k04000001",
}  # fmt: skip
# Everyday words that are also names of areas: in prose they count only after in, at, near ... or before council,
# borough.
EVERYDAY = {
    "reading", "bath", "sale", "city", "kingston", "richmond", "barking", "wells", "deal", "rugby", "rye", "ware",
    "battle", "street", "settle", "boston", "lincoln", "lancaster", "newport", "washington", "durham", "cambridge",
    "worcester", "westminster", "halton", "sandwich", "epping", "tower", "rother", "arun", "swale", "dover", "corby",
    "stroud",
}  # fmt: skip
# Longer names that hold an area's name and are somewhere else.
ELSEWHERE = (
    "new york", "new south wales", "new england", "prince of wales", "princess of wales", "london, ontario",
    "birmingham, alabama", "richmond, virginia", "kingston, ontario", "durham, north carolina",
    "cambridge, massachusetts", "north york", "boston, massachusetts", "bath salts", "bath salt",
    "public health england", "nhs england", "public health scotland", "public health wales",
    "university college london",
)  # fmt: skip
_CONTEXT_BEFORE = re.compile(r"\b(?:in|at|near|from|around|across|within|of|and|outside) (?:the )?$", re.IGNORECASE)
_CONTEXT_AFTER = re.compile(
    r"^,? (?:council|borough|city council|area|police|residents|and surrounding)\b", re.IGNORECASE
)
_FOLD = str.maketrans({"-": " ", "_": " ", "&": " and "} | dict.fromkeys(".,'\u2019()"))
_WORD = re.compile(r"\w+")
TITLES = re.compile(
    r"^(?:the )?(?:(?:london |royal |metropolitan )?borough of|city of|county of|city and county of)"
    r" | (?:(?:london |royal |county )?borough|(?:borough |city |county |district )?council|district|city)$"
)
TITLED = re.compile(r"\b(?:borough|city|county|council|district)\b")
CORONER = re.compile(r"^(?:hm )?(?:senior )?(?:coroners? )?(?:area |for )+(?:of |the )*| (?:hm )?(?:area )?coron\w*.*$")
ROAD = re.compile(
    r" *(?:high  )?(?:road|rd|street|st|lane|ln|avenue|ave|way|close|drive|gardens|terrace|crescent|court|house|arms)\b"
)
# Points of the compass name police units only where the column is said to hold police units.
COMPASS = {"north", "south", "east", "west", "north east", "north west", "south east", "south west"}
# Names of quarters that are everyday words: read where they are the whole cell, never inside an address.
QUARTERS = {
    "acton", "alford", "angel", "arsenal", "ash", "barnes", "barnhill", "beer", "bellingham", "bourne", "bow",
    "chard", "clare", "craven", "crook", "diss", "downham", "ellon", "embankment", "grange park", "hampton",
    "hayes", "hope", "keith", "kew", "kings road", "lee", "looe", "march", "mold", "nelson", "neston", "newton",
    "old street", "oval", "penn", "poole", "seal", "sheen", "st anns", "st johns", "st pauls", "stone", "strand",
    "stratford", "temple", "ventnor", "victoria", "waterloo", "wells", "wing", "wye", "yarm",
}  # fmt: skip
# Kind of a place name -> the precision it gives; in the order in which kinds are believed.
KINDS = {
    "former authority": "area name", "county": "county", "neighbourhood": "neighbourhood", "post town": "town",
    "coroner area": "coroner area", "police force": "police area", "police unit": "police area",
    "outside the UK": OUTSIDE_UK,
}  # fmt: skip
FINE = ("area name", "neighbourhood", "town")
# What a column may be said to hold -> the kinds that are then believed before the names of areas.
SCHEMES = {"coroner area": ("coroner area",), "police area": ("police unit", "police force")}


@dataclass(frozen=True)
class Named:
    """What a name stands for: areas with shares, and until when it was in force."""

    shares: tuple[tuple[str, float], ...]
    precision: str
    until: str = ""


def plain(text: str) -> str:
    """Folded for comparison as `spaced` does, without points, commas, apostrophes and brackets, `&` as and."""
    folded = text.casefold() if text.isascii() else spaced(text)
    return " ".join(folded.translate(_FOLD).split())


def padded(plain: str) -> str:
    """A folded text with a space of its own on both sides of every word, so that only whole words match."""
    return f" {'  '.join(_WORD.findall(plain))} "


def whole_word(text: str, start: int, end: int) -> bool:
    return not (text[start - 1 : start].isalnum() and start > 0) and not text[end : end + 1].isalnum()


def speaks_of_place(text: str, start: int, end: int, name: str) -> bool:
    """A capital first; a single everyday word also needs a place word before or after it."""
    if not text[start].isupper():
        return False
    if name not in EVERYDAY:
        return True
    return bool(_CONTEXT_BEFORE.search(text[:start]) or _CONTEXT_AFTER.match(text[end:]))


def of_areas(areas: pl.DataFrame) -> dict[str, str]:
    """Plain spelling -> code. Where two areas share a spelling the closer tier wins, then the lower code."""
    order = {Tier.BOROUGH: 0, Tier.REGION: 1, Tier.UK: 2}
    rows = sorted(areas.select("code", "name", "other_names", "tier").iter_rows(), key=lambda r: (order[r[3]], r[0]))
    primary = {plain(name): code for code, name, _, _ in reversed(rows)}
    names: dict[str, str] = {}
    for code, name, others, _ in rows:
        for spelling in (name, *(others or "").split("|")):
            word = plain(spelling)
            for known in (word, TITLES.sub("", word).strip()) if word else ():
                if known not in NOWHERE and (known == word or known not in primary):
                    names.setdefault(known, code)
    return names | {name: code for name, code in primary.items() if name not in NOWHERE} | {"uk": UK} if rows else names


def in_prose(areas: pl.DataFrame, names: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Folded spellings to look for in prose, with `&` and apostrophes as people write them."""
    written = {
        w for row in areas.select("name", "other_names").iter_rows() for w in (row[0], *(row[1] or "").split("|"))
    }
    for spelling in sorted({*names, *(spaced(w) for w in written)}):
        code = names.get(plain(spelling))
        if code and len(spelling) > 2 and spelling not in NOWHERE:
            yield spelling, code
            yield spelling.replace(" and ", " & "), code


def of_table(placenames: pl.DataFrame, tiers: Mapping[str, str]) -> dict[str, dict[str, Named]]:
    """Kind -> plain name -> what it stands for, kinds in the order in which they are believed."""
    rows: dict[tuple[str, str], list[tuple[str, float, str]]] = {}
    spelt: dict[tuple[str, str], str] = {}
    columns = placenames.select("name", "kind", "area", "share", "valid_to")
    for name, kind, area, share, until in columns.iter_rows():
        first = spelt.setdefault((kind, plain(name)), name) == name
        if first and (kind == OUTSIDE_UK or area in tiers):
            rows.setdefault((kind, plain(name)), []).append((area, share, until.isoformat() if until else ""))
    named: dict[str, dict[str, Named]] = {kind: {} for kind in KINDS}
    for (kind, name), found in rows.items():
        shares = () if kind == OUTSIDE_UK else tuple((area, share) for area, share, _ in found)
        named.setdefault(kind, {})[name] = Named(shares, KINDS.get(kind, "area code"), found[0][2])
    return named


def families(outcodes: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """`EC1` where only EC1A, EC1M ... exist: the mean of its members' shares."""
    members: dict[str, list[dict[str, float]]] = {}
    for outcode, shares in outcodes.items():
        if outcode[-1].isalpha() and outcode[:-1] not in outcodes:
            members.setdefault(outcode[:-1], []).append(shares)
    families: dict[str, dict[str, float]] = {}
    for stem, lists in members.items():
        areas = {area for shares in lists for area in shares}
        families[stem] = {area: sum(shares.get(area, 0.0) for shares in lists) / len(lists) for area in areas}
    return families


def meet(groups: list[dict[str, float]], shares: dict[str, float]) -> None:
    """Cut the first group that meets these areas down to what they have in common, or begin a new group."""
    for group in groups:
        common = group.keys() & shares.keys()
        if common:
            for area in group.keys() - common:
                del group[area]
            return
    groups.append(dict(shares))
