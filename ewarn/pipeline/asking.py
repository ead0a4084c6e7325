"""What people mean by an area or a drug: a code or id, or the name they say.

In: a house and words. Out: the GSS code or the id they stand for. It must never guess: words that fit two things, or
none, are asked about, with what comes near.
"""

from __future__ import annotations

from collections.abc import Iterable

from rapidfuzz import process

from ewarn.errors import UsageFault
from ewarn.pipeline.house import House

NEAR = 75


def area_code(house: House, said: str | None) -> str | None:
    """The code of the area with this code, name or other name. Raises: UsageFault."""
    if said is None:
        return None
    areas = house.catalogue.areas
    by_code = {code.casefold(): code for code in areas["code"]}
    named: dict[str, set[str]] = {}
    for code, name, others in areas.select("code", "name", "other_names").iter_rows():
        for word in (name, *(others or "").split("|")):
            named.setdefault(_plain(word), set()).add(code)
    found = {by_code[said.casefold()]} if said.casefold() in by_code else named.get(_plain(said), set())
    if len(found) == 1:
        return found.pop()
    return _refused(f"no area is called '{said}'", said, {n for n in named if n}, "a name, or a code such as E09000007")


def subject_id(house: House, said: str | None) -> str | None:
    """The id of the substance or class with this id, name or synonym. Raises: UsageFault."""
    if said is None:
        return None
    catalogue = house.catalogue
    known = {**catalogue.substances, **catalogue.classes}
    if said in known:
        return said
    named: dict[str, set[str]] = {}
    for key, definition in known.items():
        for word in (key, catalogue.name_of(key), *getattr(definition, "synonyms", ())):
            named.setdefault(_plain(word), set()).add(key)
    found = named.get(_plain(said)) or named.get(_plain(said).removesuffix("s"), set())
    if len(found) == 1:
        return found.pop()
    return _refused(f"there is no substance or class '{said}'", said, named, "an id or name from sources/substances")


def _plain(word: str) -> str:
    return " ".join(word.casefold().replace("-", " ").split())


def _refused(what: str, said: str, names: Iterable[str], else_say: str) -> str:
    near = [name for name, _, _ in process.extract(_plain(said), sorted(names), limit=3, score_cutoff=NEAR)]
    meant = f"Did you mean {' or '.join(near)}? Otherwise give {else_say}." if near else f"Give {else_say}."
    raise UsageFault(what, next_step=meant)
