"""Places: a written place or a position in, the areas it can lie in out, with how sure that is.

In: the catalogue's areas, outward codes, place names and grid squares. Out: areas with shares that sum to 1. An outward
code, a police unit or a neighbourhood is not one borough, so the answer is many-to-many. A place nobody can read gives
no area at all and says why; the caller then says 'unplaced'. Must never keep the inward half of a postcode or a
position closer than a kilometre, and never guess at a mistyped name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import polars as pl
from ahocorasick_rs import AhoCorasick, MatchKind

from ewarn.frames import empty
from ewarn.matching import grid
from ewarn.matching import placenames as words
from ewarn.matching.placenames import OUTSIDE_UK, Named
from ewarn.matching.postcodes import Postcodes, Read
from ewarn.matching.text import fold
from ewarn.terms import Tier

_FULL = re.compile(r"\b([A-Z]{1,2}\d[A-Z\d]?)\s*(\d[A-Z]{2})\b", re.IGNORECASE)
_WORDS = re.compile(r"[A-Za-z]{1,2}\d[A-Za-z\d]?(?:\s*\d[A-Za-z]{2})?")
_JOINING = re.compile(r"\b(?:and|or)\b|[\s/&+,;.|-]", re.IGNORECASE)
_LOOKS = re.compile(r"^\s*[A-Za-z]{1,2}\d[A-Za-z\d]?\s*(?:\d[A-Za-z]{0,2})?\s*$")
_CODE = re.compile(r"^[A-Za-z0-9]{3,9}$")
_GSS = re.compile(r"^[A-Z]\d{8}$")


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
class Reading:
    """The areas of a written place, and its words where the areas do not hold them.

    `why`: why there are none, or what to know of them; `outside`: it lies outside the UK.
    """

    places: tuple[Place, ...] = ()
    why: str = ""
    outside: bool = False
    written: str = ""


@dataclass(frozen=True)
class FoundArea:
    """An area named in prose; `start` and `end` bound the words. Not `certain` where the words name several areas."""

    area: str
    tier: str
    as_written: str
    start: int
    end: int
    certain: bool = True


class Gazetteer:
    """Areas, outward codes, place names and grid squares, ready to be looked up. Built once per catalogue.

    In: frames.SHAPES['areas'], ['outcodes'], ['placenames'] and ['squares']; the last two may be left out.
    """

    def __init__(
        self,
        areas: pl.DataFrame,
        outcodes: pl.DataFrame,
        placenames: pl.DataFrame | None = None,
        squares: pl.DataFrame | None = None,
    ) -> None:
        self.tiers: dict[str, str] = dict(areas.select("code", "tier").iter_rows())
        self.parents: dict[str, str | None] = dict(areas.select("code", "parent").iter_rows())
        self._names = words.of_areas(areas)
        self._named = words.of_table(empty("placenames") if placenames is None else placenames, self.tiers)
        self._codes = self._named.pop("former code", {}) | {
            name: named for name, named in self._named.get("county", {}).items() if _GSS.match(name.upper())
        }
        self._outcodes: dict[str, dict[str, float]] = {}
        for outcode, area, share in outcodes.select("outcode", "area", "share").iter_rows():
            if area in self.tiers:
                self._outcodes.setdefault(outcode.upper(), {})[area] = share
        self._outcodes |= {code: found for code, found in words.families(self._outcodes).items()}
        self._former = {code.upper(): named for code, named in self._named.pop("former outward code", {}).items()}
        self._known: dict[str, list[tuple[str, Named]]] = {}
        for kind, names in self._named.items():
            for name, named in names.items():
                self._known.setdefault(name, []).append((kind, named))
        self._postcodes = Postcodes(self._outcodes, self._former)
        self._squares = empty("squares") if squares is None else squares
        prose = {s: (c,) for s, c in words.in_prose(areas, self._names) if self.tiers[c] != Tier.UK}
        inner = {
            name: tuple(area for area, _ in named.shares)
            for name, named in self._named.get("coroner area", {}).items()
            if name.startswith("inner ") and name.endswith(" london")
        }
        self._spellings: dict[str, tuple[str, ...]] = prose | inner | dict.fromkeys(words.ELSEWHERE, ())
        self._patterns = list(self._spellings)
        self._machine = AhoCorasick(self._patterns, matchkind=MatchKind.LeftmostLongest) if self._patterns else None
        self._parts = self._part_names()
        self._part_patterns = list(self._parts)
        self._part_machine = (
            AhoCorasick([words.padded(name) for name in self._part_patterns], matchkind=MatchKind.LeftmostLongest)
            if self._parts
            else None
        )
        self._spread = lru_cache(maxsize=16_384)(self._spread_of)

    # ------------------------------------------------------------ written places

    def resolve(self, text: str, scheme: str = "") -> tuple[Place, ...]:
        """Areas a cell can lie in; empty for blank cells, bare nations, 'Array' and whatever cannot be read."""
        return _worded(self.read(text, scheme))

    def read(self, text: str, scheme: str = "") -> Reading:
        """What a cell says: an area code old or new, a name, a postcode in any spelling, or an address with one in it.

        `scheme`: the column is said to hold coroner areas or police areas, whose names are then believed first.
        """
        written = text.strip()
        if not scheme and _LOOKS.match(written) and (found := self._by_postcode(written)):
            return found
        plain = words.plain(written)
        if plain in words.NOWHERE or plain.startswith("unknown"):
            return Reading(why="not stated")
        if plain in words.NATIONS:
            return Reading(why="a nation and no closer")
        return (
            (self._by_code(written) if _CODE.match(written) else None)
            or self._by_scheme(plain, written, scheme)
            or self._by_name(plain, written)
            or self._by_postcode(written)
            or self._by_parts(written)
            or Reading(why="no area, postcode or place name known")
        )

    def area(self, code: str | None) -> tuple[Place, ...]:
        """The area of a GSS code, or what became of it; empty where nobody knows the code."""
        found = self._by_code((code or "").strip())
        return _worded(found) if found else ()

    def _by_code(self, written: str) -> Reading | None:
        code = written.upper()
        if code in self.tiers:
            return Reading(self._single(code, "area code"), written=code) if _GSS.match(code) else None
        if (named := self._codes.get(words.plain(code))) is not None:
            why = f"{code} was in force until {named.until}" if named.until else f"{code} is no longer in force"
            old = named.precision != "county"
            return Reading(self._placed(named, "area code" if old else "county"), why if old else "", written=code)
        return Reading(why="no area has this code") if _GSS.match(code) else None

    def _single(self, code: str, precision: str) -> tuple[Place, ...]:
        return self._spread(((code, 1.0),), precision, "", True)

    def _placed(self, named: Named, precision: str) -> tuple[Place, ...]:
        return self._spread(named.shares, precision, "", True)

    def _by_scheme(self, plain: str, written: str, scheme: str) -> Reading | None:
        bare = words.CORONER.sub("", plain).strip()
        forms = (plain, bare, f"{plain} coroner", f"{bare} coroner", f"{plain} police", f"{plain} area")
        for kind in words.SCHEMES.get(scheme, ()):
            for form in forms:
                if (named := self._named.get(kind, {}).get(form)) is not None:
                    return Reading(self._placed(named, named.precision), written=written)
        return None

    def _by_name(self, plain: str, written: str) -> Reading | None:
        short = words.TITLES.sub("", plain).strip() if words.TITLED.search(plain) else plain
        code = self._names.get(plain) or self._names.get(short)
        if code and self.tiers[code] != Tier.UK:
            return Reading(self._single(code, "area name"), written=written)
        for form in dict.fromkeys((plain, short, words.CORONER.sub("", plain).strip() if "coron" in plain else plain)):
            for kind, named in self._known.get(form, ()):
                if kind == OUTSIDE_UK:
                    return Reading(why=OUTSIDE_UK, outside=True)
                if kind != "police unit" or form not in words.COMPASS:
                    return Reading(self._placed(named, named.precision), written=written)
        return None

    def _by_postcode(self, written: str) -> Reading | None:
        read = self._postcodes.read(written)
        return self._of_postcode(read) if read else None

    def _of_postcode(self, read: Read) -> Reading:
        code, what, certain, why = read
        if what in ("outside", "nowhere"):
            return Reading(why=why, outside=what == "outside")
        if what == "former outward code":
            named = self._former[code]
            return Reading(self._spread(named.shares, "outward code", code, True), f"{code} is no longer in use")
        if what == "postcode area":
            return Reading(self._spread(self._of_area(code), what, code, False))
        if what == "area of a code":
            regions: dict[str, float] = {}
            for area, share in self._of_area(code):
                region = self.parents.get(area)
                if region and self.tiers[region] == Tier.REGION:
                    regions[region] = regions.get(region, 0.0) + share
            near = tuple((region, share) for region, share in regions.items() if share > 0.02 * sum(regions.values()))
            return Reading(self._spread(near, "postcode area", code, False), why)
        why = "" if certain else f"read as {code}: a letter and a digit look exchanged"
        return Reading(self._spread(tuple(self._outcodes[code].items()), what, code, certain), why)

    def _of_area(self, letters: str) -> tuple[tuple[str, float], ...]:
        """A postcode area's areas: the mean of its outward codes."""
        total: dict[str, float] = {}
        for code, shares in self._outcodes.items():
            if code[: len(letters)] == letters and code[len(letters)].isdigit():
                for area, share in shares.items():
                    total[area] = total.get(area, 0.0) + share
        return tuple(total.items())

    def outward(self, written: str) -> str:
        """The outward code in a cell: `W114` is W11 + sector 4, `SE01` is SE1. Empty where there is none."""
        read = self._postcodes.read(written)
        return read.code if read and read.what in ("full postcode", "outward code") else ""

    def _spread_of(
        self, shares: tuple[tuple[str, float], ...], precision: str, written: str, certain: bool
    ) -> tuple[Place, ...]:
        total = sum(share for _, share in shares)
        alone = certain and len(shares) == 1
        return tuple(
            Place(
                area, self.tiers[area], share / total, alone,
                "region" if alone and self.tiers[area] == Tier.REGION else precision, written,
            )
            for area, share in sorted(shares, key=lambda item: (-item[1], item[0]))
        )  # fmt: skip

    def neighbourhood(self, name: str) -> tuple[Place, ...]:
        """The areas of a neighbourhood of London; empty where none has this name."""
        named = self._named.get("neighbourhood", {}).get(words.plain(name))
        return self._spread(named.shares, named.precision, name, True) if named else ()

    # ------------------------------------------------------------ addresses and lists

    def _by_parts(self, written: str) -> Reading | None:
        """An address or a list: the postcode in it, else the closest areas it names."""
        if found := self._postcodes_in(written):
            return found
        named_parts = list(self._named_parts(words.plain(written.replace(",", " "))))
        kept = [part for part in named_parts if not part[1]] or named_parts
        hits = [named for named, _, _ in kept]
        if not hits:
            return None
        groups: list[dict[str, float]] = []
        for named in (one for one in hits if self._is_fine(one)):
            words.meet(groups, dict(named.shares))
        for named in (one for one in hits if not self._is_fine(one)):
            groups = self._narrowed(groups, dict(named.shares)) if groups else [dict(named.shares)]
        shares: dict[str, float] = {}
        for group in groups:
            for area, share in group.items():
                shares[area] = shares.get(area, 0.0) + share / sum(group.values())
        precision = next((one.precision for one in hits if self._is_fine(one)), hits[0].precision)
        return Reading(
            self._spread(tuple(shares.items()), precision, "", True), written=", ".join(name for _, _, name in kept)
        )

    def _postcodes_in(self, written: str) -> Reading | None:
        """The first postcode of an address; of a list that holds nothing else, all of them."""
        codes = [read for word in _WORDS.findall(written) if (read := self._postcodes.within(word))]
        if not codes:
            return None
        if len(codes) == 1 or _JOINING.sub("", _WORDS.sub("", written)):
            return self._of_postcode(codes[0])
        shares: dict[str, float] = {}
        for area, share in (item for read in codes for item in self._outcodes[read.code].items()):
            shares[area] = shares.get(area, 0.0) + share
        return Reading(self._spread_of(tuple(shares.items()), codes[0].what, ", ".join(r.code for r in codes), True))

    def _is_fine(self, named: Named) -> bool:
        return named.precision in words.FINE and all(self.tiers[area] == Tier.BOROUGH for area, _ in named.shares)

    def _narrowed(self, groups: list[dict[str, float]], wide: Mapping[str, float]) -> list[dict[str, float]]:
        """Each group cut down to what lies in the wider area, where any of it does."""
        kept = []
        for group in groups:
            inside = {a: s for a, s in group.items() if a in wide or any(up in wide for up in self._ancestors(a))}
            kept.append(inside or group)
        return kept

    def _named_parts(self, plain: str) -> Iterator[tuple[Named, bool, str]]:
        """Names in a folded text, whether each is the name of a road (Brixton Road may lie anywhere), and the name.

        The rest of an address, which may be somebody's door, is no part of the answer.
        """
        text = words.padded(plain)
        for index, _, end in self._part_machine.find_matches_as_indexes(text) if self._part_machine else ():
            name = self._part_patterns[index]
            named = self._parts[name]
            if named is not None:
                yield named, bool(words.ROAD.match(text, end)), name

    def _part_names(self) -> dict[str, Named | None]:
        """Names looked for inside an address; None for longer names that are somewhere else."""
        parts: dict[str, Named | None] = {}
        for kind in reversed([k for k in words.KINDS if k not in ("police unit", "police force", OUTSIDE_UK)]):
            for name, named in self._named.get(kind, {}).items():
                if len(name) > 3 and name not in words.EVERYDAY | words.QUARTERS and name not in words.COMPASS:
                    parts[name] = named
        for name, code in self._names.items():
            if len(name) > 2 and self.tiers[code] != Tier.UK:
                parts[name] = Named(((code, 1.0),), _precision(self.tiers[code]))
        return parts | dict.fromkeys((words.plain(name) for name in words.ELSEWHERE), None)

    # ------------------------------------------------------------ positions

    def located(self, positions: pl.DataFrame) -> pl.DataFrame:
        """Areas of positions. In: `at` (an id), easting, northing in metres. Out: `at` and the columns of a place.

        The smallest listed square counts. A position in no listed square gives no row: it lies outside the UK, or
        at sea.
        """
        names = grid.squares(pl.col("easting"), pl.col("northing"))
        known = self._squares.filter(pl.col("area").is_in(list(self.tiers)))
        named = positions.select("at", **{str(size): name for size, name in names.items()})
        listed = known.select("square").unique()
        found = named.select("at", near="1")
        for size in ("1", "5", "10"):
            marked = named.join(listed, left_on=size, right_on="square", how="semi").select("at", pl.col(size))
            found = found.join(marked, on="at", how="left", maintain_order="left")
        chosen = found.select("at", "near", square=pl.coalesce("1", "5", "10")).drop_nulls("square")
        tier = pl.col("area").replace_strict(self.tiers, default=None, return_dtype=pl.String)
        region = tier == Tier.REGION.value
        return chosen.join(known, on="square", how="inner").select(
            "at", "area", tier=tier, share=pl.col("share") / pl.col("share").sum().over("at"), certain="certain",
            precision=pl.when(region).then(pl.lit("region")).otherwise(pl.lit("coordinates")), as_written="near",
        )  # fmt: skip

    # ------------------------------------------------------------ prose

    def find(self, text: str) -> list[FoundArea]:
        """Areas named in prose, in order. The name must begin with a capital; everyday words need a place word beside
        them.

        A region is left out where an area inside it is named too.
        """
        found = list(self._find(text))
        wider = {parent for f in found for parent in self._ancestors(f.area)}
        kept: dict[str, FoundArea] = {}
        for one in found:
            if one.area not in wider:
                kept.setdefault(one.area, one)
        return list(kept.values())

    def _find(self, text: str) -> Iterator[FoundArea]:
        folded = fold(text)
        plain, position = folded.text, 0
        while self._machine is not None:
            hits = self._machine.find_matches_as_indexes(plain[position:])
            if not hits:
                return
            index, start, end = hits[0][0], hits[0][1] + position, hits[0][2] + position
            position = end if words.whole_word(plain, start, end) else start + 1
            codes = self._spellings[self._patterns[index]]
            if not codes or position != end:
                continue
            left, right = folded.span(start, end)
            if not words.speaks_of_place(text, left, right, self._patterns[index]):
                continue
            for code in codes:
                yield FoundArea(code, self.tiers[code], text[left:right], left, right, len(codes) == 1)

    def _ancestors(self, code: str) -> list[str]:
        above: list[str] = []
        parent = self.parents.get(code)
        while parent and parent not in above:
            above.append(parent)
            parent = self.parents.get(parent)
        return above


def _worded(reading: Reading) -> tuple[Place, ...]:
    """The areas with the words of the cell."""
    return tuple(place if place.as_written else replace(place, as_written=reading.written) for place in reading.places)


def outside(text: str) -> str:
    """The text with every full postcode cut to its outward half."""
    return _FULL.sub(lambda found: found[1].upper(), text.strip())


def _precision(tier: str) -> str:
    return "region" if tier == Tier.REGION else "area name"
