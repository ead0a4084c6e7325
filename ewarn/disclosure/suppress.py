"""Small numbers, by audience: professionals read counts as they are, the public does not.

In: the content object of an alert. Out: the same as one audience may read it: for the public each count as
`ewarn.disclosure.rounding` shows it, the same in sentences and in figures. It must never change what is stored, show a
line that tells a count which is not public, nor show deaths beside people affected where the difference would be small.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ewarn.disclosure.counts import PUBLIC, told
from ewarn.disclosure.never import last_barrier
from ewarn.disclosure.rounding import FEWEST_VALUES, HIDDEN, SMALLEST_SHOWN, Cell, fresh, shown

__all__ = ["HIDDEN", "PUBLIC_KEYS", "cell", "for_audience", "left_out_for_public", "public_words", "published"]
PUBLIC_KEYS = (
    *("reference", "alert_id", "version", "issuer", "standing", "product", "date", "area", "also_possible", "headline"),
    *("what_happened", "figures", "verification", "sold_as", "found", "appearance", "at_risk", "signs", "advice"),
    *("emergency", "report_back", "marking", "audience", "review_on", "expires_on", "replaces", "watermark", "origin"),
    *("kind", "closes", "closes_headline", "why", "verify", "cap", "earlier", "sender", "classification"),
)
# A copy for everybody carries no link of one recipient.
NO_ANSWER = {"answer": "", "answer_code": "", "answer_at": ""}
ONE_LINE = ("headline", "closes_headline", "why", "at_risk", "origin")
DIED, AFFECTED = "People who died", "People affected"
AMONG = "Deaths are among them."
SAMPLES, WITH_IT = "Samples analysed", "Samples with the drug"
PARTS = {DIED: AFFECTED, WITH_IT: SAMPLES}
# Figures that count the same persons or things: another alert that told one of them has told enough (`jointly`).
FAMILIES = {"people": (AFFECTED, DIED), "samples": (SAMPLES, WITH_IT)}
LEAST, MOST = ", at least", ", at most"


def cell(count: int) -> str:
    """One public count: 0 stays 0, 1 to 7 become '*', others are rounded to 5."""
    return fresh(count).text


def public_words(count: int) -> str:
    """A public count inside a sentence."""
    return fresh(count).words


class Figure(NamedTuple):
    """What is counted, as the public reads it, from its fewest and its most."""

    label: str
    low: Cell
    high: Cell
    released: str

    @property
    def cell(self) -> Cell:
        return Cell(self.low.low, self.high.high)

    @property
    def text(self) -> str:
        return self.low.text if self.low == self.high else f"{self.low.text} to {self.high.text}"

    @property
    def words(self) -> str:
        return self.low.words if self.low == self.high else f"between {self.low.words} and {self.high.words}"


def for_audience(content: dict[str, Any], audience: str) -> dict[str, Any]:
    """The content object as one audience may read it.

    Professionals: counts unchanged. Public: each count suppressed unless the panel released it (`released`: the
    reason), record and signal ids left out, sentences from the public wording, and any line that still tells a count
    which is not public left out. Nobody: what identifies a person, or what data brought that advertises.
    """
    if audience != "public":
        return last_barrier(content)
    figures = public_figures(content)
    shown_keys = {key: content[key] for key in PUBLIC_KEYS if key in content}
    lines = {key: "" for key in ONE_LINE if _tells(str(content.get(key) or ""), content)}
    return last_barrier(
        shown_keys
        | {
            "headline": content.get("headline", ""),
            "figures": [_printed(figure) for figure in figures.values()],
            "what_happened": _sentences(content, figures),
            "audience": "Everyone.",
        }
        | lines
        | _released_photo(content)
        | (NO_ANSWER if "answer" in content else {})
    )


def _released_photo(content: Mapping[str, Any]) -> dict[str, Any]:
    """The photograph, where the panel released it to the public and nothing in its words tells a count; else none."""
    photo = content.get("photo") or {}
    counts = [hit for key in ("alt", "scale") for hit in told(str(photo.get(key, "")))]
    return {"photo": dict(photo)} if photo.get("released") and not counts else {}


def _printed(figure: Figure) -> dict[str, Any]:
    found = {"label": figure.label, "value": figure.text, "signal": "", "records": []}
    return found | ({"released": figure.released} if figure.released else {})


def published(content: Mapping[str, Any]) -> dict[str, list[list[int]]]:
    """What the public version of this content shows of each figure: what the next version's counts are held against."""
    before = dict(content.get("published") or {})
    kept = {label: ends for label, ends in before.items() if _told_elsewhere(label, content)}  # as it was last told
    return kept | {f.label: [list(f.low), list(f.high)] for f in _all_figures(content).values()}


def public_figures(content: Mapping[str, Any]) -> dict[str, Figure]:
    """Each figure once, fewest and most together; a part is left out where the rest of its whole would be too small."""
    found = _all_figures(content)
    for part, whole in PARTS.items():
        if part in found and whole in found and _too_close(found[part], found[whole]):
            del found[part]
    if DIED in found and AFFECTED not in found and found[DIED].cell.hidden:
        found = {
            AFFECTED: found.pop(DIED)._replace(label=AFFECTED),
            **found,
        }  # the same as where only some of them died
    return found


