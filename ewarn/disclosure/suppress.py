"""Small numbers, by audience: professionals read counts as they are, the public does not.

In: counts, or the content object of an alert. Out: the same with 1 to 7 as '*' and others rounded to 5 for the public.
It must never change what is stored, and never leave a total that gives a hidden cell back.
Source: NHS sub-national disclosure rule, 1-7 suppressed and others rounded to the nearest 5.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

HIDDEN = "*"
SMALLEST_SHOWN = 8
PUBLIC_KEYS = (
    *("reference", "alert_id", "version", "issuer", "standing", "product", "date", "area", "also_possible", "headline"),
    *("what_happened", "figures", "verification", "sold_as", "found", "appearance", "at_risk", "signs", "advice"),
    *("emergency", "report_back", "marking", "audience", "review_on", "expires_on", "replaces", "watermark", "origin"),
    *("kind", "closes", "closes_headline", "why", "verify"),
    *("cap", "earlier", "sender"),
)
# A copy for everybody carries no link of one recipient.
NO_ANSWER = {"answer": "", "answer_code": "", "answer_at": ""}
ONE_LINE = ("headline", "closes_headline", "why", "at_risk")


def rounded(count: int) -> int:
    """To the nearest 5; halves cannot occur with whole counts."""
    return 5 * ((count + 2) // 5)


def cell(count: int) -> str:
    """One public count: 0 stays 0, 1 to 7 become '*', others are rounded to 5."""
    return "0" if count == 0 else HIDDEN if count < SMALLEST_SHOWN else str(rounded(count))


def public_words(count: int) -> str:
    """A public count inside a sentence."""
    return "no" if count == 0 else "fewer than 8" if count < SMALLEST_SHOWN else f"about {rounded(count)}"


def with_total(counts: Sequence[int]) -> tuple[list[str], str]:
    """Public cells and their public total. A total over exactly one hidden cell would give it back, so it is hidden."""
    cells = [cell(count) for count in counts]
    return cells, HIDDEN if cells.count(HIDDEN) == 1 else cell(sum(counts))


def for_audience(content: dict[str, Any], audience: str) -> dict[str, Any]:
    """The content object as one audience may read it.

    Professionals: unchanged. Public: counts of each figure suppressed unless it is released (`released`: the reason),
    record and signal ids left out, sentences from the public wording, and any sentence that still holds a hidden or
    unrounded count left out.
    """
    if audience != "public":
        return content
    figures = [_figure(f) for f in content.get("figures", [])]
    secrets = {
        str(before["value"])
        for before, after in zip(content.get("figures", []), figures, strict=True)
        if str(before["value"]) != after["value"]
    }
    sentences = content.get("what_happened_public") or content.get("what_happened", [])
    shown = {key: content[key] for key in PUBLIC_KEYS if key in content}
    lines = {key: "" for key in ONE_LINE if _tells(str(content.get(key) or ""), secrets)}
    return shown | {
        "headline": content.get("headline", ""),
        "figures": figures,
        "what_happened": [s for s in sentences if not _tells(s, secrets)],
        "audience": "Everyone.",
        **lines,
        **({} if "answer" not in content else NO_ANSWER),
    }


def _figure(figure: dict[str, Any]) -> dict[str, Any]:
    value = figure["value"]
    shown = str(value) if figure.get("released") or not isinstance(value, int) else cell(value)
    return {"label": figure["label"], "value": shown, "signal": "", "records": []}


def _tells(sentence: str, secrets: set[str]) -> bool:
    """Whether a sentence still holds a count that is not public; days, years and hours are not counts."""
    without_dates = re.sub(r"\b\d{1,2} [A-Z][a-z]+ \d{4}\b|\b\d+[ -]hours?\b|fewer than 8|about \d+", "", sentence)
    return any(re.search(rf"(?<![\w-]){re.escape(s)}(?![\w-])", without_dates) for s in secrets)
