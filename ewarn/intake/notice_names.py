"""Drugs that a notice names, those it denies, and what it says was sold or passed off as what.

In: the text of a notice and the vocabulary. Out: mentions, each with the words that made it. Only listed words are
carried along, never the words around them, which may name people; brands are looked up as purchase intent alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ewarn.intake.vocabulary import Vocabulary
from ewarn.matching import Mention
from ewarn.terms import MentionKind

PIECE = 2_000

_DENIAL = re.compile(r"\b(?:not|no|non|without|neither|nor|negative|excluded|excluding|excludes|absence|free)\b", re.I)
_GAP = r"(?:[\s\-]+|,? (?:and|or|nor) |, )"
_NO = re.compile(
    r"\b(?:(?:no|without|neither)(?: (?:any )?(?:evidence|traces?|signs?|detection|presence)(?: or \w+)? of)?"
    r"|(?:did|do|does|was|were|has|have) not (?:appear to )?(?:contain|include|find|found to contain|detect|involve"
    r"|show|identify)"
    r"|(?:tested |tests? |testing )?negative for|absence of|free (?:of|from)|excluding|excludes|rul(?:ed|es|ing) out"
    r"|not)"
    r"(?: (?:any|other|the|further|additional|novel|new|synthetic|illicit|active|of|presence))*\s*$", re.IGNORECASE,
)  # fmt: skip
_NOT_EITHER = re.compile(r"\bnot (?:only|just|merely|necessarily|yet)\b[^.;]*$", re.IGNORECASE)
_UNDENIED = re.compile(
    r"\s*(?:[- ]related |[- ]involved )?(?:deaths?|overdoses?|cases?|test(?:s|ing)? strips?|antidote|naloxone)\b", re.I
)
_NOT_FOUND = re.compile(
    r"^(?:\s+(?:or|nor|and) [\w ,-]{1,40}?)?\s+(?:(?:was|were|is|are|has|have|had)(?: been)? )?"
    r"(?:(?:not|never) (?:been )?(?:detected|found|present|identified|seen)|negative|excluded|ruled out|absent)\b",
    re.I,
)


def mentions(text: str, vocabulary: Vocabulary, nameless: bool) -> tuple[list[Mention], list[tuple[Mention, str]]]:
    """Names stated, and names denied with the words that deny them.

    The matcher would leave out denied names unseen; it is given the text with the denying words blanked out, letter for
    letter, and what they deny is judged here, over lists too ('no fentanyl, xylazine or nitazenes').
    """
    blank = _DENIAL.sub(lambda found: " " * len(found.group()), text)
    stated: list[Mention] = []
    negated: list[tuple[Mention, str]] = []
    last_denied: tuple[int, str] | None = None
    for one in _listed(blank, vocabulary):
        if one.kind is MentionKind.STATUS or (one.kind is MentionKind.QUEUED and not _may_be_kept(one, nameless)):
            continue
        phrase = _denied(text, one)
        if not phrase and last_denied and _follows(text[last_denied[0] : one.start]):
            phrase = last_denied[1]
        if phrase:
            last_denied = (one.end, phrase)
            negated.append((one, f"{phrase} \u2026 {one.as_written}" if one.as_written not in phrase else phrase))
        else:
            stated.append(one)
    return stated, negated


def pieces(text: str) -> Iterator[tuple[int, str]]:
    """A long text in pieces that end with a sentence or a word, each with where it starts."""
    start = 0
    while start < len(text):
        end = start + PIECE
        if end < len(text):
            cuts = [text.rfind(mark, start + PIECE // 2, end) + len(mark) for mark in (". ", " ")]
            end = next((cut for cut in cuts if cut > start + PIECE // 2), end)
        yield start, text[start:end]
        start = end


def _listed(text: str, vocabulary: Vocabulary) -> Iterator[Mention]:
    for start, piece in pieces(text):
        for one in vocabulary.matcher.mentions(piece, whole=False):
            yield _moved(one, start)


def _moved(one: Mention, by: int) -> Mention:
    return Mention(
        one.start + by, one.end + by, one.as_written, one.kind, one.subject, one.class_id, one.matched
    )  # fmt: skip


def _follows(gap: str) -> bool:
    """Whether what stands between two names makes them one list."""
    return len(gap) < 20 and re.fullmatch(_GAP, gap) is not None


def _may_be_kept(queued: Mention, nameless: bool) -> bool:
    """An unlisted name: only with the class it looks like, and never what may be a person's name."""
    return queued.class_id is not None and not (nameless and queued.as_written[:1].isupper())