def _all_figures(content: Mapping[str, Any]) -> dict[str, Figure]:
    before = content.get("published") or {}
    found: dict[str, Figure] = {}
    for row in content.get("figures", []):
        label, value, reason = str(row["label"]), row["value"], str(row.get("released") or "")
        if not isinstance(value, int):
            continue
        base, most = label.removesuffix(LEAST).removesuffix(MOST), label.endswith(MOST)
        if _told_elsewhere(base, content) and not reason:
            continue
        said = before.get(base) or (before.get(DIED) if base == AFFECTED else None) or ()
        last = [Cell(*ends) for ends in said]
        now = shown(value, last[most] if last else None, released=bool(reason))
        known = found.get(base, Figure(base, now, now, reason))
        found[base] = known._replace(high=now) if most else known._replace(low=now, high=now)
    return found


def _told_elsewhere(label: str, content: Mapping[str, Any]) -> bool:
    """Whether another public alert told a number of the same persons or things (`told_in`)."""
    elsewhere = content.get("told_in") or {}
    return any(label in FAMILIES.get(family, ()) for family in elsewhere)


def _too_close(part: Figure, whole: Figure) -> bool:
    """Whether what is left of a whole could be counted too closely: fewer than seven values, and some of them small."""
    if part.released:
        return False
    if whole.cell.hidden:
        return True
    low, high = max(0, whole.cell.low - part.cell.high), whole.cell.high - part.cell.low
    return low < SMALLEST_SHOWN and high - low + 1 < FEWEST_VALUES


def _sentences(content: Mapping[str, Any], figures: Mapping[str, Figure]) -> list[str]:
    """The public's sentences, with the same counts as the figures; a line that tells another count is left out."""
    written = content.get("what_happened_public") or content.get("what_happened", [])
    deaths = any(str(row["label"]).startswith(DIED) for row in content.get("figures", []))
    if "people" in (content.get("told_in") or {}) and AFFECTED not in figures and DIED not in figures:
        written = [_untold(s) if isinstance(s, dict) and s.get("figure") in FAMILIES["people"] else s for s in written]
        written = [*filter(None, written)]
    found: list[str] = []
    for sentence in written:
        if not isinstance(sentence, str):
            found += _spoken(sentence, figures, deaths=deaths)
        elif not _tells(sentence, content):
            found.append(sentence)
    released = [f"{f.label}: {f.words}." for f in figures.values() if f.released]
    return [*found, *(line for line in released if not any(f" {line.split(': ')[1][:-1]} " in s for s in found))]


def _untold(sentence: Mapping[str, Any]) -> str:
    """What happened to people, without a number: another alert told one. Of the two sentences only the first stands."""
    return f"{str(sentence['before']).strip()} {sentence['together']}" if sentence.get("first") else ""


def _spoken(sentence: Mapping[str, Any], figures: Mapping[str, Figure], *, deaths: bool) -> list[str]:
    """The sentences around one count: `before`, the figure, then `one` or `many`; `uncounted` where it is not shown.

    Where the people affected are too few to count deaths apart, the words are the same whether some died or all.
    """
    label, affected = str(sentence["figure"]), figures.get(AFFECTED)
    if label in (AFFECTED, DIED) and deaths and affected and affected.cell.hidden and DIED not in figures:
        first = sentence.get("first")  # of the two sentences about people, the one that stands first
        return [f"{sentence['before'].strip()} {affected.words} {sentence['together']}", AMONG] if first else []
    figure = figures.get(label)
    if figure is None:
        return [str(sentence["uncounted"])]
    noun = sentence["one"] if figure.words == "1" else sentence["many"]
    return [f"{sentence['before'].strip()} {figure.words} {noun}"]


def left_out_for_public(content: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Lines of the content that the public does not get: where, the line, and the count it tells."""
    lines = [(key, str(content.get(key) or "")) for key in ONE_LINE]
    written = content.get("what_happened_public") or content.get("what_happened", [])
    lines += [(f"what_happened_public {n}", s) for n, s in enumerate(written, start=1) if isinstance(s, str)]
    return [(where, line, found) for where, line in lines if (found := _tells(line, content))]


def _tells(line: str, content: Mapping[str, Any]) -> str:
    """The words of a count in this line that is not public; '' where it tells none."""
    rows = [row for row in content.get("figures", []) if isinstance(row["value"], int)]
    allowed = {row["value"] for row in rows if row.get("released")}
    for count in told(line):
        if count.value not in allowed:
            return count.words
    bare = PUBLIC.sub(" ; ", line)
    secret = {str(row["value"]) for row in rows if row["value"] not in allowed and str(row["value"]) != "0"}
    return next((s for s in sorted(secret) if re.search(rf"(?<![\w.,-]){s}(?![\w-])", bare)), "")
