"""Substance names: a written name in, the substance, class or result it is out.

In: class and status definitions. Out: mentions. Whole names only, longest first: `orphine` is never found in morphine,
nor etonitazene in metonitazene. A name nobody has listed is queued, with its class where the class is plain from the
word's ending or from a listed name inside a longer compound name. Likeness only orders the queue, it never resolves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ahocorasick_rs import AhoCorasick, MatchKind
from rapidfuzz import fuzz, process

from ewarn.catalogue.definitions import ClassDefinition, StatusDefinition
from ewarn.matching.text import HYPHENS, Folded, clean, fold, spaced, tight, without_salt
from ewarn.terms import MentionKind


@dataclass(frozen=True)
class Name:
    """One listed spelling and what it names."""

    text: str
    kind: MentionKind
    subject: str
    class_id: str | None


@dataclass(frozen=True)
class Mention:
    """A name found in a text. `start` and `end` bound it in the original text; `matched` is the listed spelling."""

    start: int
    end: int
    as_written: str
    kind: MentionKind
    subject: str | None
    class_id: str | None
    matched: str | None


@dataclass(frozen=True)
class Suggestion:
    """A listed name close to a queued one: an offer to a person. `score` 0-100."""

    subject: str
    class_id: str | None
    name: str
    score: float


_WORD = re.compile(rf"[^\W_](?:[\w,'’{re.escape(HYPHENS)}]*\w)?")
_PARENTHESIS = re.compile(r"^(?P<outer>[^()]+)\((?P<inner>[^()]+)\)$")
_REMARKS = {"trace", "traces", "major", "minor", "confirmed", "suspected", "main component"}
# What may stand before a listed name and make it another substance: 'acetyl fentanyl', 'N-desethyl metonitazene'.
_LOCANT = r"(?:[nos]|\d+[a-z]?|ortho|meta|para|alpha|beta)(?:,(?:[nos]|\d+))*"
_COMPOUND_PREFIX = re.compile(
    rf"(?:^|[\s(/;:+])((?:{_LOCANT} )?(?:{_LOCANT}|nor|des|iso|di|bis|cyclo"
    r"|[\w,']*(?:[^\W\d]yl|fluoro|chloro|bromo|iodo|[a-z]{3}oxy|hydro|nitro|amino|ino|thio|keto)) )$"
)
_LOCANT_ALONE = re.compile(rf"{_LOCANT} ")  # '2 fentanyl pills' counts pills, '2-fentanyl' is another substance
_NEGATED_BEFORE = re.compile(
    r"\b(?:no|non|not|without|excluding|excludes|negative for|absence of|free of)(?! only)(?: [\w']+){0,2} $"
)
_NEGATED_AFTER = re.compile(
    r"^ (?:was |is |were |are )?(?:not (?:detected|found|present|identified)|negative|excluded)\b"
)


class Matcher:
    """Listed names, ready to be looked up. Built once per catalogue."""

    def __init__(self, classes: Iterable[ClassDefinition], statuses: Iterable[StatusDefinition]) -> None:
        classes = tuple(classes)
        self._exact: dict[str, Name] = {}
        self._brands: dict[str, Name] = {}
        self._fuzzy = {c.id for c in classes if c.fuzzy_close_to}
        self._watched = {c.id for c in classes if c.watch}
        self._stems = tuple((tight(ending), c.id) for c in classes for ending in c.stem_endings)
        names = [*_status_names(statuses), *_substance_names(classes), *_class_names(classes)]
        brands = list(_brand_names(classes))
        for table, listed in ((self._exact, names), (self._brands, brands)):
            for name in listed:
                table.setdefault(tight(name.text), name)
        self._plain = _Finder([n for n in names if n.kind is not MentionKind.STATUS])
        self._branded = _Finder([*(n for n in names if n.kind is not MentionKind.STATUS), *brands])
        self._results = _Finder([n for n in names if n.kind is MentionKind.STATUS and " " in spaced(n.text)])

    def mentions(self, text: str, *, whole: bool, brands: bool = False) -> list[Mention]:
        """Names in a text.

        whole: the text is one name (a cell, or one part of a list): one mention, queued where it is not listed.
        Otherwise the text is prose: every listed name in it, and every word that only looks like one, in order.
        `brands` also looks up brand and street words (purchase intent only).
        """
        if not clean(text):
            return []
        return [self._whole(text, brands)] if whole else self._within(text, brands)

    def suggest(self, text: str, limit: int = 3) -> list[Suggestion]:
        """Listed names closest to a queued one, those of classes that ask for it first. Never a resolution."""
        choices = {key: name for key, name in self._exact.items() if name.kind is not MentionKind.STATUS}
        close = process.extract(tight(text), choices.keys(), scorer=fuzz.ratio, limit=limit * 4, score_cutoff=75)
        found = [Suggestion(choices[key].subject, choices[key].class_id, choices[key].text, s) for key, s, _ in close]
        return sorted(found, key=lambda s: (s.class_id not in self._fuzzy, -s.score, s.subject))[:limit]

    def _whole(self, text: str, brands: bool) -> Mention:
        written = text.strip()
        name = self._listed(written, brands) or self._with_remark(written, brands)
        if name is not None:
            return Mention(0, len(text), written, name.kind, name.subject, name.class_id, name.text)
        within = [m for m in self._within(written, False) if m.class_id]
        if not within:
            result = next(iter(self._results.find(fold(written))), None)
            if result is not None:
                return Mention(0, len(text), written, MentionKind.STATUS, result[0].subject, None, result[0].text)
        within.sort(key=lambda m: m.class_id not in self._watched)
        return Mention(0, len(text), written, MentionKind.QUEUED, None, within[0].class_id if within else None, None)

    def _listed(self, text: str, brands: bool) -> Name | None:
        for key in (tight(text), tight(without_salt(text))):
            name = self._exact.get(key) or (self._brands.get(key) if brands else None)
            if name is not None:
                return name
        return None

    def _with_remark(self, text: str, brands: bool) -> Name | None:
        """'Metonitazene (trace)', 'Etonitazepyne (N-pyrrolidino etonitazene)': only where both halves agree."""
        parts = _PARENTHESIS.match(text)
        outer = self._listed(parts["outer"], brands) if parts else None
        if parts is None or outer is None:
            return None
        inner = self._listed(parts["inner"], brands)
        agrees = spaced(parts["inner"]) in _REMARKS or (inner is not None and inner.subject == outer.subject)
        return outer if agrees else None

    def _within(self, text: str, brands: bool) -> list[Mention]:
        folded = fold(text)
        found: list[Mention] = []
        last_end = -1
        for name, start, end in (self._branded if brands else self._plain).find(folded, any_case=brands):
            if _negated(folded, start, end):
                last_end = end
                continue
            prefix = "" if last_end >= start - 1 else _prefix(folded, start)
            left, right = folded.span(start - len(prefix), end)
            if prefix:
                found.append(Mention(left, right, text[left:right], MentionKind.QUEUED, None, name.class_id, None))
            else:
                found.append(Mention(left, right, text[left:right], name.kind, name.subject, name.class_id, name.text))
            last_end = end
        found += self._stem_words(text, folded, found)
        return sorted(found, key=lambda m: (m.start, m.end))

    def _stem_words(self, text: str, folded: Folded, found: list[Mention]) -> Iterator[Mention]:
        """Unknown words with a class's ending: queued, with that class."""
        for word in _WORD.finditer(text):
            if any(m.start < word.end() and word.start() < m.end for m in found):
                continue
            key = tight(word.group())
            class_id = next((c for ending, c in self._stems if key.endswith((ending, f"{ending}s"))), None)
            negated = class_id and _negated(*_folded_span(folded, word.start(), word.end()))
            if class_id and not negated:
                yield Mention(word.start(), word.end(), word.group(), MentionKind.QUEUED, None, class_id, None)


