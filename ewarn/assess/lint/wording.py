"""The words of a text: what names a person, advertises, stigmatises, or tells the public a count it may not read.

In: an alert and the catalogue's word lists. Out: findings with the words and what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from ewarn.assess.lint.finding import Finding, error, texts, warning
from ewarn.catalogue import Catalogue
from ewarn.catalogue.wording import Word
from ewarn.disclosure import never
from ewarn.disclosure.suppress import left_out_for_public
from ewarn.terms import Alert

FREE_TEXT = (
    *("headline", "what_happened", "what_happened_public", "at_risk", "appearance", "sold_as", "found", "audience"),
    *("origin", "report_back", "figures", "verification", "why", "closes_headline", "also_possible"),
    *("analyses", "photo"),
)
CONTACT_ALLOWED = ("report_back",)


def words(alert: Alert, catalogue: Catalogue) -> Iterator[Finding]:
    for key in FREE_TEXT:
        contact = key in CONTACT_ALLOWED
        for where, text in texts(key, _words_of(alert, key)):
            for hit in never.hits(text, contacts=contact, advertising=not contact):
                yield error(hit.kind, where, f"{hit.what}: '{hit.words}'", hit.instead)
            yield from _listed("advertising", where, text, catalogue.wording.advertising)
            yield from _listed("stigma", where, text, catalogue.wording.stigmatising)


def _words_of(alert: Alert, key: str) -> Any:
    """A part of the content; of a photograph its words alone, not its hash."""
    found = alert.content.get(key)
    return {part: found.get(part, "") for part in ("alt", "scale")} if key == "photo" and found else found


def _listed(code: str, where: str, text: str, listed: tuple[Word, ...]) -> Iterator[Finding]:
    """Words of a list. Stigma is a warning: what a source is called cannot be reworded, and a warning must go out."""
    for word in listed:
        if hit := _pattern(word.word).search(text):
            make = error if code == "advertising" else warning
            yield make(code, where, f"'{hit.group()}'", f"Write {word.instead}.")


@lru_cache(maxsize=512)
def _pattern(word: str) -> re.Pattern[str]:
    return re.compile(rf"\b{re.escape(word)}\b".replace(r"\ ", r"[\s-]+"), re.IGNORECASE)


def public_counts(alert: Alert) -> Iterator[Finding]:
    """Lines that the public does not get because they tell a count which it may not read."""
    for where, line, count in left_out_for_public(alert.content):
        yield warning(
            "public-count",
            where,
            f"the public does not get this line, it tells a count: '{count}' in '{line}'",
            "Write 'fewer than 8' or 'about 10' as the public text does, or release the count: ewarn publish-count.",
        )
    for family, other in (alert.content.get("told_in") or {}).items():
        yield warning(
            "public-count",
            "figures",
            f"the public does not get a number of {family}: {other} tells one of the same area and days",
            f"Update {other} in place of a second alert, or release the count: ewarn publish-count.",
        )


def sentences(text: str) -> list[str]:
    """The sentences of a text; a line of a list is one of them."""
    lines = (line.strip(" -*\t") for line in text.splitlines())
    return [part for line in lines for part in re.split(r"(?<=[.!?])\s+(?=[A-Z0-9'\"“‘])", line) if part]
