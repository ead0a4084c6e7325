"""Names that a text rules out: 'no fentanyl was found', 'negative for xylazine', 'heroin not detected'.

In: a text as words, the names in it. Out: those that are said to be absent.
"""

from __future__ import annotations

import re

from ewarn.matching.finding import Hit
from ewarn.matching.text import Words

_NEGATED_BEFORE = re.compile(
    r"\bnon[\s\-]+$|\b(?:no|not|without|excluding|excludes|negative for|absence of|free of|dim|kein|keine|sans)"
    r"(?![\s\-]+only)(?:[\s\-]+[\w']+){0,2}[\s\-]+$"
)
_NEGATED_AFTER = re.compile(
    r"^[\s\-]*(?:was |is |were |are )?(?:not (?:detected|found|present|identified)|negative|excluded|free\b|ruled out)"
)
_NEGATION = re.compile(r"\b(?:no|non|not|without|exclud\w+|negative|absence|free|dim|keine?|sans|ruled)\b")
_CLAUSE = re.compile(r"[.,;:!?()]")
_OR = re.compile(r"\s*(?:,\s*)?(?:or|nor|and/or)\s+(?:any\s+)?")
_COMMA_GAP = re.compile(r"\s*,\s*")


def ruled_out(words: Words, hits: list[Hit]) -> list[Hit]:
    """Names after 'no' or before 'not detected', and those joined to them by 'or'."""
    absent: list[Hit] = []
    if not hits or _NEGATION.search(words.folded) is None:
        return absent
    for n, hit in enumerate(hits):
        start, end = words.within[hit.first][0], words.within[hit.last][1]
        if negated(words.folded, start, end) or _chained(words, hits, absent, n):
            absent.append(hit)
    return absent


def _chained(words: Words, hits: list[Hit], absent: list[Hit], n: int) -> bool:
    """'no fentanyl, xylazine or heroin': each of them is ruled out."""
    if not n or hits[n - 1] not in absent:
        return False
    for m in range(n, len(hits)):
        between = words.folded[words.within[hits[m - 1].last][1] : words.within[hits[m].first][0]]
        if _OR.fullmatch(between):
            return True
        if not _COMMA_GAP.fullmatch(between):
            return False
    return False


def negated(folded: str, start: int, end: int) -> bool:
    """Whether the words at [start, end) are said to be absent."""
    before = _CLAUSE.split(folded[max(0, start - 40) : start])[-1]
    return bool(_NEGATED_BEFORE.search(before) or _NEGATED_AFTER.match(folded[end : end + 30]))
