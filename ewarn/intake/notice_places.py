"""Areas of ours that a notice speaks of, and the words that say it speaks of abroad.

In: the text of a notice and the vocabulary. Out: places. A namesake abroad (Birmingham, Alabama) and a surname (Mr
London) are never an area of ours; a word about abroad does not move what happened here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from ewarn.intake import notice_london, notice_postcodes, notice_words
from ewarn.intake.notice_names import pieces
from ewarn.intake.places import unplaced
from ewarn.intake.vocabulary import Vocabulary
from ewarn.matching import FoundArea, Gazetteer, Place
from ewarn.terms import LONDON_REGION

NOWHERE = ("unplaced", "outside the UK")


def places(
    text: str, title: str, default_area: str, vocabulary: Vocabulary, nameless: bool, abroad: bool
) -> tuple[list[Place], list[str]]:
    """Areas of ours that it names, and the words that say it speaks of abroad. A twin abroad is never one of ours."""
    gazetteer = vocabulary.gazetteer
    masked = _without_twins(text)
    foreign = list(_abroad(text, nameless))
    ours = bool(notice_words.OURS.search(masked))
    away = (abroad or bool(notice_words.STATE.search(title))) and not ours
    found = [] if away else _named(notice_london.without_units(masked), text, gazetteer, nameless)
    parts = [] if away or (foreign and not ours) else _parts(masked, found, gazetteer, nameless)
    if found or parts:
        return _together(found, parts, gazetteer), []
    where = unplaced(default_area, gazetteer, "")
    if not ours and (foreign or abroad):
        return [Place(where.area, where.tier, 1.0, False, "outside the UK", foreign[0] if foreign else "")], foreign
    return [where], []


def _named(masked: str, text: str, gazetteer: Gazetteer, nameless: bool) -> list[FoundArea]:
    """Areas named, each once; a region is left out where an area inside it is named too."""
    kept: dict[str, FoundArea] = {}
    for start, piece in pieces(masked):
        for one in gazetteer.find(piece):
            if not nameless or _about_a_place(text, start + one.start, start + one.end):
                kept.setdefault(one.area, one)
    wider = set()
    for code in kept:
        while (code := gazetteer.parents.get(code) or "") and code not in wider:
            wider.add(code)
    return [one for one in kept.values() if one.area not in wider]


def _parts(text: str, found: list[FoundArea], gazetteer: Gazetteer, nameless: bool) -> list[tuple[Place, ...]]:
    """The areas of outward codes and of parts of London; neighbourhoods where nothing closer than London is named."""
    once = dict.fromkeys(code for _, code in notice_postcodes.codes(text))
    coded = [places for code in once if gazetteer.outward(code) == code and (places := gazetteer.resolve(code))]
    units = list(notice_london.units(text, gazetteer))
    if nameless or units or any(one.area != LONDON_REGION for one in found):
        return coded + units
    return coded + list(notice_london.neighbourhoods(text, gazetteer))


def _together(found: list[FoundArea], parts: list[tuple[Place, ...]], gazetteer: Gazetteer) -> list[Place]:
    """Every place once: no part of an area that is named too, no region that holds a part."""
    named = {one.area for one in found}
    parts = [places for places in parts if not any(place.area in named for place in places)]
    above = {parent for places in parts for place in places if (parent := gazetteer.parents.get(place.area))}
    groups = [
        (Place(f.area, f.tier, 1.0, f.certain, "region" if f.tier == "region" else "area name", f.as_written),)
        for f in found
        if f.area not in above
    ] + parts
    made: dict[str, Place] = {}
    for place in (replace(one, share=one.share / len(groups)) for group in groups for one in group):
        had = made.get(place.area)
        written = f"{had.as_written}, {place.as_written}" if had else place.as_written
        share, certain = place.share + (had.share if had else 0.0), place.certain or bool(had and had.certain)
        made[place.area] = replace(place, share=share, certain=certain, as_written=written)
    return list(made.values())


def _abroad(text: str, nameless: bool) -> Iterator[str]:
    """The words that name places abroad, each once; of a source that names people only what stands as a place."""
    found = [(f.start(), f.end(), f.group()) for f in notice_words.ABROAD.finditer(text)]
    for twin in notice_words.TWIN.finditer(text):
        if twin["there"]:
            found.append((*twin.span("there"), twin["there"]))
        elif not nameless:
            found.append((*twin.span(), twin.group()))
    named = [word for start, end, word in sorted(found) if not nameless or _about_a_place(text, start, end)]
    yield from dict.fromkeys(named)


def _without_twins(text: str) -> str:
    """The text with places abroad, their namesakes, and titled people blanked out, letter for letter."""
    twins = {found["name"] or found["county"] for found in notice_words.TWIN.finditer(text)}
    for pattern in (notice_words.TWIN, notice_words.ABROAD, notice_words.TITLED):
        text = pattern.sub(lambda found: " " * len(found.group()), text)
    for name in sorted(twins):
        text = re.sub(rf"\b{re.escape(name)}\b", " " * len(name), text)
    return text


_PLACE_BEFORE = re.compile(
    r"(?:\b(?:(?i:in|at|near|from|around|across|within|of|for|to|the|outside|and|inner|outer|greater|central)"
    r"|(?:North|South|East|West)(?:ern)?) |[,(\u2013\u2014:-]\s*)$"
)
_PLACE_AFTER = re.compile(
    r"^(?:,? (?:Council|Borough|Coroner|Police|Hospital|Ambulance|University|Magistrates|Crown|Prison|City|County"
    r"|North|South|East|West|Area|NHS)\b|(?! [A-Z]))"
)


def _about_a_place(text: str, start: int, end: int) -> bool:
    """Whether words that may also be a surname speak of a place here."""
    return bool(_PLACE_BEFORE.search(text[max(0, start - 30) : start]) and _PLACE_AFTER.match(text[end : end + 30]))
