"""Substance names: a written name in, the substance, class or result it is out.

In: class and status definitions. Out: mentions. Whole names only, longest first: `orphine` is never found in morphine,
nor etonitazene in metonitazene. Spaces, hyphens, brackets, dashes, Greek letters, salts, mirror images and isotope
labels do not matter; a group in front ('acetyl fentanyl') makes another substance, which is queued with its class. A
name nobody has listed is queued, with its class where the class is plain from the word's ending or from a listed name
inside a longer compound name. Likeness only orders the queue, it never resolves.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import NamedTuple

from ahocorasick_rs import AhoCorasick, MatchKind
from rapidfuzz import process
from rapidfuzz.distance import OSA

from ewarn.catalogue.definitions import ClassDefinition, StatusDefinition
from ewarn.matching import chemistry, prose
from ewarn.matching.text import Words, word_set
from ewarn.terms import MentionKind

_MEMO = 65_536  # texts remembered; a source repeats itself far more than this many times over


class Name(NamedTuple):
    """One listed spelling and what it names."""

    text: str
    kind: MentionKind
    subject: str
    class_id: str | None


class Mention(NamedTuple):
    """A name found in a text. `start` and `end` bound it in the original text; `matched` is the listed spelling."""

    start: int
    end: int
    as_written: str
    kind: MentionKind
    subject: str | None
    class_id: str | None
    matched: str | None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A listed name close to a queued one: an offer to a person. `score` 0-100, `confidence` in words."""

    subject: str
    class_id: str | None
    name: str
    score: float
    confidence: str


@dataclass(slots=True)
class _Entry:
    """A spelling to look for, with the places where its listed forms have gaps, and the commas and slashes in them."""

    name: Name
    gaps: set[int] = field(default_factory=set)
    marks: set[tuple[int, str]] = field(default_factory=set)


@dataclass(slots=True)
class _Hit:
    """A listed name in a text, by its first and last word. `queued`: it is part of a longer, unlisted compound."""

    first: int
    last: int
    name: Name
    queued: bool = False
    as_class: bool = False


_NEGATED_BEFORE = re.compile(
    r"\b(?:no|non|not|without|excluding|excludes|negative for|absence of|free of|dim|kein|keine|sans)"
    r"(?![\s\-]+only)(?:[\s\-]+[\w']+){0,2}[\s\-]+$"
)
_NEGATED_AFTER = re.compile(
    r"^[\s\-]*(?:was |is |were |are )?(?:not (?:detected|found|present|identified)|negative|excluded|free\b|ruled out)"
)
_NEGATION = re.compile(r"\b(?:no|non|not|without|exclud\w+|negative|absence|free|dim|keine?|sans|ruled)\b")
_CLAUSE = re.compile(r"[.,;:!?()]")
_LISTING = re.compile(r"[;|+&/]|, ")
_OR = re.compile(r"\s*(?:,\s*)?(?:or|nor|and/or)\s+(?:any\s+)?")
_COMMA_GAP = re.compile(r"\s*,\s*")
_SHORT_WORDS = word_set("nor or and to in an a at on no not but of is as by it for so we he be i")
_BRACKETED = re.compile(r"[\s\-,.'()\[\]/]*")