class _Finder:
    """Whole-word, leftmost-longest look-up of many names in one pass over folded text."""

    def __init__(self, names: Iterable[Name]) -> None:
        spellings: dict[str, Name] = {}
        for name in names:
            for spelling in _spellings(name.text):
                spellings.setdefault(spelling, name)
        self._spellings: Mapping[str, Name] = spellings
        self._patterns = list(spellings)
        self._machine = AhoCorasick(self._patterns, matchkind=MatchKind.LeftmostLongest) if spellings else None

    def find(self, folded: Folded, any_case: bool = False) -> Iterator[tuple[Name, int, int]]:
        """(name, start, end) in the folded text, in order. Names of up to three letters must stand in capitals."""
        position, text = 0, folded.text
        while self._machine is not None and position < len(text):
            # Leftmost-longest may hit inside a word; step on from there so that a later whole word is not missed.
            for index, start, end in self._machine.find_matches_as_indexes(text[position:]):
                start, end = start + position, end + position
                if not _bounded(text, start, end):
                    start, end, index = self._shorter(text, start, end)
                if end > start:
                    left, right = folded.span(start, end)
                    if any_case or end - start > 3 or folded.original[left:right].isupper():
                        yield self._spellings[self._patterns[index]], start, end
                    position = end
                else:
                    position = -end + 1
                break
            else:
                return

    def _shorter(self, text: str, start: int, end: int) -> tuple[int, int, int]:
        """The longest whole-word name at the same start, or (0, -start, 0) where there is none."""
        if start == 0 or not text[start - 1].isalnum():
            for cut in range(end - 1, start, -1):
                if text[start:cut] in self._spellings and _bounded(text, start, cut):
                    return start, cut, self._patterns.index(text[start:cut])
        return 0, -start, 0