def _denied(text: str, one: Mention) -> str:
    """The words that deny a name; empty where it is stated. Unconfirmed is not denied."""
    before = re.split(r"[.;:!?()\u2014]|\bbut\b|, (?:which|who)\b", text[max(0, one.start - 90) : one.start])[-1]
    after = text[one.end : one.end + 80]
    no = _NO.search(before)
    if no and not _NOT_EITHER.search(before) and not _UNDENIED.match(after):
        return re.sub(r"\s+", " ", no.group()).strip()
    not_found = _NOT_FOUND.match(re.split(r"[.;!?()\u2014]", after)[0])
    return (
        re.sub(r"^.*?\b(?=(?:not|never|negative|excluded|ruled|absent)\b)", "", not_found.group()) if not_found else ""
    )


@dataclass(frozen=True)
class Sold:
    name: str
    subject: str | None
    words: str
    mention: Mention | None


_SOLD = re.compile(
    r"\b(?:mis-?sold as|sold (?:to (?:them|her|him|people|users) )?as|purported(?:ly)? (?:to be|as)|purporting to be"
    r"|purported"
    r"|marketed as|advertised as|labell?ed as|passed off as|disguised as|masquerading as|presented as|posing as"
    r"|bought as"
    r"|purchased as|offered as|supplied as|(?P<weak>believed to be|thought to be|believing (?:it|they|them) (?:was"
    r"|were|to be)"
    r"|thinking (?:it|they) (?:was|were)|thought (?:it was|they were)(?: (?:taking|using|snorting|smoking|buying"
    r"|injecting))?"
    r"|in place of|instead of|intended (?:to be|as)|made to look like|resembling|substitut(?:ed|es?|ing) for))\b",
    re.IGNORECASE,
)  # fmt: skip
_FAKE = re.compile(r"\b(?:counterfeit|fake|bogus|imitation|falsified)\b", re.IGNORECASE)
_STOP = re.compile(
    r"[.;!?()\n\u2014]|\b(?:but|contain\w*|which|that|has|have|were|was|found|with|laced|tested|cut|linked|are|is"
    r"|may|after)\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"^\s*(?:\w+ ){0,2}[\"'\u2018\u201c]([^\"'\u2019\u201d]{2,40})[\"'\u2019\u201d]")


def sold_as(text: str, vocabulary: Vocabulary, nameless: bool) -> Iterator[Sold]:
    """What something is said to be sold or passed off as; brands are looked up here, and only here."""
    for found in sorted([*_SOLD.finditer(text), *_FAKE.finditer(text)], key=lambda f: f.start()):
        fake = found.re is _FAKE
        after = _STOP.split(text[found.end() : found.end() + (45 if fake else 90)])[0]
        weak = not fake and found["weak"] is not None
        hits = vocabulary.matcher.mentions(after, whole=False, brands=True)
        named = [m for m in hits if m.subject and not (weak and watched(m, vocabulary))]
        for one in named:
            moved = _moved(one, found.end())
            name = one.as_written.strip("'\"\u2018\u2019\u201c\u201d")
            yield Sold(name, one.subject, f"{found.group()} \u2026 {name}", moved)
        quoted = _QUOTED.match(text[found.end() : found.end() + 60])
        if not named and not hits and quoted and not nameless and not weak:
            yield Sold(quoted[1], None, f"{found.group()} \u2026 {quoted[1]}", None)


def watched(mention: Mention, vocabulary: Vocabulary) -> bool:
    group = vocabulary.known.classes.get(mention.class_id or mention.subject or "")
    if group is None:
        return False
    own = next((s.watch for s in group.substances if s.id == mention.subject), None)
    return group.watch if own is None else own