class Matcher:
    """Listed names, ready to be looked up. Built once per catalogue."""

    def __init__(self, classes: Iterable[ClassDefinition], statuses: Iterable[StatusDefinition]) -> None:
        classes, statuses = tuple(classes), tuple(statuses)
        self._fuzzy = {c.id for c in classes if c.fuzzy_close_to}
        self._watched = {c.id for c in classes if c.watch}
        self._names: dict[str, _Entry] = {}
        self._cells: dict[str, _Entry] = {}
        self._brands: dict[str, _Entry] = {}
        self._results: dict[str, _Entry] = {}
        _enter(self._names, (*_substance_names(classes), *_class_names(classes)), varied=True)
        _enter(self._cells, _cell_names(classes))
        _enter(self._brands, _brand_names(classes))
        _enter(self._results, _status_names(statuses))
        self._stems = tuple((Words(e).key, c.id) for c in classes for e in c.stem_endings)
        self._endings = tuple({e for stem, _ in self._stems for e in (stem, f"{stem}s")})
        self._close = {e: n.name for e, n in self._names.items() if n.name.class_id in self._fuzzy and len(e) > 6}
        self._sounds = {_sound(e): n for e, n in self._close.items()}
        self._passed = frozenset(Words(w).key for s in statuses for w in s.prose_words)
        self._nothing = next((s for s in statuses if s.stands_for == "nothing named"), None)
        self._absent = next((s for s in statuses if s.stands_for == "ruled out"), None)
        keys = dict.fromkeys(k for table in (self._names, self._brands) for k in table if len(k) > 1)
        self._listed, self._machine = _machine(keys)
        phrases = dict.fromkeys(k for k, e in self._results.items() if e.gaps)
        self._phrases, self._phrase_machine = _machine(phrases)
        self._with_brands = {**self._brands, **self._names}
        self._memo_mentions = lru_cache(_MEMO)(self._mentions)
        self._memo_cell = lru_cache(_MEMO)(self._in_cell)
        self._resembles = lru_cache(_MEMO)(self._resembling)

    # -------------------------------------------------------------------------------------------- what is asked

    def mentions(self, text: str, *, whole: bool, brands: bool = False) -> tuple[Mention, ...]:
        """Names in a text.

        whole: the text is one name (a cell, or one part of a list): one mention, queued where it is not listed.
        Otherwise the text is prose: every listed name in it, and every word that only looks like one, in order.
        `brands` also looks up brand and street words (purchase intent only).
        """
        return self._memo_mentions(text, whole, brands)

    def _mentions(self, text: str, whole: bool, brands: bool) -> tuple[Mention, ...]:
        words = Words(text)
        if not words.key:
            return ()
        if whole:
            return (self._whole(words, brands)[0],)
        found = [self._mention(words, hit) for hit in self._hits(words, brands, any_case=brands)[0]]
        found += [self._queued(words, n, n, c) for n, c in self._lookalikes(words, found)]
        return tuple(sorted(found, key=lambda m: (m.start, m.end)))

    def in_cell(self, text: str, *, in_prose: bool) -> tuple[Mention, ...]:
        """Names in a cell, or in one part of a list that a cell holds: one whole name, else every name in it.

        What no list has is queued, so that nothing that names a substance is passed over. In prose (a cause of death)
        a word is queued only where a name would stand, or where it looks like one; where nothing is named, the status
        that says so is the one mention.
        """
        return self._memo_cell(text, in_prose)

    def _in_cell(self, text: str, in_prose: bool) -> tuple[Mention, ...]:
        words = Words(text)
        if not words.key:
            return ()
        whole, hits, absent = self._whole(words, False)
        if whole.kind is not MentionKind.QUEUED or not (in_prose or hits or absent):
            return (whole,)
        if in_prose:
            hits, absent = self._hits(words, False, any_case=False, run_on=True)
        mentions = [self._mention(words, hit) for hit in hits]
        taken = {n for hit in (*hits, *absent) for n in range(hit.first, hit.last + 1)}
        runs = self._runs(words, taken, in_prose)
        if not in_prose:
            mentions, runs = self._compounded(words, hits, mentions, runs)
        elif taken or runs != [(0, len(words.tokens) - 1)]:
            runs = [run for run in runs if self._stands_as_a_name(words, taken, *run)]
        mentions += [self._entry(words, first, last) for first, last in runs]
        status = self._absent if absent else self._nothing
        if not mentions and status is not None:
            mentions = [Mention(0, len(text), status.name, MentionKind.STATUS, status.id, None, status.name)]
        return tuple(sorted(mentions, key=lambda m: (m.start, m.end)))

    def suggest(self, text: str, limit: int = 3) -> list[Suggestion]:
        """Listed names closest to a queued one, those of classes that ask for it first. Never a resolution."""
        sound = _sound(Words(text).key)
        choices = self._choices
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
        likeliest = sorted(found.values(), key=lambda s: (-s.score, s.class_id not in self._fuzzy, s.subject))
        return likeliest[:limit]

    # -------------------------------------------------------------------------------------------- one name

    def _whole(self, words: Words, brands: bool) -> tuple[Mention, list[_Hit], list[_Hit]]:
        """(what the whole text is, the names in it, the names in it that are ruled out)."""
        last = len(words.tokens) - 1
        name = self._exactly(words, 0, last, brands)
        if name is not None:
            return self._as(words, 0, last, name.kind, name.subject, name.class_id, name.text), [], []
        hits, absent = self._hits(words, brands, any_case=True)
        name = self._around(words, hits) if hits and not absent else None
        if name is None and not hits:
            name = self._result(words, absent)
        if name is not None:
            return self._as(words, 0, last, name.kind, name.subject, name.class_id, name.text), hits, absent
        classes = sorted({h.name.class_id for h in hits if h.name.class_id}, key=lambda c: (c not in self._watched, c))
        class_id = classes[0] if classes else self._class_of_word(words.key)
        return self._queued(words, 0, last, class_id), hits, absent

    def _result(self, words: Words, absent: list[_Hit]) -> Name | None:
        """The result that a cell without names states somewhere in it; or that all its names were ruled out."""
        if absent and self._absent is not None:
            rest = set(range(len(words.tokens))) - {n for hit in absent for n in range(hit.first, hit.last + 1)}
            if all(self._is_prose(words.tokens[n]) for n in rest):
                return Name(self._absent.name, MentionKind.STATUS, self._absent.id, None)
        if len(words.tokens) < 2:
            return None
        phrases = self._find(words, self._phrases, self._phrase_machine, self._results, True)
        return phrases[0].name if phrases else None

    def _exactly(self, words: Words, first: int, last: int, brands: bool) -> Name | None:
        """The listed name that these words are, brackets, commas and case aside; never across the parts of a list."""
        spelt = words.key if last - first + 1 == len(words.tokens) else "".join(words.tokens[first : last + 1])
        tables = [self._names, self._cells, self._results, *([self._brands] if brands else [])]
        for table in tables:
            entry = table.get(spelt)
            if entry is not None and self._reads_as_one(words, first, last, entry):
                return entry.name
        return None

    def _reads_as_one(self, words: Words, first: int, last: int, entry: _Entry) -> bool:
        if _LISTING.search(words.folded) is None:
            return True
        at = 0
        for n in range(first + 1, last + 1):
            at += len(words.tokens[n - 1])
            if at not in entry.gaps and _LISTING.search(words.gaps[n]):
                return False
        return True

    def _around(self, words: Words, hits: list[_Hit]) -> Name | None:
        """The one substance that the whole cell names, with salts, isotopes, remarks and amounts around it.

        'Metonitazene (trace)', 'Etonitazepyne (N-pyrrolidino etonitazene)', 'cocaine 80%': only where all names agree.
        """
        one = hits[0]
        if any(hit.queued or hit.name.subject != one.name.subject for hit in hits):
            return None
        taken = {n for hit in hits for n in range(hit.first, hit.last + 1)}
        for n, token in enumerate(words.tokens):
            if n in taken or token in prose.REMARKS or (n < one.first and token.isdigit()):
                continue
            amount = not token.isdigit() or "%" in words.gaps[n + 1] or prose.is_unit(words.tokens[n + 1 : n + 2])
            if not (amount and prose.is_quantity(token)):  # 'cocaine 80%', but 'MDA 77' is another name
                return None
        if one.as_class and one.name.class_id:
            return Name(one.name.text, MentionKind.CLASS, one.name.class_id, one.name.class_id)
        return one.name

    # -------------------------------------------------------------------------------------------- names in a text

    def _hits(self, words: Words, brands: bool, any_case: bool, run_on: bool = False) -> tuple[list[_Hit], list[_Hit]]:
        """(names, names ruled out), leftmost and longest first, with what belongs to them on both sides."""
        table = self._with_brands if brands else self._names
        found = self._find(words, self._listed, self._machine, table, any_case, run_on)
        hits: list[_Hit] = []
        for hit in found:
            self._widen(words, hit, hits[-1].last if hits else -1)
            hits.append(hit)
        if not hits or _NEGATION.search(words.folded) is None:
            return hits, []
        absent = _ruled_out(words, hits)
        return [hit for hit in hits if hit not in absent], absent

    def _find(
        self, words: Words, listed: list[str], machine: AhoCorasick | None, table: dict[str, _Entry], any_case: bool,
        run_on: bool = False,
    ) -> list[_Hit]:  # fmt: skip
        """Whole-word, leftmost-longest. Names of up to three letters must stand in capitals unless `any_case`.

        `run_on`: a missing space beside 'of' or 'and' is read as one ('offentanyl', 'heroinand').
        """
        if machine is None:
            return []
        key = words.key
        matches = machine.find_matches_as_indexes(key, overlapping=True)
        if not matches:
            return []
        starts, ends = words.starts, words.ends
        found: list[tuple[int, int, int, _Entry, bool]] = []
        for index, start, end in matches:
            last = ends.get(end)
            if last is None and end - start > 3 and key[end : end + 1] == "s":
                last = ends.get(end + 1)
            if last is None and run_on and end - start > 5:
                last = _before_joint(words, end)
            if last is None:
                continue
            entry = table.get(listed[index])
            if entry is None:
                continue
            first = starts.get(start)
            glued = False
            if first is None and end - start > 5:
                first, glued = self._glued(words, start, last, run_on)
            if first is None:
                continue
            if first != last and not _one_name(words, first, last, entry):
                continue
            if end - start <= 4 and not any_case and not _as_short(words, first, last, end - start):
                continue
            found.append((first, -last, -len(listed[index]), entry, glued))
        if not found:
            return []
        found.sort(key=lambda f: f[:3])
        hits: list[_Hit] = []
        for first, last, _, entry, glued in found:
            if not hits or first > hits[-1].last:
                hits.append(_Hit(first, -last, entry.name, queued=glued))
        return hits

    def _glued(self, words: Words, start: int, last: int, run_on: bool) -> tuple[int | None, bool]:
        """(word, part of another name?) where a listed name ends a word: 'difluoroalprazolam', or 'offentanyl'."""
        token = words.tokens[last]
        inside = start - words.offsets[last]
        before = token[:inside] if inside > 0 else ""
        if run_on and before in prose.JOINTS:
            return last, False
        return (last, True) if len(token) - inside > 6 and chemistry.is_group(before) else (None, False)

    def _widen(self, words: Words, hit: _Hit, before: int) -> None:
        """Take in salts, isotopes and mirror images; see whether a group makes it part of another name."""
        tokens, gaps = words.tokens, words.gaps
        while hit.last + 1 < len(tokens):
            gap, token = gaps[hit.last + 1], tokens[hit.last + 1]
            following = tokens[hit.last + 2] if hit.last + 2 < len(tokens) else ""
            plain = bool(_BRACKETED.fullmatch(gap)) and "," not in gap
            salt = chemistry.is_salt(token, following) if plain else 0
            if salt:
                hit.last += salt
            elif chemistry.is_isotope(token, gap):
                hit.last += 1
            else:
                break
        bound = hit.first
        while hit.first - 1 > before:
            gap, token = gaps[hit.first], tokens[hit.first - 1]
            if not (chemistry.is_stereo(token, gap, hit.first < bound) or chemistry.is_isotope(token, gap)):
                break
            hit.first -= 1
        if hit.name.kind is not MentionKind.SUBSTANCE:
            return
        while hit.first - 1 > before and chemistry.makes_another(tokens[hit.first - 1], gaps[hit.first]):
            hit.first -= 1
            hit.queued = True
            while (
                hit.first - 1 > before
                and re.fullmatch(r"\s?[-,]\s?", gaps[hit.first])
                and chemistry.is_locant(tokens[hit.first - 1])
            ):
                hit.first -= 1
        self._look_behind(words, hit)

    def _look_behind(self, words: Words, hit: _Hit) -> None:
        """'fentanyl analogue' is of fentanyl's class; 'morphine glucuronide' is another substance."""
        after = hit.last + 1
        if after < len(words.tokens) and words.tokens[after].isdigit() and words.gaps[after] == "-":
            hit.last, hit.queued = after, True
            return
        if after < len(words.tokens) and words.tokens[after] in ("n", "o"):
            after += 1
        if after >= len(words.tokens) or not all(
            chemistry.JOINING.fullmatch(words.gaps[n]) for n in range(hit.last + 1, after + 1)
        ):
            return
        if words.tokens[after] in chemistry.AFTER_IS_CLASS:
            hit.last, hit.as_class = after, not hit.queued
        elif words.tokens[after] in chemistry.AFTER_IS_OTHER:
            hit.last, hit.queued = after, True

    # -------------------------------------------------------------------------------------------- the rest of a text

    def _lookalikes(self, words: Words, found: list[Mention]) -> Iterator[tuple[int, str]]:
        """Unlisted words with a class's ending, or one slip away from a name of a class that asks for it."""
        spans = [(m.start, m.end) for m in found]
        for n, token in enumerate(words.tokens):
            if len(token) < 6:
                continue
            class_id = self._class_of_word(token)
            if class_id is None and self._is_prose(token):
                continue
            class_id = class_id or self._resembles(token)
            start, end = words.span(n, n)
            if class_id is None or any(a < end and start < b for a, b in spans):
                continue
            at = words.within[n]
            if _NEGATION.search(words.folded) is None or not _negated(words.folded, *at):
                yield n, class_id

    def _class_of_word(self, token: str) -> str | None:
        if not token.endswith(self._endings or ("\0",)):
            return None
        return next((c for ending, c in self._stems if token.endswith((ending, f"{ending}s"))), None)

    def _resembling(self, token: str) -> str | None:
        """The class of a name one slip away (two in longer names); words of fewer than seven letters never."""
        if len(token) < 7 or not self._sounds or token in self._names:
            return None
        sound = _sound(token)
        slips = 2 if len(sound) > 10 else 1
        close = process.extractOne(sound, self._sounds.keys(), scorer=OSA.distance, score_cutoff=slips)
        return self._sounds[close[0]].class_id if close and close[0][:1] == sound[:1] else None

    def _is_prose(self, token: str) -> bool:
        return token in self._passed or prose.is_prose(token)

    def _runs(self, words: Words, taken: set[int], in_prose: bool) -> list[tuple[int, int]]:
        """Stretches of words that no list has: (first, last), amounts and words of prose (or remarks) left out."""
        passed = self._is_prose if in_prose else lambda t: t in prose.REMARKS or prose.is_quantity(t)
        runs: list[tuple[int, int]] = []
        run: list[int] = []

        def close() -> None:
            while run and (len(words.tokens[run[-1]]) < 2 or passed(words.tokens[run[-1]])):
                run.pop()
            if run and any(len(words.tokens[n]) > 1 and words.tokens[n].isalnum() for n in run):
                runs.append((run[0], run[-1]))
            run.clear()

        for n, token in enumerate(words.tokens):
            gap = words.gaps[n]
            tied = bool(run) and ("-" in gap or (gap == "," and chemistry.is_locant(token)))
            if run and prose.separates(gap) and not tied:
                close()
            following = words.gaps[n + 1]
            leads = chemistry.is_locant(token) and following in ("-", ",") and n + 1 < len(words.tokens)
            if n in taken or (not tied and not leads and (passed(token) or (in_prose and len(token) < 3))):
                close()
            else:
                run.append(n)
        close()
        return runs

    def _entry(self, words: Words, first: int, last: int) -> Mention:
        """One entry of a list: listed after all (a short name without capitals), or queued."""
        name = self._exactly(words, first, last, False)
        if name is None or name.kind is MentionKind.STATUS:
            return self._queued(words, first, last, self._class_of_word(words.tokens[last]))
        return self._as(words, first, last, name.kind, name.subject, name.class_id, name.text)

    def _compounded(
        self, words: Words, hits: list[_Hit], mentions: list[Mention], runs: list[tuple[int, int]]
    ) -> tuple[list[Mention], list[tuple[int, int]]]:
        """In a laboratory's cell an unknown word tied to a name is part of it: queued as one, with the name's class."""
        rest: list[tuple[int, int]] = []
        for first, last in runs:
            for n, hit in enumerate(hits):
                inverted = chemistry.is_group(words.tokens[last]) and words.gaps[first].strip() == ","
                ahead = hit.first == last + 1 and chemistry.JOINING.fullmatch(words.gaps[hit.first])
                behind = hit.last + 1 == first and (chemistry.JOINING.fullmatch(words.gaps[first]) or inverted)
                if ahead or behind:
                    both = min(first, hit.first), max(last, hit.last)
                    mentions[n] = self._queued(words, *both, hit.name.class_id)
                    hit.first, hit.last = both
                    break
            else:
                rest.append((first, last))
        return mentions, rest

    def _stands_as_a_name(self, words: Words, taken: set[int], first: int, last: int) -> bool:
        """In prose: an entry of a list beside names, or after 'effects of', or a word that looks like a name."""
        tokens, gaps = words.tokens, words.gaps
        if any(self._class_of_word(t) or self._resembles(t) for t in tokens[first : last + 1]):
            return True
        if last - first > 3:
            return False
        if tokens[last + 1 : last + 2] and tokens[last + 1] in prose.TOXIC and gaps[last + 1].isspace():
            return True
        if chemistry.is_position_of_a_group(tokens[first : last + 1]):
            return True
        before = first - 1
        while before >= 0 and before not in taken and (tokens[before] in prose.JOINS or prose.is_lead(tokens[before])):
            before -= 1
        led = first - 1 > before or prose.separates(gaps[first]) or first == 0
        cued = before >= 0 and tokens[before] in prose.CUES
        beside = before in taken or (before >= 0 and not self._is_prose(tokens[before]))
        of = any(prose.is_lead(tokens[n]) for n in range(before + 1, first))
        opens = (led and (cued or (beside and not of) or first == 0)) or (cued and not taken)
        after = last + 1
        ended = after == len(tokens) or prose.separates(gaps[after])
        closes = ended or tokens[after] in prose.JOINS or tokens[after] in prose.CUES or after in taken
        about = bool(taken) or any(token in prose.CUES for token in tokens)
        return bool(opens and closes and about)

    # -------------------------------------------------------------------------------------------- mentions

    def _mention(self, words: Words, hit: _Hit) -> Mention:
        name = hit.name
        if hit.queued:
            return self._queued(words, hit.first, hit.last, name.class_id)
        if hit.as_class and name.class_id:
            return self._as(words, hit.first, hit.last, MentionKind.CLASS, name.class_id, name.class_id, name.text)
        return self._as(words, hit.first, hit.last, name.kind, name.subject, name.class_id, name.text)

    def _queued(self, words: Words, first: int, last: int, class_id: str | None) -> Mention:
        return self._as(words, first, last, MentionKind.QUEUED, None, class_id, None)

    def _as(
        self, words: Words, first: int, last: int, kind: MentionKind, subject: str | None, class_id: str | None,
        matched: str | None,
    ) -> Mention:  # fmt: skip
        if first == 0 and last == len(words.tokens) - 1:
            return Mention(0, len(words.original), words.original.strip(), kind, subject, class_id, matched)
        start, end = words.span(first, last)
        return Mention(start, end, words.original[start:end], kind, subject, class_id, matched)

    @cached_property
    def _choices(self) -> dict[str, Name]:
        """Spellings by sound, the substances' own before brands, names before what rules make of them."""
        listed = (*reversed(self._brands.items()), *reversed(self._names.items()))
        return {_sound(k): e.name for k, e in listed if e.name.kind is MentionKind.SUBSTANCE}


