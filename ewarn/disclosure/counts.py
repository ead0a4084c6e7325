"""Counts that a sentence tells, in digits or in words, of people, events or samples.

In: a sentence. Out: the numbers it tells. Days, years, hours, doses and what the public wording writes itself ('fewer
than 8', 'about 10') are no counts.
"""

from __future__ import annotations

import re
from typing import NamedTuple

LISTED = """
one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen twenty
"""
TENS = {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
VALUES = {word: value for value, word in enumerate(LISTED.split(), start=1)} | TENS | {"a dozen": 12, "a couple of": 2}
NUMBER = rf"(?:\d{{1,6}}|{'|'.join(sorted(VALUES, key=len, reverse=True))})"
OF_WHAT = (
    r"(?:people|persons?|men|women|man|woman|adults?|children|teenagers?|patients?|casualt(?:y|ies)|residents?|victims?|"
    r"overdoses?|deaths?|fatalit(?:y|ies)|cases?|incidents?|events?|collapses?|samples?|items?|seizures?|"
    r"hospitalisations?|admissions?|survivors?)"
)
WHAT_HAPPENED = r"(?:died|overdosed|collapsed|survived|were|was|ill|dead|in hospital|treated|of them|of these|others)"
BETWEEN = (
    r"(?:\s+(?:more|other|further|new|young|non-fatal|fatal|confirmed|suspected|reported|tested|drug|of\s+the)){0,3}"
)
TOLD = re.compile(rf"(?<![\w.,:/-])({NUMBER})\b{BETWEEN}\s+(?:{OF_WHAT}|{WHAT_HAPPENED})\b", re.IGNORECASE)
LABELLED = re.compile(rf"\b{OF_WHAT}(?:\s+\w+){{0,3}}\s*[:=]\s*(\d{{1,6}})\b", re.IGNORECASE)
PUBLIC = re.compile(
    r"\bfewer than (?:8|18)\b|\babout (?:[1-9]\d*[05])(?: to [1-9]\d*[05])?\b|\bno\b|\b\d{1,2} [A-Z][a-z]+ \d{4}\b"
    r"|\b\d+[ -](?:hours?|days?|weeks?|minutes?|doses?|mg|years?)\b|\bone person should\b|\bcovers? \d+\b",
    re.IGNORECASE,
)


class Told(NamedTuple):
    value: int
    words: str


def told(sentence: str) -> list[Told]:
    """Every count that a sentence tells."""
    bare = PUBLIC.sub(" ; ", sentence)
    found = [Told(_value(hit.group(1)), hit.group().strip()) for hit in TOLD.finditer(bare)]
    return found + [Told(int(hit.group(1)), hit.group().strip()) for hit in LABELLED.finditer(bare)]


def _value(word: str) -> int:
    return int(word) if word.isdigit() else VALUES[word.casefold()]
