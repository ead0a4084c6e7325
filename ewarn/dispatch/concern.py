"""What an alert's area has to do with a recipient's areas.

In: a recipient, the area's code, the catalogue. Out: the relation and why, in words. Pure.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import polars as pl

from ewarn.catalogue import Catalogue
from ewarn.terms import UK, Recipient, Tier

Relation = Literal["", "own", "above", "inside", "beside"]
IN_WORDS = {"above": " of an area above it", "beside": " of a bordering area"}


class Concern(NamedTuple):
    """own: covers the area; above: an area that contains it; inside: one within it; beside: one that borders it."""

    words: str
    relation: Relation


class Around:
    """An alert's area with what contains and borders it, looked up once for a whole list of recipients."""

    def __init__(self, area: str, catalogue: Catalogue) -> None:
        self.area, self.catalogue, self.name = area, catalogue, catalogue.area_ref(area).name
        self.above = catalogue.ancestors(area)
        self.bordering = frozenset(beside(area, catalogue))
        self.codes = frozenset(catalogue.areas["code"])

    def of(self, recipient: Recipient) -> Concern:
        """Why the area concerns the recipient; no words and no relation where it does not."""
        if self.area in recipient.areas:
            return Concern(f"covers {self.name}", "own")
        above = [a.name for a in self.above if a.code in recipient.areas]
        if above:
            return Concern(f"covers {above[0]}, which contains {self.name}", "above")
        known = [code for code in recipient.areas if code in self.codes]
        within = [c for c in known if any(a.code == self.area for a in self.catalogue.ancestors(c))]
        if within:
            return Concern(f"covers {self.catalogue.area_ref(within[0]).name}, which lies in {self.name}", "inside")
        next_door = [c for c in known if c in self.bordering]
        if next_door:
            return Concern(f"covers {self.catalogue.area_ref(next_door[0]).name}, which borders {self.name}", "beside")
        return Concern("", "")


def covers(recipient: Recipient, area: str, catalogue: Catalogue) -> bool:
    """Whether a recipient's areas hold this one: itself, one that contains it, or the whole country."""
    return not {area, UK, *(a.code for a in catalogue.ancestors(area))}.isdisjoint(recipient.areas)


def beside(area: str, catalogue: Catalogue) -> list[str]:
    """The areas that border one, by code."""
    found = catalogue.neighbours.filter(pl.col("code") == area)
    return sorted(found["neighbour"].to_list())


def boroughs(area: str, catalogue: Catalogue) -> list[str]:
    """The local areas that an area is made of; itself where it is one."""
    if catalogue.area_ref(area).tier is Tier.BOROUGH:
        return [area]
    codes = catalogue.areas.filter(pl.col("tier") == Tier.BOROUGH.value)["code"].to_list()
    return sorted(code for code in codes if any(a.code == area for a in catalogue.ancestors(code)))