def confidence(score: float) -> str:
    """A likeness of 0-100 in words: a help for the person who decides, never a decision."""
    return "very likely" if score >= 92 else "likely" if score >= 84 else "possible" if score >= 72 else "weak"


def _sound(spelling: str) -> str:
    """Spellings that sound alike as one: ph and f, y and i, c and k, doubled letters."""
    plain = spelling.replace("ph", "f").replace("y", "i").replace("ck", "k").replace("z", "s")
    return re.sub(r"(.)\1", r"\1", plain)


def _before_joint(words: Words, end: int) -> int | None:
    """The word in which a name ends before a run-on 'and' or 'with', if any."""
    number = bisect_right(words.offsets, end) - 1
    return number if words.tokens[number][end - words.offsets[number] :] in prose.JOINTS else None


def _one_name(words: Words, first: int, last: int, entry: _Entry) -> bool:
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
        if not _BRACKETED.fullmatch(gap) or len(gap) > 4 or ("/" in gap and (at, "/") not in entry.marks):
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


def _ruled_out(words: Words, hits: list[_Hit]) -> list[_Hit]:
    """Names after 'no' or before 'not detected', and those joined to them by 'or'."""
    absent: list[_Hit] = []
    for n, hit in enumerate(hits):
        start, end = words.within[hit.first][0], words.within[hit.last][1]
        if _negated(words.folded, start, end) or _chained(words, hits, absent, n):
            absent.append(hit)
    return absent


