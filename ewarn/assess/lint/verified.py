"""What a text claims against what is held: 'confirmed' is said of nothing that is not.

In: an alert, and the case's three levels as they stand now. Out: findings. It reads words, not meaning: a sentence that
denies ('not confirmed', 'no confirmation', 'awaiting') claims nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ewarn.assess.lint.finding import Finding, Known, error, texts, warning
from ewarn.assess.lint.wording import sentences
from ewarn.terms import Alert, Verification

PARTS = ("event", "substance", "link")
CLAIMED_IN = ("headline", "what_happened", "at_risk", "why", "origin")
RANK = [Verification.DISCOUNTED, Verification.UNVERIFIED, Verification.PROBABLE, Verification.CONFIRMED]
CLAIM = re.compile(
    r"\b(?:confirm(?:ed|s)|proven|proved|definite(?:ly)?|beyond doubt|we are (?:sure|certain)|certainly)\b",
    re.IGNORECASE,
)
DENIED = re.compile(
    r"\b(?:not|no|un|never|cannot|nor|neither|without|await\w*|if|until|to be|whether|yet to be|help)\b[^.;]*$"
    r"|n['’]t\b[^.;]*$",
    re.IGNORECASE,
)
OF_EVENT = re.compile(
    r"\b(?:overdos|collaps|death|died|dead|ill|injur|incident|attended|treated|casualt)", re.IGNORECASE
)
OF_DRUG = re.compile(r"\b(?:drug|substance|sample|contain|laborator|analys|test|toxicolog|present)", re.IGNORECASE)
CAUSED = re.compile(
    r"\b(?:was|were|been)\s+(?:caused|killed)\s+by\b|\bdeaths?\s+(?:from|due\s+to|caused\s+by)\b", re.IGNORECASE
)
FOUND = re.compile(r"\b(?:found|detected|identified)\s+(?:in|to\s+contain)\b", re.IGNORECASE)
HEDGED = re.compile(r"\b(?:suspected|not\s+confirmed|unconfirmed|may|possible|possibly|reported)\b", re.IGNORECASE)
INSTEAD = {
    "event": "Write 'reported', or verify the event first: ewarn cases verify.",
    "substance": "Write 'suspected, not confirmed', or verify the substance first: ewarn cases verify.",
    "link": "Write 'reported with', or 'we do not know whether it caused harm'; or verify the link first.",
}


def verification(alert: Alert, known: Known) -> Iterator[Finding]:
    """Words against levels, in the text itself; then the text's levels against the case's."""
    said = {part: str(_part(alert, part).get("level", "")) for part in PARTS}
    yield from _own_words(alert, said)
    names = [str(f.get("name", "")) for f in alert.content.get("found", []) if isinstance(f, dict)]
    for key in CLAIMED_IN:
        for where, text in texts(key, alert.content.get(key)):
            for sentence in sentences(text):
                yield from _claims(where, sentence, said, names)
    yield from _moved(said, known)


def _part(alert: Alert, part: str) -> dict[str, Any]:
    held = alert.content.get("verification") or {}
    found = held.get(part) if isinstance(held, dict) else None
    return found if isinstance(found, dict) else {}


def _own_words(alert: Alert, said: dict[str, str]) -> Iterator[Finding]:
    for part in PARTS:
        words = str(_part(alert, part).get("words", ""))
        claim = CLAIM.search(words)
        if claim and said[part] not in ("", "confirmed") and not DENIED.search(words[: claim.start()]):
            what = f"the words say '{claim.group()}', the {part} is {said[part]}"
            yield error("verification", f"verification.{part}", what, INSTEAD[part])


def _claims(where: str, sentence: str, said: dict[str, str], names: list[str]) -> Iterator[Finding]:
    for claim in CLAIM.finditer(sentence):
        if DENIED.search(sentence[: claim.start()]):
            continue
        part = _about(sentence, names)
        if said[part] not in ("", "confirmed"):
            what = f"says '{claim.group()}' while the {part} is {said[part]}"
            yield error("verification", where, what, INSTEAD[part])
    if (cause := CAUSED.search(sentence)) and said["link"] not in ("", "confirmed") and not HEDGED.search(sentence):
        what = f"says '{cause.group()}' while the link is {said['link']}"
        yield error("verification", where, what, INSTEAD["link"])
    found = FOUND.search(sentence) if where == "headline" else None
    if found and said["substance"] not in ("", "confirmed") and not HEDGED.search(sentence):
        what = f"says '{found.group()}' while the substance is {said['substance']}"
        yield error("verification", where, what, INSTEAD["substance"])


def _about(sentence: str, names: list[str]) -> str:
    """Which of the three a sentence speaks of: the drug where it names one, else the event where it tells of harm."""
    named = any(name and name.casefold() in sentence.casefold() for name in names)
    return "event" if OF_EVENT.search(sentence) and not named and not OF_DRUG.search(sentence) else "substance"


def _moved(said: dict[str, str], known: Known) -> Iterator[Finding]:
    for part, level in (known.levels or {}).items():
        if not said.get(part) or said[part] == level or said[part] not in RANK:
            continue
        what = f"the text says {said[part]}, the case now holds the {part} as {level}"
        lower = RANK.index(Verification(level)) < RANK.index(Verification(said[part]))
        instead = "Take the facts anew: draft it again from the case, or ewarn update --from-case once it is out."
        yield (error if lower else warning)("verification", f"verification.{part}", what, instead)
