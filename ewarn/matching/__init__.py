"""Matching: written words in, known substances and areas out.

In: the catalogue's classes, statuses, areas and outward codes, and text. Out: mentions and places with the words
matched. Must never read a file, a clock or the network, and never resolve a name by likeness: what is not known by
its whole name is queued for a person.
"""

from ewarn.matching.likeness import Suggestion
from ewarn.matching.names import Matcher, Mention
from ewarn.matching.places import FoundArea, Gazetteer, Place

__all__ = ["FoundArea", "Gazetteer", "Matcher", "Mention", "Place", "Suggestion"]
