"""Listed names looked up in a text: whole words, leftmost and longest, in one pass over all of them.

In: listed names, a text as words. Out: hits. A spelling is one key however it is spaced; what stands between the words
decides whether they may be read as one name. It never finds a name inside a longer word.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from ahocorasick_rs import AhoCorasick, MatchKind

from ewarn.catalogue.definitions import ClassDefinition, StatusDefinition
from ewarn.matching import chemistry, prose
from ewarn.matching.text import Words, word_set
from ewarn.terms import MentionKind

_SHORT_WORDS = word_set("nor or and to in an a at on no not but of is as by it for so we he be i")
BRACKETED = re.compile(r"[\s\-,.'()\[\]/]*")


class Name(NamedTuple):
    """One listed spelling and what it names."""

    text: str
    kind: MentionKind
    subject: str
    class_id: str | None


@dataclass(slots=True)
class Entry:
    """A spelling to look for, with the places where its listed forms have gaps, and the commas and slashes in them."""

    name: Name
    gaps: set[int] = field(default_factory=set)
    marks: set[tuple[int, str]] = field(default_factory=set)


@dataclass(slots=True)
class Hit:
    """A listed name in a text, by its first and last word. `queued`: it is part of a longer, unlisted compound."""

    first: int
    last: int
    name: Name
    queued: bool = False
    as_class: bool = False


class Finder:
    """Spellings ready to be looked up all at once."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._keys = list(dict.fromkeys(key for key in keys if len(key) > 1))
        self._machine = AhoCorasick(self._keys, matchkind=MatchKind.Standard) if self._keys else None

    def find(self, words: Words, table: dict[str, Entry], any_case: bool, run_on: bool = False) -> list[Hit]:
        """Whole-word, leftmost-longest. Names of up to three letters must stand in capitals unless `any_case`.

        `run_on`: a missing space beside 'of' or 'and' is read as one ('offentanyl', 'heroinand').
        """
        if self._machine is None:
            return []
        key = words.key
        matches = self._machine.find_matches_as_indexes(key, overlapping=True)
        if not matches:
            return []
        starts, ends = words.starts, words.ends
        found: list[tuple[int, int, int, Entry, bool]] = []
        for index, start, end in matches:
            last = ends.get(end)
            if last is None and end - start > 3 and key[end : end + 1] == "s":
                last = ends.get(end + 1)
            if last is None and run_on and end - start > 5:
                last = _before_joint(words, end)
            if last is None:
                continue
            entry = table.get(self._keys[index])
            if entry is None:
                continue
            first = starts.get(start)
            glued = False
            if first is None and end - start > 5:
                first, glued = _glued(words, start, last, run_on)
            if first is None:
                continue
            if first != last and not _one_name(words, first, last, entry):
                continue
            if end - start <= 4 and not any_case and not _as_short(words, first, last, end - start):
                continue
            found.append((first, -last, -len(self._keys[index]), entry, glued))
        if not found:
            return []
        found.sort(key=lambda f: f[:3])
        hits: list[Hit] = []
        for first, last, _, entry, glued in found:
            if not hits or first > hits[-1].last:
                hits.append(Hit(first, -last, entry.name, queued=glued))
        return hits


def _glued(words: Words, start: int, last: int, run_on: bool) -> tuple[int | None, bool]:
    """(word, part of another name?) where a listed name ends a word: 'difluoroalprazolam', or 'offentanyl'."""
    token = words.tokens[last]
    inside = start - words.offsets[last]
    before = token[:inside] if inside > 0 else ""
    if run_on and before in prose.JOINTS:
        return last, False
    return (last, True) if len(token) - inside > 6 and chemistry.is_group(before) else (None, False)


def _before_joint(words: Words, end: int) -> int | None:
    """The word in which a name ends before a run-on 'and' or 'with', if any."""
    number = bisect_right(words.offsets, end) - 1
    return number if words.tokens[number][end - words.offsets[number] :] in prose.JOINTS else None


