"""Likeness of spellings: listed names close to one that no list has. It orders and offers; it resolves nothing.

In: listed spellings. Out: suggestions with a score and a confidence in words, and the class of a near miss.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass

from rapidfuzz import process
from rapidfuzz.distance import OSA

from ewarn.matching.finding import Entry, Name
from ewarn.matching.text import Words
from ewarn.terms import MentionKind


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A listed name close to a queued one: an offer to a person. `score` 0-100, `confidence` in words."""

    subject: str
    class_id: str | None
    name: str
    score: float
    confidence: str


class Likeness:
    """Spellings by their sound. `close`: classes whose near misses in prose are worth a person's look."""

    def __init__(self, names: Mapping[str, Entry], brands: Mapping[str, Entry], close: Container[str]) -> None:
        self._names, self._brands, self._close = dict(names), dict(brands), close
        self._sounds = {
            _sound(key): entry.name
            for key, entry in names.items()
            if len(key) > 6 and entry.name.class_id is not None and entry.name.class_id in close
        }
        self._choices: dict[str, Name] = {}

    def suggest(self, text: str, limit: int = 3) -> list[Suggestion]:
        """Listed names closest to a text; at the same likeness those of close classes first."""
        sound = _sound(Words(text).key)
        choices = self._choices or self._gathered()
        close = process.extract(
            sound, choices.keys(), scorer=OSA.normalized_similarity, limit=limit * 4, score_cutoff=0.6
        )
        found: dict[str, Suggestion] = {}
        for spelling, score, _ in close:
            name = choices[spelling]
            if name.subject not in found:
                found[name.subject] = Suggestion(
                    name.subject, name.class_id, name.text, round(100 * score, 1), confidence(100 * score)
                )
        likeliest = sorted(found.values(), key=lambda s: (-s.score, s.class_id not in self._close, s.subject))
        return likeliest[:limit]

    def class_of(self, token: str) -> str | None:
        """The class of a name one slip away (two in longer names); words of fewer than seven letters never."""
        if len(token) < 7 or not self._sounds or token in self._names:
            return None
        sound = _sound(token)
        slips = 2 if len(sound) > 10 else 1
        close = process.extractOne(sound, self._sounds.keys(), scorer=OSA.distance, score_cutoff=slips)
        return self._sounds[close[0]].class_id if close and close[0][:1] == sound[:1] else None

    def _gathered(self) -> dict[str, Name]:
        """All spellings of substances by sound: the substances' own before brands, names before what rules make."""
        listed = (*reversed(self._brands.items()), *reversed(self._names.items()))
        self._choices = {_sound(k): e.name for k, e in listed if e.name.kind is MentionKind.SUBSTANCE}
        return self._choices


def confidence(score: float) -> str:
    """A likeness of 0-100 in words: a help for the person who decides, never a decision."""
    return "very likely" if score >= 92 else "likely" if score >= 84 else "possible" if score >= 72 else "weak"


def _sound(spelling: str) -> str:
    """Spellings that sound alike as one: ph and f, y and i, c and k, doubled letters."""
    plain = spelling.replace("ph", "f").replace("y", "i").replace("ck", "k").replace("z", "s")
    return re.sub(r"(.)\1", r"\1", plain)
