"""Substance names: a written name in, the substance, class or result it is out.

In: class and status definitions. Out: mentions. Whole names only, longest first: `orphine` is never found in morphine,
nor etonitazene in metonitazene. Spaces, hyphens, brackets, dashes, Greek letters, salts, mirror images and isotope
labels do not matter; a group in front ('acetyl fentanyl') makes another substance, which is queued with its class. A
name nobody has listed is queued, with its class where the class is plain from the word's ending or from a listed name
inside a longer compound name. Likeness only orders the queue, it never resolves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from ewarn.catalogue.definitions import ClassDefinition, StatusDefinition
from ewarn.matching import chemistry, finding, prose
from ewarn.matching.finding import BRACKETED, Entry, Finder, Hit, Name
from ewarn.matching.likeness import Likeness, Suggestion
from ewarn.matching.negation import negated, ruled_out
from ewarn.matching.text import Words
from ewarn.terms import MentionKind

_LISTING = re.compile(r"[;|+&/]|, ")  # between the parts of a list
_MEMO = 65_536  # texts remembered; a source repeats itself far more than this many times over


class Mention(NamedTuple):
    """A name found in a text. `start` and `end` bound it in the original text; `matched` is the listed spelling."""

    start: int
    end: int
    as_written: str
    kind: MentionKind
    subject: str | None
    class_id: str | None
    matched: str | None


class Matcher:
    """Listed names, ready to be looked up. Built once per catalogue."""

    def __init__(self, classes: Iterable[ClassDefinition], statuses: Iterable[StatusDefinition]) -> None:
        classes, statuses = tuple(classes), tuple(statuses)
        self._watched = {c.id for c in classes if c.watch}
        self._names: dict[str, Entry] = {}
        self._cells: dict[str, Entry] = {}
        self._brands: dict[str, Entry] = {}
        self._results: dict[str, Entry] = {}
        finding.enter(self._names, (*finding.substance_names(classes), *finding.class_names(classes)), varied=True)
        finding.enter(self._cells, finding.cell_names(classes))
        finding.enter(self._brands, finding.brand_names(classes))
        finding.enter(self._results, finding.status_names(statuses))
        self._stems = tuple((Words(e).key, c.id) for c in classes for e in c.stem_endings)
        self._endings = tuple({e for stem, _ in self._stems for e in (stem, f"{stem}s")}) or ("\0",)
        self._passed = frozenset(Words(w).key for s in statuses for w in s.prose_words)
        self._nothing = next((s for s in statuses if s.stands_for == "nothing named"), None)
        self._absent = next((s for s in statuses if s.stands_for == "ruled out"), None)
        self._finder = Finder((*self._names, *self._brands))
        self._phrases = Finder(key for key, entry in self._results.items() if entry.gaps)
        self._with_brands = {**self._brands, **self._names}
        self._memo_mentions = lru_cache(_MEMO)(self._mentions)
        self._memo_cell = lru_cache(_MEMO)(self._in_cell)
        self._likeness = Likeness(self._names, self._brands, {c.id for c in classes if c.fuzzy_close_to})
        self._resembles = lru_cache(_MEMO)(self._likeness.class_of)

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
        """Listed names closest to a queued one, the likeliest first. Never a resolution."""
        return self._likeness.suggest(text, limit)

    # -------------------------------------------------------------------------------------------- one name

    def _whole(self, words: Words, brands: bool) -> tuple[Mention, list[Hit], list[Hit]]:
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

    def _result(self, words: Words, absent: list[Hit]) -> Name | None:
        """The result that a cell without names states somewhere in it; or that all its names were ruled out."""
        if absent and self._absent is not None:
            rest = set(range(len(words.tokens))) - {n for hit in absent for n in range(hit.first, hit.last + 1)}
            if all(self._is_prose(words.tokens[n]) for n in rest):
                return Name(self._absent.name, MentionKind.STATUS, self._absent.id, None)
        if len(words.tokens) < 2:
            return None
        phrases = self._phrases.find(words, self._results, any_case=True)
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

    def _reads_as_one(self, words: Words, first: int, last: int, entry: Entry) -> bool:
        if _LISTING.search(words.folded) is None:
            return True
        at = 0
        for n in range(first + 1, last + 1):
            at += len(words.tokens[n - 1])
            if at not in entry.gaps and _LISTING.search(words.gaps[n]):
                return False
        return True

    def _around(self, words: Words, hits: list[Hit]) -> Name | None:
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

    def _hits(self, words: Words, brands: bool, any_case: bool, run_on: bool = False) -> tuple[list[Hit], list[Hit]]:
        """(names, names ruled out), leftmost and longest first, with what belongs to them on both sides."""
        table = self._with_brands if brands else self._names
        found = self._finder.find(words, table, any_case, run_on)
        hits: list[Hit] = []
        for hit in found:
            self._widen(words, hit, hits[-1].last if hits else -1)
            hits.append(hit)
        absent = ruled_out(words, hits)
        return [hit for hit in hits if hit not in absent], absent

    def _widen(self, words: Words, hit: Hit, before: int) -> None:
        """Take in salts, isotopes and mirror images; see whether a group makes it part of another name."""
        tokens, gaps = words.tokens, words.gaps
        while hit.last + 1 < len(tokens):
            gap, token = gaps[hit.last + 1], tokens[hit.last + 1]
            following = tokens[hit.last + 2] if hit.last + 2 < len(tokens) else ""
            plain = bool(BRACKETED.fullmatch(gap)) and "," not in gap
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

    def _look_behind(self, words: Words, hit: Hit) -> None:
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
            if not negated(words.folded, *at):
                yield n, class_id

    def _class_of_word(self, token: str) -> str | None:
        if not token.endswith(self._endings):
            return None
        return next((c for ending, c in self._stems if token.endswith((ending, f"{ending}s"))), None)

    def _is_prose(self, token: str) -> bool:
        return token in self._passed or prose.is_prose(token)

    def _runs(self, words: Words, taken: set[int], in_prose: bool) -> list[tuple[int, int]]:
        """Stretches of words that no list has: (first, last), amounts and words of prose (or remarks) left out."""
        passed = self._is_prose if in_prose else lambda t: t in prose.REMARKS or prose.is_quantity(t)
        runs: list[tuple[int, int]] = []
        run: list[int] = []

        def close() -> None:
            while run and ((in_prose and len(words.tokens[run[-1]]) < 2) or passed(words.tokens[run[-1]])):
                run.pop()
            if run and (not in_prose or any(len(words.tokens[n]) > 1 for n in run)):
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
        self, words: Words, hits: list[Hit], mentions: list[Mention], runs: list[tuple[int, int]]
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

    def _mention(self, words: Words, hit: Hit) -> Mention:
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
