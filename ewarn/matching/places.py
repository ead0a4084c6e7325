"""Places: a written place in, the areas it can lie in out, with how sure that is.

In: the catalogue's areas and outward codes. Out: areas with shares that sum to 1. An outward code is not one borough,
so the answer is many-to-many. A place nobody can read gives no area at all; the caller then says 'unplaced'. Must
never keep the inward half of a postcode, and never guess at a mistyped one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
from ahocorasick_rs import AhoCorasick, MatchKind

from ewarn.matching.text import fold, spaced
from ewarn.terms import UK, Tier

# England, Scotland ... as bare nations say no more than 'somewhere in the UK' when they are not areas of the catalogue.
NOWHERE = {
    "", "england", "great britain", "britain", "gb", "uk", "united kingdom",
    "array", "na", "n a", "none", "unknown",
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
_FULL = re.compile(r"\b([A-Z]{1,2}\d[A-Z\d]?)\s*(\d[A-Z]{2})\b", re.IGNORECASE)
_OUTWARD = re.compile(r"^[A-Z]{1,2}\d[A-Z\d]?$")
_JOINED = re.compile(r"^([A-Z]{1,2}\d[A-Z\d]?)(\d[A-Z]{0,2})$")
_PADDED = re.compile(r"^([A-Z]{1,2})0(\d[A-Z]?.*)$")
_GSS = re.compile(r"^[A-Z]\d{8}$")
_TITLES = re.compile(
    r"^(?:the )?(?:(?:london |royal |metropolitan )?borough of|city of|county of|city and county of)"
    r" | (?:(?:london |royal |county )?borough|(?:borough |city |county |district )?council|district|city)$"
)


@dataclass(frozen=True)
class Place:
    """One area a written place can lie in. `share` sums to 1 over a place; `certain`: it lies in this area alone."""

    area: str
    tier: str
    share: float
    certain: bool
    precision: str
    as_written: str


@dataclass(frozen=True)
class FoundArea:
    """An area named in prose; `start` and `end` bound the words in the text."""

    area: str
    tier: str
    as_written: str
    start: int
    end: int


class Gazetteer:
    """Areas and outward codes, ready to be looked up. Built once per catalogue.

    In: frames.SHAPES['areas'] and frames.SHAPES['outcodes'].
    """

    def __init__(self, areas: pl.DataFrame, outcodes: pl.DataFrame) -> None:
        self.tiers: dict[str, str] = dict(areas.select("code", "tier").iter_rows())
        self.parents: dict[str, str | None] = dict(areas.select("code", "parent").iter_rows())
        self._names = _area_names(areas)
        self._outcodes: dict[str, dict[str, float]] = {}
        for outcode, area, share in outcodes.select("outcode", "area", "share").iter_rows():
            self._outcodes.setdefault(outcode.upper(), {})[area] = share
        self._families = _families(self._outcodes)
        prose = {s: code for s, code in _in_prose(areas, self._names) if self.tiers[code] != Tier.UK}
        self._spellings: dict[str, str | None] = prose | dict.fromkeys(ELSEWHERE)
        self._patterns = list(self._spellings)
        self._machine = AhoCorasick(self._patterns, matchkind=MatchKind.LeftmostLongest) if self._patterns else None

    def resolve(self, text: str) -> tuple[Place, ...]:
        """Areas a cell can lie in: GSS code, area name, postcode in any of its spellings, or an address holding one.

        Empty for blank cells, bare nations, 'Array', 'UNKNOWN - ...' and whatever cannot be read.
        """
        written = text.strip()
        if spaced(written) in NOWHERE or spaced(written).startswith("unknown"):
            return ()
        code = written.upper()
        if _GSS.match(code):
            return self._single(code, "area code", written) if code in self.tiers else ()
        return self._by_name(written) or self._by_postcode(written) or self._by_parts(written)

    def area(self, code: str | None) -> tuple[Place, ...]:
        """The area of a GSS code; empty where the code is not in the catalogue."""
        code = (code or "").strip().upper()
        return self._single(code, "area code", code) if code in self.tiers else ()

    def find(self, text: str) -> list[FoundArea]:
        """Areas named in prose, in order. The name must begin with a capital; everyday words need a place word beside
        them.

        A region is left out where an area inside it is named too.
        """
        found = list(self._find(text, strict=True))
        wider = {parent for f in found for parent in self._ancestors(f.area)}
        kept: dict[str, FoundArea] = {}
        for one in found:
            if one.area not in wider:
                kept.setdefault(one.area, one)
        return list(kept.values())

    def _single(self, code: str, precision: str, written: str) -> tuple[Place, ...]:
        tier = self.tiers[code]
        return (Place(code, tier, 1.0, True, "region" if tier == Tier.REGION else precision, written),)

    def _by_name(self, written: str) -> tuple[Place, ...]:
        name = _plain(written)
        code = self._names.get(name) or self._names.get(_TITLES.sub("", name).strip())
        return self._single(code, "area name", written) if code and self.tiers[code] != Tier.UK else ()

    def _by_postcode(self, written: str) -> tuple[Place, ...]:
        full = _FULL.search(written) if " " in written else _FULL.fullmatch(written)
        if full and self._shares(_unpadded(full[1].upper())) and not self._exists(written.upper()):
            outward = _unpadded(full[1].upper())
            return self._spread(outward, self._shares(outward), "full postcode")
        outward = self.outward(written)
        return self._spread(outward, self._shares(outward), "outward code") if outward else ()

    def outward(self, written: str) -> str:
        """The outward code in a cell: `W114` is W11 + sector 4, `SE01` is SE1. Empty where there is none.

        An existing outward code wins as a whole over an outward code and a sector run together.
        """
        first = written.upper().replace(".", " ").split()
        for text in dict.fromkeys(["".join(first), first[0] if first else ""]):
            for candidate in dict.fromkeys([text, _unpadded(text)]):
                if _OUTWARD.match(candidate) and self._shares(candidate):
                    return candidate
                joined = _JOINED.match(candidate)
                if joined and self._shares(joined[1]):
                    return joined[1]
        return ""

    def _exists(self, outcode: str) -> bool:
        return outcode in self._outcodes

    def _shares(self, outward: str) -> dict[str, float]:
        return self._outcodes.get(outward) or self._families.get(outward) or {}

    def _spread(self, outward: str, shares: dict[str, float], precision: str) -> tuple[Place, ...]:
        known = {area: share for area, share in shares.items() if area in self.tiers}
        total = sum(known.values())
        return tuple(
            Place(area, self.tiers[area], share / total, len(known) == 1, precision, outward)
            for area, share in sorted(known.items(), key=lambda item: (-item[1], item[0]))
            if total > 0
        )

    def _by_parts(self, written: str) -> tuple[Place, ...]:
        """An address or a list: the postcode in it, else the closest areas it names."""
        for word in re.findall(r"[A-Za-z]{1,2}\d[A-Za-z\d]?(?:\s*\d[A-Za-z]{2})?", written):
            found = self._by_postcode(word)
            if found:
                return found
        named = list(dict.fromkeys(f.area for f in self._find(written, strict=False)))
        wider = {parent for code in named for parent in self._ancestors(code)}
        named = [code for code in named if code not in wider]
        return tuple(
            Place(
                code, self.tiers[code], 1 / len(named), len(named) == 1, _precision(self.tiers[code]), outside(written)
            )
            for code in named
        )

    def _find(self, text: str, strict: bool) -> Iterator[FoundArea]:
        folded = fold(text)
        plain, position = folded.text, 0
        while self._machine is not None:
            hits = self._machine.find_matches_as_indexes(plain[position:])
            if not hits:
                return
            index, start, end = hits[0][0], hits[0][1] + position, hits[0][2] + position
            position = end if _whole_word(plain, start, end) else start + 1
            code = self._spellings[self._patterns[index]]
            if code is None or position != end:
                continue
            left, right = folded.span(start, end)
            if strict and not _speaks_of_place(text, left, right, self._patterns[index]):
                continue
            yield FoundArea(code, self.tiers[code], text[left:right], left, right)

    def _ancestors(self, code: str) -> list[str]:
        above: list[str] = []
        parent = self.parents.get(code)
        while parent and parent not in above:
            above.append(parent)
            parent = self.parents.get(parent)
        return above


def outside(text: str) -> str:
    """The text with every full postcode cut to its outward half."""
    return _FULL.sub(lambda found: found[1].upper(), text.strip())


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"[.,'’]", "", spaced(text).replace("&", " and "))).strip()


def _precision(tier: str) -> str:
    return "region" if tier == Tier.REGION else "area name"


def _unpadded(text: str) -> str:
    return _PADDED.sub(r"\1\2", text)


def _whole_word(text: str, start: int, end: int) -> bool:
    return not (text[start - 1 : start].isalnum() and start > 0) and not text[end : end + 1].isalnum()


def _speaks_of_place(text: str, start: int, end: int, name: str) -> bool:
    """A capital first; a single everyday word also needs a place word before or after it."""
    if not text[start].isupper():
        return False
    if name not in EVERYDAY:
        return True
    return bool(_CONTEXT_BEFORE.search(text[:start]) or _CONTEXT_AFTER.match(text[end:]))


def _area_names(areas: pl.DataFrame) -> dict[str, str]:
    """Plain spelling -> code. Where two areas share a spelling the closer tier wins, then the lower code."""
    order = {Tier.BOROUGH: 0, Tier.REGION: 1, Tier.UK: 2}
    rows = sorted(areas.select("code", "name", "other_names", "tier").iter_rows(), key=lambda r: (order[r[3]], r[0]))
    primary = {_plain(name): code for code, name, _, _ in reversed(rows)}
    names: dict[str, str] = {}
    for code, name, others, _ in rows:
        for spelling in (name, *(others or "").split("|")):
            plain = _plain(spelling)
            for known in (plain, _TITLES.sub("", plain).strip()) if plain else ():
                if known not in NOWHERE and (known == plain or known not in primary):
                    names.setdefault(known, code)
    return names | {name: code for name, code in primary.items() if name not in NOWHERE} | {"uk": UK} if rows else names


def _in_prose(areas: pl.DataFrame, names: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Folded spellings to look for in prose, with `&` and apostrophes as people write them."""
    written = {
        w for row in areas.select("name", "other_names").iter_rows() for w in (row[0], *(row[1] or "").split("|"))
    }
    for spelling in sorted({*names, *(spaced(w) for w in written)}):
        code = names.get(_plain(spelling))
        if code and len(spelling) > 2 and spelling not in NOWHERE:
            yield spelling, code
            yield spelling.replace(" and ", " & "), code


def _families(outcodes: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
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