def _bounded(text: str, start: int, end: int) -> bool:
    before = start == 0 or not text[start - 1].isalnum()
    after = end == len(text) or not text[end].isalnum() or (text[end] == "s" and not text[end + 1 : end + 2].isalnum())
    return before and after


def _spellings(name: str) -> set[str]:
    """Folded spellings to look for: as written, without spaces but with hyphens, and run together."""
    loose = spaced(name)
    joined = spaced(re.sub(r"\s+", "", name))
    return {s for s in (loose, joined, tight(name)) if len(s) > 1}


def _prefix(folded: Folded, start: int) -> str:
    """The chemical prefix right before a name, as folded; empty where the name stands alone."""
    before = folded.text[max(0, start - 40) : start]
    found = _COMPOUND_PREFIX.search(before)
    if found is None:
        return ""
    hyphenated = folded.original[folded.origin[start - 1]] in HYPHENS
    return found[1] if hyphenated or not _LOCANT_ALONE.fullmatch(found[1]) else ""


def _negated(folded: Folded, start: int, end: int) -> bool:
    before, after = folded.text[max(0, start - 40) : start], folded.text[end : end + 30]
    return bool(_NEGATED_BEFORE.search(re.split(r"[.,;:!?()]", before)[-1]) or _NEGATED_AFTER.match(after))


def _folded_span(folded: Folded, start: int, end: int) -> tuple[Folded, int, int]:
    inside = [index for index, origin in enumerate(folded.origin) if start <= origin < end]
    return folded, inside[0], inside[-1] + 1


def _status_names(statuses: Iterable[StatusDefinition]) -> Iterator[Name]:
    for status in statuses:
        for phrase in (*status.phrases, status.name):
            yield Name(phrase, MentionKind.STATUS, status.id, None)


def _substance_names(classes: Iterable[ClassDefinition]) -> Iterator[Name]:
    for group in classes:
        for substance in group.substances:
            for written in (substance.name, *substance.synonyms):
                yield Name(written, MentionKind.SUBSTANCE, substance.id, group.id)


def _class_names(classes: Iterable[ClassDefinition]) -> Iterator[Name]:
    for group in classes:
        for written in (*group.class_names, group.name, group.plural):
            yield Name(written, MentionKind.CLASS, group.id, group.id)


def _brand_names(classes: Iterable[ClassDefinition]) -> Iterator[Name]:
    for group in classes:
        for brand in group.brands:
            yield Name(brand, MentionKind.CLASS, group.id, group.id)
        for substance in group.substances:
            for brand in substance.brands:
                yield Name(brand, MentionKind.SUBSTANCE, substance.id, group.id)
