"""How hard a text is to read, by audience: the Flesch-Kincaid grade as an age, with the hardest sentences named.

In: an alert and the catalogue's word lists. Out: one warning for each audience whose text is too hard. It must never
stop a text: a formula knows nothing of meaning.
Units: reading age in years: US school grade plus five.
Source: Kincaid et al. 1975, 'Derivation of new readability formulas', Navy RBR 8-75:
grade = 0.39 words/sentences + 11.8 syllables/words - 15.59.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from pyphen import Pyphen

from ewarn.assess.lint.finding import Finding, texts, warning
from ewarn.assess.lint.wording import sentences
from ewarn.catalogue import Catalogue
from ewarn.disclosure.suppress import for_audience
from ewarn.terms import Alert

READ = ("headline", "what_happened", "verification", "at_risk", "why", "emergency", "signs", "advice", "report_back")
NOT_READ = (".id", ".level", ".version", ".title")
WORD = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*")
LONG_SENTENCE = 20
NAMED = 3


def ages(alert: Alert, catalogue: Catalogue) -> Iterator[Finding]:
    """A warning for each audience whose text is harder than its reading age."""
    lists = catalogue.wording
    for audience, oldest in sorted(lists.reading_age.items()):
        said = _sentences(for_audience(alert.content, audience))
        names = _names(alert, catalogue)
        age = reading_age(said, names)
        if age <= oldest:
            continue
        hardest = sorted(said, key=lambda s: -_weight(s, names))[:NAMED]
        shown = "; ".join(f"'{s}' (age {reading_age([s], names):.0f})" for s in hardest)
        yield warning(
            "reading-age",
            f"{audience} text",
            f"reading age {age:.1f}, wanted {oldest:g} at most; the hardest: {shown}",
            " ".join(dict.fromkeys(_plainer(s, catalogue) for s in hardest)),
        )


def reading_age(said: Sequence[str], names: frozenset[str] = frozenset()) -> float:
    """Flesch-Kincaid grade plus five over sentences; each word of a name counts as one of two syllables."""
    words = [word for sentence in said for word in WORD.findall(sentence)]
    if not words:
        return 0.0
    count = sum(2 if word.casefold() in names else syllables(word) for word in words)
    spoken = [s for s in said if WORD.search(s)]
    return 0.39 * len(words) / len(spoken) + 11.8 * count / len(words) - 15.59 + 5


@lru_cache(maxsize=8192)
def syllables(word: str) -> int:
    """At least those the hyphenation patterns know (en_GB), which leave some out, and the groups of vowels said."""
    plain = word.casefold().replace("’", "'")
    heard = len(
        re.findall(r"[aeiouy]+", re.sub(r"(?<=[^aeiouyl])e$|(?<=[^aeioutdy])ed$|(?<=[^aeiouyszx])es$", "", plain))
    )
    return max(1, heard, len(_patterns().positions(plain)) + 1)


@lru_cache(maxsize=1)
def _patterns() -> Pyphen:
    return Pyphen(lang="en_GB", left=2, right=2)


def _sentences(content: dict[str, Any]) -> list[str]:
    found = []
    for key in READ:
        for where, text in texts(key, content.get(key)):
            if not where.endswith(NOT_READ):
                found += sentences(text)
    return [sentence for sentence in found if WORD.search(sentence)]


def _names(alert: Alert, catalogue: Catalogue) -> frozenset[str]:
    """The words of names, which cannot be written plainer: of substances, areas, the issuer."""
    known = [str(alert.content.get("issuer", "")), str((alert.content.get("area") or {}).get("name", ""))]
    known += [*map(str, alert.content.get("also_possible") or ()), *map(str, alert.content.get("sold_as") or ())]
    listed = _listed(catalogue.names)
    return listed | {word.casefold() for name in known for word in WORD.findall(name)}


@lru_cache(maxsize=4)
def _listed(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(word.casefold() for name in names for word in WORD.findall(name)) | {"naloxone"}


def _weight(sentence: str, names: frozenset[str]) -> float:
    """How much a sentence makes the text harder: its own age, little where it is short."""
    count = len(WORD.findall(sentence))
    return reading_age([sentence], names) * min(count, LONG_SENTENCE) / LONG_SENTENCE


def _plainer(sentence: str, catalogue: Catalogue) -> str:
    told = [
        f"Write '{word.instead}' for '{word.word}'."
        for word in catalogue.wording.plain
        if re.search(rf"\b{re.escape(word.word)}\b", sentence, re.IGNORECASE)
    ]
    count = len(WORD.findall(sentence))
    if count > LONG_SENTENCE:
        told.append(f"Make two sentences of the one with {count} words that begins '{' '.join(sentence.split()[:4])}'.")
    return " ".join(told) or "Use shorter words, one fact a sentence."