def _chained(words: Words, hits: list[_Hit], absent: list[_Hit], n: int) -> bool:
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


def _negated(folded: str, start: int, end: int) -> bool:
    before = _CLAUSE.split(folded[max(0, start - 40) : start])[-1]
    return bool(_NEGATED_BEFORE.search(before) or _NEGATED_AFTER.match(folded[end : end + 30]))


def _machine(keys: dict[str, None]) -> tuple[list[str], AhoCorasick | None]:
    listed = list(keys)
    return listed, AhoCorasick(listed, matchkind=MatchKind.Standard) if listed else None


def _enter(table: dict[str, _Entry], names: Iterable[Name], varied: bool = False) -> None:
    """Spellings of names: those written first, then those made by rule where they are nobody's and agree."""
    made: dict[str, Name | None] = {}
    for name in names:
        words = Words(name.text)
        if not words.key:
            continue
        entry = table.setdefault(words.key, _Entry(name))
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
            table.setdefault(spelling, _Entry(one))


def _status_names(statuses: Iterable[StatusDefinition]) -> Iterator[Name]:
    for status in statuses:
        for phrase in (*status.phrases, status.name):
            yield Name(phrase, MentionKind.STATUS, status.id, None)


def _substance_names(classes: Iterable[ClassDefinition]) -> Iterator[Name]:
    for group in classes:
        for substance in group.substances:
            for written in (substance.name, *substance.synonyms):
                if written not in substance.cell_only:
                    yield Name(written, MentionKind.SUBSTANCE, substance.id, group.id)


def _cell_names(classes: Iterable[ClassDefinition]) -> Iterator[Name]:
    for group in classes:
        for substance in group.substances:
            for written in substance.cell_only:
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