def _one_name(words: Words, first: int, last: int, entry: Entry) -> bool:
    """Whether what stands between the words lets them be read as one name.

    Where a listed form has a gap, any gap will do (a comma only where it has a comma); beside a position such as 4 or
    N too. Elsewhere only a hyphen inside a long word, or a group in front: 'hero in' is no heroin.
    """
    at = 0
    for n in range(first + 1, last + 1):
        left, right, gap = words.tokens[n - 1], words.tokens[n], words.gaps[n]
        at += len(left)
        if not gap:
            continue
        bare = gap.strip(" \t\r\n-\xa0")
        beside = chemistry.is_locant(left) or chemistry.is_locant(right)
        if not BRACKETED.fullmatch(gap) or len(gap) > 4 or ("/" in gap and (at, "/") not in entry.marks):
            return False
        if at in entry.gaps:
            tied = chemistry.is_locant(left) and not gap[-1].isspace()
            comma = "," in bare and (at, ",") not in entry.marks and not tied
            words_apart = left in _SHORT_WORDS and "-" not in gap and not beside
            if comma or (words_apart and entry.name.kind is MentionKind.SUBSTANCE):
                return False
        elif bare:
            if not beside or gap[-1].isspace() or not chemistry.is_locant(left):
                return False
        elif beside:
            if not chemistry.is_locant(left) and "-" not in gap and len(right) < 2:
                return False
        elif not chemistry.makes_another(left, gap) and not ("-" in gap and len(left) > 3 and len(right) > 3):
            return False
    return True


def _as_short(words: Words, first: int, last: int, length: int) -> bool:
    """A short name in prose: in capitals, or with its number tied to it ('2cb', '3-mmc'; but '2 fa' is no 2-FA)."""
    written = words.written(first, last)
    if any(c.isdigit() for c in written) and any(c.isspace() for c in written):
        return length > 3 and written.isupper()
    return length > 3 or written.isupper() or not written.isalpha()


def enter(table: dict[str, Entry], names: Iterable[Name], varied: bool = False) -> None:
    """Spellings of names: those written first, then those made by rule where they are nobody's and agree."""
    made: dict[str, Name | None] = {}
    for name in names:
        words = Words(name.text)
        if not words.key:
            continue
        entry = table.setdefault(words.key, Entry(name))
        at = 0
        for n, token in enumerate(words.tokens):
            if at and words.gaps[n]:
                entry.gaps.add(at)
                entry.marks.update((at, mark) for mark in words.gaps[n] if mark in ",/")
            at += len(token)
        if varied and name.kind is MentionKind.SUBSTANCE:
            for spelling in chemistry.variants(words.tokens):
                other = made.setdefault(spelling, name)
                if other is not None and other.subject != name.subject:
                    made[spelling] = None
    for spelling, one in made.items():
        if one is not None and len(spelling) > 3:
            table.setdefault(spelling, Entry(one))


def status_names(statuses: Iterable[StatusDefinition]) -> Iterator[Name]:
    for status in statuses:
        for phrase in (*status.phrases, status.name):
            yield Name(phrase, MentionKind.STATUS, status.id, None)


def substance_names(classes: Iterable[ClassDefinition]) -> Iterator[Name]:
    for group in classes:
        for substance in group.substances:
            for written in (substance.name, *substance.synonyms):
                if written not in substance.cell_only:
                    yield Name(written, MentionKind.SUBSTANCE, substance.id, group.id)


def cell_names(classes: Iterable[ClassDefinition]) -> Iterator[Name]:
    for group in classes:
        for substance in group.substances:
            for written in substance.cell_only:
                yield Name(written, MentionKind.SUBSTANCE, substance.id, group.id)


def class_names(classes: Iterable[ClassDefinition]) -> Iterator[Name]:
    for group in classes:
        for written in (*group.class_names, group.name, group.plural):
            yield Name(written, MentionKind.CLASS, group.id, group.id)


def brand_names(classes: Iterable[ClassDefinition]) -> Iterator[Name]:
    for group in classes:
        for brand in group.brands:
            yield Name(brand, MentionKind.CLASS, group.id, group.id)
        for substance in group.substances:
            for brand in substance.brands:
                yield Name(brand, MentionKind.SUBSTANCE, substance.id, group.id)
