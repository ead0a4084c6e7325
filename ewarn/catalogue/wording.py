"""The lists of words that the text checker reads by: stigmatising, advertising, hard; and how hard a text may be.

Content: alerts/wording.toml. Absent, nothing is listed and no reading age is asked for.
"""

from __future__ import annotations

from pydantic import Field

from ewarn.catalogue.basics import Reference
from ewarn.terms import Frozen


class Word(Frozen):
    """A word or phrase, and what to write instead."""

    word: str = Field(min_length=2)
    instead: str = Field(min_length=1)


class WordingDefinition(Frozen):
    """One file: its sources stand at its top, each list below."""

    sources: tuple[Reference, ...] = ()
    reading_age: dict[str, float] = Field(
        default_factory=dict, description="oldest reading age by audience: professional, public"
    )
    stigmatising: tuple[Word, ...] = ()
    advertising: tuple[Word, ...] = ()
    plain: tuple[Word, ...] = Field((), description="hard words and plainer ones, for the worst sentences")
